//! PostgreSQL: effects commit together with their record in the ledger, which is a schema of the same database.

use std::collections::BTreeMap;

use super::{Backend, Held, Trying, hold};
use crate::dialect::postgres::planner;
use crate::driver::postgres::{Session, Target};
use crate::error::{Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::plan::{Action, Check, Plan, Step, StepId};
use crate::report::Now;
use crate::run::{Direction, Engine, RunState, RunStatus, StepState, WayBack};
use crate::source::Migration;

mod barrier;
mod check;
mod claim;
mod executor;
pub mod fill;
mod guard;
pub mod ledger;
mod reading;

use claim::Claim;

/// A session, and what the operator wants.
#[derive(Debug)]
pub(crate) struct Postgres {
    engine: Engine,
    session: Session,
}

impl Backend for Postgres {
    type Held = Claim;
    type Target = Target;

    async fn connect(engine: &Engine, target: &Target, purpose: &str) -> Result<Self, Error> {
        Ok(Self { engine: engine.clone(), session: Session::connect(target, purpose).await? })
    }

    /// The catalogue tells everything: nothing has to be tried.
    async fn plan(&mut self, migration: &Migration, direction: Direction, trying: Trying) -> Result<Plan, Error> {
        let needs = migration.script(direction)?.needs();
        let facts = reading::facts(&mut self.session, &needs, &self.engine, trying).await?;
        planner::plan(migration, direction, &facts, &self.engine.settings)
    }

    async fn look(&self, plan: &Plan) -> Result<Now, Error> {
        let patience = self.engine.settings.locks.patience;
        reading::now(&self.session, plan, patience).await
    }

    async fn runs(&self) -> Result<Vec<RunStatus>, Error> {
        let read = async {
            if !ledger::exists(&self.session).await? {
                return Ok(Vec::new());
            }
            ledger::runs(&self.session).await
        };
        read.await.map_err(|error| error.doing("read the ledger"))
    }

    async fn enter(&self, migration: &Migration, direction: Direction, plan: &Plan) -> Result<i64, Error> {
        let mut problems = Vec::new();
        for check in &plan.preflight {
            let violations = check::run(&self.session, check, &self.engine.events, &self.engine.stop).await?;
            problems.extend(violations.problem(check));
        }
        if !problems.is_empty() {
            return Err(Error::Unfit(problems));
        }
        ledger::ensure(&self.session).await?;
        failpoint::pass("run.before-enter").await;
        ledger::enter(&self.session, migration, direction, plan).await
    }

    async fn hold(self, run: i64) -> Result<Claim, Error> {
        Claim::take(self.session, run, &self.engine).await
    }
}

impl Held for Claim {
    async fn status(&self) -> Result<RunStatus, Error> {
        hold::status(&self.session, self.hold.run).await
    }

    async fn plan(&self) -> Result<Plan, Error> {
        ledger::plan(&self.session, self.hold.run).await
    }

    async fn steps(&self) -> Result<BTreeMap<StepId, StepState>, Error> {
        ledger::steps(&self.session, self.hold.run).await.map_err(|error| error.doing("read the ledger"))
    }

    async fn act(&mut self, step: &Step, known: Option<StepState>) -> Result<(), Error> {
        self.carry_out(step, known).await
    }

    async fn prove(&self, steps: &[&Step]) -> Result<(), Error> {
        let proofs = steps.iter().filter_map(|step| match &step.action {
            Action::Verify { proofs } => Some(proofs.iter().cloned()),
            _ => None,
        });
        self.count(&proofs.flatten().collect::<Vec<Check>>()).await
    }

    async fn repair(&self, _steps: &[&Step]) -> Result<(), Error> {
        Err(Error::Refused(vec![Problem {
            what: "rows are not repaired on PostgreSQL".to_owned(),
            place: format!("run {}", self.hold.run),
            why: "old and new values are in one row, and its triggers keep them in step".to_owned(),
            advice: "update the rows that `shoofly verify` names, so that the triggers see them; or roll back and start anew".to_owned(),
        }]))
    }

    /// Indexes first, then everything else in one transaction together with its record.
    async fn take_back(&mut self, way: &WayBack, undone: RunState) -> Result<(), Error> {
        let id = StepId("rollback".to_owned());
        for drop in &way.indexes {
            let title = format!("drop the index {} on {}", drop.index.display(), drop.table.display());
            self.events.emit(Event::StepBegan { step: id.clone(), title });
            failpoint::pass("undo.before-index").await;
            self.alone(&id, &drop.statement).await?;
        }
        let title = "take everything back in one transaction".to_owned();
        self.events.emit(Event::StepBegan { step: id.clone(), title });
        let mut statements = vec![ledger::hold(self.hold)];
        statements.extend(way.statements.iter().cloned());
        statements.push(ledger::undone(self.hold));
        statements.push(ledger::enter_state(self.hold, undone));
        statements.push(ledger::log(self.hold, undone.word()));
        failpoint::pass("undo.before").await;
        self.guarded(&id).commit(&way.locks, &statements).await?;
        failpoint::pass("undo.after").await;
        Ok(())
    }

    async fn enter_state(&self, state: RunState) -> Result<(), Error> {
        let record = [ledger::enter_state(self.hold, state), ledger::log(self.hold, state.word())];
        let recorded = ledger::record(&self.session, self.hold, &record).await;
        recorded.map_err(|error| error.doing("record the run's state"))
    }

    async fn remember(&self, text: &str) {
        let record = [ledger::failed(self.hold, text), ledger::log(self.hold, text)];
        if let Err(error) = ledger::record(&self.session, self.hold, &record).await {
            tracing::debug!(%error, "the error could not be recorded");
        }
    }

    async fn survive(&mut self, error: Error) -> Result<(), Error> {
        if !hold::is_lost(&error) && !self.session.is_closed() {
            return Err(error);
        }
        self.reconnect(error).await
    }
}
