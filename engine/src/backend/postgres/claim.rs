//! Holding a run: a session advisory lock says that a live process has it, the epoch keeps an earlier one from committing.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::fill;
use crate::backend::postgres::ledger::{self, Hold};
use crate::driver::postgres::{Session, Target};
use crate::error::{DbErrorKind, Error, Problem};
use crate::event::Events;
use crate::run::Engine;
use crate::settings::Settings;

/// How long a killed process's backend may take to notice.
const TAKE_OVER_WITHIN: Duration = Duration::from_secs(15);
/// Time between two tries.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// A run held by this process, with the connection that holds it.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(super) session: Session,
    pub(super) hold: Hold,
    pub(super) target: Target,
    pub(super) settings: Settings,
    pub(super) events: Events,
    pub(super) stop: CancellationToken,
    pub(super) deadlock_timeout: Duration,
}

impl Claim {
    /// Takes the run over: waits for a dead holder's backend to go, then raises the epoch.
    ///
    /// # Errors
    /// [`Error::Busy`] where a live process holds the run.
    pub(super) async fn take(session: Session, run: i64, engine: &Engine) -> Result<Self, Error> {
        let hold = acquire(&session, run, &engine.stop).await?;
        let rows = session
            .simple_rows("SELECT setting FROM pg_settings WHERE name = 'deadlock_timeout'")
            .await
            .map_err(|error| error.doing("read deadlock_timeout"))?;
        let milliseconds =
            rows.first().and_then(|row| row.first().cloned()).flatten().and_then(|text| text.parse().ok());
        Ok(Self {
            target: session.target().clone(),
            session,
            hold,
            settings: engine.settings.clone(),
            events: engine.events.clone(),
            stop: engine.stop.clone(),
            deadlock_timeout: Duration::from_millis(milliseconds.unwrap_or(1000)),
        })
    }

    /// What a fill needs to work for this run on connections of its own.
    pub(super) fn context(&self) -> fill::Context<'_> {
        fill::Context {
            target: &self.target,
            settings: &self.settings,
            events: &self.events,
            stop: &self.stop,
            hold: self.hold,
        }
    }

    /// Connects again and takes the run back, for as long as `within`; then the original error stands.
    pub(super) async fn reconnect(&mut self, error: Error, within: Duration) -> Result<(), Error> {
        let began = Instant::now();
        let mut wait = Duration::from_millis(100);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Error::Interrupted),
                () = tokio::time::sleep(wait) => {}
            }
            match Session::connect(&self.target, "conductor").await {
                Ok(session) => {
                    // Best effort: without the right to, the server notices the broken connection by itself a little later.
                    if let Err(error) = ledger::end_backend(&session, self.hold, self.session.backend_pid()).await {
                        tracing::debug!(%error, "the earlier connection's backend was left alone");
                    }
                    let hold = acquire(&session, self.hold.run, &self.stop).await?;
                    if hold.epoch != self.hold.epoch + 1 {
                        return Err(taken(self.hold.run, "another process took the run over meanwhile"));
                    }
                    (self.session, self.hold) = (session, hold);
                    return Ok(());
                }
                Err(Error::Connect { source, .. }) if transient(source.kind) && began.elapsed() < within => {
                    wait = (wait * 2).min(Duration::from_secs(2));
                }
                Err(Error::Connect { .. }) => return Err(error),
                Err(other) => return Err(other),
            }
        }
    }
}

/// Whether a refused connection may be accepted a little later.
fn transient(kind: DbErrorKind) -> bool {
    matches!(kind, DbErrorKind::ConnectionLost | DbErrorKind::Unavailable | DbErrorKind::Other)
}

async fn acquire(session: &Session, run: i64, stop: &CancellationToken) -> Result<Hold, Error> {
    let began = Instant::now();
    while !ledger::try_lock(session, run).await.map_err(|error| error.doing("claim the run"))? {
        if began.elapsed() > TAKE_OVER_WITHIN {
            return Err(taken(run, &holder(session, run).await));
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Error::Interrupted),
            () = tokio::time::sleep(TRY_EVERY) => {}
        }
    }
    ledger::take_over(session, run).await.map_err(|error| error.doing("claim the run"))
}

async fn holder(session: &Session, run: i64) -> String {
    let runs = ledger::runs(session).await.unwrap_or_default();
    let holder = runs.into_iter().find(|known| known.run == run).and_then(|known| known.held_by);
    holder.map_or_else(|| "a live process holds it".to_owned(), |holder| format!("{holder} is running it"))
}

pub(super) fn taken(run: i64, what: &str) -> Error {
    Error::Busy(vec![Problem {
        what: what.to_owned(),
        place: format!("run {run}"),
        why: "one process at a time carries a run out".to_owned(),
        advice: "let it finish or stop it (SIGTERM), then run the same command again".to_owned(),
    }])
}
