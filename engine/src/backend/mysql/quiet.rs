//! Whether anybody writes to a table: where nobody does, nobody waits for us.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::driver::mysql::{Session, catalogue};
use crate::error::DbError;
use crate::schema::mysql::TablePath;

/// Between two looks at how many rows were written; so many times as long as one takes on a server with many tables.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOK_SELDOM: u32 = 50;
/// Nobody writes where nobody has for so long.
const QUIET_FOR: Duration = Duration::from_millis(500);

/// What a run knows of its table's writers, from one step to the next.
#[derive(Debug, Default)]
pub(super) struct Known(std::sync::Mutex<Option<Arc<Quiet>>>);

impl Known {
    /// What is known of this table's.
    pub(super) fn of(&self, table: &TablePath) -> Arc<Quiet> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = known.as_ref().filter(|quiet| quiet.table == *table);
        let quiet = same.map_or_else(|| Arc::new(Quiet::of(table.clone())), Arc::clone);
        *known = Some(Arc::clone(&quiet));
        quiet
    }
}

/// What all sessions know of a table's writers.
#[derive(Debug)]
pub(super) struct Quiet {
    table: TablePath,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    rows: Option<u64>,
    /// When to look again.
    again: Instant,
    changed: Instant,
}

impl Quiet {
    fn of(table: TablePath) -> Self {
        let seen = Seen { rows: None, again: Instant::now(), changed: Instant::now() };
        Self { table, seen: Mutex::new(seen) }
    }

    /// Whether nobody has written for a while. Looks, where it is time to.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn is(&self, session: &Session) -> Result<bool, DbError> {
        let mut seen = self.seen.lock().await;
        let now = Instant::now();
        if now >= seen.again {
            let rows = catalogue::rows_written(session, &self.table).await?;
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
