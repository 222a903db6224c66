//! Holding a run: a named lock of the session says that a live process has it, the epoch keeps an earlier one from committing.

use tokio_util::sync::CancellationToken;

use super::beside::Proved;
use super::quiet;
use crate::backend::hold::{self, Hold};
use crate::driver::mysql::{Session, Target};
use crate::error::Error;
use crate::event::Events;
use crate::failpoint;
use crate::run::Engine;
use crate::settings::Settings;

/// A run held by this process, with the connection that holds it, and one that watches over it.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(super) session: Session,
    /// Sees whether the first one waits for a lock, and ends its statement.
    pub(super) watcher: Session,
    pub(super) hold: Hold,
    pub(super) target: Target,
    pub(super) settings: Settings,
    pub(super) events: Events,
    pub(super) stop: CancellationToken,
    /// Who writes to the table.
    pub(super) quiet: quiet::Known,
    pub(super) proved: Proved,
}

impl Claim {
    /// Takes the run over: waits for a dead holder's session to go, then raises the epoch.
    ///
    /// # Errors
    /// [`Error::Busy`] where a live process holds the run.
    pub(super) async fn take(session: Session, run: i64, engine: &Engine) -> Result<Self, Error> {
        let hold = hold::acquire(&session, run, &engine.stop).await?;
        failpoint::pass("run.held").await;
        let target = session.target().clone();
        let watcher = Session::connect(&target, "watcher").await?;
        Ok(Self {
            session,
            watcher,
            hold,
            target,
            settings: engine.settings.clone(),
            events: engine.events.clone(),
            stop: engine.stop.clone(),
            quiet: quiet::Known::default(),
            proved: Proved::default(),
        })
    }

    /// Connects again after that error and takes the run back.
    pub(super) async fn reconnect(&mut self, error: Error) -> Result<(), Error> {
        let both = || async {
            let session = Session::connect(&self.target, "conductor").await?;
            let watcher = Session::connect(&self.target, "watcher").await?;
            Ok((session, watcher))
        };
        let (session, watcher) = hold::reconnect(error, &self.events, &self.stop, both).await?;
        let hold = hold::regain(&session, &self.session, self.hold, &self.stop).await?;
        (self.session, self.watcher, self.hold) = (session, watcher, hold);
        // Nobody knows what has happened meanwhile.
        (self.quiet, self.proved) = Default::default();
        Ok(())
    }
}
