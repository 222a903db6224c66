//! Who waits for us, looked at from outside many times a second.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::database::Database;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Longest present wait of a client behind one of our sessions, in milliseconds: for a table's lock, and for a row's.
const WAITS: &str = "
SELECT COALESCE(max(length) FILTER (WHERE locktype = 'relation'), 0)::float8,
       COALESCE(max(length) FILTER (WHERE locktype <> 'relation'), 0)::float8
FROM (
    SELECT w.locktype, extract(epoch FROM clock_timestamp() - w.waitstart) * 1000 AS length
    FROM pg_locks w JOIN pg_stat_activity client ON client.pid = w.pid
    WHERE NOT w.granted AND client.application_name = 'pgbench'
      AND EXISTS (SELECT FROM pg_stat_activity ours
                  WHERE ours.application_name LIKE 'shoofly%' AND ours.pid = ANY (pg_blocking_pids(w.pid)))
) waits";

/// The longest waits that were seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Waited {
    /// For a table's lock, in milliseconds.
    pub(super) table_ms: f64,
    /// For a row's lock.
    pub(super) row_ms: f64,
    /// Looks taken.
    pub(super) looks: u64,
}

/// The watch that is being kept.
pub(super) struct Watch {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<Waited>>,
}

/// Begins to watch.
pub(super) fn watch(database: Database) -> Watch {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move {
        let mut waited = Waited::default();
        while !stopped.is_cancelled() {
            let row = database.row(WAITS).await?;
            waited.table_ms = waited.table_ms.max(row.get(0));
            waited.row_ms = waited.row_ms.max(row.get(1));
            waited.looks += 1;
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
