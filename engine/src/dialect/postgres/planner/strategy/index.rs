//! `CREATE INDEX` and `DROP INDEX`, both concurrently.

use crate::dialect::postgres::index::{self as sql_index, Uniqueness};
use crate::dialect::postgres::planner::context::{Context, Text};
use crate::dialect::postgres::planner::definition;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, heap_bytes};
use crate::error::Problem;
use crate::name::{Ident, QualifiedName};
use crate::op::{CreateIndex, DropIndex};
use crate::plan::{Cost, Strategy, Undo};
use crate::schema::{ConstraintKind, Index, Table};
use crate::text::Sql;

/// Drafts `CREATE INDEX`.
pub(crate) fn create(op: &CreateIndex, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = format!("create {} on {}", spoken(op), op.table.display());
    let Some(table) = cx.target(&op.table, draft) else { return };
    for column in &op.columns {
        cx.column(table, column, draft);
    }
    let Some(name) = chosen_name(op, table, &cx.catalogue.tables) else {
        draft.problems.push(cx.problem(
            "the index has no name, and the server's choice cannot be foreseen",
            "its name must be known before it is built, so that an interrupted build can be found",
            "write a name after CREATE INDEX",
        ));
        return;
    };
    let name = table.name.sibling(name);
    draft.summary = format!("create {} {} on {}", kind(op), name.display(), table.name.display());
    if let Some((owner, existing)) = find(&name, cx) {
        if owner.name == table.name && existing.valid && op.if_not_exists {
            draft.summary = format!("index {} exists already", name.display());
            return;
        }
        if owner.name != table.name || existing.valid {
            draft.problems.push(taken(&name, owner, cx));
            return;
        }
        draft.findings.push(leftover(&name));
    } else if cx.catalogue.tables.iter().any(|table| table.name == name) {
        draft.problems.push(cx.problem(format!("{} is a table", name.display()), "", "choose another name"));
    }
    if op.unique {
        draft.findings.push(refuses_at_once(&name, table));
    }
    draft.strategy = Some(Strategy::Online);
    draft.steps.push(seed(op, table, name, cx));
}

fn seed(op: &CreateIndex, table: &Table, name: QualifiedName, cx: &Context<'_>) -> Seed {
    let uniqueness = if op.unique { Uniqueness::Unique } else { Uniqueness::Plain };
    let statement = sql_index::create_concurrently(&table.name, &name.name, uniqueness, &Sql::raw(&op.definition));
    let undo = Undo::DropIndex {
        statement: sql_index::drop_concurrently(&name),
        index: name.clone(),
        table: table.name.clone(),
    };
    let title = format!("build {} {}", kind(op), name.display());
    let cost = Cost::IndexBuild { bytes: heap_bytes(table, cx.server()) };
    Seed::build_index(title, name, table, statement, cost).undone_by(undo)
}

fn kind(op: &CreateIndex) -> &'static str {
    if op.unique { "unique index" } else { "index" }
}

fn spoken(op: &CreateIndex) -> String {
    match &op.name {
        Some(name) => format!("{} {}", kind(op), name.as_str()),
        None => kind(op).to_owned(),
    }
}

fn chosen_name(op: &CreateIndex, table: &Table, tables: &[Table]) -> Option<Ident> {
    if let Some(name) = &op.name {
        return Some(name.clone());
    }
    let taken = |name: &Ident| {
        let name = table.name.sibling(name.clone());
        tables.iter().any(|table| table.name == name || table.indexes.iter().any(|index| index.name == name))
    };
    definition::server_index_name(&table.name.name, &op.definition, &taken)
}

fn find<'a>(name: &QualifiedName, cx: &Context<'a>) -> Option<(&'a Table, &'a Index)> {
    cx.catalogue
        .tables
        .iter()
        .find_map(|table| table.indexes.iter().find(|index| index.name == *name).map(|index| (table, index)))
}

fn taken(name: &QualifiedName, owner: &Table, cx: &Context<'_>) -> Problem {
    cx.problem(
        format!("index {} exists already, on {}", name.display(), owner.name.display()),
        "",
        "choose another name, or write IF NOT EXISTS where the index is meant",
    )
}

fn refuses_at_once(name: &QualifiedName, table: &Table) -> crate::plan::Finding {
    Text {
        what: format!("unique index {} refuses duplicates from its build on, before `complete`", name.display()),
        place: table.name.display(),
        why: "it has to, to be proved while the application writes".to_owned(),
        advice: "make sure that both versions of the application write none".to_owned(),
    }
    .finding()
}

fn leftover(name: &QualifiedName) -> crate::plan::Finding {
    Text {
        what: format!("index {} exists and is not valid", name.display()),
        place: name.display(),
        why: "an interrupted build left it behind".to_owned(),
        advice: "it is dropped and built anew".to_owned(),
    }
    .finding()
}

/// Drafts `DROP INDEX`.
pub(crate) fn drop(op: &DropIndex, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = format!("drop index {}", op.index.display());
    let known = cx.facts.indexes.iter().find(|(written, _, _)| *written == op.index);
    let found = known.and_then(|(_, index, table)| {
        let table = cx.named(table)?;
        Some((table, table.indexes.iter().find(|known| known.name == *index)?))
    });
    let Some((table, index)) = found else {
        if op.if_exists {
            draft.summary = format!("there is no index {}", op.index.display());
        } else {
            draft.problems.push(cx.problem(
                format!("there is no index {}", op.index.display()),
                "",
                "check the name, or write IF EXISTS",
            ));
        }
        return;
    };
    draft.problems.extend(cx.unfit(table));
    draft.problems.extend(needed(op, table, index, cx));
    draft.strategy = Some(Strategy::Online);
    let title = format!("drop index {}", index.name.display());
    draft.steps.push(
        Seed::drop_index(Slot::Finish, title, index.name.clone(), &table.name)
            .undone_by(Undo::Impossible { why: "the index is gone; it has to be built anew".to_owned() }),
    );
}

fn needed(op: &DropIndex, table: &Table, index: &Index, cx: &Context<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name = index.name.display();
    let mut refuse = |why: String, advice: String| {
        problems.push(cx.problem(format!("index {name} cannot be dropped"), why, advice));
    };
    if op.cascade {
        refuse(
            "CASCADE drops what nobody has looked at, and does not go with CONCURRENTLY".to_owned(),
            "leave CASCADE away".to_owned(),
        );
    }
    if let Some(constraint) = &index.constraint {
        refuse(format!("it belongs to constraint {}", constraint.as_str()), "drop the constraint".to_owned());
    }
    if index.replica_identity {
        refuse(
            "it is the replica identity: without it every UPDATE and DELETE of a published table fails".to_owned(),
            "ALTER TABLE … REPLICA IDENTITY first".to_owned(),
        );
    }
    let same_columns = |columns: &[Ident]| {
        columns.len() == index.key_columns.len() && columns.iter().all(|column| index.key_columns.contains(column))
    };
    let backed = |columns: &[Ident]| {
        table.constraints.iter().any(|constraint| {
            matches!(constraint.kind, ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. })
                && constraint.columns.len() == columns.len()
                && columns.iter().all(|column| constraint.columns.contains(column))
        })
    };
    if index.unique && index.constraint.is_none() {
        for key in table.referenced_by.iter().filter(|key| same_columns(&key.to_columns) && !backed(&key.to_columns)) {
            refuse(
                format!("foreign key {} of {} needs it", key.name.as_str(), key.from.display()),
                "drop the foreign key first".to_owned(),
            );
        }
    }
    problems
}

/// The index that `CREATE INDEX` makes, as far as planning another operation needs it.
pub(super) fn add(table: &mut Table, op: &CreateIndex) {
    let Some(name) = chosen_name(op, table, std::slice::from_ref(table)) else { return };
    let name = table.name.sibling(name);
    table.indexes.retain(|index| index.name != name);
    table.indexes.push(Index {
        oid: 0,
        name,
        definition: String::new(),
        method: String::new(),
        key_columns: Vec::new(),
        include_columns: Vec::new(),
        column_names: Vec::new(),
        depends_on: op.columns.clone(),
        has_expressions: false,
        predicate: None,
        unique: op.unique,
        immediate: true,
        valid: true,
        clustered: false,
        replica_identity: false,
        constraint: None,
        options: Vec::new(),
        tablespace: None,
        statistics_targets: Vec::new(),
        comment: None,
        bytes: 0,
    });
}
