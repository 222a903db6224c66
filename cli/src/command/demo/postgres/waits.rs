//! Who waits for us, as the server sees it.

use super::database::Database;
use crate::command::demo::waits::{Look, Waited};

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

impl Look for Database {
    async fn look(&mut self) -> anyhow::Result<Waited> {
        let row = self.row(WAITS).await?;
        Ok(Waited { table_ms: row.get(0), row_ms: row.get(1) })
    }
}
