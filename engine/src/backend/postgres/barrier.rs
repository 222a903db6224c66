//! Waiting until no snapshot is left that was taken before the fill ended: its owner would read NULL where the new column is
//! already the only one.

use std::time::{Duration, Instant};

use super::claim::Claim;
use crate::driver::postgres::look;
use crate::error::{Blocker, Error};
use crate::event::Event;
use crate::plan::StepId;

const LOOK_EVERY: Duration = Duration::from_millis(100);
const SAY_EVERY: Duration = Duration::from_secs(2);

/// Waits for the owners of snapshots that are older than this moment. A transaction that began later saw the filled rows, so
/// only those seen now are waited for.
pub(super) async fn wait(claim: &Claim, step: &StepId) -> Result<(), Error> {
    let row = claim
        .session
        .query_one("SELECT pg_current_xact_id()::text", &[])
        .await
        .map_err(|error| error.doing(format!("run step {step}")))?;
    let fill_ended: String = row.get(0);
    let began = Instant::now();
    let mut first: Option<Vec<Blocker>> = None;
    let mut said: Option<Instant> = None;
    loop {
        if claim.stop.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let own = [claim.session.backend_pid()];
        let seen = look::snapshots_older_than(&claim.session, &fill_ended, &own)
            .await
            .map_err(|error| error.doing(format!("run step {step}")))?;
        let at_first = first.get_or_insert_with(|| seen.clone());
        let waited = began.elapsed();
        let left: Vec<&Blocker> = seen.iter().filter(|blocker| was_there(at_first, blocker, waited)).collect();
        if left.is_empty() {
            return Ok(());
        }
        if said.is_none_or(|at| at.elapsed() > SAY_EVERY) {
            said = Some(Instant::now());
            let who = left.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n    ");
            claim.events.emit(Event::Notice { text: format!("waiting for snapshots older than the fill:\n    {who}") });
        }
        tokio::select! {
            biased;
            () = claim.stop.cancelled() => return Err(Error::Interrupted),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// The same transaction as at the first look: that session, and begun before it.
fn was_there(at_first: &[Blocker], blocker: &Blocker, waited: Duration) -> bool {
    at_first.iter().any(|known| known.pid == blocker.pid) && blocker.transaction_age >= waited.as_secs_f64() * 0.9
}
