//! Comparing both tables, every value of every row.
//!
//! One statement sees one moment, and triggers write in the transaction of what they follow: so what differs, differs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::claim::Claim;
use super::quiet::Quiet;
use super::{files, ledger, range};
use crate::backend::crew;
use crate::dialect::mysql::key::{self, Place};
use crate::dialect::mysql::shadow::{self, Pair, Partners};
use crate::driver::mysql::{Session, Target};
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::plan::Step;
use crate::plan::shadow::{Shadow, Way};

/// Rows named in a message.
const NAMED: usize = 10;
/// Rows of the first piece, and the most of one.
const FIRST_ROWS: u64 = 1_000;
const MOST_ROWS: u64 = 15_000;
/// A proof so young needs no second look: for as long the swap may wait for its lock as well.
pub(super) const FRESH: Duration = Duration::from_secs(5);

/// How both tables are read.
#[derive(Debug)]
pub(super) struct Reading {
    /// How long a statement should take.
    pub(super) time: Duration,
    /// Only while nobody writes there.
    pub(super) quiet: Option<Arc<Quiet>>,
}

/// What the readers share.
struct Job {
    pair: Pair,
    target: Target,
    reading: Reading,
    stop: CancellationToken,
    cursor: Mutex<Cursor>,
}

#[derive(Default)]
struct Cursor {
    at: Option<Place>,
    ended: bool,
}

/// What readers found.
#[derive(Default)]
pub(super) struct Found {
    wrong: u64,
    named: Vec<String>,
    /// The new table has more rows in some range.
    ghosts: bool,
}

impl Found {
    /// Whether nothing differs, as far as ranges can be counted side by side.
    pub(super) fn nothing(&self) -> bool {
        self.wrong == 0 && !self.ghosts
    }
}

impl Claim {
    /// Compares every row, once more. A proof that is young enough for the settings counts where it is fresh, or both tables have
    /// as many rows as the other: what the triggers have not seen since, a TRUNCATE above all, shows there.
    ///
    /// # Locks
    /// None that anybody notices.
    /// # Errors
    /// [`Error::Data`] with rows that differ.
    pub(super) async fn compare_again(&self, step: &Step, shadow: &Shadow) -> Result<(), Error> {
        let failed = |error: DbError| error.doing(format!("count the rows of {}", shadow.table.display()));
        let (age, name) = (self.settings.proof_age, shadow.table.display());
        let claim = if self.proved_within(step, age.min(FRESH)).await? {
            format!("every row of {name} was in the new table just now")
        } else if self.proved_within(step, age).await? && self.as_many(shadow).await.map_err(failed)? {
            format!("every row of {name} was in the new table, and both have as many rows")
        } else {
            return self.compare_patiently(shadow).await;
        };
        self.no_conflicts(shadow).await?;
        self.events.emit(Event::Proved { claim });
        Ok(())
    }

    async fn proved_within(&self, step: &Step, age: Duration) -> Result<bool, Error> {
        let within = ledger::ended_within(&self.session, self.hold, &step.id, age).await;
        within.map_err(|error| error.doing("look when both tables were compared"))
    }

    /// The same, waiting for whoever has locked the tables: what our triggers name is locked with the table.
    pub(super) async fn compare_patiently(&self, shadow: &Shadow) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            match self.compare(shadow).await {
                Err(Error::Database { source, .. })
                    if source.kind == DbErrorKind::LockTimeout
                        && began.elapsed() < self.settings.locks.give_up_after
                        && !self.stop.is_cancelled() => {}
                done => return done,
            }
        }
    }

    /// Compares every row.
    ///
    /// # Locks
    /// None that anybody notices.
    /// # Errors
    /// [`Error::Data`] with rows that differ.
    pub(super) async fn compare(&self, shadow: &Shadow) -> Result<(), Error> {
        failpoint::pass("compare.whole").await;
        self.no_conflicts(shadow).await?;
        let pair = self.pair(shadow)?;
        let read = self.read(&pair, Reading { time: range::TIME, quiet: None }, self.stop.child_token());
        let mut all = files::watched(&self.watcher, read).await?;
        let ghosts = match all.ghosts || !pair.counts_side_by_side() {
            true => self.ghosts(&pair).await?,
            false => Vec::new(),
        };
        if all.wrong == 0 && ghosts.is_empty() {
            return self.alike(shadow).await;
        }
        all.named.truncate(NAMED);
        Err(Error::Data(problems(shadow, &all, &ghosts)))
    }

    /// Says that all rows are alike, unless a trigger could not write some while they were compared.
    pub(super) async fn alike(&self, shadow: &Shadow) -> Result<(), Error> {
        self.no_conflicts(shadow).await?;
        let other = match shadow.way {
            Way::Forth => "new",
            Way::Back => "old",
        };
        let claim = format!("every row of {} is in the {other} table as it should be", shadow.table.display());
        self.events.emit(Event::Proved { claim });
        Ok(())
    }

    /// Reads both tables.
    ///
    /// # Errors
    /// The server's; [`Error::Interrupted`] where it was stopped, or somebody wrote who must not.
    pub(super) async fn read(&self, pair: &Pair, reading: Reading, stop: CancellationToken) -> Result<Found, Error> {
        let job = Arc::new(Job {
            pair: pair.clone(),
            target: self.target.clone(),
            reading,
            stop: stop.clone(),
            cursor: Mutex::default(),
        });
        let mut readers = JoinSet::new();
        for _ in 0..self.settings.fill.lanes.get() {
            readers.spawn(read(Arc::clone(&job)));
        }
        let mut all = Found::default();
        let ended = |found: Found| {
            all.wrong += found.wrong;
            all.named.extend(found.named);
            all.ghosts |= found.ghosts;
        };
        crew::attend(readers, &stop, || (), ended).await?;
        Ok(all)
    }

    async fn ghosts(&self, pair: &Pair) -> Result<Vec<String>, Error> {
        let rows = self.session.rows(pair.ghosts(NAMED).as_str()).await;
        let rows = rows.map_err(|error| error.doing("look for rows that only the new table has"))?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }
}

fn problems(shadow: &Shadow, all: &Found, ghosts: &[String]) -> Vec<Problem> {
    let problem = |what: String| Problem {
        what,
        place: shadow.table.display(),
        why: "both tables must hold the same rows before one takes the other's place".to_owned(),
        advice: format!("{}; a TRUNCATE, or changes that triggers do not see, bring such differences", remedy(shadow)),
    };
    let mut problems = Vec::new();
    if all.wrong > 0 {
        problems.push(problem(format!("{} rows are missing or differ: {}", all.wrong, all.named.join("; "))));
    }
    if !ghosts.is_empty() {
        let whose = match shadow.way {
            Way::Forth => "new",
            Way::Back => "old",
        };
        problems.push(problem(format!("rows that only the {whose} table has: {}", ghosts.join("; "))));
    }
    problems
}

fn remedy(shadow: &Shadow) -> String {
    match shadow.way {
        Way::Forth => "once it is ready, shoofly verify --repair; or roll back and start anew".to_owned(),
        Way::Back => format!(
            "put it right in {}, and run the same command again; or keep the new shape: shoofly complete",
            shadow.shadow.display()
        ),
    }
}

async fn read(job: Arc<Job>) -> Result<Found, Error> {
    let session = Session::connect(&job.target, "verify").await?;
    let failed = |error: DbError| error.doing(format!("compare the rows of {}", job.pair.shadow().table.display()));
    let partners = job.pair.partners(session.version());
    if partners == Partners::Hashed {
        session.execute(shadow::room_to_hash(session.product())).await.map_err(failed)?;
    }
    let mut found = Found::default();
    let mut size = FIRST_ROWS;
    loop {
        if job.stop.is_cancelled() || !job.is_undisturbed(&session).await.map_err(failed)? {
            return Err(Error::Interrupted);
        }
        let Some((from, to)) = job.next(&session, size).await.map_err(failed)? else { return Ok(found) };
        let began = Instant::now();
        let text = job.pair.compared(from.as_ref(), to.as_ref(), partners);
        let rows = session.rows(text.as_str()).await.map_err(failed)?;
        let [before, after, wrong] = counts(rows.into_iter().next().unwrap_or_default());
        let wrong = wrong.unwrap_or(0);
        if wrong > 0 && found.named.len() < NAMED {
            let text = job.pair.differing(from.as_ref(), to.as_ref(), NAMED);
            let named = session.rows(text.as_str()).await.map_err(failed)?;
            found.named.extend(named.into_iter().filter_map(|row| row.into_iter().next().flatten()));
        }
        found.wrong += wrong;
        found.ghosts |= after.is_some_and(|after| before.is_some_and(|before| after > before));
        size = range::sized(size, began.elapsed(), job.reading.time).clamp(100, MOST_ROWS);
    }
}

impl Job {
    async fn is_undisturbed(&self, session: &Session) -> Result<bool, DbError> {
        match &self.reading.quiet {
            Some(quiet) => quiet.is(session).await,
            None => Ok(true),
        }
    }

    /// The next range, open at the very beginning and at the very end.
    async fn next(&self, session: &Session, rows: u64) -> Result<Option<(Option<Place>, Option<Place>)>, DbError> {
        let mut cursor = self.cursor.lock().await;
        if cursor.ended {
            return Ok(None);
        }
        let (shadow, walk) = (self.pair.shadow(), self.pair.walk());
        let ahead = key::ahead((&shadow.table, &shadow.key_index), walk, cursor.at.as_ref(), None, rows);
        let found = session.rows(ahead.as_str()).await?;
        let to = found.first().and_then(|row| key::place(walk, row));
        let from = cursor.at.clone();
        cursor.ended = to.is_none();
        cursor.at.clone_from(&to);
        Ok(Some((from, to)))
    }
}

fn counts(row: Vec<Option<String>>) -> [Option<u64>; 3] {
    <[Option<String>; 3]>::try_from(row).unwrap_or_default().map(|text| text.and_then(|text| text.parse().ok()))
}
