//! Keeping the old table for a time: whether it can be done, and how far a run has come with it.

use std::collections::BTreeMap;

use super::StepState;
use crate::error::{Error, Problem};
use crate::plan::{Plan, Step, StepId, Undo, Ways, Window};
use crate::settings::KeepOld;

type States = BTreeMap<StepId, StepState>;

/// The ways of the window that the operator wants opened; `None` where the old table is to go.
///
/// # Errors
/// [`Error::Refused`] with every reason where it cannot be kept.
pub(super) fn wanted(keep: KeepOld, plan: &Plan) -> Result<Option<&Ways>, Error> {
    match (keep, &plan.window) {
        (KeepOld::Never, _) | (KeepOld::WhereCopied, Window::Nothing) => Ok(None),
        (_, Window::Open(ways)) => Ok(Some(ways.as_ref())),
        (_, Window::Closed { reasons }) => Err(Error::Refused(reasons.clone())),
        (KeepOld::Always, Window::Nothing) => Err(Error::Refused(vec![Problem {
            what: "there is no old table to keep".to_owned(),
            place: plan.migration.clone(),
            why: "the change makes no second table that takes the first one's place".to_owned(),
            advice: "leave --keep-old out; until `complete`, `shoofly rollback` takes everything back".to_owned(),
        }])),
    }
}

/// Whether the run has begun to open the window.
pub(super) fn is_entered(ways: &Ways, states: &States) -> bool {
    any_begun(&ways.switch, states)
}

/// Whether a step was begun after which the new table may have the name.
pub(super) fn is_switched(ways: &Ways, states: &States) -> bool {
    let last_ones = |step: &&Step| matches!(step.undo, Undo::Impossible { .. });
    ways.switch.iter().filter(last_ones).any(|step| states.contains_key(&step.id))
}

/// Whether the way back was begun.
pub(super) fn is_returning(ways: &Ways, states: &States) -> bool {
    any_begun(&ways.back, states)
}

fn any_begun(steps: &[Step], states: &States) -> bool {
    steps.iter().any(|step| states.contains_key(&step.id))
}

/// The window of a run whose state says that it has one.
///
/// # Errors
/// [`Error::Divergence`] where its plan has none.
pub(super) fn of(plan: &Plan, run: i64) -> Result<&Ways, Error> {
    plan.window.ways().ok_or_else(|| {
        Error::Divergence(vec![Problem {
            what: "the run keeps an old table, and its plan has none to keep".to_owned(),
            place: format!("run {run}"),
            why: "the ledger was changed by somebody else".to_owned(),
            advice: "look at it with `shoofly status`".to_owned(),
        }])
    })
}
