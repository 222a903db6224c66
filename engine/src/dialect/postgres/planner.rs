//! Operations and facts → plan. Pure.

mod census;
mod conflict;
mod context;
mod conversion;
mod definition;
mod draft;
mod expression;
mod names;
mod strategy;
#[cfg(test)]
mod tests;
mod user_triggers;
mod volatility;

use std::collections::BTreeSet;

use crate::error::{Error, Problem};
use crate::facts::Facts;
use crate::name::TableName;
use crate::op::Operation;
use crate::plan::{
    Check, Direction, FORMAT, Finding, Phase, PhaseKind, Plan, PlannedOperation, StepId, Strategy, Window,
};
use crate::schema::Catalogue;
use crate::settings::Settings;
use crate::source::{Migration, Statement};
use crate::sql;
use conflict::{Earlier, belong_together};
use context::{Context, Text, unfit_server};
use draft::{Draft, Seed, Slot, heap_bytes};
use strategy::alter_column_type::{self, Change, Kind};
use strategy::{add_column, column_default, direct, drop_column, dual_column, effect, index, not_null, update_rows};

/// Plans a migration against what is known of the database, touching nothing.
///
/// # Errors
/// [`Error::Refused`] with every reason at once.
pub(crate) fn plan(
    migration: &Migration,
    direction: Direction,
    facts: &Facts,
    settings: &Settings,
) -> Result<Plan, Error> {
    let script = migration.script(direction)?;
    let empty = script.statements.is_empty().then(|| nothing_written(migration, direction));
    let mut work = Work {
        facts,
        settings,
        written: script
            .statements
            .iter()
            .flat_map(|statement| statement.operations.iter().map(move |operation| (statement, operation)))
            .collect(),
        catalogue: facts.catalogue.clone(),
        earlier: Earlier::default(),
        grouped: BTreeSet::new(),
        merged: Draft { problems: unfit_server(&facts.catalogue.server), ..Draft::default() },
        operations: Vec::new(),
    };
    for at in 0..work.written.len() {
        work.plan_one(at);
    }
    let mut merged = work.merged;
    if !merged.problems.is_empty() {
        return Err(Error::Refused(merged.problems));
    }
    Ok(Plan {
        format: FORMAT,
        migration: migration.name.clone(),
        checksum: migration.checksum.clone(),
        server: format!("PostgreSQL {}", facts.catalogue.server.major()),
        server_version: facts.catalogue.server.version,
        operations: work.operations,
        tables: merged.tables(),
        findings: empty.into_iter().chain(std::mem::take(&mut merged.findings)).collect(),
        preflight: std::mem::take(&mut merged.preflight),
        phases: phases(merged, facts),
        window: Window::Nothing,
    })
}

/// A plan in the making.
struct Work<'a> {
    facts: &'a Facts,
    settings: &'a Settings,
    /// Every operation with its statement, in order.
    written: Vec<(&'a Statement, &'a Operation)>,
    /// As the operations planned so far leave it.
    catalogue: Catalogue,
    earlier: Earlier,
    /// Operations whose steps are among those of an earlier one.
    grouped: BTreeSet<usize>,
    merged: Draft,
    operations: Vec<PlannedOperation>,
}

impl Work<'_> {
    fn plan_one(&mut self, at: usize) {
        let (statement, operation) = self.written[at];
        let mut draft = Draft::default();
        let mut grouped = BTreeSet::new();
        let cx = self.context(at);
        match operation {
            Operation::AlterTable(_) => draft.problems.push(foreign(&cx)),
            _ if is_direct(statement) && self.grouped.contains(&at) => {
                draft.summary = "with the statement's first clause".to_owned();
                draft.strategy = Some(Strategy::Direct);
            }
            _ if is_direct(statement) => {
                direct::draft(statement, &cx, &mut draft);
                grouped.extend(at..at + statement.operations.len());
            }
            Operation::AlterColumnType(op) if self.grouped.contains(&at) => {
                draft.summary = alter_column_type::summary(op);
                draft.strategy = Some(Strategy::DualColumn);
            }
            Operation::AlterColumnType(op) => match alter_column_type::classify(op, cx, &mut draft) {
                Kind::Nothing => {}
                Kind::InPlace(change) => alter_column_type::in_place(&change, &mut draft),
                Kind::Dual(change) => {
                    let mut changes = vec![change];
                    grouped = self.join(at, &mut changes, &mut draft);
                    dual_column::draft(changes, cx, &mut draft);
                }
            },
            _ => draft_one(operation, &cx, &mut draft),
        }
        draft.problems.extend(other_strategy(&draft, &cx));
        draft.problems.extend(closed_schemas(&draft, &cx));
        let table = cx.table_of(operation);
        if let Some(table) = &table {
            draft.problems.extend(self.earlier.conflicts(operation, &draft, table, &cx));
            draft.preflight.retain(|check| !self.earlier.makes_anew(check));
        }
        self.operations.push(PlannedOperation {
            sql: statement.sql.clone(),
            summary: std::mem::take(&mut draft.summary),
            strategy: draft.strategy.unwrap_or(Strategy::Metadata),
        });
        if let Some((table, strategy)) = table.zip(draft.strategy).filter(|_| draft.problems.is_empty()) {
            // The clauses of a statement that is run as written do not get into each other's way.
            let clauses = match is_direct(statement) {
                false => vec![operation],
                true if self.is_last_clause(at) => statement.operations.iter().collect(),
                true => Vec::new(),
            };
            for clause in clauses {
                self.earlier.remember(clause, &draft, &table);
                effect::apply(clause, (&table, strategy), self.facts, &mut self.catalogue);
            }
        }
        self.grouped.extend(grouped);
        self.merged.absorb(draft);
    }

    fn is_last_clause(&self, at: usize) -> bool {
        let next = self.written.get(at + 1);
        next.is_none_or(|(statement, _)| !std::ptr::eq(*statement, self.written[at].0))
    }

    fn context(&self, at: usize) -> Context<'_> {
        let (Statement { place, options, .. }, _) = self.written[at];
        let (facts, catalogue, settings) = (self.facts, &self.catalogue, self.settings);
        Context { facts, catalogue, settings, options, number: at + 1, place }
    }

    /// Takes later changes of type along that cannot be made apart from these: in the same table, or at the other end of a
    /// foreign key.
    fn join<'w>(&'w self, first: usize, changes: &mut Vec<Change<'w>>, draft: &mut Draft) -> BTreeSet<usize> {
        let mut joined = BTreeSet::new();
        loop {
            let before = joined.len();
            for at in first + 1..self.written.len() {
                let (statement, Operation::AlterColumnType(op)) = self.written[at] else { continue };
                if is_direct(statement) || joined.contains(&at) || self.grouped.contains(&at) {
                    continue;
                }
                let mut its_own = Draft::default();
                let Kind::Dual(change) = alter_column_type::classify(op, self.context(at), &mut its_own) else {
                    continue;
                };
                if changes.iter().any(|other| belong_together(other, &change)) {
                    joined.insert(at);
                    changes.push(change);
                    draft.absorb(its_own);
                }
            }
            if joined.len() == before {
                return joined;
            }
        }
    }
}

/// A section without a statement is allowed, and often a statement in the wrong section.
fn nothing_written(migration: &Migration, direction: Direction) -> Finding {
    let section = direction.word();
    Text {
        what: format!("the section `{section}` has no statement: there is nothing to do"),
        place: migration.path.as_ref().map_or_else(|| migration.name.clone(), |path| path.display().to_string()),
        why: "the migration counts as carried out all the same".to_owned(),
        advice: format!("make sure that nothing belongs below `-- migrate:{section}`"),
    }
    .finding()
}

/// Whether the statement is to be run as written.
fn is_direct(statement: &Statement) -> bool {
    statement.options.strategy == Some(Strategy::Direct)
}

/// The directive `strategy` names one that is not the one chosen: the cheapest safe one is, always.
fn other_strategy(draft: &Draft, cx: &Context<'_>) -> Option<Problem> {
    let (wanted, chosen) = (cx.options.strategy?, draft.strategy?);
    (wanted != chosen).then(|| {
        cx.problem(
            format!("strategy = {} cannot be had for this change", wanted.word()),
            format!("the cheapest safe way for it is {}", chosen.word()),
            format!("write strategy = {}, or leave the directive out", chosen.word()),
        )
    })
}

/// An index is made in its table's schema, which asks for a right of its own, besides owning the table.
fn closed_schemas(draft: &Draft, cx: &Context<'_>) -> Vec<Problem> {
    let built: BTreeSet<&TableName> = draft.steps.iter().filter_map(Seed::indexed_table).collect();
    let closed =
        built.into_iter().filter(|name| cx.catalogue.table(name).is_some_and(|table| !table.schema_open_to_us));
    closed
        .map(|name| {
            cx.problem(
                format!("no index can be built on {}: the role may not create anything in its schema", name.display()),
                "the change needs an index, and making or renaming one asks for CREATE on the schema",
                format!(
                    "{} TO {}",
                    sql!("GRANT CREATE ON SCHEMA {schema}", schema = name.schema).as_str(),
                    cx.facts.catalogue.server.role
                ),
            )
        })
        .collect()
}

/// A statement that was read as one of MySQL or MariaDB.
fn foreign(cx: &Context<'_>) -> Problem {
    cx.problem(
        "the statement was read for MySQL or MariaDB",
        "the database is PostgreSQL",
        "read the migration again, with the URL of this database",
    )
}

fn draft_one(operation: &Operation, cx: &Context<'_>, draft: &mut Draft) {
    match operation {
        Operation::AddColumn(op) => add_column::draft(op, cx, draft),
        Operation::DropColumn(op) => drop_column::draft(op, cx, draft),
        // Planned by `Work::plan_one`: together with others, and not at all.
        Operation::AlterColumnType(_) | Operation::AlterTable(_) => {}
        Operation::SetNotNull(op) => not_null::set(op, cx, draft),
        Operation::DropNotNull(op) => not_null::drop(op, cx, draft),
        Operation::SetDefault(op) => column_default::set(op, cx, draft),
        Operation::DropDefault(op) => column_default::drop(op, cx, draft),
        Operation::CreateIndex(op) => index::create(op, cx, draft),
        Operation::DropIndex(op) => index::drop(op, cx, draft),
        Operation::UpdateRows(op) => update_rows::draft(op, cx, draft),
    }
}

/// The steps of all operations, phase by phase; what proves them, and the barrier after fills, once for all.
fn phases(mut merged: Draft, facts: &Facts) -> Vec<Phase> {
    let filled = merged.steps.iter().any(|seed| seed.as_fill().is_some());
    let mut proving = Vec::new();
    if !merged.proofs.is_empty() {
        let proofs = std::mem::take(&mut merged.proofs);
        let bytes = bytes_read(&proofs, facts);
        proving.push(Seed::verify(Slot::Verify, "prove every row".to_owned(), proofs, bytes));
    }
    if filled {
        proving.push(Seed::await_snapshots());
    }
    merged.steps.extend(proving);
    merged.steps.sort_by_key(|seed| seed.slot);
    let mut steps = fewer_locks(merged.steps);
    let mut phases = Vec::new();
    for kind in PhaseKind::ALL {
        let (mine, rest): (Vec<Seed>, Vec<Seed>) = steps.into_iter().partition(|seed| phase_of(seed.slot) == kind);
        steps = rest;
        if mine.is_empty() {
            continue;
        }
        let numbered = mine.into_iter().enumerate();
        let steps = numbered.map(|(at, seed)| seed.into_step(StepId(format!("{}.{}", kind.word(), at + 1)))).collect();
        phases.push(Phase { kind, steps });
    }
    phases
}

/// Neighbours that take the same locks become one step.
fn fewer_locks(steps: Vec<Seed>) -> Vec<Seed> {
    let mut made: Vec<Seed> = Vec::new();
    for seed in steps {
        match made.pop() {
            None => made.push(seed),
            Some(before) => match before.merged(seed) {
                Ok(both) => made.push(both),
                Err(apart) => made.extend([apart.0, apart.1]),
            },
        }
    }
    made
}

fn bytes_read(proofs: &[Check], facts: &Facts) -> u64 {
    let mut read: Vec<&TableName> = Vec::new();
    for proof in proofs {
        if !read.contains(&&proof.table) {
            read.push(&proof.table);
        }
    }
    let tables = read.into_iter().filter_map(|name| facts.catalogue.table(name));
    tables.map(|table| heap_bytes(table, &facts.catalogue.server)).sum()
}

fn phase_of(slot: Slot) -> PhaseKind {
    match slot {
        Slot::Prepare | Slot::Expand => PhaseKind::Expand,
        Slot::Backfill => PhaseKind::Backfill,
        Slot::Build => PhaseKind::Build,
        Slot::Verify => PhaseKind::Verify,
        Slot::Harden | Slot::Constrain | Slot::Prove | Slot::Swap | Slot::Finish => PhaseKind::Contract,
    }
}
