//! Whether the lock of the new table's AUTO_INCREMENT counter may be taken.
//!
//! On MariaDB a whole chunk that is copied by one statement holds it, and whoever writes to the table meanwhile waits for it, with
//! rows locked (see [`by_rows`](crate::dialect::mysql::by_rows)). Where nobody writes, nobody waits, and such a chunk takes half
//! the time.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::Work;
use crate::dialect::mysql::by_rows;
use crate::driver::mysql::{Session, catalogue};
use crate::error::DbError;
use crate::schema::mysql::TablePath;

/// Between two looks at how many rows were written.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Nobody writes where nobody has for so long.
const QUIET_FOR: Duration = Duration::from_secs(1);

/// How a chunk's rows get into the new table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserting {
    /// By one statement, which may hold the counter.
    AtOnce,
    /// Some at a time, holding nothing.
    ByRows,
}

/// What all lanes know of the counter.
#[derive(Debug)]
pub(super) struct Counter {
    table: TablePath,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    rows: Option<u64>,
    looked: Option<Instant>,
    changed: Instant,
}

impl Counter {
    /// None where the server has no such lock, or the new table no such column.
    pub(super) async fn of(session: &Session, work: &Work) -> Result<Option<Self>, DbError> {
        let Work::Copy(pair) = work else { return Ok(None) };
        if !by_rows::is_needed(pair.shadow()) {
            return Ok(None);
        }
        let mode = session.rows("SELECT @@innodb_autoinc_lock_mode < 2").await?;
        let locks = mode.first().and_then(|row| row.first()?.as_deref()) == Some("1");
        let seen = Mutex::new(Seen { rows: None, looked: None, changed: Instant::now() });
        Ok(locks.then(|| Self { table: work.table().clone(), seen }))
    }

    /// How the next chunk is to be copied.
    pub(super) async fn inserting(&self, session: &Session) -> Result<Inserting, DbError> {
        let mut seen = self.seen.lock().await;
        if seen.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            let rows = catalogue::rows_written(session, &self.table).await?;
            // What cannot be seen may be anything.
            if rows.is_none() || rows != seen.rows {
                seen.changed = Instant::now();
            }
            (seen.rows, seen.looked) = (rows, Some(Instant::now()));
        }
        Ok(if seen.changed.elapsed() >= QUIET_FOR { Inserting::AtOnce } else { Inserting::ByRows })
    }
}
