//! Lock budgets: look before every conflicting lock, ask briefly, step aside, try again, name who is in the way.
//!
//! A waiting ACCESS EXCLUSIVE lock makes every later reader wait behind it, so the time we ask is time the application
//! stands still. Looking first costs nobody anything; asking is bounded by the budget.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::backend::ending::Ending;
use crate::driver::postgres::{Session, look};
use crate::error::{Blocker, DbError, DbErrorKind, Error};
use crate::event::{Event, Events};
use crate::name::TableName;
use crate::plan::{LockMode, StepId, TableLock};
use crate::settings::LockSettings;
use crate::text::Sql;

/// Time between two words about the same wait.
const SAY_EVERY: Duration = Duration::from_secs(1);

/// Under which conditions a guarded transaction runs.
#[derive(Debug)]
pub(super) struct Guarded<'a> {
    /// The connection; nothing may be open on it.
    pub session: &'a Session,
    /// The step, for messages.
    pub step: &'a StepId,
    /// What the operator allows.
    pub settings: &'a LockSettings,
    /// The server's `deadlock_timeout`.
    pub deadlock_timeout: Duration,
    /// Where to report.
    pub events: &'a Events,
    /// Ends the waiting (never a transaction that holds its locks).
    pub stop: &'a CancellationToken,
}

/// How one attempt ended.
enum Attempt {
    /// Committed.
    Done,
    /// A lock was not granted in time; nothing changed.
    Missed(Duration),
}

/// How looking ended.
enum Way {
    /// Nobody was in the way at the last look.
    Clear,
    /// Time is up, and these were in the way at the last look: nobody, where locks were held too briefly to be seen.
    Blocked(Vec<Blocker>),
}

impl Guarded<'_> {
    /// Takes `locks` in their order within the budget and runs `statements` as one batch that ends in COMMIT.
    ///
    /// # Locks
    /// Those named, from the first one granted to the end of COMMIT.
    /// # Errors
    /// [`Error::Lock`] with the blockers after `give_up_after`, [`Error::Interrupted`]: nothing changed.
    /// [`Error::Database`]: nothing changed, unless the connection was lost during COMMIT.
    pub(super) async fn commit(&self, locks: &[TableLock], statements: &[Sql]) -> Result<(), Error> {
        let began = Instant::now();
        let mut attempts = 0;
        let mut ending = Ending::of(self.settings, self.step, self.events);
        loop {
            if let Way::Blocked(in_the_way) = self.wait_for_the_way(locks, began, attempts, &mut ending).await? {
                return Err(self.gave_up(locks, began, attempts, in_the_way));
            }
            attempts += 1;
            metrics::counter!("shoofly_lock_attempts_total").increment(1);
            let attempt = self.attempt(&in_turn(locks, attempts), statements).await;
            match attempt.map_err(|error| error.doing(format!("run step {}", self.step)))? {
                Attempt::Done => return Ok(()),
                Attempt::Missed(asked) => {
                    metrics::counter!("shoofly_lock_missed_total").increment(1);
                    self.events.emit(Event::LockMissed { step: self.step.clone(), asked });
                }
            }
            self.step_aside(attempts).await?;
        }
    }

    /// Looks until nobody is in the way, or time is up.
    async fn wait_for_the_way(
        &self,
        locks: &[TableLock],
        began: Instant,
        attempts: u32,
        ending: &mut Ending<'_>,
    ) -> Result<Way, Error> {
        let tables: Vec<TableName> = locks.iter().map(|lock| lock.table.clone()).collect();
        let Some(first) = locks.first() else { return Ok(Way::Clear) };
        let mut said: Option<Instant> = None;
        loop {
            if self.stop.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let own = [self.session.backend_pid()];
            let blockers = look::blockers(self.session, &tables, self.settings.patience, &own)
                .await
                .map_err(|error| error.doing("look for sessions in the way"))?;
            let waited = began.elapsed();
            let late = waited > self.settings.give_up_after;
            if blockers.is_empty() && !(late && attempts > 0) {
                return Ok(Way::Clear);
            }
            if late {
                return Ok(Way::Blocked(blockers));
            }
            while let Some(blocker) = ending.next(&blockers) {
                ending.done(blocker, look::end(self.session, blocker, ending.after()).await);
            }
            if said.is_none_or(|at| at.elapsed() > SAY_EVERY) {
                said = Some(Instant::now());
                let (step, table, mode) = (self.step.clone(), first.table.clone(), first.mode);
                self.events.emit(Event::LockWaiting { step, table, mode, blockers, waited });
            }
            self.pause(self.settings.look_every).await?;
        }
    }

    async fn attempt(&self, locks: &[TableLock], statements: &[Sql]) -> Result<Attempt, DbError> {
        let asked = Instant::now();
        let missed = async |error: DbError| {
            self.session.abandon().await;
            match error.kind {
                DbErrorKind::LockTimeout | DbErrorKind::Deadlock => Ok(Attempt::Missed(asked.elapsed())),
                _ => Err(error),
            }
        };
        if let Err(error) = self.session.batch(&self.opening(locks)).await {
            return missed(error).await;
        }
        let acquiring = asked.elapsed();
        if let Err(error) = self.session.batch(&self.rest(locks, statements)).await {
            return missed(error).await;
        }
        let total = asked.elapsed();
        metrics::histogram!("shoofly_lock_hold_seconds").record(total.as_secs_f64());
        self.events.emit(Event::LockReleased { step: self.step.clone(), acquiring, total });
        Ok(Attempt::Done)
    }

    /// `BEGIN` and the first lock.
    fn opening(&self, locks: &[TableLock]) -> String {
        let mut text = format!("BEGIN; SET LOCAL lock_timeout = '{}ms'", self.settings.budget.as_millis().max(1));
        if let Some(first) = locks.first() {
            text.push_str(&format!("; {}", lock_table(first).as_str()));
        }
        text
    }

    /// Everything after the first lock, as one string: further locks briefly, so that we and not the application lose a deadlock.
    fn rest(&self, locks: &[TableLock], statements: &[Sql]) -> String {
        let mut text = format!("SET LOCAL lock_timeout = '{}ms'", self.further(locks.len()).as_millis().max(1));
        for lock in locks.iter().skip(1) {
            text.push_str(&format!("; {}", lock_table(lock).as_str()));
        }
        for statement in statements {
            text.push_str("; ");
            text.push_str(statement.as_str());
        }
        text.push_str("; COMMIT");
        text
    }

    /// The wait for each further lock: all of them together stay below half of `deadlock_timeout`, after which the
    /// application's own session would look for a deadlock and might be its victim.
    fn further(&self, locks: usize) -> Duration {
        let room = (self.deadlock_timeout / 2).saturating_sub(self.settings.budget);
        let others = u32::try_from(locks.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
        self.settings.further.min(room / others).max(Duration::from_millis(5))
    }

    async fn step_aside(&self, attempts: u32) -> Result<(), Error> {
        // Jitter from the clock's low digits: enough to keep two processes from asking in step.
        let jitter = u64::from(Instant::now().elapsed().subsec_nanos() ^ std::process::id()) % 100;
        let backoff = Duration::from_millis(u64::from(attempts.min(10)) * 50 + jitter);
        self.pause(backoff).await
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Error::Interrupted),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    fn gave_up(&self, locks: &[TableLock], began: Instant, attempts: u32, in_the_way: Vec<Blocker>) -> Error {
        let (table, mode) = locks.first().map_or_else(
            || (TableName::new(unnamed(), unnamed()), LockMode::AccessExclusive),
            |lock| (lock.table.clone(), lock.mode),
        );
        Error::Lock { step: self.step.clone(), table, mode, attempts, waited: began.elapsed(), in_the_way }
    }
}

/// The locks in the order of this attempt: every second one asks the other way round. An application whose transactions take
/// the tables in the one order holds what we still lack whenever we ask in the other, and would never let us pass.
fn in_turn(locks: &[TableLock], attempt: u32) -> Vec<TableLock> {
    let mut order = locks.to_vec();
    if attempt.is_multiple_of(2) {
        order.reverse();
    }
    order
}

fn unnamed() -> crate::name::Ident {
    crate::name::Ident::derived("unknown", &[])
}

fn lock_table(lock: &TableLock) -> Sql {
    crate::sql!("LOCK TABLE ONLY {table} IN {mode} MODE", table = lock.table, mode = Sql::raw(lock.mode.sql()))
}
