//! Copies of what hangs on the column: indexes, checks, extended statistics.

use super::Dual;
use crate::dialect::postgres::constraint::{self, Inherit};
use crate::dialect::postgres::{index, statistics};
use crate::name::{Ident, QualifiedName};
use crate::plan::context::Context;
use crate::plan::definition;
use crate::plan::draft::{Draft, Seed, Slot, exclusive};
use crate::plan::expression::Unusable;
use crate::plan::strategy::alter_column_type::Change;
use crate::plan::{Cost, Held, LockMode, expression, names};
use crate::schema::{Constraint, ConstraintKind, ExtendedStatistics, Index};
use crate::text::Sql;

/// An index of the old column, and the one that is to take its place.
#[derive(Debug)]
pub(super) struct IndexCopy<'a> {
    pub(super) old: &'a Index,
    pub(super) temporary: QualifiedName,
    /// The key that it belongs to.
    pub(super) constraint: Option<&'a Constraint>,
    statement: Sql,
}

/// A check of the old column, and its copy.
#[derive(Debug)]
pub(super) struct CheckCopy<'a> {
    pub(super) old: &'a Constraint,
    pub(super) temporary: Ident,
    expression: Sql,
}

/// Extended statistics of the old column, and their copy.
#[derive(Debug)]
pub(super) struct StatisticsCopy<'a> {
    pub(super) old: &'a ExtendedStatistics,
    pub(super) temporary: QualifiedName,
    statement: Sql,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Copies<'a> {
    pub(super) indexes: Vec<IndexCopy<'a>>,
    pub(super) checks: Vec<CheckCopy<'a>>,
    pub(super) statistics: Vec<StatisticsCopy<'a>>,
}

/// Makes the copies; what cannot be copied goes into the draft as a problem.
pub(super) fn copies<'a>(change: &Change<'a>, cx: &Context<'_>, draft: &mut Draft) -> Copies<'a> {
    let mut made = Copies::default();
    let mut failed = |what: String, unusable: Unusable| {
        draft.problems.push(cx.problem(what, unusable.0, "drop it first, and create it again afterwards"));
    };
    let table = change.table;
    let column = &change.column.name;
    let new = names::new_column(column);
    for old in table.indexes.iter().filter(|index| index.depends_on.contains(column)) {
        let temporary = old.name.sibling(names::copy_of(&old.name.name));
        match definition::index_copy(old, column, &new, &temporary.name) {
            Ok(statement) => made.indexes.push(IndexCopy {
                old,
                temporary,
                statement,
                constraint: old
                    .constraint
                    .as_ref()
                    .and_then(|name| table.constraints.iter().find(|constraint| constraint.name == *name)),
            }),
            Err(unusable) => failed(format!("index {} cannot be copied", old.name.display()), unusable),
        }
    }
    for old in &table.constraints {
        let ConstraintKind::Check { expression } = &old.kind else { continue };
        if !old.columns.contains(column) {
            continue;
        }
        match expression::renamed(expression, column, &new) {
            Ok(expression) => {
                made.checks.push(CheckCopy { old, temporary: names::copy_of(&old.name), expression });
            }
            Err(unusable) => failed(format!("check {} cannot be copied", old.name.as_str()), unusable),
        }
    }
    for old in table.statistics.iter().filter(|statistics| statistics.columns.contains(column)) {
        let temporary = old.name.sibling(names::copy_of(&old.name.name));
        match definition::statistics_copy(old, column, &new, &temporary) {
            Ok(statement) => made.statistics.push(StatisticsCopy { old, temporary, statement }),
            Err(unusable) => failed(format!("statistics {} cannot be copied", old.name.display()), unusable),
        }
    }
    made
}

/// The steps that make the copies.
pub(super) fn seeds(dual: &Dual<'_>, draft: &mut Draft) {
    for copy in &dual.indexes {
        draft.steps.push(build(dual, copy));
        if let Some(text) = &copy.old.comment {
            draft.steps.push(Seed::free(
                dual.index_slot(copy),
                format!("give {} its comment", copy.temporary.name.as_str()),
                vec![index::comment(&copy.temporary, text)],
            ));
        }
    }
    for copy in &dual.checks {
        check(dual, copy, draft);
    }
    if !dual.statistics.is_empty() {
        draft.steps.push(make_statistics(dual));
    }
}

fn build(dual: &Dual<'_>, copy: &IndexCopy<'_>) -> Seed {
    let what = match copy.constraint.map(|constraint| &constraint.kind) {
        Some(ConstraintKind::PrimaryKey { .. }) => "the primary key's index".to_owned(),
        Some(_) => format!("the index of {}", copy.old.name.name.as_str()),
        None => format!("index {}", copy.old.name.name.as_str()),
    };
    Seed::build_index(
        format!("build {what} on {}", dual.new.as_str()),
        copy.temporary.clone(),
        dual.change.table,
        copy.statement.clone(),
        Cost::IndexBuild { bytes: dual.heap_bytes() },
    )
    .in_slot(dual.index_slot(copy))
}

impl Dual<'_> {
    /// An index that could refuse a write, or whose expressions could raise, waits until writes may be refused.
    fn index_slot(&self, copy: &IndexCopy<'_>) -> Slot {
        let may_refuse = copy.old.unique || copy.old.has_expressions || copy.old.predicate.is_some();
        if may_refuse { self.constraining() } else { Slot::Build }
    }
}

fn check(dual: &Dual<'_>, copy: &CheckCopy<'_>, draft: &mut Draft) {
    let table = &dual.change.table.name;
    let inherit = if copy.old.no_inherit { Inherit::No } else { Inherit::Yes };
    let mut statements = vec![constraint::add_check_not_valid(table, &copy.temporary, &copy.expression, inherit)];
    if let Some(text) = &copy.old.comment {
        statements.push(constraint::comment(table, &copy.temporary, text));
    }
    draft.steps.push(
        Seed::brief(
            dual.constraining(),
            format!("hold new writes of {} to check {}", dual.new.as_str(), copy.old.name.as_str()),
            exclusive(table),
            statements,
        )
        .undone_with(exclusive(table), vec![constraint::drop_if_exists(table, &copy.temporary)]),
    );
    if copy.old.validated {
        draft.steps.push(dual.validate_check(&copy.temporary, &format!("check {} holds", copy.old.name.as_str())));
    }
}

fn make_statistics(dual: &Dual<'_>) -> Seed {
    let mut statements = Vec::new();
    for copy in &dual.statistics {
        statements.push(copy.statement.clone());
        statements.push(statistics::own(&copy.temporary, &dual.change.table.owner));
        statements.extend(copy.old.comment.as_deref().map(|text| statistics::comment(&copy.temporary, text)));
    }
    Seed::patient(
        Slot::Build,
        format!("copy extended statistics to {}", dual.new.as_str()),
        statements,
        Cost::Catalogue,
    )
    .locking(&dual.change.table.name, LockMode::ShareUpdateExclusive, Held::Moment, "")
}
