//! Carrying steps out, each exactly once: *record intent → act → probe → record done*, or all of it in one transaction.

use super::claim::Claim;
use super::{barrier, check, fill};
use crate::backend::postgres::guard::Guarded;
use crate::backend::postgres::ledger;
use crate::driver::postgres::Session;
use crate::error::{DbErrorKind, Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::name::{QualifiedName, TableName};
use crate::plan::{Action, Check, Guard, Probe, Step, StepId, TableLock};
use crate::run::StepState;
use crate::sql;
use crate::text::Sql;

/// What a probe found.
enum Found {
    Applied,
    Absent,
    Partial,
}

impl Claim {
    pub(super) async fn carry_out(&mut self, step: &Step, known: Option<StepState>) -> Result<(), Error> {
        match &step.action {
            Action::Transaction { lock_first, statements } => self.transaction(step, lock_first, statements).await,
            Action::BuildIndex { index, table, statement } => {
                self.build_index(step, known, (index, table), statement).await
            }
            Action::DropIndex { statement, .. } => {
                self.begin(step).await?;
                self.alone(&step.id, statement).await?;
                self.finish(step).await
            }
            Action::Fill(work) => {
                self.begin(step).await?;
                fill::run(&self.context(), &step.id, work).await?;
                self.finish(step).await
            }
            Action::Verify { proofs } => {
                self.begin(step).await?;
                self.count(proofs).await?;
                self.finish(step).await
            }
            Action::AwaitSnapshots => {
                self.begin(step).await?;
                barrier::wait(self, &step.id).await?;
                self.finish(step).await
            }
            Action::Native(_) | Action::Shadow { .. } | Action::Rows { .. } => Err(Error::Divergence(vec![Problem {
                what: "the run's plan is one for another kind of database".to_owned(),
                place: format!("run {}, step {}", self.hold.run, step.id),
                why: "PostgreSQL changes tables in another way".to_owned(),
                advice: "roll the run back and start it anew".to_owned(),
            }])),
        }
    }

    async fn begin(&self, step: &Step) -> Result<(), Error> {
        let record = [ledger::begun(self.hold, &step.id)];
        ledger::record(&self.session, self.hold, &record)
            .await
            .map_err(|error| error.doing(format!("begin step {}", step.id)))
    }

    async fn finish(&self, step: &Step) -> Result<(), Error> {
        let record = [ledger::done(self.hold, &step.id)];
        ledger::record(&self.session, self.hold, &record)
            .await
            .map_err(|error| error.doing(format!("record step {}", step.id)))
    }

    /// Statements and their record in one transaction.
    async fn transaction(&mut self, step: &Step, locks: &[TableLock], statements: &[Sql]) -> Result<(), Error> {
        let mut all = vec![ledger::hold(self.hold)];
        all.extend(statements.iter().cloned());
        all.push(ledger::done(self.hold, &step.id));
        match step.guard {
            Guard::Free | Guard::Brief => self.guarded(&step.id).commit(locks, &all).await,
            Guard::Patient => {
                let text = format!("BEGIN; SET LOCAL lock_timeout = 0; {}; COMMIT", Sql::join(&all, "; ").as_str());
                self.patiently(&step.id, &text).await
            }
        }
    }

    pub(super) fn guarded<'a>(&'a self, step: &'a StepId) -> Guarded<'a> {
        Guarded {
            session: &self.session,
            step,
            settings: &self.settings.locks,
            deadlock_timeout: self.deadlock_timeout,
            events: &self.events,
            stop: &self.stop,
        }
    }

    /// Runs a statement that cannot be in a transaction.
    pub(super) async fn alone(&self, step: &StepId, statement: &Sql) -> Result<(), Error> {
        self.patiently(step, statement.as_str()).await
    }

    /// Runs long work that blocks neither reads nor writes. A stop signal cancels it: what it leaves is found on resuming.
    async fn patiently(&self, step: &StepId, text: &str) -> Result<(), Error> {
        let token = self.session.cancel_token();
        let work = self.session.batch(text);
        tokio::pin!(work);
        let (result, stopped) = tokio::select! {
            result = &mut work => (result, false),
            () = self.stop.cancelled() => {
                Session::cancel(&token, self.session.target()).await?;
                (work.await, true)
            }
        };
        let Err(error) = result else { return Ok(()) };
        self.session.abandon().await;
        match error.kind {
            DbErrorKind::Cancelled if stopped => Err(Error::Interrupted),
            _ => Err(error.doing(format!("run step {step}"))),
        }
    }

    /// Builds an index; an invalid one of that name, left by an interrupted build of ours, is dropped first. One that was there
    /// before the step was ever begun is somebody else's.
    async fn build_index(
        &mut self,
        step: &Step,
        known: Option<StepState>,
        (index, table): (&QualifiedName, &TableName),
        statement: &Sql,
    ) -> Result<(), Error> {
        let found = self.probe(step).await?;
        if known.is_none() && !matches!(found, Found::Absent) {
            return Err(name_taken(index, table));
        }
        self.begin(step).await?;
        match found {
            Found::Applied => return self.finish(step).await,
            Found::Partial => self.alone(&step.id, &drop_concurrently(index)).await?,
            Found::Absent => {}
        }
        failpoint::pass(&format!("index.before:{}", step.id)).await;
        if let Err(error) = self.alone(&step.id, statement).await {
            return Err(self.explain_build(step, index, table, error).await);
        }
        failpoint::pass(&format!("index.after:{}", step.id)).await;
        match self.probe(step).await? {
            Found::Applied => self.finish(step).await,
            Found::Absent | Found::Partial => Err(Error::Data(vec![Problem {
                what: format!("the index {} is not valid after its build", index.display()),
                place: table.display(),
                why: "a build that another session cancelled leaves an invalid index".to_owned(),
                advice: "run the same command again: the index is dropped and built anew".to_owned(),
            }])),
        }
    }

    /// A failed build leaves an invalid index, which would slow down every write: away with it. Where the name was taken by
    /// somebody else, the build has left nothing, and is recorded as not begun so that no rollback takes what is theirs.
    async fn explain_build(&self, step: &Step, index: &QualifiedName, table: &TableName, error: Error) -> Error {
        let Error::Database { source, .. } = &error else { return error };
        if source.kind == DbErrorKind::ConnectionLost {
            return error;
        }
        if source.kind == DbErrorKind::NameTaken {
            let record = [ledger::unbegun(self.hold, &step.id)];
            return match ledger::record(&self.session, self.hold, &record).await {
                Ok(()) => name_taken(index, table),
                Err(second) => second.doing(format!("record step {}", step.id)),
            };
        }
        if let Ok(Found::Partial) = self.probe(step).await
            && let Err(left) = self.alone(&step.id, &drop_concurrently(index)).await
        {
            tracing::warn!(%left, "an invalid index is left");
        }
        if source.kind != DbErrorKind::Constraint {
            return error;
        }
        Error::Data(vec![Problem {
            what: source.message.clone(),
            place: table.display(),
            why: source.detail.clone(),
            advice: "remove the duplicates and run the same command again, or roll back".to_owned(),
        }])
    }

    async fn probe(&self, step: &Step) -> Result<Found, Error> {
        let Probe::Query { query } = &step.probe else { return Ok(Found::Absent) };
        let doing = || format!("probe step {}", step.id);
        let rows = self.session.simple_rows(query.as_str()).await.map_err(|error| error.doing(doing()))?;
        match rows.first().and_then(|row| row.first()).and_then(Option::as_deref) {
            Some("applied") => Ok(Found::Applied),
            Some("partial") => Ok(Found::Partial),
            _ => Ok(Found::Absent),
        }
    }

    /// Counts every proof over the whole table; the first one that does not hold ends it with its rows.
    pub(super) async fn count(&self, proofs: &[Check]) -> Result<(), Error> {
        let mut problems = Vec::new();
        for proof in proofs {
            let violations = check::run(&self.session, proof, &self.events, &self.stop).await?;
            match violations.problem(proof) {
                Some(problem) => problems.push(problem),
                None => self.events.emit(Event::Proved { claim: proof.claim.clone() }),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Data(problems)) }
    }
}

fn name_taken(index: &QualifiedName, table: &TableName) -> Error {
    Error::Refused(vec![Problem {
        what: format!("the name {} is taken", index.display()),
        place: table.display(),
        why: "something of that name was made after the plan; it is not this run's".to_owned(),
        advice: "rename or drop it and run the same command again, or roll back".to_owned(),
    }])
}

fn drop_concurrently(index: &QualifiedName) -> Sql {
    sql!("DROP INDEX CONCURRENTLY IF EXISTS {index}", index = index)
}
