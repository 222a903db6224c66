//! Transactions that wait for rows which a chunk of ours has locked.

use std::num::NonZeroU32;

use super::{Cure, Pressure};

/// The signal, with its limit.
#[derive(Debug, Clone, Copy)]
pub struct RowWaits {
    limit: NonZeroU32,
}

impl RowWaits {
    /// With the number of waiting transactions at which the fill stops.
    #[must_use]
    pub fn new(limit: NonZeroU32) -> Self {
        Self { limit }
    }

    /// So many wait. Any at all make chunks shorter: a look sees few of those that there are.
    #[must_use]
    pub fn read(self, waiting: u64) -> Pressure {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let share = waiting as f64 / f64::from(self.limit.get());
        let words = format!("transactions that wait for rows of ours: {waiting}; the limit is {}", self.limit);
        Pressure { share, words, cure: Cure::ShorterChunks }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Advice, CALM, Controller};
    use super::*;
    use std::time::Duration;

    #[test]
    fn one_makes_chunks_shorter_and_many_stop() {
        let waits = RowWaits::new(NonZeroU32::new(10).unwrap());
        let mut controller = Controller::default();
        controller.learn(Duration::ZERO, vec![waits.read(1)]);
        assert!(controller.chunk() < CALM);
        assert!(matches!(controller.advice(Duration::ZERO), Advice::Shorter { .. }));
        controller.learn(Duration::ZERO, vec![waits.read(10)]);
        assert!(matches!(controller.advice(Duration::ZERO), Advice::Stop { .. }));
    }
}
