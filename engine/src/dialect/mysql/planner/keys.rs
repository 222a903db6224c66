//! Foreign keys that are added: the server neither copies the table nor looks at its rows, so the rows are counted here, before
//! and after.

use super::change::Change;
use super::{Context, Draft, Seed};
use crate::dialect::mysql::native::{drop_foreign_key_if_there, drop_index_if_there};
use crate::error::Problem;
use crate::name::Ident;
use crate::plan::{Action, Check, Cost, Guard, Held, Lock, LockMode, PhaseKind, Probe, Step, StepId, Undo};
use crate::schema::mysql::{Column, Table, TablePath};
use crate::sql;
use crate::sql::mysql::name::Name;
use crate::sql::mysql::statement::{AddForeignKey, ClauseKind};
use crate::text::Sql;

/// What the referenced table is called in a condition; the table that holds the key has its whole name there.
const REFERENCED: &str = "shoofly_referenced";

/// The foreign keys that some clauses add.
pub(super) fn added<'a>(change: &'a Change, places: &[usize]) -> Vec<&'a AddForeignKey> {
    let kinds = places.iter().filter_map(|at| change.clauses().get(*at)).map(|clause| &clause.kind);
    let keys = kinds.filter_map(|kind| match kind {
        ClauseKind::AddForeignKey(key) => Some(key),
        _ => None,
    });
    keys.collect()
}

/// The table that a key refers to. Without a database of its own it is the table's own one.
pub(super) fn referenced(key: &AddForeignKey, table: &Table) -> TablePath {
    let name = &key.referenced.name;
    TablePath::new(name.database.clone().unwrap_or_else(|| table.path.database.clone()), name.name.clone())
}

/// Tables that foreign keys refer to belong to the run as well: another one must not change them meanwhile, nor may this one.
pub(super) fn add_beside(beside: Vec<(TablePath, String)>, tables: &mut Vec<TablePath>) -> Vec<Problem> {
    let changed = tables.clone();
    let mut problems = Vec::new();
    for (path, place) in beside {
        if changed.contains(&path) {
            problems.push(Problem {
                what: format!("{} is changed by another statement of the migration", path.display()),
                place,
                why: "a foreign key that is added refers to it".to_owned(),
                advice: "put them into migrations of their own".to_owned(),
            });
        } else if !tables.contains(&path) {
            tables.push(path);
        }
    }
    problems
}

/// Whether an index of the table serves the key; without one the server builds it, with the key's name.
pub(super) fn is_served(key: &AddForeignKey, table: &Table) -> bool {
    table.indexes.iter().any(|index| {
        let mut parts = index.parts.iter();
        index.kind == "BTREE"
            && key.columns.iter().all(|column| {
                let part = parts.next().filter(|part| part.prefix.is_none());
                part.and_then(|part| part.column.as_ref()).is_some_and(|name| name.same_as(column.as_str()))
            })
    })
}

/// Statements that take such keys back.
pub(super) fn undo(change: &Change, places: &[usize], table: &Table) -> Vec<Sql> {
    let mut statements = Vec::new();
    for key in added(change, places) {
        let Some(name) = &key.name else { continue };
        statements.push(drop_foreign_key_if_there(&table.path, name));
        if !is_served(key, table) {
            statements.push(drop_index_if_there(&table.path, name));
        }
    }
    statements
}

/// Counts the rows that refer to nothing.
pub(super) fn proof(phase: PhaseKind, keys: &[&AddForeignKey], table: &Table) -> Seed {
    let mut locks = vec![reads(&table.path)];
    for path in keys.iter().map(|key| referenced(key, table)) {
        let lock = reads(&path);
        if !locks.contains(&lock) {
            locks.push(lock);
        }
    }
    let step = Step {
        id: StepId(String::new()),
        title: format!("prove that every row of {} has what it refers to", table.path.display()),
        action: Action::Verify { proofs: keys.iter().map(|key| check(key, table)).collect() },
        locks,
        guard: Guard::Free,
        cost: Cost::Scan { bytes: table.data_bytes },
        probe: Probe::Ledger,
        undo: Undo::Nothing,
    };
    Seed { phase, step }
}

fn reads(path: &TablePath) -> Lock {
    Lock { relation: path.qualified(), mode: LockMode::SharedRead, why: String::new(), held: Held::Chunk }
}

/// `MATCH SIMPLE`, which both products have alone: a row with a NULL among the columns refers to nothing.
fn check(key: &AddForeignKey, table: &Table) -> Check {
    let referenced = referenced(key, table);
    let theirs = Sql::raw(REFERENCED);
    let some = key.columns.iter().map(|column| sql!("{t}.{c} IS NOT NULL", t = table.path, c = column));
    let same = key
        .columns
        .iter()
        .zip(&key.referenced_columns)
        .map(|(own, other)| sql!("{r}.{other} = {t}.{own}", r = theirs, other = other, t = table.path, own = own));
    let columns: Vec<&str> = key.columns.iter().map(Name::as_str).collect();
    let names = table.identity().into_iter().flat_map(|index| &index.parts);
    Check {
        table: table.path.qualified(),
        claim: format!("every {} of {} is in {}", columns.join(", "), table.path.display(), referenced.display()),
        violation: sql!(
            "{some} AND NOT EXISTS (SELECT 1 FROM {referenced} AS {theirs} WHERE {same})",
            some = Sql::join(&some.collect::<Vec<_>>(), " AND "),
            referenced = referenced,
            theirs = theirs,
            same = Sql::join(&same.collect::<Vec<_>>(), " AND "),
        ),
        key: names.filter_map(|part| part.column.clone()).map(Ident::from).collect(),
        advice: "correct these rows, or add what they refer to".to_owned(),
    }
}

/// What the server would not refuse, as it does not look, and what cannot be proved.
pub(super) fn refuse(change: &Change, table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    let all: Vec<usize> = (0..change.clauses().len()).collect();
    for key in added(change, &all) {
        let mut refuse = |what: String, why: &str, advice: &str| draft.problems.push(cx.problem(what, why, advice));
        let Some(name) = &key.name else {
            refuse(
                "the foreign key has no name".to_owned(),
                "after a crash it is looked for by its name",
                "write ADD CONSTRAINT name FOREIGN KEY …",
            );
            continue;
        };
        if table.foreign_keys.iter().any(|known| known.name.same_as(name.as_str())) && !change.drops_key(name) {
            let what = format!("{} has a foreign key {} already", table.path.display(), name.as_str());
            refuse(what, "names of foreign keys are unique", "choose another name");
        }
        if table.identity().is_none() {
            refuse(
                format!("{} has no primary key", table.path.display()),
                "its rows are read in the order of a primary key, or of a unique one of NOT NULL columns",
                "add one first",
            );
        }
        let path = referenced(key, table);
        let Some(parent) = cx.facts.catalogue.table(&path) else {
            refuse(
                format!("there is no table {} to refer to", path.display()),
                "or the user may not see it; the server would not look",
                "check the name and the rights",
            );
            continue;
        };
        super::refuse::kind(parent, cx, draft);
        columns(key, (table, change), parent, cx, draft);
    }
}

/// Whether there is a key that the server would name: as a part of a column, or of a list in brackets.
pub(super) fn refuse_hidden(change: &Change, cx: &Context<'_>, draft: &mut Draft) -> bool {
    let Some(clause) = change.hidden_key() else { return false };
    draft.problems.push(cx.problem(
        format!("{} adds a foreign key as well", clause.text),
        "REFERENCES makes one that has no name of its own; after a crash it is looked for by its name",
        "write ADD COLUMN without it, and ADD CONSTRAINT name FOREIGN KEY … as a clause of its own",
    ));
    true
}

/// Keys that are added to a table that is copied.
pub(super) fn refuse_copy(change: &Change, cx: &Context<'_>, draft: &mut Draft) {
    if change.clauses().iter().any(|clause| matches!(clause.kind, ClauseKind::AddForeignKey(_))) {
        draft.problems.push(cx.problem(
            "a foreign key is added together with a change that copies the table",
            "the server adds one beside the application only to a table that stays",
            "add it in a migration of its own",
        ));
    }
}

fn columns(
    key: &AddForeignKey,
    (table, change): (&Table, &Change),
    parent: &Table,
    cx: &Context<'_>,
    draft: &mut Draft,
) {
    let mut refuse = |what: String, why: &str, advice: &str| draft.problems.push(cx.problem(what, why, advice));
    if key.columns.len() != key.referenced_columns.len() {
        let what = format!("{} columns refer to {}", key.columns.len(), key.referenced_columns.len());
        refuse(what, "each column refers to one", "correct the statement");
        return;
    }
    // Columns of the same change are known where the statement was tried.
    let after = cx.tried.and_then(|tried| tried.after.as_ref());
    for (own, other) in key.columns.iter().zip(&key.referenced_columns) {
        let Some(theirs) = parent.column(other.as_str()) else {
            let what = format!("{} has no column {}", parent.path.display(), other.as_str());
            refuse(what, "a foreign key refers to it", "correct the statement");
            continue;
        };
        let ours = after.unwrap_or(table).column(own.as_str());
        match ours {
            Some(ours) if !agree(ours, theirs) => refuse(
                format!(
                    "{} is {}, and {} of {} is {}",
                    own.as_str(),
                    full(ours),
                    other.as_str(),
                    parent.path.display(),
                    full(theirs)
                ),
                "both columns of a foreign key must be of one type, and texts of one collation",
                "change one of them first",
            ),
            None if !change.adds_column(own) => {
                let what = format!("{} has no column {}", table.path.display(), own.as_str());
                refuse(what, "a foreign key is over it", "correct the statement");
            }
            _ => {}
        }
    }
}

/// Texts may be of different length.
fn agree(ours: &Column, theirs: &Column) -> bool {
    match (&ours.collation, &theirs.collation) {
        (Some(ours), Some(theirs)) => ours == theirs,
        (None, None) => {
            let binary = |column: &Column| matches!(column.data_type.as_str(), "binary" | "varbinary");
            ours.column_type == theirs.column_type || (binary(ours) && binary(theirs))
        }
        _ => false,
    }
}

fn full(column: &Column) -> String {
    match &column.collation {
        Some(collation) => format!("{} COLLATE {collation}", column.column_type),
        None => column.column_type.clone(),
    }
}
