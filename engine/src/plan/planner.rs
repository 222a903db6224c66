//! Operations and facts → plan. Pure.

use super::context::{Context, unfit_server};
use super::draft::{Draft, Seed, Slot};
use super::strategy::alter_column_type;
use super::{Direction, FORMAT, Phase, PhaseKind, Plan, PlannedOperation, StepId, Strategy};
use crate::error::{Error, Problem};
use crate::facts::Facts;
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
    let catalogue = facts.catalogue.clone();
    for statement in &script.statements {
        for operation in &statement.operations {
            let cx = Context { facts, catalogue: &catalogue, settings, place: &statement.place };
            let mut draft = Draft::default();
            draft_one(operation, &cx, &mut draft);
            operations.push(PlannedOperation {
                sql: statement.sql.clone(),
                summary: std::mem::take(&mut draft.summary),
                strategy: draft.strategy.unwrap_or(Strategy::Metadata),
            });
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
        Operation::AlterColumnType(op) => alter_column_type::draft(op, cx, draft),
        _ => draft.problems.push(cx.problem("this operation is not planned yet", "", "")),
    }
}

fn phases(mut merged: Draft, facts: &Facts) -> Vec<Phase> {
    let filled = merged.steps.iter().any(|seed| seed.as_fill().is_some());
    merged.steps.sort_by_key(|seed| seed.slot);
    let mut verify = Vec::new();
    if !merged.proofs.is_empty() {
        let proofs = std::mem::take(&mut merged.proofs);
        let mut read: Vec<&crate::name::TableName> = Vec::new();
        let mut bytes = 0;
        for proof in &proofs {
            if !read.contains(&&proof.table) {
                read.push(&proof.table);
            }
            let table = facts.catalogue.table(&proof.table);
            bytes += table.map_or(0, |table| super::draft::heap_bytes(table, &facts.catalogue.server));
        }
        verify.push(Seed::verify(Slot::Prove, "prove every row".to_owned(), proofs.clone(), bytes));
    }
    if filled {
        verify.push(Seed::await_snapshots());
    }
    let mut phases = Vec::new();
    let mut steps = merged.steps;
    for kind in PhaseKind::ALL {
        let seeds: Vec<Seed> = match kind {
            PhaseKind::Verify => std::mem::take(&mut verify),
            _ => {
                let (mine, rest) = steps.into_iter().partition(|seed| phase_of(seed.slot) == kind);
                steps = rest;
                mine
            }
        };
        if seeds.is_empty() {
            continue;
        }
        let steps = seeds
            .into_iter()
            .enumerate()
            .map(|(number, seed)| seed.into_step(StepId(format!("{}.{}", kind.word(), number + 1))))
            .collect();
        phases.push(Phase { kind, steps });
    }
    phases
}

fn phase_of(slot: Slot) -> PhaseKind {
    match slot {
        Slot::Expand => PhaseKind::Expand,
        Slot::Backfill => PhaseKind::Backfill,
        Slot::Build => PhaseKind::Build,
        Slot::Harden | Slot::Constrain | Slot::Prove | Slot::Swap | Slot::Finish => PhaseKind::Contract,
    }
}
