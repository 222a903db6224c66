//! A moment in which nobody writes to the files of tables that are about to be renamed.
//!
//! MySQL closes a file before it renames it. While the file is written to, or has been written to and not been brought to disk, the
//! rename sleeps for 100 ms before it looks again, and the application waits behind its locks: one of about 100 swaps of a busy
//! table met that (MySQL 9.7.4, statements of 120 ms). The server's page cleaner writes in bursts, about one in a second: right
//! after one is the moment. MariaDB renames open files.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::ledger;
use crate::dialect::mysql::files;
use crate::driver::mysql::Session;
use crate::error::{DbError, DbErrorKind};
use crate::schema::mysql::TablePath;

/// After that long without a write, a burst is over and on disk.
const QUIET: Duration = Duration::from_millis(20);
/// That long after a burst, the next one is not due yet.
const SAFE: Duration = Duration::from_millis(600);
/// After that long without any, none is expected.
const IDLE: Duration = Duration::from_millis(1300);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// On a server that never stops writing there is no such moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// The files, and what was seen of them.
#[derive(Debug)]
pub(super) struct Files {
    names: Vec<String>,
    seen: Seen,
}

/// What was seen of their writes.
#[derive(Debug)]
struct Seen {
    written: Option<i64>,
    /// When they were last seen to have been written to, or looked at first.
    since: Instant,
    /// Whether a burst was seen.
    burst: bool,
    /// From then on the moment is no longer waited for.
    until: Instant,
}

impl Files {
    /// The files of these tables, where the server counts what is written to them: in the first such moment, or when there was
    /// none for that long, or for a few seconds, or when told to stop.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn at_rest(
        session: &Session,
        tables: &[TablePath],
        patience: Duration,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, DbError> {
        let Some(text) = files::of(tables) else { return Ok(None) };
        let found = match session.rows(text.as_str()).await {
            // Who may not know goes without.
            Err(error) if error.kind == DbErrorKind::Privilege => return Ok(None),
            found => found?,
        };
        let names: Vec<String> = found.into_iter().flatten().flatten().collect();
        if names.is_empty() {
            return Ok(None);
        }
        let now = Instant::now();
        let seen = Seen { written: None, since: now, burst: false, until: now + patience.min(PATIENCE) };
        let mut files = Self { names, seen };
        while !files.rest(session).await? && !stop.is_cancelled() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Some(files))
    }

    /// Whether this is the moment. To be asked again and again.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn rest(&mut self, session: &Session) -> Result<bool, DbError> {
        let written = session.rows(files::written(&self.names).as_str()).await?;
        Ok(self.seen.rest(Instant::now(), ledger::number(&written)))
    }
}

impl Seen {
    /// Whether this is the moment, where the server's count of writes is this one now.
    fn rest(&mut self, now: Instant, written: i64) -> bool {
        let before = self.written.replace(written);
        if before != Some(written) {
            self.burst = before.is_some();
            self.since = now;
        }
        let quiet = now - self.since;
        self.burst && quiet >= QUIET && quiet < SAFE || quiet >= IDLE || now >= self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_is_after_a_burst() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut seen = Seen { written: None, since: began, burst: false, until: at(9_000) };
        // When the next burst comes is not known before one was seen.
        assert!(!seen.rest(at(0), 7));
        assert!(!seen.rest(at(300), 7));
        assert!(!seen.rest(at(400), 9));
        assert!(!seen.rest(at(410), 9));
        assert!(seen.rest(at(425), 9));
        assert!(seen.rest(at(900), 9));
        // The next one may come at any time.
        assert!(!seen.rest(at(1_100), 9));
        assert!(!seen.rest(at(1_400), 12));
        assert!(seen.rest(at(1_430), 12));
        assert!(seen.rest(at(2_800), 12), "nobody writes");
        let writes: Vec<bool> = (3_000_i64..9_020).step_by(10).map(|ms| seen.rest(at(ms.unsigned_abs()), ms)).collect();
        assert_eq!(writes.iter().position(|rest| *rest), Some(600), "there is an end to it");
    }
}
