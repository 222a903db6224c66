//! Waiting until no transaction is left that began before a moment: it might see the new table half filled, or not at all.

use std::time::{Duration, Instant};

use super::claim::Claim;
use super::guard::blocker;
use super::ledger;
use crate::dialect::mysql::lock;
use crate::error::{Blocker, Error};
use crate::event::Event;
use crate::plan::{LockMode, StepId};

const LOOK_EVERY: Duration = Duration::from_millis(100);
const SAY_EVERY: Duration = Duration::from_secs(2);

impl Claim {
    /// Waits for the transactions that are open at this moment.
    ///
    /// # Errors
    /// [`Error::Lock`] with whoever is left after `give_up_after`; [`Error::Interrupted`].
    pub(super) async fn await_snapshots(&self, step: &StepId) -> Result<(), Error> {
        let failed = |error: crate::error::DbError| error.doing(format!("run step {step}"));
        // The server tells when a transaction began in whole seconds: one that began within this second counts as earlier.
        let moment = self.session.rows("SELECT NOW()").await.map_err(failed)?;
        let moment = ledger::first(&moment).unwrap_or_default().to_owned();
        let ours = [self.session.id(), self.watcher.id()];
        let text = lock::transactions_before(&moment, &ours);
        let began = Instant::now();
        let mut said: Option<Instant> = None;
        loop {
            if self.stop.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let seen = match self.session.rows(text.as_str()).await {
                Err(error) if error.is_unshowable() => None,
                rows => Some(rows.map_err(failed)?),
            };
            let shown = seen.is_some();
            let left: Vec<Blocker> = seen.unwrap_or_default().into_iter().filter_map(blocker).collect();
            if shown && left.is_empty() {
                return Ok(());
            }
            let waited = began.elapsed();
            if waited >= self.settings.locks.give_up_after {
                return Err(self.outwaited(step, waited, left).await);
            }
            if waited > SAY_EVERY && said.is_none_or(|at| at.elapsed() > SAY_EVERY) {
                said = Some(Instant::now());
                let who = left.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n    ");
                let text = format!("waiting for transactions that began before the copy was whole:\n    {who}");
                self.events.emit(Event::Notice { text });
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Error::Interrupted),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn outwaited(&self, step: &StepId, waited: Duration, in_the_way: Vec<Blocker>) -> Error {
        let runs = ledger::runs(&self.session).await.unwrap_or_default();
        let own = runs.into_iter().find(|run| run.run == self.hold.run);
        let unnamed = || crate::name::Ident::derived("unknown", &[]);
        let table = own.and_then(|run| run.tables.into_iter().next());
        Error::Lock {
            step: step.clone(),
            table: table.unwrap_or_else(|| crate::name::TableName::new(unnamed(), unnamed())),
            mode: LockMode::MetadataExclusive,
            attempts: 0,
            waited,
            in_the_way,
        }
    }
}
