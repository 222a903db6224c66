//! How long to pause between two chunks: a polite share of the server, and the operator's limit of rows per second.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::settings::Pace;

/// Below this the time per row is what it is on a server with time to spare.
const CALM: f64 = 1.5;
/// Share of the time spent working on such a server.
const CALM_DUTY: f64 = 0.85;
/// Share below which the fill never goes: one lane of short chunks leaves the application room even at full speed, and a
/// noisy server must not make a fill endless.
const LEAST_DUTY: f64 = 0.33;
/// Weight of the newest chunk in the average.
const NEWEST: f64 = 0.2;
/// The best time is forgotten at this rate per chunk, so that rows that cost more are not taken for a busy server for ever.
const FORGET: f64 = 1.0005;
/// Chunks with fewer rows are mostly overhead and say nothing.
const TELLING_ROWS: u64 = 50;

/// Chunks of one kind are compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backend) struct Kind(usize);

impl Kind {
    /// One of four.
    pub(in crate::backend) const fn new(number: usize) -> Self {
        Self(number % 4)
    }
}

/// Compares what rows cost now with what they cost at best.
#[derive(Debug, Clone)]
pub(in crate::backend) struct Politeness {
    pace: Pace,
    best: [f64; 4],
    now: [f64; 4],
    load: f64,
}

impl Politeness {
    pub(in crate::backend) fn new(pace: Pace) -> Self {
        Self { pace, best: [f64::INFINITY; 4], now: [f64::NAN; 4], load: 1.0 }
    }

    /// Time per row over the best seen: 1 on an idle server.
    pub(in crate::backend) fn load(&self) -> f64 {
        self.load
    }

    /// Learns from a chunk of one of four kinds; returns the pause after it.
    pub(in crate::backend) fn after(&mut self, kind: Kind, rows: u64, took: Duration) -> Duration {
        if self.pace == Pace::Full {
            return Duration::ZERO;
        }
        if rows >= TELLING_ROWS {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let each = took.as_secs_f64() / rows as f64;
            let at = kind.0;
            let before = if self.now[at].is_nan() { each } else { self.now[at] };
            self.now[at] = before + NEWEST * (each - before);
            // The best of the averages, not of the chunks: one lucky chunk is no measure.
            self.best[at] = (self.best[at] * FORGET).min(self.now[at]);
            self.load = (self.now[at] / self.best[at]).max(1.0);
        }
        took.mul_f64(1.0 / duty(self.load) - 1.0)
    }
}

/// Share of the time to work at that load.
fn duty(load: f64) -> f64 {
    let over = (load / CALM).max(1.0);
    (CALM_DUTY / over).max(LEAST_DUTY)
}

/// Units that a second has. A row costs as many of them as makes the permitted rate.
const UNITS: u32 = 1_000_000;
/// Units bought at once: a tenth of a second.
const SLICE: u32 = UNITS / 10;

/// The operator's limit, shared by all lanes.
#[derive(Debug)]
pub(in crate::backend) struct Limit {
    rate: NonZeroU32,
    units: DefaultDirectRateLimiter,
}

impl Limit {
    pub(in crate::backend) fn new(rate: NonZeroU32) -> Self {
        let unit = |units: u32| NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(unit(UNITS)).allow_burst(unit(SLICE));
        Self { rate, units: RateLimiter::direct(quota) }
    }

    /// Rows that one chunk may have, so that the rate is kept within a quarter of a second.
    pub(in crate::backend) fn chunk_rows(&self) -> f64 {
        (f64::from(self.rate.get()) / 4.0).max(1.0)
    }

    /// Waits until `rows` more rows were permitted. Can be dropped at any time.
    pub(in crate::backend) async fn spend(&self, rows: u64) {
        let mut cost = rows.saturating_mul(u64::from(UNITS)) / u64::from(self.rate.get());
        while cost > 0 {
            let slice = u32::try_from(cost).unwrap_or(SLICE).min(SLICE);
            let Some(units) = NonZeroU32::new(slice) else { return };
            // A slice is never more than the burst, so this is never an error.
            if self.units.until_n_ready(units).await.is_err() {
                return;
            }
            cost -= u64::from(slice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Kind = Kind::new(0);
    const LATER: Kind = Kind::new(1);
    const CHUNK: Duration = Duration::from_millis(10);

    #[test]
    fn full_speed_never_pauses() {
        let mut pace = Politeness::new(Pace::Full);
        assert_eq!(pace.after(LATER, 1000, CHUNK), Duration::ZERO);
    }

    #[test]
    fn pauses_grow_with_the_load_and_go_with_it() {
        let mut pace = Politeness::new(Pace::Polite);
        let calm = pace.after(LATER, 1000, CHUNK);
        assert!(calm < CHUNK / 4, "{calm:?}");
        for _ in 0..30 {
            pace.after(LATER, 1000, CHUNK * 3);
        }
        let busy = pace.after(LATER, 1000, CHUNK * 3);
        assert!(busy > CHUNK * 3, "{busy:?}");
        for _ in 0..40 {
            pace.after(LATER, 1000, CHUNK);
        }
        assert!(pace.after(LATER, 1000, CHUNK) < CHUNK / 4);
    }

    #[test]
    fn kinds_of_chunks_are_not_compared_with_each_other() {
        let mut pace = Politeness::new(Pace::Polite);
        pace.after(LATER, 1000, CHUNK);
        let first = pace.after(FIRST, 1000, CHUNK * 5);
        assert!(first < CHUNK * 5 / 4, "{first:?}");
    }

    #[tokio::test]
    async fn the_limit_is_kept() {
        let limit = Limit::new(NonZeroU32::new(10_000).unwrap());
        let began = std::time::Instant::now();
        for _ in 0..6 {
            limit.spend(1000).await;
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(480), "{took:?}");
    }
}
