//! Copies of what hangs on the columns: indexes, checks, extended statistics.

use super::Group;
use super::column::Dual;
use crate::dialect::postgres::constraint::{self, Inherit};
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive, heap_bytes};
use crate::dialect::postgres::planner::expression::Unusable;
use crate::dialect::postgres::planner::{definition, expression, names};
use crate::dialect::postgres::{index, statistics};
use crate::name::{Ident, QualifiedName};
use crate::plan::{Cost, Held, LockMode};
use crate::schema::{Constraint, ConstraintKind, ExtendedStatistics, Index, Table};
use crate::text::Sql;

/// An index of an old column, and the one that is to take its place.
#[derive(Debug)]
pub(super) struct IndexCopy<'a> {
    pub(super) table: &'a Table,
    pub(super) old: &'a Index,
    pub(super) temporary: QualifiedName,
    /// The key that it belongs to.
    pub(super) constraint: Option<&'a Constraint>,
    statement: Sql,
    certain: bool,
}

/// A check of an old column, and its copy.
#[derive(Debug)]
pub(super) struct CheckCopy<'a> {
    pub(super) table: &'a Table,
    pub(super) old: &'a Constraint,
    pub(super) temporary: Ident,
    expression: Sql,
    certain: bool,
}

/// Extended statistics of an old column, and their copy.
#[derive(Debug)]
pub(super) struct StatisticsCopy<'a> {
    pub(super) table: &'a Table,
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

/// Where a thing belongs that could refuse a write which the old columns accept.
pub(super) fn constraining(certain: bool) -> Slot {
    if certain { Slot::Build } else { Slot::Constrain }
}

/// Where it is proved.
pub(super) fn proving(certain: bool) -> Slot {
    if certain { Slot::Build } else { Slot::Prove }
}

/// Makes the copies; what cannot be copied goes into the draft as a problem.
pub(super) fn copies<'a>(duals: &[Dual<'a>], draft: &mut Draft) -> Copies<'a> {
    let mut made = Copies::default();
    let mut seen: Vec<&Table> = Vec::new();
    for dual in duals {
        let table = dual.change.table;
        if seen.iter().any(|known| known.name == table.name) {
            continue;
        }
        seen.push(table);
        let of_table: Vec<&Dual<'a>> = duals.iter().filter(|other| other.change.table.name == table.name).collect();
        let mut failed = |what: String, Unusable(why): Unusable| {
            draft.problems.push(dual.change.cx.problem(what, why, "drop it first, and create it again afterwards"));
        };
        for old in &table.indexes {
            let Some(renames) = over(&of_table, &old.depends_on) else { continue };
            match index_copy(table, old, &renames) {
                Ok(copy) => made.indexes.push(copy),
                Err(unusable) => failed(format!("index {} cannot be copied", old.name.display()), unusable),
            }
        }
        for old in &table.constraints {
            let ConstraintKind::Check { expression } = &old.kind else { continue };
            let Some(renames) = over(&of_table, &old.columns) else { continue };
            match check_copy(table, old, expression, &renames) {
                Ok(copy) => made.checks.push(copy),
                Err(unusable) => failed(format!("check {} cannot be copied", old.name.as_str()), unusable),
            }
        }
        for old in &table.statistics {
            let Some(renames) = over(&of_table, &old.columns) else { continue };
            match statistics_copy(table, old, &renames) {
                Ok(copy) => made.statistics.push(copy),
                Err(unusable) => failed(format!("statistics {} cannot be copied", old.name.display()), unusable),
            }
        }
    }
    made
}

/// The columns of one thing that are replaced.
struct Renames<'d, 'a>(Vec<&'d Dual<'a>>);

impl Renames<'_, '_> {
    fn certain(&self) -> bool {
        self.0.iter().all(|dual| dual.is_certain())
    }

    fn pairs(&self) -> impl Iterator<Item = (&Ident, &Ident)> {
        self.0.iter().map(|dual| (&dual.change.column.name, &dual.new))
    }
}

fn over<'d, 'a>(duals: &[&'d Dual<'a>], columns: &[Ident]) -> Option<Renames<'d, 'a>> {
    let found: Vec<&Dual<'a>> =
        duals.iter().copied().filter(|dual| columns.contains(&dual.change.column.name)).collect();
    (!found.is_empty()).then_some(Renames(found))
}

fn index_copy<'a>(table: &'a Table, old: &'a Index, renames: &Renames<'_, '_>) -> Result<IndexCopy<'a>, Unusable> {
    let temporary = old.name.sibling(names::copy_of(&old.name.name));
    let statement = definition::index_copy(old, renames.pairs(), &temporary.name)?;
    let named = |name: &Ident| table.constraints.iter().find(|constraint| constraint.name == *name);
    let constraint = old.constraint.as_ref().and_then(named);
    Ok(IndexCopy { table, old, temporary, constraint, statement, certain: renames.certain() })
}

fn check_copy<'a>(
    table: &'a Table,
    old: &'a Constraint,
    expression: &str,
    renames: &Renames<'_, '_>,
) -> Result<CheckCopy<'a>, Unusable> {
    let mut expression = Sql::raw(expression);
    for (from, to) in renames.pairs() {
        expression = expression::renamed(expression.as_str(), from, to)?;
    }
    Ok(CheckCopy { table, old, temporary: names::copy_of(&old.name), expression, certain: renames.certain() })
}

fn statistics_copy<'a>(
    table: &'a Table,
    old: &'a ExtendedStatistics,
    renames: &Renames<'_, '_>,
) -> Result<StatisticsCopy<'a>, Unusable> {
    let temporary = old.name.sibling(names::copy_of(&old.name.name));
    let statement = definition::statistics_copy(old, renames.pairs(), &temporary.name)?;
    Ok(StatisticsCopy { table, old, temporary, statement })
}

/// The steps that make the copies.
pub(super) fn seeds(group: &Group<'_>, draft: &mut Draft) {
    for copy in &group.indexes {
        draft.steps.push(build(group, copy));
        if let Some(text) = &copy.old.comment {
            draft.steps.push(Seed::free(
                index_slot(copy),
                format!("give {} its comment", copy.temporary.name.as_str()),
                vec![index::comment(&copy.temporary, text)],
            ));
        }
    }
    for copy in &group.checks {
        check(group, copy, draft);
    }
    for table in group.tables() {
        draft.steps.extend(make_statistics(group, table));
    }
}

fn build(group: &Group<'_>, copy: &IndexCopy<'_>) -> Seed {
    let what = match copy.constraint.map(|constraint| &constraint.kind) {
        Some(ConstraintKind::PrimaryKey { .. }) => format!("the primary key's index of {}", copy.table.name.display()),
        Some(_) => format!("the index of {}", copy.old.name.name.as_str()),
        None => format!("index {}", copy.old.name.name.as_str()),
    };
    Seed::build_index(
        format!("build {what} anew, over the new columns"),
        copy.temporary.clone(),
        copy.table,
        copy.statement.clone(),
        Cost::IndexBuild { bytes: heap_bytes(copy.table, group.cx.server()) },
    )
    .in_slot(index_slot(copy))
}

/// An index that could refuse a write, or whose expressions could raise, waits until writes may be refused.
fn index_slot(copy: &IndexCopy<'_>) -> Slot {
    let may_refuse = copy.old.unique || copy.old.has_expressions || copy.old.predicate.is_some();
    if may_refuse { constraining(copy.certain) } else { Slot::Build }
}

fn check(group: &Group<'_>, copy: &CheckCopy<'_>, draft: &mut Draft) {
    let table = &copy.table.name;
    let name = copy.old.name.as_str();
    let inherit = if copy.old.no_inherit { Inherit::No } else { Inherit::Yes };
    let mut statements = vec![constraint::add_check_not_valid(table, &copy.temporary, &copy.expression, inherit)];
    if let Some(text) = &copy.old.comment {
        statements.push(constraint::comment(table, &copy.temporary, text));
    }
    let title = format!("hold new writes to check {name} over the new columns too");
    draft.steps.push(
        Seed::brief(constraining(copy.certain), title, exclusive(table), statements)
            .undone_with(exclusive(table), vec![constraint::drop_if_exists(table, &copy.temporary)]),
    );
    if copy.old.validated {
        draft.steps.push(
            Seed::patient(
                proving(copy.certain),
                format!("prove for the rows that exist: check {name} holds over the new columns"),
                vec![constraint::validate(table, &copy.temporary)],
                group.scan(copy.table),
            )
            .locking(table, LockMode::ShareUpdateExclusive, Held::Work, ""),
        );
    }
}

fn make_statistics(group: &Group<'_>, table: &Table) -> Option<Seed> {
    let mut statements = Vec::new();
    for copy in group.statistics.iter().filter(|copy| copy.table.name == table.name) {
        statements.push(copy.statement.clone());
        statements.push(statistics::own(&copy.temporary, &table.owner));
        statements.extend(copy.old.comment.as_deref().map(|text| statistics::comment(&copy.temporary, text)));
    }
    let title = format!("make the extended statistics of {} anew, over the new columns", table.name.display());
    (!statements.is_empty()).then(|| {
        Seed::patient(Slot::Build, title, statements, Cost::Catalogue).locking(
            &table.name,
            LockMode::ShareUpdateExclusive,
            Held::Moment,
            "",
        )
    })
}
