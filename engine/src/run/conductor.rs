//! The verbs: which run is meant, whether it may go where it is asked to, and the order of what is done.

use std::time::Instant;

use super::state::{RunState, Signal, next};
use super::undo::way_back;
use super::verify::proofs;
use super::which::{latest, pick};
use super::{Direction, Engine, Outcome, RunStatus, StepState, window};
use crate::backend::{Backend, Held, Trying};
use crate::error::{Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::plan::{PhaseKind, Plan, Step};
use crate::settings::KeepOld;
use crate::source::Migration;

/// What the server shows of the connection that holds a run.
const CONDUCTOR: &str = "conductor";
/// Phases before `ready`.
const START: [PhaseKind; 4] = [PhaseKind::Expand, PhaseKind::Backfill, PhaseKind::Build, PhaseKind::Verify];

/// Starts a run, or goes on with an unfinished one.
pub(super) async fn start<B: Backend>(
    engine: &Engine,
    target: &B::Target,
    migration: &Migration,
    direction: Direction,
) -> Result<Outcome, Error> {
    let (mut held, run, resumed) = loop {
        let mut backend = B::connect(engine, target, CONDUCTOR).await?;
        let known = backend.runs().await?;
        let latest = latest(&known, migration);
        let (run, resumed) = match latest.map(|run| stand(run, migration, direction)).transpose()? {
            Some(Standing::Unfinished(run)) => (run, true),
            Some(Standing::Done) => return Ok(Outcome::AlreadyDone),
            Some(Standing::Switched) => return Ok(Outcome::Switched),
            Some(Standing::Ended) | None => (begin(engine, &mut backend, migration, direction).await?, false),
        };
        let held = backend.hold(run).await?;
        // Another process may have carried the run on while this one waited for it: then everything is asked anew.
        if held.status().await?.state == RunState::Running {
            break (held, run, resumed);
        }
    };
    let plan = held.plan().await?;
    engine.events.emit(Event::RunBegan { run, migration: migration.name.clone(), resumed });
    let worked = run_phases(&mut held, engine, &plan, &START).await;
    remember(&held, worked).await?;
    go(&held, run, RunState::Running, Signal::Proved).await?;
    engine.events.emit(Event::Ready);
    engine.events.emit(Event::RunEnded { state: RunState::Ready.word().to_owned() });
    Ok(Outcome::Done)
}

/// What the last run of a migration means for starting it.
enum Standing {
    Unfinished(i64),
    Done,
    Switched,
    Ended,
}

fn stand(run: &RunStatus, migration: &Migration, direction: Direction) -> Result<Standing, Error> {
    let same_way = run.direction == direction;
    let counts = run.state.is_active() || run.state == RunState::Complete;
    if same_way && counts && run.checksum != migration.checksum {
        return Err(edited(run));
    }
    match run.state {
        RunState::Running if same_way => Ok(Standing::Unfinished(run.run)),
        RunState::Ready | RunState::Complete if same_way => Ok(Standing::Done),
        RunState::Switching | RunState::Completing if same_way => Ok(Standing::Done),
        RunState::Switched if same_way => Ok(Standing::Switched),
        RunState::Complete | RunState::RolledBack => Ok(Standing::Ended),
        RunState::RollingBack => Err(refused(
            run,
            "it is being rolled back",
            format!("finish that first: shoofly rollback {}", run.migration),
        )),
        _ => Err(refused(
            run,
            "it is under way in the other direction",
            format!("shoofly complete {0}, or shoofly rollback {0}", run.migration),
        )),
    }
}

/// Plans, checks everything that can be checked without a change, and enters the run.
async fn begin<B: Backend>(
    engine: &Engine,
    backend: &mut B,
    migration: &Migration,
    direction: Direction,
) -> Result<i64, Error> {
    let plan = backend.plan(migration, direction, Trying::Allowed).await?;
    let hazards: Vec<Problem> = plan
        .unaccepted()
        .map(|finding| Problem {
            what: finding.what.clone(),
            place: finding.place.clone(),
            why: finding.why.clone(),
            advice: match finding.hazard {
                Some(hazard) => format!("{}; or accept it: --accept {}", finding.advice, hazard.word()),
                None => finding.advice.clone(),
            },
        })
        .collect();
    if !hazards.is_empty() {
        return Err(Error::Refused(hazards));
    }
    window::wanted(engine.settings.keep_old, &plan)?;
    let run = backend.enter(migration, direction, &plan).await?;
    failpoint::pass("run.entered").await;
    for finding in &plan.findings {
        let accepted = finding.hazard.map_or_else(String::new, |hazard| format!("{}, accepted: ", hazard.word()));
        engine.events.emit(Event::Notice { text: format!("{accepted}{} ({})", finding.what, finding.place) });
    }
    Ok(run)
}

/// Contracts a run that is ready; or lets the new shape take over and keeps the old table, as the settings say.
pub(super) async fn complete<B: Backend>(
    engine: &Engine,
    target: &B::Target,
    name: Option<&str>,
) -> Result<Outcome, Error> {
    let keep = engine.settings.keep_old;
    let may = |run: &RunStatus| may_complete(run, keep);
    let Some((mut held, run)) = hold::<B>(engine, target, name, may).await? else {
        return Ok(Outcome::AlreadyDone);
    };
    let plan = held.plan().await?;
    let wanted = match run.state {
        RunState::Ready | RunState::Switching => window::wanted(keep, &plan)?.is_some(),
        _ => false,
    };
    if keep == KeepOld::WhereCopied && run.state == RunState::Ready && !wanted {
        let text = "no table is copied: there is no old one to keep".to_owned();
        engine.events.emit(Event::Notice { text });
    }
    let resumed = matches!(run.state, RunState::Completing | RunState::Switching);
    engine.events.emit(Event::RunBegan { run: run.run, migration: run.migration.clone(), resumed });
    let mut state = run.state;
    if state == RunState::Ready {
        let proved = held.prove(&proofs(&plan, state)).await;
        remember(&held, proved).await?;
        state = go(&held, run.run, state, if wanted { Signal::Switch } else { Signal::Complete }).await?;
    }
    if state == RunState::Switching {
        state = switch(&mut held, engine, &plan, run.run).await?;
        if wanted {
            engine.events.emit(Event::RunEnded { state: state.word().to_owned() });
            return Ok(Outcome::Switched);
        }
    }
    contract(&mut held, engine, &plan, &run, state).await?;
    engine.events.emit(Event::RunEnded { state: RunState::Complete.word().to_owned() });
    Ok(Outcome::Done)
}

/// The new shape takes over, and the old table follows it.
async fn switch<H: Held>(held: &mut H, engine: &Engine, plan: &Plan, run: i64) -> Result<RunState, Error> {
    let worked = run_steps(held, engine, PhaseKind::Contract, &window::of(plan, run)?.switch).await;
    remember(held, worked).await?;
    go(held, run, RunState::Switching, Signal::Kept).await
}

/// The contract phase; where the old table was kept, what is left of it.
async fn contract<H: Held>(
    held: &mut H,
    engine: &Engine,
    plan: &Plan,
    run: &RunStatus,
    state: RunState,
) -> Result<(), Error> {
    let states = held.steps().await?;
    let ways = plan.window.ways().filter(|ways| window::is_entered(ways, &states));
    if ways.is_some_and(|ways| window::is_returning(ways, &states)) {
        let advice = format!("finish that: shoofly rollback {}", run.migration);
        return Err(refused(run, "the old table is taking its place again", advice));
    }
    let state = match state {
        RunState::Completing => state,
        _ => go(held, run.run, state, Signal::Complete).await?,
    };
    let worked = match ways {
        Some(ways) => run_steps(held, engine, PhaseKind::Contract, &ways.close).await,
        None => run_phases(held, engine, plan, &[PhaseKind::Contract]).await,
    };
    remember(held, worked).await?;
    go(held, run.run, state, Signal::Contracted).await.map(|_| ())
}

/// Whether there is anything to complete.
fn may_complete(run: &RunStatus, keep: KeepOld) -> Result<bool, Error> {
    match run.state {
        RunState::Complete => Ok(false),
        RunState::Completing if keep == KeepOld::Always => Err(refused(
            run,
            "its old table is being dropped",
            format!("finish it without --keep-old: shoofly complete {}", run.migration),
        )),
        RunState::Ready | RunState::Switching | RunState::Completing => Ok(true),
        RunState::Switched => Ok(keep == KeepOld::Never),
        RunState::Running => {
            Err(refused(run, "it is not ready", format!("finish it first: shoofly start {}", run.migration)))
        }
        RunState::RollingBack | RunState::RolledBack => {
            Err(refused(run, "it is rolled back", format!("start it anew: shoofly start {}", run.migration)))
        }
    }
}

/// Undoes a run that is not complete.
pub(super) async fn rollback<B: Backend>(
    engine: &Engine,
    target: &B::Target,
    name: Option<&str>,
) -> Result<Outcome, Error> {
    let Some((mut held, run)) = hold::<B>(engine, target, name, may_roll_back).await? else {
        return Ok(Outcome::AlreadyDone);
    };
    let plan = held.plan().await?;
    engine.events.emit(Event::RunBegan { run: run.run, migration: run.migration.clone(), resumed: true });
    let undone = undo(&mut held, engine, &plan, &run).await;
    remember(&held, undone).await?;
    engine.events.emit(Event::RunEnded { state: RunState::RolledBack.word().to_owned() });
    Ok(Outcome::Done)
}

/// Whether there is anything to roll back.
fn may_roll_back(run: &RunStatus) -> Result<bool, Error> {
    match run.state {
        RunState::RolledBack => Ok(false),
        RunState::Complete => Err(refused(
            run,
            "it is complete",
            format!("take it back as a change of its own: shoofly down, for {}", run.migration),
        )),
        _ => Ok(true),
    }
}

/// Takes the run that a name means, where `may` finds something to do: asked before, so that nobody is waited for in vain, and
/// again once the run is held, as another process may have carried it on meanwhile.
pub(super) async fn hold<B: Backend>(
    engine: &Engine,
    target: &B::Target,
    name: Option<&str>,
    may: impl Fn(&RunStatus) -> Result<bool, Error>,
) -> Result<Option<(B::Held, RunStatus)>, Error> {
    let backend = B::connect(engine, target, CONDUCTOR).await?;
    let seen = pick(backend.runs().await?, name, engine)?;
    if !may(&seen)? {
        return Ok(None);
    }
    let held = backend.hold(seen.run).await?;
    let run = held.status().await?;
    Ok(may(&run)?.then_some((held, run)))
}

/// Takes every begun step back; a table that has given up its name gets it back first.
async fn undo<H: Held>(held: &mut H, engine: &Engine, plan: &Plan, run: &RunStatus) -> Result<(), Error> {
    let mut state = run.state;
    let states = held.steps().await?;
    if let Some(ways) = plan.window.ways() {
        if state == RunState::Switching && window::is_switched(ways, &states) {
            state = switch(held, engine, plan, run.run).await?;
        }
        if state == RunState::Switched {
            // Once one table is back, both no longer stand to each other as they did.
            if !window::is_returning(ways, &states) {
                held.prove(&ways.proofs.iter().collect::<Vec<_>>()).await?;
            }
            run_steps(held, engine, PhaseKind::Contract, &ways.back).await?;
        }
    }
    let way = way_back(plan, &held.steps().await?)?;
    go(held, run.run, state, Signal::RollBack).await?;
    held.take_back(&way, transition(RunState::RollingBack, Signal::Undone, run.run)?).await
}

/// Runs the phases in order, skipping what the ledger has as done.
async fn run_phases<H: Held>(held: &mut H, engine: &Engine, plan: &Plan, phases: &[PhaseKind]) -> Result<(), Error> {
    for phase in plan.phases.iter().filter(|phase| phases.contains(&phase.kind)) {
        run_steps(held, engine, phase.kind, &phase.steps).await?;
    }
    Ok(())
}

async fn run_steps<H: Held>(held: &mut H, engine: &Engine, phase: PhaseKind, steps: &[Step]) -> Result<(), Error> {
    engine.events.emit(Event::PhaseBegan { phase });
    for step in steps {
        run_step(held, engine, step).await?;
    }
    Ok(())
}

/// Runs one step until it is done; a lost connection is made anew and the ledger is asked what happened.
async fn run_step<H: Held>(held: &mut H, engine: &Engine, step: &Step) -> Result<(), Error> {
    loop {
        let known = match held.steps().await {
            Ok(steps) => steps.get(&step.id).copied(),
            Err(error) => {
                held.survive(error).await?;
                continue;
            }
        };
        let done = |took| Event::StepDone { step: step.id.clone(), title: step.title.clone(), took };
        if known == Some(StepState::Done) {
            engine.events.emit(done(None));
            return Ok(());
        }
        if engine.stop.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let began = Instant::now();
        engine.events.emit(Event::StepBegan { step: step.id.clone(), title: step.title.clone() });
        failpoint::pass(&format!("step.before:{}", step.id)).await;
        match held.act(step, known).await {
            Ok(()) => {
                failpoint::pass(&format!("step.after:{}", step.id)).await;
                engine.events.emit(done(Some(began.elapsed())));
                return Ok(());
            }
            Err(error) => held.survive(error).await?,
        }
    }
}

/// Moves the run on.
async fn go<H: Held>(held: &H, run: i64, from: RunState, signal: Signal) -> Result<RunState, Error> {
    let to = transition(from, signal, run)?;
    failpoint::pass(&format!("state.before:{}", to.word())).await;
    held.enter_state(to).await?;
    failpoint::pass(&format!("state.after:{}", to.word())).await;
    Ok(to)
}

/// Keeps the text of an error in the ledger, for `status`.
pub(super) async fn remember<H: Held>(held: &H, worked: Result<(), Error>) -> Result<(), Error> {
    if let Err(error) = &worked {
        held.remember(&error.to_string()).await;
    }
    worked
}

/// The next state; a signal that has no place means that the ledger says something else than a moment ago.
fn transition(from: RunState, signal: Signal, run: i64) -> Result<RunState, Error> {
    next(from, signal).ok_or_else(|| {
        Error::Divergence(vec![Problem {
            what: format!("a run that is {} cannot take {signal:?}", from.word()),
            place: format!("run {run}"),
            why: "the ledger was changed by somebody else".to_owned(),
            advice: "look at it with `shoofly status`".to_owned(),
        }])
    })
}

pub(super) fn refused(run: &RunStatus, what: &str, advice: String) -> Error {
    Error::Refused(vec![Problem {
        what: what.to_owned(),
        place: format!("run {} of {}", run.run, run.migration),
        why: format!("its state is {}", run.state.word()),
        advice,
    }])
}

fn edited(run: &RunStatus) -> Error {
    Error::Divergence(vec![Problem {
        what: "the migration's text has changed since the run was begun".to_owned(),
        place: format!("run {} of {}", run.run, run.migration),
        why: "a run is finished by the plan that it was begun with".to_owned(),
        advice: "put the old text back, or roll the run back and start anew; a new change belongs into a new migration"
            .to_owned(),
    }])
}
