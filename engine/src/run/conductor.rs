//! The verbs: which run is meant, whether it may go where it is asked to, and the order of what is done.

use super::claim::Claim;
use super::state::{RunState, Signal, next};
use super::undo::way_back;
use super::{Direction, Engine, Outcome, facts, needs};
use crate::driver::postgres::Session;
use crate::error::{Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::ledger::{self, RunRow};
use crate::name::QualifiedName;
use crate::plan::{Action, Check, PhaseKind, Plan, StepId, planner};
use crate::source::Migration;

/// Phases before `ready`.
const START: [PhaseKind; 4] = [PhaseKind::Expand, PhaseKind::Backfill, PhaseKind::Build, PhaseKind::Verify];

/// Starts a run, or goes on with an unfinished one.
pub(super) async fn start(engine: &Engine, migration: &Migration, direction: Direction) -> Result<Outcome, Error> {
    let (mut claim, plan, resumed) = loop {
        let mut session = Session::connect(&engine.target, "conductor").await?;
        let known = runs(&session).await?;
        let latest = latest(&known, migration);
        let (id, resumed) = match latest.map(|run| stand(run, migration, direction)).transpose()? {
            Some(Standing::Unfinished(id)) => (id, true),
            Some(Standing::Done) => return Ok(Outcome::AlreadyDone),
            Some(Standing::Ended) | None => (begin(engine, &mut session, migration, direction).await?, false),
        };
        let plan = ledger::plan(&session, id).await?;
        let claim = take(engine, session, id).await?;
        // Another process may have carried the run on while this one waited for it: then everything is asked anew.
        if claim.row().await?.state == RunState::Running {
            break (claim, plan, resumed);
        }
    };
    let id = claim.hold.run;
    engine.events.emit(Event::RunBegan { run: id, migration: migration.name.clone(), resumed });
    let worked = claim.run_phases(&plan, &START).await;
    claim.remember(worked).await?;
    claim.go(RunState::Running, Signal::Proved).await?;
    engine.events.emit(Event::Ready);
    engine.events.emit(Event::RunEnded { state: RunState::Ready.word().to_owned() });
    Ok(Outcome::Done)
}

/// What the last run of a migration means for starting it.
enum Standing {
    Unfinished(i64),
    Done,
    Ended,
}

fn stand(run: &RunRow, migration: &Migration, direction: Direction) -> Result<Standing, Error> {
    let same_way = run.direction == direction;
    let counts = run.state.is_active() || run.state == RunState::Complete;
    if same_way && counts && run.checksum != migration.checksum {
        return Err(edited(run));
    }
    match run.state {
        RunState::Running if same_way => Ok(Standing::Unfinished(run.id)),
        RunState::Ready | RunState::Complete if same_way => Ok(Standing::Done),
        RunState::Completing if same_way => Ok(Standing::Done),
        RunState::Complete | RunState::RolledBack => Ok(Standing::Ended),
        RunState::RollingBack => Err(refused(
            run,
            "it is being rolled back",
            format!("finish that first: shoofly rollback {}", run.migration),
        )),
        RunState::Running | RunState::Ready | RunState::Completing => Err(refused(
            run,
            "it is under way in the other direction",
            format!("shoofly complete {0}, or shoofly rollback {0}", run.migration),
        )),
    }
}

/// Plans, checks everything that can be checked without a change, and enters the run.
async fn begin(
    engine: &Engine,
    session: &mut Session,
    migration: &Migration,
    direction: Direction,
) -> Result<i64, Error> {
    let facts = facts::read(session, &needs(migration, direction)).await?;
    let plan = planner::plan(migration, direction, &facts, &engine.settings)?;
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
    preflight(engine, session, &plan.preflight).await?;
    ledger::ensure(session).await?;
    failpoint::pass("run.before-enter").await;
    let id = ledger::enter(session, migration, direction, &plan).await?;
    failpoint::pass("run.entered").await;
    for finding in &plan.findings {
        let accepted = finding.hazard.map_or_else(String::new, |hazard| format!("{}, accepted: ", hazard.word()));
        engine.events.emit(Event::Notice { text: format!("{accepted}{} ({})", finding.what, finding.place) });
    }
    Ok(id)
}

async fn preflight(engine: &Engine, session: &Session, checks: &[Check]) -> Result<(), Error> {
    let mut problems = Vec::new();
    for check in checks {
        let violations = super::check::run(session, check, &engine.events, &engine.stop).await?;
        problems.extend(violations.problem(check));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Data(problems)) }
}

/// Contracts a run that is ready.
pub(super) async fn complete(engine: &Engine, name: Option<&str>) -> Result<Outcome, Error> {
    let Some((mut claim, run)) = hold(engine, name, may_complete).await? else { return Ok(Outcome::AlreadyDone) };
    let plan = ledger::plan(&claim.session, run.id).await?;
    let resumed = run.state == RunState::Completing;
    engine.events.emit(Event::RunBegan { run: run.id, migration: run.migration.clone(), resumed });
    if !resumed {
        let proved = claim.prove(&proofs(&plan)).await;
        claim.remember(proved).await?;
        claim.go(run.state, Signal::Complete).await?;
    }
    let worked = claim.run_phases(&plan, &[PhaseKind::Contract]).await;
    claim.remember(worked).await?;
    claim.go(RunState::Completing, Signal::Contracted).await?;
    engine.events.emit(Event::RunEnded { state: RunState::Complete.word().to_owned() });
    Ok(Outcome::Done)
}

/// Whether there is anything to complete.
fn may_complete(run: &RunRow) -> Result<bool, Error> {
    match run.state {
        RunState::Complete => Ok(false),
        RunState::Ready | RunState::Completing => Ok(true),
        RunState::Running => {
            Err(refused(run, "it is not ready", format!("finish it first: shoofly start {}", run.migration)))
        }
        RunState::RollingBack | RunState::RolledBack => {
            Err(refused(run, "it is rolled back", format!("start it anew: shoofly start {}", run.migration)))
        }
    }
}

/// Every proof of the plan's verify phase.
fn proofs(plan: &Plan) -> Vec<Check> {
    plan.steps()
        .filter_map(|step| match &step.action {
            Action::Verify { proofs } => Some(proofs.iter().cloned()),
            _ => None,
        })
        .flatten()
        .collect()
}

/// Undoes a run that is not complete.
pub(super) async fn rollback(engine: &Engine, name: Option<&str>) -> Result<Outcome, Error> {
    let Some((mut claim, run)) = hold(engine, name, may_roll_back).await? else { return Ok(Outcome::AlreadyDone) };
    let plan = ledger::plan(&claim.session, run.id).await?;
    engine.events.emit(Event::RunBegan { run: run.id, migration: run.migration.clone(), resumed: true });
    let undone = claim.undo(&plan, run.state).await;
    claim.remember(undone).await?;
    engine.events.emit(Event::RunEnded { state: RunState::RolledBack.word().to_owned() });
    Ok(Outcome::Done)
}

/// Whether there is anything to roll back.
fn may_roll_back(run: &RunRow) -> Result<bool, Error> {
    match run.state {
        RunState::RolledBack => Ok(false),
        RunState::Running | RunState::Ready | RunState::Completing | RunState::RollingBack => Ok(true),
        RunState::Complete => Err(refused(
            run,
            "it is complete",
            format!("take it back as a change of its own: shoofly down, for {}", run.migration),
        )),
    }
}

/// Takes the run that a name means, where `may` finds something to do: asked before, so that nobody is waited for in vain, and
/// again once the run is held, as another process may have carried it on meanwhile.
async fn hold(
    engine: &Engine,
    name: Option<&str>,
    may: fn(&RunRow) -> Result<bool, Error>,
) -> Result<Option<(Claim, RunRow)>, Error> {
    let session = Session::connect(&engine.target, "conductor").await?;
    let seen = pick(&session, name).await?;
    if !may(&seen)? {
        return Ok(None);
    }
    let claim = take(engine, session, seen.id).await?;
    let run = claim.row().await?;
    Ok(may(&run)?.then_some((claim, run)))
}

impl Claim {
    /// Takes every begun step back: indexes first, then everything else in one transaction together with its record.
    async fn undo(&mut self, plan: &Plan, state: RunState) -> Result<(), Error> {
        let states = self.states().await.map_err(|error| error.doing("read the ledger"))?;
        let way = way_back(plan, &states)?;
        self.go(state, Signal::RollBack).await?;
        let id = StepId("rollback".to_owned());
        for drop in &way.indexes {
            let title = format!("drop the index {} on {}", drop.index.display(), drop.table.display());
            self.events.emit(Event::StepBegan { step: id.clone(), title });
            failpoint::pass("undo.before-index").await;
            self.alone(&id, &drop.statement).await?;
        }
        self.events
            .emit(Event::StepBegan { step: id.clone(), title: "take everything back in one transaction".to_owned() });
        let mut statements = vec![ledger::hold(self.hold)];
        statements.extend(way.statements);
        statements.push(ledger::undone(self.hold));
        let undone = transition(RunState::RollingBack, Signal::Undone, self.hold.run)?;
        statements.push(ledger::enter_state(self.hold, undone));
        statements.push(ledger::log(self.hold, undone.word()));
        failpoint::pass("undo.before").await;
        self.guarded(&id).commit(&way.locks, &statements).await?;
        failpoint::pass("undo.after").await;
        Ok(())
    }

    /// Moves the run on.
    async fn go(&self, from: RunState, signal: Signal) -> Result<(), Error> {
        let to = transition(from, signal, self.hold.run)?;
        failpoint::pass(&format!("state.before:{}", to.word())).await;
        let record = [ledger::enter_state(self.hold, to), ledger::log(self.hold, to.word())];
        ledger::record(&self.session, self.hold, &record)
            .await
            .map_err(|error| error.doing("record the run's state"))?;
        failpoint::pass(&format!("state.after:{}", to.word())).await;
        Ok(())
    }

    /// Keeps the text of an error in the ledger, for `status`; where that fails too, the error itself counts.
    async fn remember(&self, worked: Result<(), Error>) -> Result<(), Error> {
        let Err(error) = worked else { return Ok(()) };
        let text = error.to_string();
        let record = [ledger::failed(self.hold, &text), ledger::log(self.hold, &text)];
        if let Err(second) = ledger::record(&self.session, self.hold, &record).await {
            tracing::debug!(%second, "the error could not be recorded");
        }
        Err(error)
    }
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

async fn take(engine: &Engine, session: Session, run: i64) -> Result<Claim, Error> {
    Claim::take(session, run, &engine.target, &engine.settings, &engine.events, &engine.stop).await
}

async fn runs(session: &Session) -> Result<Vec<RunRow>, Error> {
    let read = async {
        if !ledger::exists(session).await? {
            return Ok(Vec::new());
        }
        ledger::runs(session).await
    };
    read.await.map_err(|error| error.doing("read the ledger"))
}

/// The newest run of a migration. That of a statement of the command line counts no more once another change of the same
/// table is complete: the statement may have been taken back by it, and is then asked for anew.
fn latest<'a>(known: &'a [RunRow], migration: &Migration) -> Option<&'a RunRow> {
    let at = known.iter().rposition(|run| run.migration == migration.name)?;
    let changes_the_same = |later: &RunRow| later.plan_tables.iter().any(|table| known[at].plan_tables.contains(table));
    let overtaken = migration.path.is_none()
        && known[at].state == RunState::Complete
        && known[at + 1..].iter().any(|later| later.state == RunState::Complete && changes_the_same(later));
    (!overtaken).then_some(&known[at])
}

/// The run that a name means: the newest of that name; without a name the only active one, else the newest of all.
async fn pick(session: &Session, name: Option<&str>) -> Result<RunRow, Error> {
    let runs = runs(session).await?;
    if let Some(name) = name {
        let found = runs.into_iter().rev().find(|run| run.migration == name);
        return found.ok_or_else(|| unknown(format!("no run of {name} is known"), session));
    }
    let active: Vec<&RunRow> = runs.iter().filter(|run| run.state.is_active()).collect();
    match active.as_slice() {
        [only] => Ok((*only).clone()),
        [] => runs.into_iter().next_back().ok_or_else(|| unknown("no run is known".to_owned(), session)),
        several => Err(Error::Usage(
            several
                .iter()
                .map(|run| Problem {
                    what: format!("{} is {}", run.migration, run.state.word()),
                    place: run.plan_tables.iter().map(QualifiedName::display).collect::<Vec<_>>().join(", "),
                    why: "several runs are active: say which one is meant".to_owned(),
                    advice: format!("name it: {}", run.migration),
                })
                .collect(),
        )),
    }
}

fn unknown(what: String, session: &Session) -> Error {
    Error::Usage(vec![Problem {
        what,
        place: session.target().display(),
        why: String::new(),
        advice: "shoofly status lists what there is".to_owned(),
    }])
}

fn refused(run: &RunRow, what: &str, advice: String) -> Error {
    Error::Refused(vec![Problem {
        what: what.to_owned(),
        place: format!("run {} of {}", run.id, run.migration),
        why: format!("its state is {}", run.state.word()),
        advice,
    }])
}

fn edited(run: &RunRow) -> Error {
    Error::Divergence(vec![Problem {
        what: "the migration's text has changed since the run was begun".to_owned(),
        place: format!("run {} of {}", run.id, run.migration),
        why: "a run is finished by the plan that it was begun with".to_owned(),
        advice: "put the old text back, or roll the run back and start anew; a new change belongs into a new migration"
            .to_owned(),
    }])
}
