//! MySQL and MariaDB: DDL commits by itself, so intent is recorded, then it is done, then the catalogue is asked; rows and their
//! record commit together in the ledger, which is a database of its own on the same server.

use std::collections::BTreeMap;

use super::{Backend, Held, Trying, hold};
use crate::dialect::mysql::planner::{self, Facts};
use crate::driver::mysql::{Session, Target, catalogue};
use crate::error::Error;
use crate::event::Event;
use crate::failpoint;
use crate::plan::shadow::ShadowStage;
use crate::plan::{Action, Plan, Step, StepId};
use crate::report::Now;
use crate::run::{Direction, Engine, RunState, RunStatus, StepState, WayBack};
use crate::source::Migration;
use crate::sql::mysql::Mode;

mod barrier;
mod beside;
mod check;
mod claim;
mod compare;
mod conflicts;
mod copy;
mod dual;
mod exchange;
mod executor;
mod files;
mod guard;
mod holders;
mod ledger;
mod look;
mod quiet;
mod range;
mod repair;
mod rows;
mod shadow;
mod swap;
mod trying;
mod unique;

use claim::Claim;

/// A session, and what the operator wants.
#[derive(Debug)]
pub(crate) struct MySql {
    engine: Engine,
    session: Session,
}

impl Backend for MySql {
    type Held = Claim;
    type Target = Target;

    async fn connect(engine: &Engine, target: &Target, purpose: &str) -> Result<Self, Error> {
        Ok(Self { engine: engine.clone(), session: Session::connect(target, purpose).await? })
    }

    async fn plan(&mut self, migration: &Migration, direction: Direction, trying: Trying) -> Result<Plan, Error> {
        let script = migration.script(direction)?;
        let reading = |error: crate::error::DbError| error.doing("read the catalogue");
        // Which of a script's comments are code depends on the server, and how it is read on its mode.
        let mode = self.session.rows("SELECT @@GLOBAL.sql_mode").await.map_err(reading)?;
        let mode = Mode::of(self.session.product(), self.session.version(), ledger::first(&mode).unwrap_or_default());
        let catalogue = catalogue::read(&self.session, &planner::wanted(script, mode)).await.map_err(reading)?;
        let mut facts = Facts { catalogue, tried: BTreeMap::new() };
        // A server that takes no writes is refused by the plan.
        if trying == Trying::Allowed && !facts.catalogue.server.read_only {
            ledger::ensure(&self.session).await?;
            for trial in planner::trials(script, mode) {
                if let Some(found) = trying::patiently(&self.session, &self.engine, &trial, &facts.catalogue).await? {
                    facts.tried.insert(trial.at, found);
                }
            }
        }
        planner::plan(migration, direction, &facts, &self.engine.settings)
    }

    async fn look(&self, plan: &Plan) -> Result<Now, Error> {
        look::at(&self.session, plan).await.map_err(|error| error.doing("look who is in the way"))
    }

    async fn runs(&self) -> Result<Vec<RunStatus>, Error> {
        let read = async {
            if !ledger::exists(&self.session).await? {
                return Ok(Vec::new());
            }
            ledger::runs(&self.session).await
        };
        let mut runs = read.await.map_err(|error| error.doing("read the ledger"))?;
        // One ledger serves all databases of the server; a URL with a database means that one, and its migrations.
        if let Some(database) = self.session.target().database() {
            let ours = |run: &RunStatus| run.tables.iter().any(|table| table.schema.as_str() == database);
            runs.retain(|run| run.tables.is_empty() || ours(run));
        }
        Ok(runs)
    }

    async fn enter(&self, migration: &Migration, direction: Direction, plan: &Plan) -> Result<i64, Error> {
        let mut problems = Vec::new();
        for check in &plan.preflight {
            problems.extend(check::run(&self.session, check, &self.engine.stop).await?);
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
        for step in steps {
            match &step.action {
                Action::Shadow { stage: ShadowStage::Compare, shadow, .. } => self.compare_again(step, shadow).await?,
                Action::Verify { proofs } => self.count(proofs).await?,
                _ => {}
            }
        }
        Ok(())
    }

    async fn repair(&self, steps: &[&Step]) -> Result<(), Error> {
        for step in steps {
            if let Action::Shadow { stage: ShadowStage::Compare, shadow, .. } = &step.action {
                Claim::repair(self, shadow).await?;
            }
        }
        Ok(())
    }

    /// Each statement commits by itself and can be repeated; the run's record comes last.
    async fn take_back(&mut self, way: &WayBack, undone: RunState) -> Result<(), Error> {
        let id = StepId("rollback".to_owned());
        let title = "take everything back".to_owned();
        self.events.emit(Event::StepBegan { step: id.clone(), title });
        for (at, statement) in way.statements.iter().enumerate() {
            failpoint::pass(&format!("undo.before#{at}")).await;
            self.guarded(&id).run(&way.locks, statement).await?;
        }
        failpoint::pass("undo.after").await;
        self.drop_conflicts().await?;
        let mut record = ledger::undone(self.hold);
        record.extend(ledger::enter_state(self.hold, undone));
        record.push(ledger::log(self.hold, undone.word()));
        ledger::record(&self.session, self.hold, "record the rollback", &record).await
    }

    async fn enter_state(&self, state: RunState) -> Result<(), Error> {
        if !state.is_active() {
            self.drop_conflicts().await?;
        }
        let mut record = ledger::enter_state(self.hold, state);
        record.push(ledger::log(self.hold, state.word()));
        ledger::record(&self.session, self.hold, "record the run's state", &record).await
    }

    async fn remember(&self, text: &str) {
        let record = [ledger::failed(self.hold, text), ledger::log(self.hold, text)];
        if let Err(error) = ledger::record(&self.session, self.hold, "record the error", &record).await {
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
