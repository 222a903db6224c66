//! How many rows a chunk has.

use std::time::Duration;

/// Rows of the first chunk: little enough for a slow server.
pub(super) const FIRST_ROWS: u64 = 250;
/// Rows of a chunk at most.
const MOST_ROWS: u64 = 10_000;
/// Chunks with fewer rows are mostly overhead (round trips, a commit that waits for the disk): making them smaller does not make
/// them shorter.
pub(super) const LEAST_ROWS: u64 = 50;
/// So many times longer than it should take, and even such a chunk is made smaller: its rows may be very large.
const FAR_TOO_LONG: u32 = 10;
/// So many times longer than a whole chunk should take, its rows may at most, where commits are slow.
const MOST_FOR_COMMITS: u32 = 4;

/// Rows of the next chunk, so that it takes about as long as it should. Where the record and the commit take longer than that,
/// which rows have no part in, the rows may take as long as those: smaller chunks would hardly be shorter.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
pub(super) fn next(rows: u64, (worked, took): (Duration, Duration), target: Duration) -> u64 {
    let besides = took.saturating_sub(worked);
    let for_rows = target.saturating_sub(besides).max(besides.min(target * MOST_FOR_COMMITS));
    let factor = (for_rows.as_secs_f64() / worked.as_secs_f64().max(1e-6)).clamp(0.5, 1.5);
    let least = if worked > target * FAR_TOO_LONG { 1 } else { rows.saturating_mul(2).clamp(1, LEAST_ROWS) };
    // A chunk of one row that may grow must come to two.
    ((rows as f64 * factor).ceil() as u64).clamp(least, MOST_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(worked: u64, took: u64) -> (Duration, Duration) {
        (Duration::from_millis(worked), Duration::from_millis(took))
    }

    const TARGET: Duration = Duration::from_millis(15);

    #[test]
    fn chunks_grow_and_shrink_by_steps() {
        assert_eq!(next(1, millis(1, 1), TARGET), 2);
        assert_eq!(next(1000, millis(60, 60), TARGET), 500);
        assert_eq!(next(9_000, millis(1, 1), TARGET), MOST_ROWS);
    }

    #[test]
    fn a_slow_commit_is_shared_by_as_many_rows_as_take_as_long() {
        assert_eq!(next(1000, millis(10, 30), TARGET), 1500);
        assert_eq!(next(1000, millis(20, 40), TARGET), 1000);
        // But not without end.
        assert_eq!(next(1000, millis(60, 2_060), TARGET), 1000);
    }

    #[test]
    fn a_slow_server_does_not_make_chunks_ever_smaller() {
        assert_eq!(next(60, millis(60, 60), TARGET), LEAST_ROWS);
        assert_eq!(next(LEAST_ROWS, millis(60, 60), TARGET), LEAST_ROWS);
        // After conflicts, too, they grow again.
        assert_eq!(next(1, millis(60, 60), TARGET), 2);
        // Rows so large that even a few take long.
        assert_eq!(next(LEAST_ROWS, millis(900, 900), TARGET), LEAST_ROWS / 2);
    }
}
