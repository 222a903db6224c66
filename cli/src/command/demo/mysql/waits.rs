//! Who waits for us, as the server sees it.

use shoofly_sandbox::{Product, Server};

use super::database::Database;
use super::stage::APP;
use crate::command::demo::waits::{Look, Waited};

/// Longest present wait of the application in milliseconds: for a table's (metadata) lock, which nobody else makes it wait for,
/// and for the lock of a row that another user holds.
const MYSQL: &str = "
SELECT COALESCE(MAX(IF(t.PROCESSLIST_STATE = 'Waiting for table metadata lock', s.TIMER_WAIT, 0)), 0) / 1e9,
       COALESCE(MAX(IF(EXISTS (SELECT 1 FROM performance_schema.data_lock_waits w
                               JOIN performance_schema.threads ours ON ours.THREAD_ID = w.BLOCKING_THREAD_ID
                               WHERE w.REQUESTING_THREAD_ID = t.THREAD_ID AND ours.PROCESSLIST_USER <> 'bank'),
                       s.TIMER_WAIT, 0)), 0) / 1e9
FROM performance_schema.threads t JOIN performance_schema.events_statements_current s ON s.THREAD_ID = t.THREAD_ID
WHERE t.PROCESSLIST_USER = 'bank' AND t.PROCESSLIST_COMMAND IN ('Query', 'Execute') AND s.END_EVENT_ID IS NULL";

/// The same of MariaDB.
const MARIADB: &str = "
SELECT COALESCE(MAX(IF(p.STATE = 'Waiting for table metadata lock', p.TIME_MS, 0)), 0),
       COALESCE(MAX(IF(EXISTS (SELECT 1 FROM information_schema.INNODB_LOCK_WAITS w
                               JOIN information_schema.INNODB_TRX waiting ON waiting.trx_id = w.requesting_trx_id
                               JOIN information_schema.INNODB_TRX holding ON holding.trx_id = w.blocking_trx_id
                               JOIN information_schema.PROCESSLIST ours ON ours.ID = holding.trx_mysql_thread_id
                               WHERE waiting.trx_mysql_thread_id = p.ID AND ours.USER <> 'bank'), p.TIME_MS, 0)), 0)
FROM information_schema.PROCESSLIST p WHERE p.USER = 'bank' AND p.COMMAND IN ('Query', 'Execute')";

/// A connection that looks.
pub(in crate::command::demo) struct Looker {
    root: Database,
    query: &'static str,
}

impl Looker {
    /// Connects.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn open(server: &Server) -> anyhow::Result<Self> {
        let query = match server.installation().product() {
            Product::MySql => MYSQL,
            Product::MariaDb | Product::Postgres => MARIADB,
        };
        Ok(Self { root: Database::open(&server.url(APP)).await?, query })
    }
}

impl Look for Looker {
    async fn look(&mut self) -> anyhow::Result<Waited> {
        let [table_ms, row_ms]: [Option<String>; 2] = self.root.row(self.query).await?;
        let number = |text: Option<String>| text.unwrap_or_default().parse::<f64>();
        Ok(Waited { table_ms: number(table_ms)?, row_ms: number(row_ms)? })
    }
}
