//! Rows that somebody held when their turn came.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Job, roll_back};
use crate::backend::mysql::holders::blocker;
use crate::backend::mysql::ledger;
use crate::dialect::mysql::key::Place;
use crate::dialect::mysql::literal::Text;
use crate::dialect::mysql::lock;
use crate::driver::mysql::Session;
use crate::error::{Blocker, DbError, DbErrorKind, Error};
use crate::event::Event;
use crate::failpoint;
use crate::plan::LockMode;
use crate::sql;

/// Rows taken up at a time.
const AT_ONCE: u32 = 500;
/// Between two tellings of who is in the way.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Works off what was deferred, again and again until nothing is left. Each row is a transaction of its own: it waits for whoever
/// holds the row and holds none meanwhile, so that nobody can wait for it in turn.
///
/// # Errors
/// [`Error::Lock`] with whoever is in the way, once the patience is used up.
pub(super) async fn catch_up(job: Arc<Job>) -> Result<(), Error> {
    let session = job.session().await?;
    let mut began = Instant::now();
    let mut told: Option<Instant> = None;
    for attempt in 1_u32.. {
        if job.stop.is_cancelled() {
            return Err(Error::Interrupted);
        }
        // The patience is for whoever locks rows.
        began += job.heed(Duration::ZERO).await?;
        let rows = job.deferred(&session).await?;
        if rows.is_empty() {
            break;
        }
        failpoint::pass("deferred.before").await;
        let mut left = 0_u64;
        for (id, place) in &rows {
            if !job.one(&session, *id, place).await? {
                left += 1;
            }
        }
        if left == 0 {
            continue;
        }
        if began.elapsed() >= job.give_up_after {
            return Err(job.given_up(&session, attempt, began.elapsed()).await);
        }
        if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            told = Some(Instant::now());
            let who: Vec<String> = holders(&session).await.iter().map(ToString::to_string).collect();
            let because = format!("{left} rows are locked, trying again: {}", who.join("; "));
            job.events.emit(Event::FillWaiting { because });
        }
        job.back_off(attempt).await?;
    }
    job.progress.caught_up();
    Ok(())
}

impl Job {
    async fn deferred(&self, session: &Session) -> Result<Vec<(i64, Place)>, Error> {
        let text = sql!(
            "SELECT id, place FROM shoofly.deferred WHERE run = {run} AND step = {step} ORDER BY id LIMIT {most}",
            run = self.hold.run,
            step = Text(&self.step.0),
            most = AT_ONCE,
        );
        let rows = session.rows(text.as_str()).await.map_err(|error| error.doing("read the deferred rows"))?;
        let pairs = rows.into_iter().filter_map(|row| <[Option<String>; 2]>::try_from(row).ok());
        Ok(pairs.filter_map(|[id, place]| Some((id?.parse().ok()?, serde_json::from_str(&place?).ok()?))).collect())
    }

    /// Whether the row is done, or gone.
    async fn one(&self, session: &Session, id: i64, place: &Place) -> Result<bool, Error> {
        if self.stop.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let text = sql!(
            "START TRANSACTION; {hold}; {one}; DELETE FROM shoofly.deferred WHERE id = {id}; COMMIT",
            hold = ledger::holding(session, self.hold),
            one = self.work.one(place),
            id = id,
        );
        let Err(error) = session.execute(text.as_str()).await else { return Ok(true) };
        roll_back(session).await;
        match error.kind {
            DbErrorKind::LockTimeout | DbErrorKind::Deadlock => Ok(false),
            _ if ledger::is_taken(&error) => Err(self.lost()),
            _ => Err(error.doing(self.doing())),
        }
    }

    async fn given_up(&self, session: &Session, attempts: u32, waited: Duration) -> Error {
        Error::Lock {
            step: self.step.clone(),
            table: self.work.table().qualified(),
            mode: LockMode::SharedWrite,
            attempts,
            waited,
            in_the_way: holders(session).await,
        }
    }
}

/// Every open transaction: which rows each has locked, the server does not tell cheaply.
async fn holders(session: &Session) -> Vec<Blocker> {
    let rows: Result<_, DbError> = session.rows(lock::transactions().as_str()).await;
    rows.unwrap_or_default().into_iter().filter_map(blocker).collect()
}
