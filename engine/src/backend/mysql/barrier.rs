//! Waiting until no transaction is left that began before a moment: it might see the new table half filled, or not at all.

use std::time::{Duration, Instant};

use super::claim::Claim;
use super::guard::jitter;
use super::holders::blocker;
use super::ledger;
use crate::dialect::mysql::lock;
use crate::driver::mysql::Session;
use crate::error::{Blocker, DbError, Error};
use crate::event::Event;
use crate::failpoint;
use crate::plan::StepId;
use crate::text::Sql;

/// Milliseconds between two looks, or up to twice as many. The server renews its list of transactions only where nobody has read
/// it for 100 ms: with pauses that differ, those who look do not keep each other from seeing anything new.
const PAUSES: [u64; 4] = [110, 220, 440, 600];
const SAY_EVERY: Duration = Duration::from_secs(2);

/// What the server's list says.
enum Seen {
    /// It may be older than the moment.
    Nothing,
    /// Those who are left.
    Left(Vec<Blocker>),
}

impl Claim {
    /// Waits for the transactions that are open at this moment.
    ///
    /// Lock: `SHARED_READ` (metadata) on a table of the ledger, for each look.
    ///
    /// # Errors
    /// [`Error::Outwaited`] with whoever is left after `give_up_after`; [`Error::Interrupted`].
    pub(super) async fn await_snapshots(&self, step: &StepId) -> Result<(), Error> {
        let failed = |error: DbError| error.doing(format!("run step {step}"));
        // The server tells when a transaction began in whole seconds: one that began within this second counts as earlier.
        let moment = self.session.rows("SELECT NOW()").await.map_err(failed)?;
        let moment = ledger::first(&moment).unwrap_or_default().to_owned();
        // A session that nobody has seen before the moment.
        let session = Session::connect(&self.target, "barrier").await?;
        let text = lock::transactions_before(&moment, &[self.session.id(), self.watcher.id()]);
        failpoint::pass("barrier.look").await;
        let began = Instant::now();
        let mut said: Option<Instant> = None;
        let mut looks = 0;
        loop {
            let left = match look(&session, &text).await.map_err(failed)? {
                Seen::Left(left) if left.is_empty() => return Ok(()),
                Seen::Left(left) => left,
                Seen::Nothing => Vec::new(),
            };
            let waited = began.elapsed();
            if waited >= self.settings.locks.give_up_after {
                return Err(Error::Outwaited { step: step.clone(), what: what(&left), waited, in_the_way: left });
            }
            if waited > SAY_EVERY && said.is_none_or(|at| at.elapsed() > SAY_EVERY) {
                said = Some(Instant::now());
                self.events.emit(Event::Notice { text: waiting(&left) });
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Error::Interrupted),
                () = tokio::time::sleep(pause(looks)) => {}
            }
            looks += 1;
        }
    }
}

fn pause(looks: u32) -> Duration {
    let least = PAUSES.get(looks as usize).copied().unwrap_or(PAUSES[PAUSES.len() - 1]);
    Duration::from_millis(least + jitter(looks) % least)
}

async fn look(session: &Session, text: &Sql) -> Result<Seen, DbError> {
    session.rows(lock::open_transaction()).await?;
    let seen = session.rows(text.as_str()).await;
    session.execute("COMMIT").await?;
    let rows = match seen {
        Err(error) if error.is_unshowable() => return Ok(Seen::Nothing),
        rows => rows?,
    };
    let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| is_of(row, session));
    if own.is_empty() {
        return Ok(Seen::Nothing);
    }
    Ok(Seen::Left(others.into_iter().filter_map(blocker).collect()))
}

fn is_of(row: &[Option<String>], session: &Session) -> bool {
    row.first().and_then(Option::as_deref) == Some(session.id().to_string().as_str())
}

fn waiting(left: &[Blocker]) -> String {
    let who: String = left.iter().map(|blocker| format!("\n    {blocker}")).collect();
    format!("waiting for {}{who}", what(left))
}

fn what(left: &[Blocker]) -> &'static str {
    if left.is_empty() {
        "the server to renew its list of transactions: it does where nobody has read information_schema.INNODB_TRX for 100 ms"
    } else {
        "transactions that began before the copy was whole"
    }
}
