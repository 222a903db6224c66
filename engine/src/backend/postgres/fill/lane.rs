//! A lane at work: region by region, pass by pass, chunk by chunk.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::Pool;
use tokio_util::sync::CancellationToken;

use super::chunk::{Chunks, Mark, Part, Texts};
use super::horizon::{Horizon, Verdict};
use super::patience::Tries;
use super::pool::{self, Connection, Sessions};
use super::ranges::Lane;
use super::size::{Class, Sizer};
use super::span::Span;
use crate::backend::hold::Hold;
use crate::backend::pace::{Kind, Limit, Politeness};
use crate::backend::progress::{Progress, Walk, Written};
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::event::Events;
use crate::failpoint;
use crate::plan::{Fill, StepId};
use crate::settings::FillSettings;

/// Chunks that a pass over a region takes at least: while it lasts, transactions that saw the pass before end.
const REGION_CHUNKS: u64 = 4;
/// The same where transactions of others are found to last longer.
const MOST_REGION_CHUNKS: u64 = 64;
/// Blocks of a region that is filled in one pass: the horizon is looked at once for each.
const PLAIN_REGION: u64 = 2048;
/// Rows of a pass before it is asked whether they stayed on their pages.
const TELLING_ROWS: u64 = 200;
/// Looks that find nobody in the way before it is believed that the rows do not fit on their pages.
const LOOKS: u32 = 3;
/// Filling in one pass leaves a table that grows: it is cleaned up each time this share of it is done.
const VACUUM_EVERY: u64 = 10;

/// What all lanes of a fill share.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) hold: Hold,
    pub(super) step: StepId,
    pub(super) fill: Fill,
    pub(super) texts: Texts,
    pub(super) settings: FillSettings,
    /// How long to try again where somebody is in the way.
    pub(super) give_up_after: Duration,
    pub(super) events: Events,
    pub(super) stop: CancellationToken,
    pub(super) pool: Pool<Sessions>,
    pub(super) progress: Progress,
    pub(super) horizon: Horizon,
    pub(super) limit: Option<Limit>,
    pub(super) queue: Mutex<VecDeque<Lane>>,
    pub(super) blocks: u64,
    pub(super) block_size: u32,
    pub(super) rows_per_page: f64,
    /// Passes over each region; 1 where passes gain nothing.
    pub(super) passes: u32,
    /// Blocks filled in one pass since the last cleaning.
    pub(super) unclean: AtomicU64,
}

/// How a lane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing is left but what is deferred.
    Filled,
    /// The table got another file: block numbers mean nothing any more.
    NewFile,
}

/// A connection that fills.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) job: Arc<Job>,
    pub(super) connection: Connection,
    pub(super) chunks: Chunks,
    pub(super) sizer: Sizer,
    pace: Politeness,
    /// The horizon is held: one pass only.
    held: bool,
    fruitless: u32,
    region_chunks: u64,
}

/// A region being filled.
struct Region {
    from: u64,
    to: u64,
    walk: Walk,
}

impl Region {
    fn blocks(&self) -> u64 {
        self.to - self.from
    }
}

/// Fills lanes of the queue until it is empty.
pub(super) async fn work(job: Arc<Job>) -> Result<End, Error> {
    let mut worker = Worker::hire(Arc::clone(&job)).await?;
    job.progress.lane_began();
    let ended = worker.all().await;
    job.progress.lane_ended();
    ended
}

impl Worker {
    pub(super) async fn hire(job: Arc<Job>) -> Result<Self, Error> {
        let mut connection = pool::take(&job.pool).await?;
        let doing = format!("prepare the fill of {}", job.fill.table.display());
        let mut tries = Tries::begin();
        let chunks = loop {
            match Chunks::prepare(&mut connection, &job.texts).await {
                Ok(chunks) => break chunks,
                Err(error) => job.again(error, &mut tries, &doing).await?,
            }
        };
        let mut sizer = Sizer::new(job.fill.chunk.unwrap_or(job.settings.chunk), job.rows_per_page, job.passes);
        if let Some(limit) = &job.limit {
            sizer.limit_rows(limit.chunk_rows());
        }
        let pace = Politeness::new(job.settings.pace);
        Ok(Self { job, connection, chunks, sizer, pace, held: false, fruitless: 0, region_chunks: REGION_CHUNKS })
    }

    async fn all(&mut self) -> Result<End, Error> {
        loop {
            let lane = self.job.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(lane) = lane else { return Ok(End::Filled) };
            if self.lane(lane).await? == End::NewFile {
                return Ok(End::NewFile);
            }
        }
    }

    async fn lane(&mut self, mut lane: Lane) -> Result<End, Error> {
        while lane.next < lane.to {
            if self.held && self.job.horizon.settle().await? != Verdict::Held {
                self.held = false;
            }
            let wanted = match self.cascades() {
                true => self.region_chunks * self.sizer.blocks(Class::Later),
                false => PLAIN_REGION,
            };
            let to = lane.next.saturating_add(wanted).min(lane.to);
            let mut region = Region { from: lane.next, to, walk: Walk::begin() };
            if self.region(&mut lane, &mut region).await? == End::NewFile {
                return Ok(End::NewFile);
            }
        }
        Ok(End::Filled)
    }

    fn cascades(&self) -> bool {
        !self.held && self.job.passes > 1
    }

    /// All passes over a region. The last one takes what is left, and only it moves the lane's cursor.
    async fn region(&mut self, lane: &mut Lane, region: &mut Region) -> Result<End, Error> {
        let passes = self.job.passes;
        let mut class = Class::Plain;
        if self.cascades() {
            let Some(first) = self.pass(lane, region, 0).await? else { return Ok(End::NewFile) };
            if !self.sparse(first, region.blocks()) {
                class = Class::Sweep;
                for residue in 1..passes {
                    if !self.cascades() {
                        class = Class::Plain;
                        break;
                    }
                    if self.pass(lane, region, residue).await?.is_none() {
                        return Ok(End::NewFile);
                    }
                }
            }
        }
        let Some(rows) = self.sweep(lane, region, class).await? else { return Ok(End::NewFile) };
        if class == Class::Plain && rows > region.blocks() {
            self.clean_up(region.blocks()).await?;
        }
        Ok(End::Filled)
    }

    /// Whether so few rows need work that one pass takes no more of each page than a residue does.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn sparse(&self, first: u64, blocks: u64) -> bool {
        let pass = blocks as f64 * self.job.rows_per_page / f64::from(self.job.passes);
        (first as f64) * f64::from(self.job.passes) <= 1.5 * pass
    }

    /// One residue of the region; the rows written, or `None` for a new file.
    async fn pass(&mut self, lane: &Lane, region: &mut Region, residue: u32) -> Result<Option<u64>, Error> {
        let of = self.job.passes;
        let class = if residue == 0 { Class::First } else { Class::Later };
        let part = Part::Residue { residue: signed(residue), of: signed(of) };
        let (mut at, mut rows, mut stayed, mut looked) = (region.from, 0, 0, false);
        while at < region.to {
            let Some((written, end)) = self.chunk(class, (at, region.to), part, lane).await? else { return Ok(None) };
            at = end;
            rows += written.rows;
            stayed += written.stayed;
            let blocks = region.blocks();
            let done = u64::from(residue) * blocks + (at - region.from);
            region.walk.tell(&self.job.progress, blocks, done, u64::from(of + 1) * blocks);
            let leaving = class == Class::Later && rows >= TELLING_ROWS && stayed * 2 < rows;
            if leaving && !looked && self.fruitless < LOOKS {
                looked = true;
                self.look().await?;
                if self.held {
                    return Ok(Some(rows));
                }
            }
        }
        if class == Class::Later && stayed * 2 >= rows {
            self.fruitless = 0;
        }
        Ok(Some(rows))
    }

    /// Rows leave their pages: because replaced versions cannot be pruned, or because they do not fit.
    async fn look(&mut self) -> Result<(), Error> {
        match self.job.horizon.settle().await? {
            Verdict::Free => self.fruitless += 1,
            Verdict::Cleared => self.region_chunks = (self.region_chunks * 2).min(MOST_REGION_CHUNKS),
            Verdict::Held => self.held = true,
        }
        Ok(())
    }

    /// What is left of the region; the rows written, or `None` for a new file.
    async fn sweep(&mut self, lane: &mut Lane, region: &mut Region, class: Class) -> Result<Option<u64>, Error> {
        let (passes, blocks) = (u64::from(self.job.passes), region.blocks());
        let mut rows = 0;
        while lane.next < region.to {
            let range = (lane.next, region.to);
            let Some((written, end)) = self.chunk(class, range, Part::Rest, lane).await? else { return Ok(None) };
            lane.next = end;
            rows += written.rows;
            let behind = end - region.from;
            let done = if class == Class::Plain { (passes + 1) * behind } else { passes * blocks + behind };
            region.walk.tell(&self.job.progress, blocks, done, (passes + 1) * blocks);
        }
        Ok(Some(rows))
    }

    async fn clean_up(&self, blocks: u64) -> Result<(), Error> {
        let due = (self.job.blocks / VACUUM_EVERY).max(PLAIN_REGION / 2);
        let unclean = self.job.unclean.fetch_add(blocks, Ordering::Relaxed) + blocks;
        if unclean < due {
            return Ok(());
        }
        self.job.unclean.store(0, Ordering::Relaxed);
        self.job.horizon.vacuum(&self.job.fill.table).await
    }

    /// One chunk from the range's begin on: what it did and where it ended. `None` for a new file.
    pub(super) async fn chunk(
        &mut self,
        class: Class,
        range: (u64, u64),
        part: Part,
        lane: &Lane,
    ) -> Result<Option<(Written, u64)>, Error> {
        let first_try = Instant::now();
        for attempt in 1_u32.. {
            if self.job.stop.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let blocks = self.sizer.blocks(class).min(range.1 - range.0);
            let end = range.0 + blocks;
            let job = Arc::clone(&self.job);
            // Only what takes every row may move the cursor, and never back.
            let next_block = if part == Part::Rest { end.max(lane.next) } else { lane.next };
            let mark = Mark { hold: job.hold, step: &job.step, lane: lane.number, next_block };
            failpoint::pass("chunk.before").await;
            let began = Instant::now();
            let done = self.chunks.run(&mut self.connection, Span::blocks(range.0, end), part, &mark).await;
            let took = began.elapsed();
            match done {
                Ok(Some(written)) => {
                    failpoint::pass("chunk.after").await;
                    self.sizer.observe(class, blocks, written.rows, took);
                    job.progress.chunk(&written, took);
                    self.rest(class, &written, took).await?;
                    return Ok(Some((written, end)));
                }
                Ok(None) => return self.lost(lane).await.map(|()| None),
                Err(error) => self.failed(error, attempt, first_try, (class, range.0, end), part, &mark).await?,
            }
        }
        Ok(None)
    }

    /// Pauses as politeness and the operator's limit have it.
    async fn rest(&mut self, class: Class, written: &Written, took: Duration) -> Result<(), Error> {
        let pause = self.pace.after(Kind::new(class.index()), written.rows, took);
        if let Some(limit) = &self.job.limit {
            self.sizer.limit_rows(limit.chunk_rows());
        }
        let resting = async {
            if pause > Duration::ZERO {
                tokio::time::sleep(pause).await;
            }
            if let Some(limit) = &self.job.limit {
                limit.spend(written.rows).await;
            }
        };
        metrics::gauge!("shoofly_backfill_load_ratio").set(self.pace.load());
        tokio::select! {
            biased;
            () = self.job.stop.cancelled() => Err(Error::Interrupted),
            () = resting => Ok(()),
        }
    }

    /// The chunk wrote nothing because the lane's row does not fit: `Ok` where the table has another file.
    async fn lost(&mut self, lane: &Lane) -> Result<(), Error> {
        let text = "SELECT epoch FROM shoofly.lane WHERE run = $1 AND step = $2 AND lane = $3";
        let (hold, step) = (self.job.hold, &self.job.step);
        let row = self
            .connection
            .query_opt(text, &[&hold.run, &step.0, &lane.number])
            .await
            .map_err(|error| error.doing("read the lane of the fill"))?;
        if row.is_some_and(|row| row.get::<_, i64>(0) == hold.epoch) {
            return Ok(());
        }
        Err(Error::Busy(vec![Problem {
            what: "another process took the run over".to_owned(),
            place: format!("run {}, step {step}", hold.run),
            why: "one process at a time fills".to_owned(),
            advice: "let the other one finish".to_owned(),
        }]))
    }

    /// `Ok` where the chunk is to be tried again.
    async fn failed(
        &mut self,
        error: DbError,
        attempt: u32,
        first_try: Instant,
        (class, from, end): (Class, u64, u64),
        part: Part,
        mark: &Mark<'_>,
    ) -> Result<(), Error> {
        let doing = || format!("fill {}", self.job.fill.table.display());
        match error.kind {
            DbErrorKind::LockTimeout | DbErrorKind::Deadlock if first_try.elapsed() < self.job.give_up_after => {
                metrics::counter!("shoofly_backfill_chunks_total", "outcome" => "conflict").increment(1);
                self.sizer.shrink(class);
                self.job.wait_for_lock(&error, attempt).await
            }
            DbErrorKind::Data | DbErrorKind::Constraint | DbErrorKind::Other => {
                Err(self.culprits(error, (from, end), part, mark).await)
            }
            _ => Err(error.doing(doing())),
        }
    }
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
