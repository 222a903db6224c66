//! Who waits for us, looked at from outside many times a second.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The longest waits of a client behind one of our sessions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Waited {
    /// For a table's lock, in milliseconds.
    pub(super) table_ms: f64,
    /// For a row's lock.
    pub(super) row_ms: f64,
}

/// Who looks.
pub(super) trait Look: Send + 'static {
    /// The longest present waits.
    ///
    /// # Errors
    /// What the server says.
    fn look(&mut self) -> impl Future<Output = anyhow::Result<Waited>> + Send;
}

/// The watch that is being kept.
pub(super) struct Watch {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<Waited>>,
}

/// Begins to watch.
pub(super) fn watch(mut look: impl Look) -> Watch {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move {
        let mut waited = Waited::default();
        while !stopped.is_cancelled() {
            let now = look.look().await?;
            waited.table_ms = waited.table_ms.max(now.table_ms);
            waited.row_ms = waited.row_ms.max(now.row_ms);
            tokio::time::sleep(LOOK).await;
        }
        Ok(waited)
    });
    Watch { stop, task }
}

impl Watch {
    /// Ends the watch.
    ///
    /// # Errors
    /// What the server said.
    pub(super) async fn end(self) -> anyhow::Result<Waited> {
        self.stop.cancel();
        self.task.await?
    }
}
