//! Operations and facts → plan. Pure.

use super::conflict::Earlier;
use super::context::{Context, unfit_server};
use super::draft::{Draft, Seed, Slot, heap_bytes};
use super::strategy::{
    add_column, alter_column_type, column_default, drop_column, effect, index, not_null, update_rows,
};
use super::{Check, Direction, FORMAT, Phase, PhaseKind, Plan, PlannedOperation, StepId, Strategy};
use crate::error::{Error, Problem};
use crate::facts::Facts;
use crate::name::TableName;
use crate::op::Operation;
use crate::settings::Settings;
use crate::source::{Migration, Script};

/// Plans a migration against what is known of the database, touching nothing.
///
/// # Errors
/// [`Error::Refused`] with every reason at once.
pub fn plan(migration: &Migration, direction: Direction, facts: &Facts, settings: &Settings) -> Result<Plan, Error> {
    let script = script(migration, direction)?;
    let mut problems = unfit_server(&facts.catalogue.server);
    let mut merged = Draft::default();
    let mut operations = Vec::new();
    let mut catalogue = facts.catalogue.clone();
    let mut earlier = Earlier::default();
    for statement in &script.statements {
        for operation in &statement.operations {
            let number = operations.len() + 1;
            let cx = Context { facts, catalogue: &catalogue, settings, number, place: &statement.place };
            let mut draft = Draft::default();
            draft_one(operation, &cx, &mut draft);
            let table = cx.table_of(operation);
            if let Some(table) = &table {
                draft.problems.extend(earlier.conflicts(operation, &draft, table, &cx));
                draft.preflight.retain(|check| !earlier.makes_anew(check));
            }
            operations.push(PlannedOperation {
                sql: statement.sql.clone(),
                summary: std::mem::take(&mut draft.summary),
                strategy: draft.strategy.unwrap_or(Strategy::Metadata),
            });
            if let Some((table, strategy)) = table.zip(draft.strategy).filter(|_| draft.problems.is_empty()) {
                earlier.remember(operation, &draft, &table);
                effect::apply(operation, (&table, strategy), facts, &mut catalogue);
            }
            problems.append(&mut draft.problems);
            merged.absorb(draft);
        }
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    let tables = merged.tables();
    Ok(Plan {
        format: FORMAT,
        migration: migration.name.clone(),
        checksum: migration.checksum.clone(),
        server_version: facts.catalogue.server.version,
        operations,
        tables,
        findings: std::mem::take(&mut merged.findings),
        preflight: std::mem::take(&mut merged.preflight),
        phases: phases(merged, facts),
    })
}

fn script(migration: &Migration, direction: Direction) -> Result<&Script, Error> {
    match direction {
        Direction::Up => Ok(&migration.up),
        Direction::Down => migration.down.as_ref().ok_or_else(|| {
            Error::Refused(vec![Problem {
                what: "the migration has no way back".to_owned(),
                place: migration.name.clone(),
                why: "what was changed cannot be guessed back".to_owned(),
                advice: "add a `-- migrate:down` section, or write a new migration".to_owned(),
            }])
        }),
    }
}

fn draft_one(operation: &Operation, cx: &Context<'_>, draft: &mut Draft) {
    match operation {
        Operation::AddColumn(op) => add_column::draft(op, cx, draft),
        Operation::DropColumn(op) => drop_column::draft(op, cx, draft),
        Operation::AlterColumnType(op) => alter_column_type::draft(op, cx, draft),
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
    let mut steps = merged.steps;
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
        Slot::Expand => PhaseKind::Expand,
        Slot::Backfill => PhaseKind::Backfill,
        Slot::Build => PhaseKind::Build,
        Slot::Verify => PhaseKind::Verify,
        Slot::Harden | Slot::Constrain | Slot::Prove | Slot::Swap | Slot::Finish => PhaseKind::Contract,
    }
}
