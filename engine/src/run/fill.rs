//! The backfill of existing rows.

use tokio_util::sync::CancellationToken;

use crate::driver::postgres::Target;
use crate::error::Error;
use crate::event::Events;
use crate::ledger::Hold;
use crate::plan::{Fill, StepId};
use crate::settings::Settings;

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
/// # Errors
/// Any; what was committed stays and is gone on from.
pub async fn run(cx: &Context<'_>, step: &StepId, fill: &Fill) -> Result<(), Error> {
    let _ = (cx, step, fill);
    Err(Error::Interrupted)
}
