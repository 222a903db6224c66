//! Transactions → what the application felt before, during and after.

use std::time::{SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use serde::Serialize;

/// Microseconds since 1970.
pub(super) type Micros = u64;

/// The present moment.
pub(super) fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}

/// One transaction of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transaction {
    /// When it ended.
    pub(super) ended: Micros,
    /// How long it took, without the time that it was late because the one before it was; `None` where it failed.
    pub(super) took: Option<Micros>,
    /// How often it was begun anew because the server asked for that; the time it took counts from the first beginning.
    pub(super) repeated: u32,
}

/// What one stretch of time felt like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Felt {
    /// Transactions done.
    pub(super) done: u64,
    /// Transactions failed.
    pub(super) failed: u64,
    /// Times that one was begun anew.
    pub(super) repeated: u64,
    /// Half of them were faster; milliseconds.
    pub(super) p50_ms: f64,
    /// 99 of 100 were faster.
    pub(super) p99_ms: f64,
    /// The slowest.
    pub(super) max_ms: f64,
}

/// Before, during and after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Stretches {
    /// Ended before the change began.
    pub(super) before: Felt,
    /// Overlapped the change.
    pub(super) during: Felt,
    /// Began after it.
    pub(super) after: Felt,
}

/// Sorts transactions into the three stretches.
pub(super) fn stretches(transactions: &[Transaction], began: Micros, ended: Micros) -> anyhow::Result<Stretches> {
    let is_before = |one: &Transaction| one.ended < began;
    let is_after = |one: &Transaction| one.ended.saturating_sub(one.took.unwrap_or(0)) > ended;
    Ok(Stretches {
        before: felt(transactions.iter().filter(|one| is_before(one)))?,
        during: felt(transactions.iter().filter(|one| !is_before(one) && !is_after(one)))?,
        after: felt(transactions.iter().filter(|one| is_after(one)))?,
    })
}

fn felt<'a>(transactions: impl Iterator<Item = &'a Transaction>) -> anyhow::Result<Felt> {
    let mut histogram = Histogram::<u64>::new(3)?;
    let (mut failed, mut repeated) = (0, 0);
    for one in transactions {
        repeated += u64::from(one.repeated);
        match one.took {
            Some(took) => histogram.record(took.max(1))?,
            None => failed += 1,
        }
    }
    let at = |quantile: f64| millis(histogram.value_at_quantile(quantile));
    let max_ms = millis(histogram.max());
    Ok(Felt { done: histogram.len(), failed, repeated, p50_ms: at(0.5), p99_ms: at(0.99), max_ms })
}

fn millis(micros: Micros) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
    let micros = micros as f64;
    micros / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_overlaps_the_change_counts_as_during() {
        let one = |ended, took| Transaction { ended, took: Some(took), repeated: 0 };
        let all = [one(90, 10), one(105, 20), one(150, 10), one(205, 20), one(250, 10)];
        let found = stretches(&all, 100, 200).unwrap();
        assert_eq!((found.before.done, found.during.done, found.after.done), (1, 3, 1));
        assert!((found.during.max_ms - 0.02).abs() < 1e-9);
    }
}
