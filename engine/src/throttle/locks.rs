//! Metadata locks on our table that somebody waits for: everybody who comes later waits behind them.

use super::{Cure, Pressure};

/// The signal. It has no limit to choose: a chunk that began now would wait as well.
#[derive(Debug, Clone, Copy, Default)]
pub struct PendingLocks;

impl PendingLocks {
    /// So many sessions wait.
    #[must_use]
    pub fn read(self, table: &str, waiting: u64) -> Pressure {
        let share = if waiting == 0 { 0.0 } else { 1.0 };
        let words = format!("sessions that wait for a metadata lock on {table}: {waiting}");
        Pressure { share, words, cure: Cure::Rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_enough() {
        assert!(PendingLocks.read("t", 0).share < 0.1 && PendingLocks.read("t", 1).share >= 1.0);
    }
}
