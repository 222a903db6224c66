//! How chunks are copied.
//!
//! Chunks are small so that nobody waits long for the rows of one. Where nobody writes, nobody waits, and larger ones spare
//! commits. And on MariaDB a chunk that is copied by one statement holds the new table's AUTO_INCREMENT counter, for which every
//! writer waits with rows locked (see [`by_rows`](crate::dialect::mysql::by_rows)); by many it takes twice as long.

use std::sync::Arc;
use std::time::Duration;

use super::Work;
use crate::backend::mysql::quiet::{Known, Quiet};
use crate::dialect::mysql::by_rows;
use crate::driver::mysql::Session;
use crate::error::DbError;

/// So many times as long may a chunk take where nobody writes: below the lock budget, for whoever begins to just then.
const LONGER: u32 = 5;

/// How a chunk's rows get into the new table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserting {
    /// By one statement, which fails where the new table has any of them.
    New,
    /// By one statement, which may hold the counter, and on MariaDB takes a range only whose rows nobody holds.
    AtOnce,
    /// Some at a time, without holding or waiting for anything.
    ByRows,
}

/// What decides how chunks are copied.
#[derive(Debug)]
pub(super) struct Manners {
    /// None for work that writes to the table itself.
    quiet: Option<Arc<Quiet>>,
    locks_counter: bool,
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

    /// Whether nobody writes.
    pub(super) fn is_quiet(self) -> bool {
        self.longer > 1
    }

    /// As long as one chunk may take.
    pub(super) fn time(self, usual: Duration) -> Duration {
        usual * self.longer
    }
}

impl Manners {
    pub(super) async fn of(session: &Session, known: &Known, work: &Work) -> Result<Self, DbError> {
        let Work::Copy(pair) = work else { return Ok(Self { quiet: None, locks_counter: false }) };
        let locks_counter = by_rows::has_counter(pair.shadow()) && {
            let mode = session.rows("SELECT @@innodb_autoinc_lock_mode < 2").await?;
            mode.first().and_then(|row| row.first()?.as_deref()) == Some("1")
        };
        Ok(Self { quiet: Some(known.of(work.table())), locks_counter })
    }

    /// That of the next chunk.
    pub(super) async fn next(&self, session: &Session) -> Result<Manner, DbError> {
        let quiet = match &self.quiet {
            Some(quiet) => quiet.is(session).await?,
            None => false,
        };
        let inserting = match quiet {
            true => Inserting::New,
            false if self.locks_counter => Inserting::ByRows,
            false => Inserting::AtOnce,
        };
        Ok(Manner { inserting, longer: if quiet { LONGER } else { 1 } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_small_again_as_soon_as_somebody_writes() {
        let (busy, quiet) = (Manner::default(), Manner { inserting: Inserting::New, longer: LONGER });
        assert_eq!(busy.rows(10_000, quiet), 1_000);
        assert_eq!(quiet.rows(1_000, busy), 1_000);
        assert_eq!(busy.rows(3, quiet), 1);
        assert_eq!(quiet.time(Duration::from_millis(15)), Duration::from_millis(75));
    }
}
