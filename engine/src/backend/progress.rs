//! What the lanes have done so far, for events and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};

use crate::event::FillProgress;
use crate::name::TableName;

/// Seconds over which rates are averaged.
const MEMORY: f64 = 10.0;
/// Share of the blocks to have done before the end is foretold.
const FORETELL_FROM: f64 = 0.01;

/// What a chunk did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backend) struct Written {
    /// Rows written.
    pub(in crate::backend) rows: u64,
    /// Rows whose new version lies where the old one was, or near: on their own page, but for rare exceptions.
    pub(in crate::backend) stayed: u64,
    /// Rows that somebody held.
    pub(in crate::backend) deferred: u64,
}

/// Counters that lanes add to.
#[derive(Debug, Default)]
pub(in crate::backend) struct Progress {
    rows: AtomicU64,
    deferred: AtomicU64,
    lanes: AtomicU64,
    total: AtomicU64,
    /// Blocks behind each lane's cursor, summed, with the passes of the region under way as fractions: in 1/64 blocks.
    done: AtomicU64,
    /// Why lanes rest at this moment.
    because: Mutex<Option<String>>,
}

/// Parts of a block that progress counts in.
const PARTS: u64 = 64;

impl Progress {
    /// Starts from what the ledger has.
    pub(in crate::backend) fn start(&self, blocks_done: u64, blocks_total: u64, rows: u64) {
        self.rows.store(rows, Ordering::Relaxed);
        self.total.store(blocks_total, Ordering::Relaxed);
        self.done.store(blocks_done * PARTS, Ordering::Relaxed);
        self.deferred.store(0, Ordering::Relaxed);
    }

    /// A chunk over `blocks` blocks has committed, one of `passes` over them.
    pub(in crate::backend) fn chunk(&self, written: &Written, took: Duration) {
        self.rows.fetch_add(written.rows, Ordering::Relaxed);
        self.deferred.fetch_add(written.deferred, Ordering::Relaxed);
        counter!("shoofly_backfill_rows_total", "result" => "changed").increment(written.rows);
        counter!("shoofly_backfill_rows_total", "result" => "deferred").increment(written.deferred);
        counter!("shoofly_backfill_rows_stayed_total").increment(written.stayed);
        counter!("shoofly_backfill_chunks_total", "outcome" => "committed").increment(1);
        histogram!("shoofly_backfill_chunk_seconds").record(took.as_secs_f64());
    }

    /// A lane has come from `before` to `after`, in parts of blocks.
    pub(in crate::backend) fn moved(&self, parts: u64) {
        self.done.fetch_add(parts, Ordering::Relaxed);
    }

    /// Rows that were held and are filled, or gone, by now.
    pub(in crate::backend) fn caught_up(&self) {
        self.deferred.store(0, Ordering::Relaxed);
    }

    /// The server is to be spared for this reason; none where it is not.
    pub(in crate::backend) fn rests(&self, because: Option<String>) {
        *self.because.lock().unwrap_or_else(PoisonError::into_inner) = because;
    }

    /// So many work from now on.
    pub(in crate::backend) fn lanes(&self, lanes: u32) {
        self.lanes.store(lanes.into(), Ordering::Relaxed);
    }

    pub(in crate::backend) fn lane_began(&self) {
        self.lanes.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::backend) fn lane_ended(&self) {
        self.lanes.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A lane's way through its blocks in the parts that [`Progress`] counts, never telling more than was done.
#[derive(Debug)]
pub(in crate::backend) struct Walk {
    told: u64,
}

impl Walk {
    /// Begins at the region's first block.
    pub(in crate::backend) fn begin() -> Self {
        Self { told: 0 }
    }

    /// `done` of `whole` chunks' blocks of a region of `blocks` are done.
    pub(in crate::backend) fn tell(&mut self, progress: &Progress, blocks: u64, done: u64, whole: u64) {
        let now = (blocks * PARTS).saturating_mul(done) / whole.max(1);
        progress.moved(now.saturating_sub(self.told));
        self.told = now.max(self.told);
    }
}

/// Turns counters into events.
#[derive(Debug)]
pub(in crate::backend) struct Meter {
    table: TableName,
    at: Instant,
    rows: u64,
    done: u64,
    rows_rate: f64,
    parts_rate: f64,
}

impl Meter {
    pub(in crate::backend) fn new(table: &TableName, progress: &Progress, now: Instant) -> Self {
        let (rows, done) = (progress.rows.load(Ordering::Relaxed), progress.done.load(Ordering::Relaxed));
        Self { table: table.clone(), at: now, rows, done, rows_rate: f64::NAN, parts_rate: f64::NAN }
    }

    /// Where the fill stands.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub(in crate::backend) fn read(&mut self, progress: &Progress, now: Instant) -> FillProgress {
        let rows = progress.rows.load(Ordering::Relaxed);
        let done = progress.done.load(Ordering::Relaxed);
        let total = progress.total.load(Ordering::Relaxed);
        let elapsed = now.duration_since(self.at).as_secs_f64().max(1e-3);
        let weight = 1.0 - (-elapsed / MEMORY).exp();
        let blend = |old: f64, new: f64| if old.is_nan() { new } else { old + weight * (new - old) };
        self.rows_rate = blend(self.rows_rate, rows.saturating_sub(self.rows) as f64 / elapsed);
        self.parts_rate = blend(self.parts_rate, done.saturating_sub(self.done) as f64 / elapsed);
        (self.at, self.rows, self.done) = (now, rows, done);
        let whole = total * PARTS;
        let share = if whole == 0 { 1.0 } else { done as f64 / whole as f64 };
        let left = whole.saturating_sub(done) as f64 / self.parts_rate;
        let eta = (share >= FORETELL_FROM).then(|| Duration::try_from_secs_f64(left).ok()).flatten();
        gauge!("shoofly_backfill_progress_ratio").set(share);
        gauge!("shoofly_backfill_rows_per_second").set(self.rows_rate);
        gauge!("shoofly_backfill_eta_seconds").set(eta.map_or(f64::NAN, |eta| eta.as_secs_f64()));
        FillProgress {
            table: self.table.clone(),
            blocks_done: (done / PARTS).min(total),
            blocks_total: total,
            rows_written: rows,
            rows_per_second: self.rows_rate,
            eta,
            lanes: u32::try_from(progress.lanes.load(Ordering::Relaxed)).unwrap_or(u32::MAX),
            deferred: progress.deferred.load(Ordering::Relaxed),
            because: progress.because.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(progress: &Progress, now: Instant) -> Meter {
        let table = TableName::new("public".parse().unwrap(), "t".parse().unwrap());
        Meter::new(&table, progress, now)
    }

    #[test]
    fn foretells_from_blocks_and_only_once_it_knows_something() {
        let progress = Progress::default();
        progress.start(0, 1000, 0);
        let start = Instant::now();
        let mut meter = meter(&progress, start);
        let mut walk = Walk::begin();
        walk.tell(&progress, 100, 1, 17);
        let early = meter.read(&progress, start + Duration::from_millis(250));
        assert_eq!((early.blocks_done, early.eta), (5, None));
        walk.tell(&progress, 100, 17, 17);
        let later = meter.read(&progress, start + Duration::from_secs(250));
        assert_eq!(later.blocks_done, 100);
        assert!(later.eta.is_some_and(|eta| eta > Duration::from_secs(2000)), "{later:?}");
    }

    #[test]
    fn counts_what_earlier_processes_did() {
        let progress = Progress::default();
        progress.start(10, 20, 500);
        let now = Instant::now();
        let written = Written { rows: 5, stayed: 5, deferred: 1 };
        let mut meter = meter(&progress, now);
        progress.chunk(&written, Duration::from_millis(1));
        let told = meter.read(&progress, now + Duration::from_secs(1));
        assert_eq!((told.rows_written, told.deferred, told.blocks_done), (505, 1, 10));
        assert!((told.rows_per_second - 5.0).abs() < 0.01);
    }
}
