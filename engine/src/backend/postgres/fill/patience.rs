//! Trying again where somebody's lock is in the way.

use std::time::{Duration, Instant};

use super::lane::Job;
use crate::error::{DbError, DbErrorKind, Error};
use crate::event::Event;

/// Attempts at one statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tries {
    began: Instant,
    attempt: u32,
}

impl Tries {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), attempt: 0 }
    }
}

impl Job {
    /// `Ok` where a statement that failed is to be tried again: somebody locks the table, and the patience lasts.
    pub(super) async fn again(&self, error: DbError, tries: &mut Tries, doing: &str) -> Result<(), Error> {
        if error.kind != DbErrorKind::LockTimeout || tries.began.elapsed() >= self.give_up_after {
            return Err(error.doing(doing));
        }
        tries.attempt += 1;
        self.wait_for_lock(&error, tries.attempt).await
    }

    /// Tells of the lock in the way, now and then, and backs off.
    pub(super) async fn wait_for_lock(&self, error: &DbError, attempt: u32) -> Result<(), Error> {
        if attempt % 10 == 1 {
            let because = format!("somebody locks {}: {error}", self.fill.table.display());
            self.events.emit(Event::FillWaiting { because });
        }
        self.back_off(attempt).await
    }

    /// Waits a little, longer each time, and never in step with others.
    pub(super) async fn back_off(&self, attempt: u32) -> Result<(), Error> {
        let jitter = u64::from(std::process::id() ^ attempt.wrapping_mul(2_654_435_761)) % 50;
        let wait = Duration::from_millis(u64::from(attempt.min(20)) * 50 + jitter);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Error::Interrupted),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }
}
