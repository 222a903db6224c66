//! Holding a run: a session advisory lock says that a live process has it, the epoch keeps an earlier one from committing.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::fill;
use crate::backend::hold::{self, Hold};
use crate::driver::postgres::{Session, Target};
use crate::error::Error;
use crate::event::Events;
use crate::run::Engine;
use crate::settings::Settings;

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
        let hold = hold::acquire(&session, run, &engine.stop).await?;
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

    /// Connects again after that error and takes the run back.
    pub(super) async fn reconnect(&mut self, error: Error) -> Result<(), Error> {
        let connect = || Session::connect(&self.target, "conductor");
        let session = hold::reconnect(error, &self.events, &self.stop, connect).await?;
        let hold = hold::regain(&session, &self.session, self.hold, &self.stop).await?;
        (self.session, self.hold) = (session, hold);
        Ok(())
    }
}
