//! How many rows of a key's range are read at a time.

use std::time::Duration;

/// How long reading one range should take.
pub(super) const TIME: Duration = Duration::from_millis(150);

/// Rows of the next range, by those of the last one, its time and the time that it should take: twice as many at most, or half.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
pub(super) fn sized(rows: u64, took: Duration, time: Duration) -> u64 {
    let factor = (time.as_secs_f64() / took.as_secs_f64().max(1e-6)).clamp(0.5, 2.0);
    (rows as f64 * factor).ceil() as u64
}
