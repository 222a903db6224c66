//! The history list: old row versions that the server has not purged yet. Every read has to pass them by.

use std::num::NonZeroU32;

use super::{Cure, Pressure};

/// The signal, with its limit.
#[derive(Debug, Clone, Copy)]
pub struct History {
    limit: NonZeroU32,
}

impl History {
    /// With the length at which the fill stops.
    #[must_use]
    pub fn new(limit: NonZeroU32) -> Self {
        Self { limit }
    }

    /// It is so long; and the oldest transaction, where one is old. While it lasts, waiting shortens nothing.
    #[must_use]
    pub fn read(self, length: u64, oldest: Option<&str>) -> Pressure {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let share = length as f64 / f64::from(self.limit.get());
        let held = oldest.map(|who| format!("; the oldest transaction: {who}")).unwrap_or_default();
        let words = format!(
            "{length} old row versions wait to be purged (history list length); the limit is {}{held}",
            self.limit
        );
        Pressure { share, words, cure: Cure::Rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_limit_and_whoever_holds_them_is_named() {
        let history = History::new(NonZeroU32::new(1_000_000).unwrap());
        assert!((history.read(250_000, None).share - 0.25).abs() < 1e-9);
        assert!(history.read(1, Some("pid 7")).words.ends_with("; the oldest transaction: pid 7"));
    }
}
