//! Proving a run once more, and putting right what differs.

use super::conductor::{hold, refused, remember};
use super::state::RunState;
use super::{Engine, Outcome, Repair, RunStatus};
use crate::backend::{Backend, Held};
use crate::error::Error;
use crate::event::Event;
use crate::plan::{PhaseKind, Plan, Step};

/// The steps that prove a run in that state.
pub(super) fn proofs(plan: &Plan, state: RunState) -> Vec<&Step> {
    match (state, plan.window.ways()) {
        (RunState::Switched, Some(ways)) => ways.proofs.iter().collect(),
        _ => {
            plan.phases.iter().filter(|phase| phase.kind == PhaseKind::Verify).flat_map(|phase| &phase.steps).collect()
        }
    }
}

/// Proves a run once more; repairs what differs first, where it is asked to.
pub(super) async fn verify<B: Backend>(
    engine: &Engine,
    target: &B::Target,
    name: Option<&str>,
    repair: Repair,
) -> Result<Outcome, Error> {
    let Some((held, run)) = hold::<B>(engine, target, name, may_verify).await? else {
        return Ok(Outcome::AlreadyDone);
    };
    let plan = held.plan().await?;
    engine.events.emit(Event::RunBegan { run: run.run, migration: run.migration.clone(), resumed: true });
    let steps = proofs(&plan, run.state);
    let proved = async {
        if repair == Repair::Asked {
            held.repair(&steps).await?;
        }
        held.prove(&steps).await
    };
    let proved = proved.await;
    remember(&held, proved).await?;
    engine.events.emit(Event::RunEnded { state: run.state.word().to_owned() });
    Ok(Outcome::Done)
}

/// Whether there is anything to prove.
fn may_verify(run: &RunStatus) -> Result<bool, Error> {
    match run.state {
        RunState::Ready | RunState::Switched => Ok(true),
        RunState::Complete | RunState::RolledBack => Ok(false),
        RunState::Running => {
            Err(refused(run, "it is not ready", format!("finish it first: shoofly start {}", run.migration)))
        }
        RunState::Switching | RunState::Completing => Err(refused(
            run,
            "the new shape is taking over",
            format!("finish that: shoofly complete {}", run.migration),
        )),
        RunState::RollingBack => {
            Err(refused(run, "it is being rolled back", format!("finish that: shoofly rollback {}", run.migration)))
        }
    }
}
