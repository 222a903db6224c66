//! Copying or filling the rows that exist: pieces of the key's range, chunk by chunk, each chunk one transaction that records
//! itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::claim::Claim;
use super::ledger;
use crate::backend::crew;
use crate::backend::hold::{self, Hold};
use crate::backend::pace::Limit;
use crate::backend::progress::{Meter, Progress};
use crate::driver::mysql::{Session, Target};
use crate::error::Error;
use crate::event::{Event, Events};
use crate::plan::StepId;
use crate::settings::FillSettings;

mod deferred;
mod health;
mod lane;
mod manner;
mod pieces;
mod size;
mod work;

use health::Health;
use manner::{Inserting, Manners};
use pieces::Pieces;
pub(super) use work::Work;

/// What all lanes share.
#[derive(Debug)]
struct Job {
    hold: Hold,
    step: StepId,
    work: Work,
    target: Target,
    settings: FillSettings,
    /// How long to try again where somebody is in the way.
    give_up_after: Duration,
    events: Events,
    stop: CancellationToken,
    progress: Progress,
    limit: Option<Limit>,
    pieces: Mutex<Pieces>,
    manners: Manners,
    /// One for each lane.
    turns: Arc<Semaphore>,
    health: Health,
}

/// Works through every row that exists; goes on where the ledger's pieces stand.
///
/// # Locks
/// Row locks of one chunk at a time, shared for a copy and exclusive for a fill; rows that somebody holds are left out
/// and tried again at the end.
/// # Errors
/// Any; what was committed stays and is gone on from.
pub(super) async fn run(claim: &Claim, step: &StepId, work: Work) -> Result<(), Error> {
    let pieces = Pieces::read(&claim.session, claim.hold, step, &work).await?;
    let manners = Manners::of(&claim.session, &claim.quiet, &work).await;
    let manners = manners.map_err(|error| error.doing("look how the server counts"))?;
    let progress = Progress::default();
    progress.start(pieces.rows_done, pieces.rows_total, pieces.rows_written);
    let stop = claim.stop.child_token();
    let job = Arc::new(Job {
        hold: claim.hold,
        step: step.clone(),
        work,
        target: claim.target.clone(),
        settings: claim.settings.fill,
        give_up_after: claim.settings.locks.give_up_after,
        events: claim.events.clone(),
        stop: stop.clone(),
        progress,
        limit: claim.settings.fill.rate.map(Limit::new),
        pieces: Mutex::new(pieces),
        manners,
        turns: Arc::new(Semaphore::new(claim.settings.fill.lanes.get() as usize)),
        health: Health::new(),
    });
    let mut meter = Meter::new(&job.work.table().qualified(), &job.progress, Instant::now());
    let copied = tokio::select! {
        copied = all(&job, &mut meter) => copied,
        never = health::watch(&job) => match never {},
    };
    stop.cancel();
    job.events.emit(Event::FillProgress(meter.read(&job.progress, Instant::now())));
    copied
}

/// There is a session more than lanes, so that no lane waits for a commit where nobody writes.
async fn all(job: &Arc<Job>, meter: &mut Meter) -> Result<(), Error> {
    let mut sessions = JoinSet::new();
    for _ in 0..=job.settings.lanes.get() {
        sessions.spawn(lane::work(Arc::clone(job)));
    }
    job.progress.lanes(job.settings.lanes.get());
    attend(job, sessions, meter).await?;
    job.progress.lanes(0);
    let mut last = JoinSet::new();
    last.spawn(deferred::catch_up(Arc::clone(job)));
    attend(job, last, meter).await
}

async fn attend(job: &Job, set: JoinSet<Result<(), Error>>, meter: &mut Meter) -> Result<(), Error> {
    let report = || job.events.emit(Event::FillProgress(meter.read(&job.progress, Instant::now())));
    crew::attend(set, &job.stop, report, |()| ()).await
}

impl Job {
    /// A session that works through rows.
    async fn session(&self) -> Result<Session, Error> {
        let session = Session::connect(&self.target, self.work.purpose()).await?;
        self.health.know(&session);
        if let Some(text) = self.work.preparation() {
            session.execute(&text).await.map_err(|error| error.doing("prepare a session for the copy"))?;
        }
        Ok(session)
    }

    fn doing(&self) -> String {
        self.work.doing()
    }

    /// Waits a little, longer each time, and never in step with others.
    async fn back_off(&self, attempt: u32) -> Result<(), Error> {
        let jitter = u64::from(std::process::id() ^ attempt.wrapping_mul(2_654_435_761)) % 20;
        self.pause(Duration::from_millis(u64::from(attempt.min(20)) * 10 + jitter)).await
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Error::Interrupted),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    /// Another process has taken the run over.
    fn lost(&self) -> Error {
        hold::taken(self.hold.run, "another process took the run over")
    }
}

/// Rolls back; the connection may be gone, which does so too.
async fn roll_back(session: &Session) {
    ledger::abandon(session).await;
}
