//! How many blocks the next chunk takes, so that it lasts about as long as it should.

use std::time::Duration;

/// Kinds of chunks, whose blocks cost differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// The first residue: its rows leave their full pages.
    First,
    /// A later residue: its rows mostly stay on their page.
    Later,
    /// What the residues left: mostly nothing.
    Sweep,
    /// All rows at once.
    Plain,
}

impl Class {
    pub(super) const ALL: [Self; 4] = [Self::First, Self::Later, Self::Sweep, Self::Plain];

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// Rows of the first chunk of each kind: little enough for a slow server.
const FIRST_ROWS: f64 = 250.0;
/// Rows of a chunk at most.
const MOST_ROWS: f64 = 10_000.0;
/// Most that a chunk grows over the one before.
const GROWTH: f64 = 1.5;
/// Most that a chunk may grow where it finds next to nothing to write: the next blocks may be full again.
const EMPTY_GROWTH: f64 = 4.0;

/// Blocks of chunks by kind.
#[derive(Debug, Clone)]
pub(super) struct Sizer {
    target: Duration,
    rows_per_block: [f64; 4],
    blocks: [f64; 4],
    /// Size of the last chunk that had rows to write.
    proved: [f64; 4],
}

impl Sizer {
    /// For pages of `rows_per_page` rows, filled in `passes` passes, and chunks that should take `target`.
    pub(super) fn new(target: Duration, rows_per_page: f64, passes: u32) -> Self {
        let each = rows_per_page / f64::from(passes.max(1));
        let rows_per_block = Class::ALL.map(|class| match class {
            Class::First | Class::Later | Class::Sweep => each.max(0.1),
            Class::Plain => rows_per_page.max(0.1),
        });
        let blocks = rows_per_block.map(|rows| (FIRST_ROWS / rows).max(1.0));
        Self { target, rows_per_block, blocks, proved: blocks }
    }

    /// Blocks of the next chunk.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
    pub(super) fn blocks(&self, class: Class) -> u64 {
        self.blocks[class.index()].max(1.0) as u64
    }

    /// Learns from a chunk of `blocks` that wrote `rows`.
    pub(super) fn observe(&mut self, class: Class, blocks: u64, rows: u64, took: Duration) {
        let at = class.index();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (blocks, rows) = (blocks as f64, rows as f64);
        let ratio = self.target.as_secs_f64() / took.as_secs_f64().max(1e-6);
        let factor = if ratio < 0.25 { 0.25 } else { ratio.clamp(0.5, GROWTH) };
        let filled = rows >= 0.5 * blocks * self.rows_per_block[at];
        if blocks < self.blocks[at].floor() {
            // A piece cut off by the region's end says little about a whole one.
            self.blocks[at] = (self.blocks[at] * factor.min(1.0)).max(1.0);
            return;
        }
        let cap = MOST_ROWS / self.rows_per_block[at];
        let next = (blocks * factor).clamp(1.0, cap.max(1.0));
        if filled {
            self.proved[at] = next;
            self.blocks[at] = next;
        } else {
            self.blocks[at] = next.min(self.proved[at] * EMPTY_GROWTH);
        }
    }

    /// Half as much after a conflict.
    pub(super) fn shrink(&mut self, class: Class) {
        let at = class.index();
        self.blocks[at] = (self.blocks[at] / 2.0).max(1.0);
    }

    /// Never more rows in one chunk than this.
    pub(super) fn limit_rows(&mut self, rows: f64) {
        for (blocks, each) in self.blocks.iter_mut().zip(self.rows_per_block) {
            *blocks = blocks.min((rows / each).max(1.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(15);

    #[test]
    fn grows_and_shrinks_in_bounded_steps() {
        let mut sizer = Sizer::new(TARGET, 48.0, 16);
        let first = sizer.blocks(Class::Later);
        assert_eq!(first, 83);
        sizer.observe(Class::Later, first, first * 3, Duration::from_millis(1));
        assert_eq!(sizer.blocks(Class::Later), 124);
        sizer.observe(Class::Later, 124, 372, Duration::from_millis(20));
        assert_eq!(sizer.blocks(Class::Later), 93);
        sizer.observe(Class::Later, 93, 279, Duration::from_millis(300));
        assert_eq!(sizer.blocks(Class::Later), 23);
    }

    #[test]
    fn settles_at_the_target() {
        let mut sizer = Sizer::new(TARGET, 48.0, 16);
        for _ in 0..50 {
            let blocks = sizer.blocks(Class::First);
            sizer.observe(Class::First, blocks, blocks * 3, Duration::from_micros(40 * blocks));
        }
        assert!((370..=376).contains(&sizer.blocks(Class::First)), "{}", sizer.blocks(Class::First));
    }

    #[test]
    fn empty_blocks_do_not_make_the_next_full_ones_too_many() {
        let mut sizer = Sizer::new(TARGET, 48.0, 16);
        for _ in 0..50 {
            let blocks = sizer.blocks(Class::Plain);
            sizer.observe(Class::Plain, blocks, 0, Duration::from_micros(100));
        }
        assert!(sizer.blocks(Class::Plain) <= 21, "{}", sizer.blocks(Class::Plain));
    }

    #[test]
    fn a_cut_off_piece_teaches_only_caution() {
        let mut sizer = Sizer::new(TARGET, 48.0, 16);
        let blocks = sizer.blocks(Class::Later);
        sizer.observe(Class::Later, 2, 6, Duration::from_micros(100));
        assert_eq!(sizer.blocks(Class::Later), blocks);
    }
}
