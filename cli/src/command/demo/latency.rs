//! pgbench's log of transactions → what the application felt before, during and after.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Microseconds since 1970, as in pgbench's log.
pub(super) type Micros = u64;

/// The present moment.
pub(super) fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}

/// One transaction of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transaction {
    /// When it ended.
    ended: Micros,
    /// How long it took, without the time that it was late because the one before it was; `None` where it failed.
    took: Option<Micros>,
}

/// Reads one line: `client number time script seconds microseconds [lag] [retries]`. `time` counts from the moment that
/// the transaction was due, so the lag is taken off.
fn parse(line: &str) -> Option<Transaction> {
    let mut words = line.split(' ');
    let time = words.nth(2)?;
    let seconds: u64 = words.nth(1)?.parse().ok()?;
    let micros: u64 = words.next()?.parse().ok()?;
    let lag: f64 = words.next().map_or(Some(0.0), |word| word.parse().ok())?;
    let took = match time.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds of one transaction")]
        Ok(time) => Some((time - lag).max(0.0) as Micros),
        // `failed`, or the kind of failure.
        Err(_) => None,
    };
    Some(Transaction { ended: seconds * 1_000_000 + micros, took })
}

/// Reads every log file in `folder` (pgbench writes one per thread).
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Transaction>> {
    let mut transactions = Vec::new();
    for entry in std::fs::read_dir(folder).context("could not list pgbench's logs")? {
        let path = entry.context("could not list pgbench's logs")?.path();
        let text = std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        transactions.extend(text.lines().filter_map(parse));
    }
    Ok(transactions)
}

/// What one stretch of time felt like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Felt {
    /// Transactions done.
    pub(super) done: u64,
    /// Transactions failed.
    pub(super) failed: u64,
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
    let mut failed = 0;
    for one in transactions {
        match one.took {
            Some(took) => histogram.record(took.max(1))?,
            None => failed += 1,
        }
    }
    let at = |quantile: f64| millis(histogram.value_at_quantile(quantile));
    Ok(Felt { done: histogram.len(), failed, p50_ms: at(0.5), p99_ms: at(0.99), max_ms: millis(histogram.max()) })
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
    fn the_schedule_lag_is_not_latency() {
        let read = parse("2 17 5400 0 1700000000 250000 4400.5 0").unwrap();
        assert_eq!(read, Transaction { ended: 1_700_000_000_250_000, took: Some(999) });
        assert_eq!(parse("0 1 812 0 1700000000 7").unwrap().took, Some(812));
    }

    #[test]
    fn failures_are_seen() {
        assert_eq!(parse("0 3 deadlock 0 1700000000 7 0.0 0").unwrap().took, None);
        assert_eq!(parse("0 3 failed 0 1700000000 7").unwrap().took, None);
        assert_eq!(parse("not a line"), None);
    }

    #[test]
    fn a_transaction_that_overlaps_the_change_counts_as_during() {
        let one = |ended, took| Transaction { ended, took: Some(took) };
        let all = [one(90, 10), one(105, 20), one(150, 10), one(205, 20), one(250, 10)];
        let found = stretches(&all, 100, 200).unwrap();
        assert_eq!((found.before.done, found.during.done, found.after.done), (1, 3, 1));
        assert!((found.during.max_ms - 0.02).abs() < 1e-9);
    }
}
