//! Whether anybody writes to the table that is copied.
//!
//! Chunks are small so that nobody waits long for the rows of one. Where nobody writes, nobody waits, and larger ones spare
//! commits. And on MariaDB a chunk that is copied by one statement holds the new table's AUTO_INCREMENT counter, for which every
//! writer waits with rows locked (see [`by_rows`](crate::dialect::mysql::by_rows)); by many it takes twice as long.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::Work;
use crate::dialect::mysql::by_rows;
use crate::driver::mysql::{Session, catalogue};
use crate::error::DbError;
use crate::schema::mysql::TablePath;

/// Between two looks at how many rows were written; so many times as long as one takes on a server with many tables.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOK_SELDOM: u32 = 50;
/// Nobody writes where nobody has for so long.
const QUIET_FOR: Duration = Duration::from_millis(500);
/// So many times as long may a chunk take where nobody writes: below the lock budget, for whoever begins to just then.
const LONGER: u32 = 5;

/// How a chunk's rows get into the new table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserting {
    /// By one statement, which may hold the counter, and on MariaDB takes a range only whose rows nobody holds.
    AtOnce,
    /// Some at a time, without holding or waiting for anything.
    ByRows,
}

/// What all lanes know of the table's writers.
#[derive(Debug)]
pub(super) struct Quiet {
    /// None for work that writes to it itself.
    table: Option<TablePath>,
    locks_counter: bool,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    rows: Option<u64>,
    /// When to look again.
    again: Instant,
    changed: Instant,
}

/// How the next chunk is to be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) inserting: Inserting,
    longer: u32,
}

impl Default for Manner {
    fn default() -> Self {
        Self { inserting: Inserting::AtOnce, longer: 1 }
    }
}

impl Manner {
    /// Rows of the next chunk, of which there were so many in the last one's manner. A few at a time they take twice as long.
    pub(super) fn rows(self, rows: u64, last: Self) -> u64 {
        match self.longer < last.longer {
            true => (rows / u64::from(2 * last.longer)).max(1),
            false => rows,
        }
    }

    /// As long as one chunk may take.
    pub(super) fn time(self, usual: Duration) -> Duration {
        usual * self.longer
    }
}

impl Quiet {
    pub(super) async fn of(session: &Session, work: &Work) -> Result<Self, DbError> {
        let seen = Mutex::new(Seen { rows: None, again: Instant::now(), changed: Instant::now() });
        let Work::Copy(pair) = work else { return Ok(Self { table: None, locks_counter: false, seen }) };
        let locks_counter = by_rows::has_counter(pair.shadow()) && {
            let mode = session.rows("SELECT @@innodb_autoinc_lock_mode < 2").await?;
            mode.first().and_then(|row| row.first()?.as_deref()) == Some("1")
        };
        Ok(Self { table: Some(work.table().clone()), locks_counter, seen })
    }

    /// Looks, where it is time to.
    pub(super) async fn manner(&self, session: &Session) -> Result<Manner, DbError> {
        let quiet = self.is_quiet(session).await?;
        let inserting = if self.locks_counter && !quiet { Inserting::ByRows } else { Inserting::AtOnce };
        Ok(Manner { inserting, longer: if quiet { LONGER } else { 1 } })
    }

    async fn is_quiet(&self, session: &Session) -> Result<bool, DbError> {
        let Some(table) = &self.table else { return Ok(false) };
        let mut seen = self.seen.lock().await;
        let now = Instant::now();
        if now >= seen.again {
            let rows = catalogue::rows_written(session, table).await?;
            // What cannot be seen may be anything.
            if rows.is_none() || rows != seen.rows {
                seen.changed = Instant::now();
            }
            seen.rows = rows;
            seen.again = Instant::now() + LOOK_EVERY.max(now.elapsed() * LOOK_SELDOM);
        }
        Ok(seen.changed.elapsed() >= QUIET_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_small_again_as_soon_as_somebody_writes() {
        let (busy, quiet) = (Manner::default(), Manner { inserting: Inserting::AtOnce, longer: LONGER });
        assert_eq!(busy.rows(10_000, quiet), 1_000);
        assert_eq!(quiet.rows(1_000, busy), 1_000);
        assert_eq!(busy.rows(3, quiet), 1);
        assert_eq!(quiet.time(Duration::from_millis(15)), Duration::from_millis(75));
    }
}
