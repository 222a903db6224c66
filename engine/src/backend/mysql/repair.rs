//! Copying anew, beside the writers, the rows of a shadow table that differ: something has changed one of both tables behind the
//! triggers' back.

use std::time::{Duration, Instant};

use super::claim::Claim;
use super::copy::Work;
use super::ledger;
use crate::backend::hold;
use crate::dialect::mysql::key::{self, Place};
use crate::dialect::mysql::lock;
use crate::dialect::mysql::repair::Repair;
use crate::dialect::mysql::shadow::Pair;
use crate::driver::mysql::Session;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::plan::shadow::{Shadow, Way};
use crate::text::Sql;

/// Rows of one transaction.
const AT_ONCE: usize = 100;
/// Rows read to find those that differ.
const RANGE: u64 = 10_000;
/// Between two tries for rows that somebody holds.
const PAUSE: Duration = Duration::from_millis(50);

impl Claim {
    /// Makes the new table's rows what they should be. What is proved afterwards decides whether it has succeeded.
    ///
    /// Lock: shared row locks in the table and exclusive ones in the new table, some rows at a time; none in the table is waited
    /// for.
    ///
    /// # Errors
    /// [`Error::Refused`] where the old table follows the new one; [`Error::Database`], also with a row that the new shape does
    /// not take: the rows before it are repaired.
    pub(super) async fn repair(&self, shadow: &Shadow) -> Result<(), Error> {
        if shadow.way == Way::Back {
            return Err(refused(shadow, "the old table keeps values that the new one does not have"));
        }
        let pair = self.pair(shadow)?;
        let Some(repair) = Repair::of(&pair) else {
            return Err(refused(shadow, "the new key's values cannot be written down exactly"));
        };
        let work = Work::Copy(Box::new(pair.clone()));
        let session = Session::connect(&self.target, "repair").await?;
        let mender = Mender { claim: self, session, work, pair: &pair, repair };
        let (copied, dropped) = mender.all().await?;
        let text = format!("{}: {copied} rows copied anew, {dropped} dropped", shadow.shadow.display());
        self.events.emit(Event::Notice { text });
        Ok(())
    }
}

struct Mender<'a> {
    claim: &'a Claim,
    session: Session,
    work: Work,
    pair: &'a Pair,
    repair: Repair<'a>,
}

/// Why a transaction came to nothing.
enum Stopped {
    /// The run is another process's.
    Taken,
    Failed(DbError),
}

impl From<DbError> for Stopped {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}

impl Mender<'_> {
    fn failed(&self, error: DbError) -> Error {
        // Statements that copy a row assert that no other row has its unique values.
        match ledger::is_taken(&error) {
            true => error.doing("repair a row: a unique value of it is another row's in the new table"),
            false => error.doing(format!("repair the rows of {}", self.pair.shadow().shadow.display())),
        }
    }

    /// Begins a transaction that holds the run, and whatever rows `hold` returns.
    async fn begin(&self, hold: &Sql) -> Result<Vec<Vec<Option<String>>>, Stopped> {
        let held = self.claim.hold;
        let text = format!("START TRANSACTION; {}; {}", ledger::holding(&self.session, held).as_str(), hold.as_str());
        self.session.rows(&text).await.map_err(|error| match ledger::is_taken(&error) {
            true => Stopped::Taken,
            false => Stopped::Failed(error),
        })
    }

    /// Ends the transaction that has failed: `None` where rows are locked and it may be tried again.
    async fn abandon(&self, stopped: Stopped) -> Option<Error> {
        ledger::abandon(&self.session).await;
        match stopped {
            Stopped::Taken => Some(hold::taken(self.claim.hold.run, "another process took the run over")),
            Stopped::Failed(error) if is_about_locks(&error) => None,
            Stopped::Failed(error) => Some(self.failed(error)),
        }
    }

    /// Rows copied and rows dropped. Ghosts first: one may have the unique value of a row that is missing.
    async fn all(&self) -> Result<(u64, u64), Error> {
        if let Some(text) = self.work.preparation() {
            self.session.execute(&text).await.map_err(|error| self.failed(error))?;
        }
        let dropped = self.lay_ghosts().await?;
        let (shadow, walk) = (self.pair.shadow(), self.pair.walk());
        let (mut from, mut copied): (Option<Place>, u64) = (None, 0);
        loop {
            let ahead = key::ahead((&shadow.table, &shadow.key_index), walk, from.as_ref(), None, RANGE);
            let found = self.session.rows(ahead.as_str()).await.map_err(|error| self.failed(error))?;
            let to = found.first().and_then(|row| key::place(walk, row));
            copied += self.range(from.as_ref(), to.as_ref()).await?;
            if to.is_none() {
                return Ok((copied, dropped));
            }
            from = to;
        }
    }

    async fn range(&self, from: Option<&Place>, to: Option<&Place>) -> Result<u64, Error> {
        let text = self.pair.places_differing(from, to);
        let rows = self.session.rows(text.as_str()).await.map_err(|error| self.failed(error))?;
        let mut left: Vec<Place> = rows.iter().filter_map(|row| key::place(self.pair.walk(), row)).collect();
        let (all, began) = (left.len() as u64, Instant::now());
        while !left.is_empty() {
            let mut held = Vec::new();
            for some in left.chunks(AT_ONCE) {
                held.extend(self.copy(some).await?);
            }
            left = held;
            if left.is_empty() || began.elapsed() > self.claim.settings.locks.give_up_after {
                break;
            }
            failpoint::pass("repair.held").await;
            self.pause().await?;
        }
        // What is still held is found by the proof.
        Ok(all - left.len() as u64)
    }

    /// In one transaction, as rows may have exchanged unique values: those that somebody has locked are returned.
    async fn copy(&self, places: &[Place]) -> Result<Vec<Place>, Error> {
        let done = async {
            let rows = self.begin(&self.repair.hold(places)).await?;
            let held: Vec<Place> = rows.iter().filter_map(|row| key::place(self.pair.walk(), row)).collect();
            if !held.is_empty() {
                let clear = lock::unwaited(self.session.product(), &self.repair.clear(&held));
                self.session.execute(clear.as_str()).await?;
            }
            for place in &held {
                self.session.execute(self.work.one(place).as_str()).await?;
            }
            self.session.execute("COMMIT").await?;
            Ok(held)
        };
        match done.await {
            Ok(held) => Ok(places.iter().filter(|place| !held.contains(place)).cloned().collect()),
            Err(stopped) => self.abandon(stopped).await.map_or_else(|| Ok(places.to_vec()), Err),
        }
    }

    /// Drops the rows that only the new table has.
    async fn lay_ghosts(&self) -> Result<u64, Error> {
        let (mut dropped, began) = (0, Instant::now());
        loop {
            let text = self.repair.ghosts(AT_ONCE);
            let rows = self.session.rows(text.as_str()).await.map_err(|error| self.failed(error))?;
            let places: Vec<Place> = rows.iter().filter_map(|row| self.repair.ghost(row)).collect();
            if places.is_empty() || began.elapsed() > self.claim.settings.locks.give_up_after {
                return Ok(dropped);
            }
            let before = dropped;
            for place in &places {
                dropped += self.lay(place).await?;
            }
            if dropped == before {
                self.pause().await?;
            }
        }
    }

    /// How many rows that were.
    async fn lay(&self, place: &Place) -> Result<u64, Error> {
        let done = async {
            self.begin(&self.repair.hold_ghost(place)).await?;
            let is_one = self.session.rows(self.repair.is_ghost(place).as_str()).await?;
            let dropped = match ledger::number(&is_one) {
                0 => 0,
                _ => self.session.execute(self.repair.lay(place).as_str()).await?,
            };
            self.session.execute("COMMIT").await?;
            Ok(dropped)
        };
        match done.await {
            Ok(dropped) => Ok(dropped),
            Err(stopped) => self.abandon(stopped).await.map_or(Ok(0), Err),
        }
    }

    async fn pause(&self) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.claim.stop.cancelled() => Err(Error::Interrupted),
            () = tokio::time::sleep(PAUSE) => Ok(()),
        }
    }
}

fn is_about_locks(error: &DbError) -> bool {
    matches!(error.kind, DbErrorKind::LockTimeout | DbErrorKind::Deadlock)
}

fn refused(shadow: &Shadow, why: &str) -> Error {
    Error::Refused(vec![Problem {
        what: format!("rows of {} are not repaired", shadow.shadow.display()),
        place: shadow.table.display(),
        why: why.to_owned(),
        advice: "put them right by hand, or roll back and start anew".to_owned(),
    }])
}
