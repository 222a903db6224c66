//! Carrying steps out, each exactly once: *record intent → act → ask the catalogue → record done*.

use super::claim::Claim;
use super::guard::{Guarded, Work};
use super::unique::{Build, UniqueOf};
use super::{check, ledger, trying};
use crate::dialect::mysql::{names, native, shape};
use crate::driver::mysql::catalogue;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::plan::shadow::NativeAlter;
use crate::plan::{Action, Check, Cost, LockMode, Step, StepId, TableLock};
use crate::run::StepState;
use crate::schema::mysql::{Table, TablePath};
use crate::sql;
use crate::sql::mysql::name::WrittenName;
use crate::text::Sql;

impl Claim {
    pub(super) async fn carry_out(&mut self, step: &Step, known: Option<StepState>) -> Result<(), Error> {
        match &step.action {
            Action::Native(alter) => self.native(step, alter, known).await,
            Action::Shadow { stage, shadow, statements } => {
                Box::pin(self.shadow(step, *stage, shadow, statements, known)).await
            }
            Action::AwaitSnapshots => {
                self.begin(step, None).await?;
                self.await_snapshots(&step.id).await?;
                self.finish(step).await
            }
            Action::Rows { stage, rows, statements } => self.rows(step, *stage, rows, statements, known).await,
            Action::Verify { proofs } => {
                self.begin(step, None).await?;
                self.count(proofs).await?;
                self.finish(step).await
            }
            Action::Transaction { .. } | Action::BuildIndex { .. } | Action::DropIndex { .. } | Action::Fill(_) => {
                Err(Error::Divergence(vec![Problem {
                    what: "the run's plan is one for another kind of database".to_owned(),
                    place: format!("run {}, step {}", self.hold.run, step.id),
                    why: "this server changes tables in another way".to_owned(),
                    advice: "roll the run back and start it anew".to_owned(),
                }]))
            }
        }
    }

    /// Records the intent, with what the catalogue says now.
    pub(super) async fn begin(&self, step: &Step, seen: Option<&str>) -> Result<(), Error> {
        let doing = format!("begin step {}", step.id);
        ledger::record(&self.session, self.hold, &doing, &[ledger::begun(self.hold, &step.id, seen)]).await
    }

    pub(super) async fn finish(&self, step: &Step) -> Result<(), Error> {
        let doing = format!("record step {}", step.id);
        ledger::record(&self.session, self.hold, &doing, &[ledger::done(self.hold, &step.id)]).await
    }

    pub(super) fn guarded<'a>(&'a self, step: &'a StepId) -> Guarded<'a> {
        Guarded {
            session: &self.session,
            watcher: &self.watcher,
            step,
            settings: &self.settings.locks,
            events: &self.events,
            stop: &self.stop,
            company: None,
        }
    }

    /// One statement that the server carries out by itself. Whether it has happened is told by the table: it is another one then.
    async fn native(&self, step: &Step, alter: &NativeAlter, known: Option<StepState>) -> Result<(), Error> {
        let now = self.fingerprint(&alter.table).await?;
        if known.is_some() {
            let reading = |error: DbError| error.doing(format!("read step {}", step.id));
            let before = ledger::seen(&self.session, self.hold, &step.id).await.map_err(reading)?;
            if let Some(before) = before.filter(|before| *before != now) {
                let made = self.made_of(&before, alter).await?;
                return match made.is_some_and(|made| shape::at_home(&made.create_sql, &alter.table) == now) {
                    true => self.finish(step).await,
                    false => Err(changed_by_others(step, alter)),
                };
            }
        }
        self.begin(step, Some(&now)).await?;
        let locks: Vec<TableLock> = [&alter.table].into_iter().chain(&alter.neighbours).map(exclusive).collect();
        let work = if matches!(step.cost, Cost::Catalogue) { Work::Brief } else { Work::Long };
        failpoint::pass(&format!("native.before:{}", step.id)).await;
        let build = Build { step, locks: &locks, statement: &native::alter(alter), work, company: None };
        if let Err(error) = self.build(build, &alter.table, UniqueOf::Change(&now, alter)).await {
            return Err(self.not_done(step, &alter.table, error).await);
        }
        failpoint::pass(&format!("native.after:{}", step.id)).await;
        self.finish(step).await
    }

    /// What the statement makes of a table like that: it is tried on an empty one.
    pub(super) async fn made_of(&self, before: &str, alter: &NativeAlter) -> Result<Option<Table>, Error> {
        let Some(copy) = names::in_ledger(&format!("try_{}", self.session.id())) else { return Ok(None) };
        let failed =
            |error: DbError| error.doing(format!("see what has become of the change of {}", alter.table.display()));
        let of_copy = native::alter(&NativeAlter { table: copy.clone(), ..alter.clone() });
        let text = sql!(
            "SET foreign_key_checks = 0; {drop}; CREATE TABLE {copy} {before}; {of_copy}; SET foreign_key_checks = 1",
            drop = shape::drop(&copy),
            copy = copy,
            before = Sql::raw(before),
            of_copy = of_copy,
        );
        let clean = sql!("SET foreign_key_checks = 1; {drop}", drop = shape::drop(&copy));
        let work = async {
            let made = async {
                self.session.execute(text.as_str()).await?;
                let name = WrittenName { database: Some(copy.database.clone()), name: copy.name.clone() };
                Ok(catalogue::read(&self.session, &[name]).await?.table(&copy).cloned())
            };
            let made = made.await;
            failpoint::pass("try.made").await;
            self.session.execute(clean.as_str()).await?;
            made
        };
        trying::alone(&self.session, text.as_str(), work).await.map_err(failed)
    }

    /// What the server has refused has changed nothing: the step counts as not begun, so that the run can be rolled back.
    pub(super) async fn not_done(&self, step: &Step, table: &TablePath, error: Error) -> Error {
        let certain = match &error {
            Error::Database { source, .. } => {
                !matches!(source.kind, DbErrorKind::ConnectionLost | DbErrorKind::Unavailable)
            }
            Error::Lock { .. } | Error::Outwaited { .. } | Error::Data(_) | Error::Interrupted => true,
            _ => false,
        };
        if !certain {
            return error;
        }
        let doing = format!("record step {}", step.id);
        if let Err(second) =
            ledger::record(&self.session, self.hold, &doing, &[ledger::unbegun(self.hold, &step.id)]).await
        {
            return second;
        }
        match error {
            Error::Database { source, .. } if matches!(source.kind, DbErrorKind::Constraint | DbErrorKind::Data) => {
                Error::Data(vec![Problem {
                    what: source.message,
                    place: table.display(),
                    why: "the rows do not allow it; the server has changed nothing".to_owned(),
                    advice: "correct them and run the same command again, or roll back".to_owned(),
                }])
            }
            other => other,
        }
    }

    /// Counts what breaks each proof.
    pub(super) async fn count(&self, proofs: &[Check]) -> Result<(), Error> {
        let mut problems = Vec::new();
        for proof in proofs {
            match check::run(&self.session, proof, &self.stop).await? {
                Some(problem) => problems.push(problem),
                None => self.events.emit(Event::Proved { claim: proof.claim.clone() }),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Data(problems)) }
    }

    /// What a table is made of.
    pub(super) async fn fingerprint(&self, table: &TablePath) -> Result<String, Error> {
        Ok(shape::fingerprint(&self.create_sql(table).await?))
    }

    /// `SHOW CREATE TABLE`
    pub(super) async fn create_sql(&self, table: &TablePath) -> Result<String, Error> {
        let text = sql!("SHOW CREATE TABLE {t}", t = table);
        let rows = self.session.rows(text.as_str()).await;
        let rows = rows.map_err(|error| error.doing(format!("read {}", table.display())))?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().nth(1).flatten()).unwrap_or_default())
    }

    /// Runs statements one after the other, each under the guard.
    pub(super) async fn each(&self, step: &StepId, locks: &[TableLock], statements: &[Sql]) -> Result<(), Error> {
        for (at, statement) in statements.iter().enumerate() {
            self.guarded(step).run(locks, statement).await?;
            failpoint::pass(&format!("statement.after:{step}#{at}")).await;
        }
        Ok(())
    }
}

/// The exclusive lock on a table.
pub(super) fn exclusive(path: &TablePath) -> TableLock {
    TableLock { table: path.qualified(), mode: LockMode::MetadataExclusive }
}

fn changed_by_others(step: &Step, alter: &NativeAlter) -> Error {
    Error::Divergence(vec![Problem {
        what: "the table's definition was changed by somebody else while the run was under way".to_owned(),
        place: format!("{}, step {}", alter.table.display(), step.id),
        why: "whether the step has been carried out can no longer be told".to_owned(),
        advice: "look at the table; undo the other change and run the same command again, or roll back".to_owned(),
    }])
}
