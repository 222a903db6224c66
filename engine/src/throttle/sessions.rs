//! Sessions that run at once: more than there are processors wait for each other.

use std::num::NonZeroU32;

use super::{Cure, Pressure};

/// A server with fewer is not busy, however many processors it has: they cannot be asked for.
const FEW: u64 = 25;
/// Times of what ran when the fill began, which is the application's own.
const TIMES: u64 = 2;
/// Readings that tell what ran when the fill began: their middle, as one alone may have met a spike.
const FIRST: usize = 5;

/// The signal, with its limit.
#[derive(Debug, Clone)]
pub struct Sessions {
    given: Option<NonZeroU32>,
    first: Vec<u64>,
}

impl Sessions {
    /// With the operator's limit; without one it is found from the first readings.
    #[must_use]
    pub fn new(given: Option<NonZeroU32>) -> Self {
        Self { given, first: Vec::new() }
    }

    /// So many of others run.
    pub fn read(&mut self, running: u64) -> Pressure {
        if self.first.len() < FIRST {
            self.first.push(running);
        }
        let limit = self.limit();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let share = running as f64 / limit as f64;
        let words = format!("sessions that run at once (Threads_running): {running}; the limit is {limit}");
        Pressure { share, words, cure: Cure::Rest }
    }

    fn limit(&self) -> u64 {
        if let Some(given) = self.given {
            return u64::from(given.get());
        }
        let mut first = self.first.clone();
        first.sort_unstable();
        first.get(first.len().saturating_sub(1) / 2).map_or(FEW, |middle| middle.saturating_mul(TIMES).max(FEW))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(limit: Option<u32>, readings: &[u64]) -> f64 {
        let mut sessions = Sessions::new(limit.and_then(NonZeroU32::new));
        readings.iter().map(|running| sessions.read(*running).share).last().unwrap()
    }

    #[test]
    fn the_limit_is_the_operators_or_twice_what_ran() {
        assert!((share(Some(10), &[100, 10]) - 1.0).abs() < 1e-9);
        assert!((share(None, &[3, 25]) - 1.0).abs() < 1e-9);
        assert!((share(None, &[40, 42, 44, 42, 1, 84]) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_spike_at_the_begin_does_not_raise_it() {
        assert!((share(None, &[400, 3, 4, 500, 2, 50]) - 2.0).abs() < 1e-9);
    }
}
