//! A moment in which nobody writes to the files of tables that are about to be renamed.
//!
//! MySQL closes a file before it renames it. While the file is written to, or has been written to and not been brought to disk, the
//! rename sleeps for 100 ms before it looks again (`Fil_shard::space_rename`, seen on MySQL 9.7.4 with a debugger), and the
//! application waits behind its locks. The server's page cleaner writes pages in bursts, at each second of a clock of its own;
//! some seconds it leaves out. A file that grows is written to at any time, but by somebody who holds the table and
//! waits for the disk. So the page cleaner's writes, to whatever file, tell the moment: between two of its seconds. MariaDB
//! renames open files.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::ledger;
use crate::dialect::mysql::files;
use crate::driver::mysql::{Session, Target};
use crate::error::{DbError, DbErrorKind};
use crate::schema::mysql::TablePath;
use crate::sql::mysql::mode::Product;

/// After that long without a write, a burst is over and on disk.
const QUIET: Duration = Duration::from_millis(20);
/// That long after the end of a burst, the next one is not due yet.
const SAFE: Duration = Duration::from_millis(600);
/// After that long without any since the first look, none is expected.
const IDLE: Duration = Duration::from_millis(1300);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// The same while nothing is waited for.
const NOW_AND_THEN: Duration = Duration::from_millis(100);
/// Of a burst between two looks that are no farther apart it is known well enough when it was.
const NEAR: Duration = Duration::from_millis(200);
/// On a server that never stops writing there is no such moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// Statements within [`QUIET`] that are our own, or too few to be an application's.
const OURS: i64 = 3;

/// What was seen last of a server's page cleaner before. It keeps its seconds from one step of a change to the next.
static KNOWN: Mutex<Option<(Target, Count)>> = Mutex::new(None);

/// The files, and what was seen of those who write to them.
#[derive(Debug)]
pub(super) struct Files {
    names: Vec<String>,
    /// The threads of the page cleaner.
    cleaners: Vec<String>,
    seen: Seen,
}

/// What was seen of the writes.
#[derive(Debug)]
struct Seen {
    /// To these files.
    files: Count,
    /// Of the page cleaner, to any file.
    cleaner: Count,
    patience: Duration,
    /// From then on the moment is no longer waited for.
    until: Instant,
}

/// A number that grows.
#[derive(Debug, Clone)]
struct Count {
    value: Option<i64>,
    looked: Instant,
    /// When it was last seen to have grown, or looked at first.
    since: Instant,
    /// Whether that was when it has grown.
    grown: bool,
}

/// Watches the page cleaner while something is done, so that a swap soon after it need not wait to see a burst. Without an answer
/// of the server's it will.
pub(super) async fn watched<T>(session: &Session, work: impl Future<Output = T>) -> T {
    let done = CancellationToken::new();
    let work = async {
        let ended = work.await;
        done.cancel();
        ended
    };
    tokio::join!(work, watch(session, &done)).0
}

async fn watch(session: &Session, stop: &CancellationToken) {
    if session.product() != Product::MySql {
        return;
    }
    let watching = async {
        let (names, cleaners) = Files::find(session, &[]).await?;
        let mut files = Files { names, cleaners, seen: Seen::begin(Instant::now(), PATIENCE, None) };
        while !stop.is_cancelled() {
            files.rest(session).await?;
            files.seen.keep(session.target());
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(NOW_AND_THEN) => {}
            }
        }
        Ok::<(), DbError>(())
    };
    if let Err(error) = watching.await {
        tracing::debug!(%error, "the page cleaner cannot be watched");
    }
}

/// Waits for a moment in which the page cleaner brings nothing to disk, for statements of which the server makes renames of files
/// of ours: nobody uses those tables, but while such a rename sleeps, whoever rolls back or opens a table for the first time waits
/// for the dictionary. On a server that nobody uses nothing is waited for, as it would take longest there.
///
/// # Errors
/// The server's.
pub(super) async fn between_bursts(session: &Session, stop: &CancellationToken) -> Result<(), DbError> {
    if session.product() == Product::MySql && others_use(session).await? {
        Files::at_rest(session, &[], PATIENCE, stop).await?;
    }
    Ok(())
}

/// Whether others than us use the server at this time.
async fn others_use(session: &Session) -> Result<bool, DbError> {
    let first = ledger::number(&session.rows(files::STATEMENTS).await?);
    tokio::time::sleep(QUIET).await;
    let second = ledger::number(&session.rows(files::STATEMENTS).await?);
    Ok(second - first > OURS)
}

/// What is known of that server's page cleaner.
fn known(server: &Target) -> Option<Count> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.as_ref().filter(|(of, _)| of == server).map(|(_, count)| count.clone())
}

impl Files {
    /// The files of these tables, where the server counts what is written: in the first such moment, or when there was none for
    /// that long, or for a few seconds, or when told to stop.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn at_rest(
        session: &Session,
        tables: &[TablePath],
        patience: Duration,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, DbError> {
        let (names, cleaners) = match Self::find(session, tables).await {
            // Who may not know goes without.
            Err(error) if error.kind == DbErrorKind::Privilege => return Ok(None),
            found => found?,
        };
        if names.is_empty() && cleaners.is_empty() {
            return Ok(None);
        }
        let seen = Seen::begin(Instant::now(), patience.min(PATIENCE), known(session.target()));
        let mut files = Self { names, cleaners, seen };
        while !files.rest(session).await? && !stop.is_cancelled() {
            tokio::time::sleep(PAUSE).await;
        }
        files.seen.keep(session.target());
        Ok(Some(files))
    }

    /// The files' names, and the page cleaner's threads.
    async fn find(session: &Session, tables: &[TablePath]) -> Result<(Vec<String>, Vec<String>), DbError> {
        let names = match files::of(tables) {
            Some(text) => session.rows(text.as_str()).await?,
            None => Vec::new(),
        };
        let cleaners = session.rows(files::CLEANERS).await?;
        let list = |rows: Vec<Vec<Option<String>>>| rows.into_iter().flatten().flatten().collect();
        Ok((list(names), list(cleaners)))
    }

    /// Whether this is the moment. To be asked again and again.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn rest(&mut self, session: &Session) -> Result<bool, DbError> {
        let counts = session.rows(files::written(&self.names, &self.cleaners).as_str()).await?;
        let mut counts = counts.iter().flatten().map(|count| count.as_deref().and_then(|count| count.parse().ok()));
        let mut count = || counts.next().flatten().unwrap_or(0);
        Ok(self.seen.rest(Instant::now(), count(), count()))
    }
}

impl Seen {
    fn begin(now: Instant, patience: Duration, cleaner: Option<Count>) -> Self {
        let cleaner = cleaner.unwrap_or(Count::begin(now));
        Self { files: Count::begin(now), cleaner, patience, until: now + patience }
    }

    /// Keeps what was seen of that server's page cleaner for the next who asks.
    fn keep(&self, server: &Target) {
        let seen = (server.clone(), self.cleaner.clone());
        *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }

    /// Whether this is the moment, where so much has been written to the files and by the page cleaner by now.
    fn rest(&mut self, now: Instant, written: i64, cleaned: i64) -> bool {
        let quiet = self.files.look(now, written);
        let cleaner = self.cleaner.look(now, cleaned);
        let between = if self.cleaner.grown {
            // It works by the second, and leaves some out.
            let phase = Duration::from_nanos(u64::from(cleaner.subsec_nanos()));
            phase >= QUIET && phase < SAFE
        } else {
            cleaner >= IDLE
        };
        let rest = between && quiet >= QUIET;
        if rest {
            self.until = now + self.patience;
        }
        rest || now >= self.until
    }
}

impl Count {
    fn begin(now: Instant) -> Self {
        Self { value: None, looked: now, since: now, grown: false }
    }

    /// How long the number, which is this one now, has been as it is.
    fn look(&mut self, now: Instant, value: i64) -> Duration {
        let before = self.value.replace(value);
        if before != Some(value) {
            self.grown = before.is_some() && now - self.looked <= NEAR;
            self.since = now;
        }
        self.looked = now;
        now - self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Duration = Duration::from_secs(5);

    #[test]
    fn the_moment_is_between_two_bursts() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut seen = Seen::begin(began, PATIENT, None);
        // When the next burst comes is not known before one was seen.
        assert!(!seen.rest(at(0), 3, 7));
        assert!(!seen.rest(at(300), 3, 7));
        assert!(!seen.rest(at(400), 3, 9));
        assert!(!seen.rest(at(410), 3, 9));
        assert!(seen.rest(at(425), 3, 9));
        // That the files grow says nothing about the next one.
        assert!(!seen.rest(at(800), 4, 9));
        assert!(!seen.rest(at(810), 4, 9));
        assert!(seen.rest(at(825), 4, 9));
        // The next one may come at any time.
        assert!(!seen.rest(at(1_300), 4, 9));
        assert!(!seen.rest(at(1_400), 5, 12));
        assert!(seen.rest(at(1_430), 5, 12));
        // It has left two out.
        assert!(!seen.rest(at(3_390), 5, 12));
        assert!(seen.rest(at(3_430), 5, 12));
        assert!(!seen.rest(at(4_390), 5, 12));
        // When this one was is not known.
        assert!(!seen.rest(at(4_700), 5, 14));
        assert!(!seen.rest(at(4_900), 5, 14));
        assert!(!seen.rest(at(5_390), 5, 16), "it may be that nobody looked for long");
        assert!(!seen.rest(at(5_500), 5, 19));
        assert!(seen.rest(at(5_520), 5, 19));
    }

    #[test]
    fn what_was_known_before_counts() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut watched = Seen::begin(began, PATIENT, None);
        assert!(!watched.rest(at(0), 0, 7));
        assert!(!watched.rest(at(100), 0, 9));
        assert!(watched.rest(at(200), 0, 9));
        let later = |ms| Seen::begin(at(ms), PATIENT, Some(watched.cleaner.clone()));
        let mut seen = later(350);
        assert!(!seen.rest(at(350), 3, 9), "the files were not looked at before");
        assert!(seen.rest(at(370), 3, 9));
        let mut seen = later(900);
        assert!(!seen.rest(at(900), 3, 9));
        assert!(!seen.rest(at(1_050), 3, 9), "the next burst is due");
        let mut seen = later(1_500);
        assert!(!seen.rest(at(1_500), 3, 11));
        assert!(!seen.rest(at(1_530), 3, 11), "it came while nobody looked");
    }

    #[test]
    fn there_is_an_end_to_waiting_for_the_moment() {
        let began = Instant::now();
        let at = |ms: i64| began + Duration::from_millis(ms.unsigned_abs());
        let first = |seen: &mut Seen, written: fn(i64) -> i64, cleaned: fn(i64) -> i64, from: i64| {
            (from..).step_by(10).find(|ms| seen.rest(at(*ms), written(*ms), cleaned(*ms)))
        };
        let mut seen = Seen::begin(began, PATIENT, None);
        assert_eq!(first(&mut seen, |_| 7, |_| 7, 0), Some(1_300), "nobody writes");
        assert_eq!(first(&mut seen, |ms| ms, |_| 7, 1_310), Some(6_300), "the files never rest, since the last moment");
        let mut seen = Seen::begin(began, PATIENT, None);
        assert_eq!(first(&mut seen, |_| 7, |ms| ms, 0), Some(5_000), "the page cleaner never rests");
        assert_eq!(first(&mut seen, |_| 7, |ms| ms, 5_010), Some(5_010), "nor does it then");
    }
}
