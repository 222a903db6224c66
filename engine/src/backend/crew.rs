//! Tasks that work side by side at one thing.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Between two reports of progress.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Reports while the tasks work. The first that fails stops the others, and its error is the one that counts.
pub(in crate::backend) async fn attend<E: 'static>(
    mut set: JoinSet<Result<E, Error>>,
    stop: &CancellationToken,
    mut report: impl FnMut(),
    mut ended: impl FnMut(E),
) -> Result<(), Error> {
    let mut ticks = tokio::time::interval(REPORT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed: Option<Error> = None;
    loop {
        tokio::select! {
            joined = set.join_next() => match joined {
                None => break,
                Some(Ok(Ok(end))) => ended(end),
                Some(Ok(Err(error))) => {
                    stop.cancel();
                    // Those that stop because of the first say nothing about it.
                    if failed.as_ref().is_none_or(|known| matches!(known, Error::Interrupted)) {
                        failed = Some(error);
                    }
                }
                Some(Err(crashed)) => std::panic::resume_unwind(crashed.into_panic()),
            },
            _ = ticks.tick() => report(),
        }
    }
    failed.map_or(Ok(()), Err)
}
