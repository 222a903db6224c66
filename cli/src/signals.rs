//! SIGINT and SIGTERM: the first asks for a stop after the chunk under way, the second breaks the chunk off.

use std::future::Future;

use shoofly_engine::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs `work`; the first signal cancels `stop` and calls `asked`, the second gives `work` up, so that its connections close
/// and what was not committed rolls back.
///
/// # Errors
/// Those of `work`; [`Error::Interrupted`] after the second signal.
pub(crate) async fn heeding<T>(
    stop: CancellationToken,
    asked: impl Fn(),
    work: impl Future<Output = Result<T, Error>>,
) -> anyhow::Result<T> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::pin!(work);
    tokio::select! {
        biased;
        result = &mut work => return Ok(result?),
        () = either(&mut interrupt, &mut terminate) => {}
    }
    stop.cancel();
    asked();
    tokio::select! {
        biased;
        result = &mut work => Ok(result?),
        () = either(&mut interrupt, &mut terminate) => Err(Error::Interrupted.into()),
    }
}

/// Waits for the first signal.
///
/// # Errors
/// That signals cannot be listened for.
pub(crate) async fn any() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    either(&mut interrupt, &mut terminate).await;
    Ok(())
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
