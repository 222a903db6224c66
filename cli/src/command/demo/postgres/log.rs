//! pgbench's log of transactions.

use std::path::Path;

use anyhow::Context as _;

use crate::command::demo::latency::{Micros, Transaction};

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
    Some(Transaction { ended: seconds * 1_000_000 + micros, took, repeated: 0 })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_lag_is_not_latency() {
        let read = parse("2 17 5400 0 1700000000 250000 4400.5 0").unwrap();
        assert_eq!(read, Transaction { ended: 1_700_000_000_250_000, took: Some(999), repeated: 0 });
        assert_eq!(parse("0 1 812 0 1700000000 7").unwrap().took, Some(812));
    }

    #[test]
    fn failures_are_seen() {
        assert_eq!(parse("0 3 deadlock 0 1700000000 7 0.0 0").unwrap().took, None);
        assert_eq!(parse("0 3 failed 0 1700000000 7").unwrap().took, None);
        assert_eq!(parse("not a line"), None);
    }
}
