//! What the run said about itself while it ran.

use std::time::Duration;

use shoofly_engine::Event;

/// Locks asked for and rows written.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Times that a conflicting lock was held.
    pub(super) locks: u32,
    /// Times that one was asked for and not granted within the budget.
    pub(super) missed: u32,
    /// The longest time from asking for a lock to its release: nobody can have waited longer behind us.
    pub(super) longest: Duration,
    /// Rows written by the backfill.
    pub(super) rows: u64,
    /// Time the backfill took.
    pub(super) fill: Duration,
    filling: Option<std::time::Instant>,
}

impl Seen {
    /// Notes what matters.
    pub(super) fn take_note(&mut self, event: &Event) {
        match event {
            Event::LockReleased { total, .. } => {
                self.locks += 1;
                self.longest = self.longest.max(*total);
            }
            Event::LockMissed { asked, .. } => {
                self.missed += 1;
                self.longest = self.longest.max(*asked);
            }
            Event::FillProgress(progress) => {
                let began = *self.filling.get_or_insert_with(std::time::Instant::now);
                self.fill = began.elapsed();
                self.rows = self.rows.max(progress.rows_written);
            }
            _ => {}
        }
    }
}
