//! Metadata locks: never wait for one in the application's way.
//!
//! While a DDL statement of anybody's waits for a table, a transaction that has read the table and goes on to write it fails at
//! once with a deadlock, and everybody else queues behind. MariaDB can ask without waiting. MySQL cannot: there the batch looks
//! first and asks only when nobody holds a lock, and a second connection ends our statement should it wait all the same.
//!
//! On MariaDB (10.11.19) a `KILL QUERY` that meets a session while it reads a table's triggers leaves an open table behind whose
//! triggers are broken. Whoever gets it from the table cache fails with error 1064 ("has an error in its body"), or writes rows
//! that no trigger sees. Batches that make or drop triggers open their table again and again: none of them is ever ended there.
//! A build opens its table once, before it waits at its end, and is ended only while it waits: 9 300 that were ended so, on a table
//! with triggers that others wrote to, did no harm; of 1 900 ended at any time, some made 8 statements of others fail.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::files::Files;
use super::{holders, ledger};
use crate::backend::ending::Ending;
use crate::dialect::mysql::lock;
use crate::driver::mysql::Session;
use crate::error::{Blocker, DbError, DbErrorKind, Error};
use crate::event::{Event, Events};
use crate::failpoint;
use crate::plan::{LockMode, StepId, TableLock};
use crate::schema::mysql::TablePath;
use crate::settings::LockSettings;
use crate::sql::mysql::mode::Product;
use crate::text::Sql;

/// Time between two words about the same wait.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// How long a statement of ours may wait for a lock before it is ended, on a server that cannot ask without waiting.
const PENDING: Duration = Duration::from_millis(6);
/// After so long without a moment in which nobody held a lock, MySQL is asked without a look now and then: on a server that is
/// busy all the time there is no such moment. Whoever reads before and writes then may meet a deadlock, one at most for each.
const UNSEEN_AFTER: Duration = Duration::from_secs(2);
/// Between two such requests.
const UNSEEN_EVERY: Duration = Duration::from_millis(250);
/// How long a server that has nothing to do any more may take to answer, see [`Guarded::watched`].
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// Between two looks at whether it waits.
const WATCH_EVERY: Duration = Duration::from_millis(3);

/// Under which conditions a guarded statement runs.
#[derive(Debug)]
pub(super) struct Guarded<'a> {
    /// The connection; nothing may be open on it.
    pub(super) session: &'a Session,
    /// Another one, to see whether the first waits.
    pub(super) watcher: &'a Session,
    /// The step, for messages.
    pub(super) step: &'a StepId,
    /// What the operator allows.
    pub(super) settings: &'a LockSettings,
    /// Where to report.
    pub(super) events: &'a Events,
    /// Ends the waiting, and long work.
    pub(super) stop: &'a CancellationToken,
    /// Readers of our own beside a build, which waits for them: nobody else uses the table. Who cancels it sends them away.
    pub(super) company: Option<&'a CancellationToken>,
}

/// What kind of work is done under the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// A change of the dictionary: milliseconds, all of them under the lock.
    Brief,
    /// The same, and files change their names: on MySQL in a moment in which nobody writes to them.
    Rename,
    /// A build that lets reads and writes through and asks for the lock once more at its end: to give that up at the first
    /// sight of somebody would cost the build.
    Long,
    /// The same on a table that the application reaches by triggers of ours only: nobody reads it before and writes it then, and
    /// so nobody meets a deadlock while a build waits for the lock.
    Apart,
}

impl Work {
    fn builds(self) -> bool {
        matches!(self, Self::Long | Self::Apart)
    }

    /// How long a statement of ours may wait for its lock before it is ended.
    pub(super) fn patience(self, settings: &LockSettings) -> Duration {
        match self {
            Self::Brief | Self::Rename => PENDING,
            Self::Apart => settings.budget / 4,
            Self::Long => settings.budget / 2,
        }
    }

    /// Time that builds may cost which were given up at the first sight of somebody. Then they wait for the lock, for a moment.
    fn may_lose(self) -> Duration {
        match self {
            Self::Brief | Self::Rename => Duration::MAX,
            Self::Long => Duration::from_secs(30),
            Self::Apart => Duration::from_secs(1),
        }
    }
}

/// Said when a build may wait for its lock.
const WAITS: &str = "the build was given up again and again, as somebody used the table in the moment of its end: from now on \
     it waits for that moment; transactions that read the table before and write it then may meet a deadlock (error 1213)";

/// What a batch that broke off may have left set, besides [`lock::UNHEARD`].
const RESET: &str = "lock_wait_timeout = 1, foreign_key_checks = 1, \
     sql_mode = COALESCE(@shoofly_mode, @@session.sql_mode); SET NAMES utf8mb4";

/// How one attempt ended.
enum Attempt {
    /// It took that long, from asking for the lock to giving it back.
    Done(Duration),
    /// Somebody was seen; nothing was asked for.
    Busy,
    /// The lock was not granted in time; nothing changed.
    Missed(Duration),
}

impl Guarded<'_> {
    /// Runs a batch that locks these tables, when nobody is in the way.
    ///
    /// # Locks
    /// Those of the batch, for as long as it takes.
    /// # Errors
    /// [`Error::Lock`] with whoever is in the way after `give_up_after`, [`Error::Interrupted`]: nothing changed.
    /// [`Error::Database`]: statements before the one that failed have taken effect.
    pub(super) async fn run(&self, locks: &[TableLock], batch: &Sql) -> Result<(), Error> {
        self.work(locks, batch, Work::Brief).await
    }

    /// The same for work of that kind.
    pub(super) async fn work(&self, locks: &[TableLock], batch: &Sql, kind: Work) -> Result<(), Error> {
        let took = self.hold(locks, batch, kind).await?;
        // What a build has of the lock, at its begin and its end, nobody says: all of its time would be far too much.
        if !kind.builds() {
            self.released(took, took);
        }
        Ok(())
    }

    /// Tells how long a lock was in the way.
    pub(super) fn released(&self, acquiring: Duration, total: Duration) {
        metrics::histogram!("shoofly_lock_hold_seconds").record(total.as_secs_f64());
        self.events.emit(Event::LockReleased { step: self.step.clone(), acquiring, total });
    }

    /// Runs a batch as [`Guarded::work`] does: how long it took. What it has locked by `LOCK TABLES` is locked from now on.
    pub(super) async fn hold(&self, locks: &[TableLock], batch: &Sql, kind: Work) -> Result<Duration, Error> {
        let doing = |error: DbError| error.doing(format!("run step {}", self.step));
        let tables: Vec<TablePath> = locks.iter().filter_map(path).collect();
        let mut files = self.files(&tables, kind).await.map_err(doing)?;
        let began = Instant::now();
        let (mut said, mut unseen) = (began, began);
        let (mut work, mut lost) = (Work::Brief, Duration::ZERO);
        if self.company.is_some_and(|company| !company.is_cancelled()) {
            work = kind;
        }
        let mut ending = Ending::of(self.settings, self.step, self.events);
        for attempts in 1_u32.. {
            if self.stop.is_cancelled() {
                return Err(Error::Interrupted);
            }
            metrics::counter!("shoofly_lock_attempts_total").increment(1);
            let blind = began.elapsed() > UNSEEN_AFTER && unseen.elapsed() > UNSEEN_EVERY;
            if blind {
                unseen = Instant::now();
            }
            let looked_at = if blind || work == Work::Apart { &[] } else { tables.as_slice() };
            let attempt = self.attempt_at_rest(&mut files, looked_at, batch, work).await;
            let pause = match attempt.map_err(doing)? {
                Attempt::Done(took) => return Ok(took),
                Attempt::Busy => Duration::from_millis(1 + jitter(attempts) % 5),
                Attempt::Missed(asked) => {
                    metrics::counter!("shoofly_lock_missed_total").increment(1);
                    let pause = self.missed(asked, kind, work, attempts);
                    lost += asked;
                    if let Some(company) = self.company.filter(|company| !company.is_cancelled()) {
                        company.cancel();
                        failpoint::pass("build.alone").await;
                        work = Work::Brief;
                    }
                    if work == Work::Brief && lost > kind.may_lose() {
                        work = kind;
                        if kind == Work::Long {
                            self.events.emit(Event::Notice { text: WAITS.to_owned() });
                        }
                    }
                    pause
                }
            };
            let waited = began.elapsed();
            if waited > self.settings.give_up_after {
                return Err(self.gave_up(locks, &tables, attempts, waited).await);
            }
            if said.elapsed() > SAY_EVERY {
                said = Instant::now();
                self.look_around(locks, &tables, waited, &mut ending).await;
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Error::Interrupted),
                () = tokio::time::sleep(pause) => {}
            }
        }
        Err(Error::Interrupted)
    }

    /// Tells that a lock was not granted. Until the next request, whoever has waited for us gets four times that to go on.
    fn missed(&self, asked: Duration, kind: Work, work: Work, attempts: u32) -> Duration {
        let (waited, felt) = match kind {
            Work::Brief | Work::Rename => (asked, asked > PENDING / 2),
            // How long a build has asked at its end is known only where it may wait: most of that time it has worked.
            Work::Long | Work::Apart => (work.patience(self.settings), work.builds()),
        };
        if !felt {
            return Duration::from_millis(2 + jitter(attempts) % 6);
        }
        if !kind.builds() {
            self.events.emit(Event::LockMissed { step: self.step.clone(), asked });
        }
        (4 * waited).max(Duration::from_millis(10 + jitter(attempts) % 40))
    }

    /// The files that will have other names, at rest for the first time.
    async fn files(&self, tables: &[TablePath], kind: Work) -> Result<Option<Files>, DbError> {
        match (kind, self.session.product()) {
            (Work::Rename, Product::MySql) => {
                Files::at_rest(self.watcher, tables, self.settings.give_up_after / 2, self.stop).await
            }
            _ => Ok(None),
        }
    }

    async fn attempt_at_rest(
        &self,
        files: &mut Option<Files>,
        tables: &[TablePath],
        batch: &Sql,
        work: Work,
    ) -> Result<Attempt, DbError> {
        if let Some(files) = files
            && !files.rest(self.watcher).await?
        {
            return Ok(Attempt::Busy);
        }
        self.attempt(tables, batch, work).await
    }

    async fn attempt(&self, tables: &[TablePath], batch: &Sql, work: Work) -> Result<Attempt, DbError> {
        let text = match self.session.product() {
            Product::MySql => format!("{}; {}", lock::assert_nobody(tables).as_str(), batch.as_str()),
            Product::MariaDb if work == Work::Brief => {
                format!("SET lock_wait_timeout = 0; {}; SET lock_wait_timeout = 1", batch.as_str())
            }
            Product::MariaDb => batch.as_str().to_owned(),
        };
        let asked = Instant::now();
        let done = self.watched(&text, work).await;
        let took = asked.elapsed();
        let Err(error) = done else {
            return Ok(Attempt::Done(took));
        };
        ledger::abandon(self.session).await;
        self.reset().await?;
        match error.kind {
            _ if ledger::is_taken(&error) => Ok(Attempt::Busy),
            DbErrorKind::LockTimeout | DbErrorKind::Deadlock => Ok(Attempt::Missed(took)),
            DbErrorKind::Cancelled if !self.stop.is_cancelled() => Ok(Attempt::Missed(took)),
            _ => Err(error),
        }
    }

    /// Runs the batch, and ends it from the other connection should it wait for a lock for too long. On MariaDB a brief one asks
    /// for its first lock without waiting. In the way of what it needs besides are only those who look at the table's definition
    /// in that moment, or have a `HANDLER` open on it: they are waited for, for a second at most.
    ///
    /// Both servers lose a `KILL QUERY` that comes between two statements of a batch: they go no further, keep what is locked,
    /// and have announced another result that never comes (MySQL 9.7.4: 1 of 3 000 batches that were ended in the moment in
    /// which they got their lock; MariaDB 10.11.19: 13). So a session that waits for its next statement while we wait for its
    /// answer is closed: soon where we have ended something, else after a second, as somebody else may have.
    async fn watched(&self, text: &str, work: Work) -> Result<(), DbError> {
        let batch = self.session.execute(text);
        tokio::pin!(batch);
        let patience = match (self.session.product(), work) {
            (Product::MariaDb, Work::Brief) => Duration::MAX,
            (_, Work::Brief) => Duration::ZERO,
            _ => work.patience(self.settings),
        };
        let (mut waits_since, mut idle_since): (Option<Instant>, Option<Instant>) = (None, None);
        let (mut pause, mut answers_within) = (PENDING, ANSWERS_WITHIN);
        loop {
            tokio::select! {
                biased;
                done = &mut batch => return done.map(|_| ()),
                () = tokio::time::sleep(pause) => {}
            }
            pause = WATCH_EVERY;
            let doing = self.doing().await;
            let waits_for = since(&mut waits_since, doing.as_deref() == Some(lock::WAITING));
            let idle_for = since(&mut idle_since, doing.as_deref() == Some(lock::IDLE));
            if waits_for.is_some_and(|waited| waited >= patience) || (work.builds() && self.stop.is_cancelled()) {
                answers_within = PENDING;
                self.end("QUERY").await;
            } else if idle_for.is_some_and(|idle| idle >= answers_within) {
                tracing::warn!("the server has broken a batch off without a word: the session is closed");
                self.end("CONNECTION").await;
            }
        }
    }

    /// Takes back whatever a batch had set before it broke off.
    pub(super) async fn reset(&self) -> Result<(), DbError> {
        self.session.execute(&format!("SET {}, {RESET}", lock::UNHEARD)).await.map(|_| ())
    }

    /// What our own session does.
    async fn doing(&self) -> Option<String> {
        let rows = self.watcher.rows(lock::doing(self.session.id()).as_str()).await;
        let rows = rows.inspect_err(|error| tracing::debug!(%error, "our own statement cannot be watched")).ok()?;
        ledger::first(&rows).map(str::to_owned)
    }

    /// Ends our own statement, or our own session.
    async fn end(&self, what: &str) {
        if let Err(error) = self.watcher.execute(&format!("KILL {what} {}", self.session.id())).await {
            tracing::debug!(%error, "our own statement could not be ended");
        }
    }

    /// Says who is in the way, and ends those that the operator lets us end.
    async fn look_around(&self, locks: &[TableLock], tables: &[TablePath], waited: Duration, ending: &mut Ending<'_>) {
        let Some(first) = locks.first() else { return };
        let blockers = match holders::holders(self.watcher, tables).await {
            Some(holders) => {
                self.end_some(ending, &holders).await;
                holders
            }
            None => {
                ending.blind();
                holders::transactions(self.watcher).await
            }
        };
        let (step, table, mode) = (self.step.clone(), first.table.clone(), first.mode);
        self.events.emit(Event::LockWaiting { step, table, mode, blockers, waited });
    }

    /// Ends those that the operator lets us end. Their transactions are rolled back, and their locks are gone soon after.
    async fn end_some(&self, ending: &mut Ending<'_>, holders: &[Blocker]) {
        let holders: Vec<Blocker> = holders.iter().filter(|blocker| holders::holds(blocker)).cloned().collect();
        while let Some(blocker) = ending.next(&holders) {
            let killed = self.watcher.execute(&format!("KILL CONNECTION {}", blocker.pid)).await;
            ending.done(
                blocker,
                match killed {
                    Ok(_) => Ok(true),
                    Err(error) if error.code.as_deref().is_some_and(|code| code.starts_with("1094")) => Ok(false),
                    Err(error) => Err(error),
                },
            );
        }
    }

    async fn gave_up(&self, locks: &[TableLock], tables: &[TablePath], attempts: u32, waited: Duration) -> Error {
        let in_the_way = holders::in_the_way(self.watcher, tables).await;
        let unknown = || crate::name::TableName::new(unnamed(), unnamed());
        let (table, mode) = locks
            .first()
            .map_or_else(|| (unknown(), LockMode::MetadataExclusive), |lock| (lock.table.clone(), lock.mode));
        Error::Lock { step: self.step.clone(), table, mode, attempts, waited, in_the_way }
    }
}

fn unnamed() -> crate::name::Ident {
    crate::name::Ident::derived("unknown", &[])
}

/// The names of a plan came from the server's own catalogue.
fn path(lock: &TableLock) -> Option<TablePath> {
    Some(TablePath::new(lock.table.schema.as_str().parse().ok()?, lock.table.name.as_str().parse().ok()?))
}

/// For how long it has been so, look by look.
fn since(first: &mut Option<Instant>, is_so: bool) -> Option<Duration> {
    *first = is_so.then(|| first.unwrap_or_else(Instant::now));
    first.map(|first| first.elapsed())
}

/// Enough to keep two processes from asking in step.
pub(super) fn jitter(attempt: u32) -> u64 {
    u64::from(std::process::id() ^ attempt.wrapping_mul(2_654_435_761)) >> 3
}
