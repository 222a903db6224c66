//! The backfill of existing rows: lanes fill ranges of blocks in short transactions, each of which records itself.
//!
//! A region of blocks is filled in several passes, a residue of each page's rows at a time. The first pass moves its rows off
//! their full pages; what it leaves behind is pruned, and the rows of later passes are replaced on their own page, without
//! touching any index. A last pass takes what is left and moves the cursor.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backend::crew;
use crate::backend::hold::Hold;
use crate::backend::pace::Limit;
use crate::backend::progress::{Meter, Progress};
use crate::driver::postgres::{Session, Target};
use crate::error::Error;
use crate::event::{Event, Events};
use crate::plan::{Fill, StepId};
use crate::settings::Settings;

mod bisect;
mod chunk;
mod deferred;
mod horizon;
mod lane;
mod patience;
mod pool;
mod ranges;
mod size;
pub(super) mod span;

use chunk::Texts;
use horizon::Horizon;
use lane::{End, Job};
use ranges::{Ground, Lane};

/// Passes over a region at most. More save little room on the pages and read each page once more.
const MOST_PASSES: u32 = 16;
/// Tables of fewer blocks are filled in one pass.
const SMALL: u64 = 16;

/// What a fill works with: it makes connections of its own.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Where to connect.
    pub target: &'a Target,
    /// Pace, lanes, rate.
    pub settings: &'a Settings,
    /// Where to report.
    pub events: &'a Events,
    /// Finish the chunk and stop.
    pub stop: &'a CancellationToken,
    /// The run, and the epoch under which it is held.
    pub hold: Hold,
}

/// Fills every row that exists; goes on where the ledger's lanes stand.
///
/// # Locks
/// `ROW EXCLUSIVE` on the table and locks of the rows of one chunk at a time; rows that somebody holds are skipped and tried
/// again at the end.
/// # Errors
/// Any; what was committed stays and is gone on from.
pub async fn run(cx: &Context<'_>, step: &StepId, fill: &Fill) -> Result<(), Error> {
    let texts = Texts::of(fill);
    loop {
        let control = Session::connect(cx.target, "fill control").await?;
        let ground = ranges::claim(&control, cx, step, fill).await?;
        let lanes = ground.lanes.clone();
        let stop = cx.stop.child_token();
        let job = Arc::new(job(cx, step, fill, &texts, (ground, control, stop.clone()))?);
        let mut meter = Meter::new(&fill.table, &job.progress, Instant::now());
        let ended = fill_all(&job, &lanes, &mut meter).await;
        stop.cancel();
        job.events.emit(Event::FillProgress(meter.read(&job.progress, Instant::now())));
        match ended? {
            End::Filled => return Ok(()),
            End::NewFile => {
                let text = format!("{} was rewritten by somebody; its fill starts again", fill.table.display());
                job.events.emit(Event::Notice { text });
            }
        }
    }
}

async fn fill_all(job: &Arc<Job>, lanes: &[Lane], meter: &mut Meter) -> Result<End, Error> {
    let workers = lanes.iter().filter(|lane| lane.next < lane.to).count();
    let wanted = usize::try_from(job.settings.lanes.get()).unwrap_or(workers);
    let mut set = JoinSet::new();
    for _ in 0..workers.min(wanted) {
        set.spawn(lane::work(Arc::clone(job)));
    }
    if attend(job, set, meter).await? == End::NewFile {
        return Ok(End::NewFile);
    }
    let Some(any) = lanes.first() else { return Ok(End::Filled) };
    // What is deferred lies behind the cursors, which stay where they are.
    let lane = Lane { next: any.to, ..any.clone() };
    let mut set = JoinSet::new();
    set.spawn(deferred::catch_up(Arc::clone(job), lane));
    attend(job, set, meter).await
}

/// Reports while the tasks work. The first that fails stops the others.
async fn attend(job: &Job, set: JoinSet<Result<End, Error>>, meter: &mut Meter) -> Result<End, Error> {
    let mut end = End::Filled;
    let report = || job.events.emit(Event::FillProgress(meter.read(&job.progress, Instant::now())));
    let ended = |one| {
        if one == End::NewFile {
            end = End::NewFile;
        }
    };
    crew::attend(set, &job.stop, report, ended).await?;
    Ok(end)
}

fn job(
    cx: &Context<'_>,
    step: &StepId,
    fill: &Fill,
    texts: &Texts,
    (ground, control, stop): (Ground, Session, CancellationToken),
) -> Result<Job, Error> {
    let settings = cx.settings.fill;
    let size = usize::try_from(settings.lanes.get()).unwrap_or(1);
    let progress = Progress::default();
    progress.start(ground.blocks - ground.blocks_left(), ground.blocks, ground.rows_written);
    Ok(Job {
        hold: cx.hold,
        step: step.clone(),
        fill: fill.clone(),
        texts: texts.clone(),
        settings,
        give_up_after: cx.settings.locks.give_up_after,
        events: cx.events.clone(),
        pool: pool::pool(cx.target, fill.user_triggers, size)?,
        progress,
        horizon: Horizon::new(control, cx.events, &stop, settings.horizon_wait),
        stop,
        limit: settings.rate.map(Limit::new),
        queue: Mutex::new(ground.lanes.iter().filter(|lane| lane.next < lane.to).cloned().collect()),
        blocks: ground.blocks,
        block_size: ground.block_size,
        rows_per_page: ground.rows_per_page,
        passes: passes(ground.blocks, ground.rows_per_page),
        unclean: AtomicU64::new(0),
    })
}

/// A pass for each row of a page at most.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 16")]
fn passes(blocks: u64, rows_per_page: f64) -> u32 {
    if blocks < SMALL {
        return 1;
    }
    rows_per_page.clamp(1.0, f64::from(MOST_PASSES)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_rows_get_fewer_passes_and_small_tables_one() {
        assert_eq!(passes(1000, 52.0), 16);
        assert_eq!(passes(1000, 7.4), 7);
        assert_eq!(passes(1000, 0.2), 1);
        assert_eq!(passes(3, 52.0), 1);
    }
}
