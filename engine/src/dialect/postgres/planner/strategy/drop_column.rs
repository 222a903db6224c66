//! `DROP COLUMN`: waits for `complete`; until then writers that no longer name the column can be given a value for it.

use super::filler::{Filler, Role};
use super::rows::bare;
use crate::dialect::postgres::column as sql_column;
use crate::dialect::postgres::planner::census;
use crate::dialect::postgres::planner::context::{Context, Text};
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive, lock};
use crate::dialect::postgres::planner::expression::Unusable;
use crate::name::{Ident, TableName};
use crate::op::DropColumn;
use crate::plan::{Finding, Held, LockMode, Strategy, Undo};
use crate::schema::{Column, ConstraintKind, ForeignKey, Table};

/// Drafts the end of a column.
pub(crate) fn draft(op: &DropColumn, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = format!("drop {}.{}", op.table.display(), op.column.as_str());
    let Some(table) = cx.target(&op.table, draft) else { return };
    if op.if_exists && table.column(&op.column).is_none() {
        draft.summary = format!("{} has no column {}", table.name.display(), op.column.as_str());
        return;
    }
    let Some(column) = cx.column(table, &op.column, draft) else { return };
    draft.strategy = Some(Strategy::Metadata);
    refuse(op, table, cx, draft);
    draft.findings.extend(goes_along(table, column));
    draft.findings.extend(census::another_column(table, cx));
    let mut statements = Vec::new();
    match &op.down {
        None => draft.findings.extend(silent_writers(table, column)),
        Some(down) => {
            draft.strategy = Some(Strategy::Online);
            let Some(filler) = Filler::new(table, column.clone(), down, Role::DOWN, cx, draft) else { return };
            if let Err(Unusable(why)) = filled(&filler, draft) {
                draft.problems.push(cx.problem("the directive `down` cannot be used", why, "write it differently"));
            }
            statements = filler.drop();
        }
    }
    statements.push(sql_column::drop(&table.name, &op.column));
    draft.steps.push(seed(table, &op.column, statements));
}

fn filled(filler: &Filler<'_>, draft: &mut Draft) -> Result<(), Unusable> {
    draft.steps.push(filler.functions()?);
    draft.steps.push(filler.create_step());
    Ok(())
}

fn seed(table: &Table, column: &Ident, statements: Vec<crate::text::Sql>) -> Seed {
    let name = &table.name;
    let partners: Vec<&TableName> = held(table, column).map(|key| &key.to).filter(|to| *to != name).collect();
    let mut lock_first = exclusive(name);
    for partner in &partners {
        if lock_first.iter().all(|lock| lock.table != **partner) {
            lock_first.push(lock(partner, LockMode::AccessExclusive));
        }
    }
    let title = format!("drop {}.{}", name.display(), bare(column).as_str().trim_matches('"'));
    let mut seed = Seed::brief(Slot::Swap, title, lock_first, statements)
        .undone_by(Undo::Impossible { why: "the column and its values are gone".to_owned() });
    for partner in partners {
        let why = "referenced table: its foreign key's triggers go";
        seed = seed.locking(partner, LockMode::AccessExclusive, Held::Moment, why);
    }
    for index in table.indexes.iter().filter(|index| index.depends_on.contains(column)) {
        seed =
            seed.locking(&index.name, LockMode::AccessExclusive, Held::Moment, "index of the column, which goes too");
    }
    seed
}

fn held<'a>(table: &'a Table, column: &Ident) -> impl Iterator<Item = &'a ForeignKey> {
    table.constraints.iter().filter_map(move |constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) if key.from_columns.contains(column) => Some(key),
        _ => None,
    })
}

fn refuse(op: &DropColumn, table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    let column = &op.column;
    let place = format!("{}.{}", table.name.display(), column.as_str());
    if op.cascade {
        draft.problems.push(cx.problem(
            format!("DROP COLUMN {} CASCADE", column.as_str()),
            "CASCADE drops what nobody has looked at",
            "leave CASCADE away, and drop what depends on the column in statements of its own",
        ));
    }
    let mut depends = |what: String| {
        draft.problems.push(cx.problem(
            format!("{what} depends on {place}"),
            "PostgreSQL drops no column that something else uses",
            "drop it first",
        ));
    };
    for dependent in table.dependents.iter().filter(|dependent| dependent.column.as_ref() == Some(column)) {
        depends(format!("{} {}", dependent.kind, dependent.name));
    }
    for policy in table.policies.iter().filter(|policy| policy.columns.contains(column)) {
        if !named(table, column, &policy.name) {
            depends(format!("policy {}", policy.name.as_str()));
        }
    }
    for trigger in table.triggers.iter().filter(|trigger| trigger.update_of.contains(column)) {
        if !named(table, column, &trigger.name) {
            depends(format!("trigger {}", trigger.name.as_str()));
        }
    }
    for key in table.referenced_by.iter().filter(|key| key.to_columns.contains(column)) {
        if key.from != table.name || !key.from_columns.contains(column) {
            depends(format!("foreign key {} of {}", key.name.as_str(), key.from.display()));
        }
    }
    for publication in &table.publications {
        if publication.columns.as_ref().is_some_and(|columns| columns.contains(column)) {
            depends(format!("the column list of publication {}", publication.name.as_str()));
        }
    }
    if table.indexes.iter().any(|index| index.replica_identity && index.depends_on.contains(column)) {
        draft.problems.push(cx.problem(
            format!("{place} is part of the replica identity"),
            "without it every UPDATE and DELETE of a published table fails",
            "ALTER TABLE … REPLICA IDENTITY first",
        ));
    }
}

/// Whether the list of dependents has it already.
fn named(table: &Table, column: &Ident, name: &Ident) -> bool {
    table
        .dependents
        .iter()
        .any(|dependent| dependent.column.as_ref() == Some(column) && dependent.name.contains(name.as_str()))
}

/// What the server drops along with the column without being asked.
fn goes_along(table: &Table, column: &Column) -> Option<Finding> {
    let indexes = table
        .indexes
        .iter()
        .filter(|index| index.constraint.is_none() && index.depends_on.contains(&column.name))
        .map(|index| format!("index {}", index.name.name.as_str()));
    let constraints = table
        .constraints
        .iter()
        .filter(|constraint| constraint.kind != ConstraintKind::NotNull && constraint.columns.contains(&column.name))
        .map(|constraint| format!("constraint {}", constraint.name.as_str()));
    let statistics = table
        .statistics
        .iter()
        .filter(|statistics| statistics.columns.contains(&column.name))
        .map(|statistics| format!("statistics {}", statistics.name.display()));
    let sequences = column.owned_sequences.iter().chain(column.identity.iter().map(|identity| &identity.sequence));
    let sequences = sequences.map(|sequence| format!("sequence {}", sequence.name.display()));
    let all: Vec<String> = indexes.chain(constraints).chain(statistics).chain(sequences).collect();
    (!all.is_empty()).then(|| {
        Text {
            what: format!("with the column go {}", all.join(", ")),
            place: format!("{}.{}", table.name.display(), column.name.as_str()),
            why: "they contain it or belong to it".to_owned(),
            advice: "create anew what is still needed without the column".to_owned(),
        }
        .finding()
    })
}

/// A writer of the new version leaves the column out, and it must have a value.
fn silent_writers(table: &Table, column: &Column) -> Option<Finding> {
    let needs_value =
        column.not_null && column.default.is_none() && column.identity.is_none() && column.generated.is_none();
    needs_value.then(|| {
        Text {
            what: format!("{} is NOT NULL and has no default", column.name.as_str()),
            place: table.name.display(),
            why: "until `complete` an INSERT that leaves it out fails".to_owned(),
            advice: "complete before the new version of the application writes, or add the directive `down`".to_owned(),
        }
        .finding()
    })
}
