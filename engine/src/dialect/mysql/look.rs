//! Who holds or waits for metadata locks, for people: read-only, and nothing is waited for.
//!
//! Each query answers: connection, `user@host`, program, state, age of the transaction in seconds (or nothing), statement; then
//! the lock's mode, `GRANTED` or `PENDING`, database and table (all of them nothing where the server does not tell).

use super::lock::named;
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::text::Sql;

/// Longest statement that is shown, in characters.
const STATEMENT: u32 = 120;
/// Sessions with locks that are read at most.
const MOST: u32 = 1000;

/// Whether ages of transactions may be asked for: the right PROCESS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ages {
    /// From `information_schema.innodb_trx`.
    Seen,
    /// Without.
    Unseen,
}

impl Ages {
    /// The age, and the table that it is from, for a processlist id.
    fn sql(self, id: &str) -> (Sql, Sql) {
        match self {
            Self::Unseen => (Sql::raw("NULL"), Sql::raw("")),
            Self::Seen => (
                Sql::raw(AGE),
                sql!("LEFT JOIN information_schema.innodb_trx AS x ON x.trx_mysql_thread_id = {id}", id = Sql::raw(id)),
            ),
        }
    }
}

const AGE: &str =
    "GREATEST(0, TIMESTAMPDIFF(MICROSECOND, CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00'), NOW(6)) / 1000000)";

/// From `performance_schema`, where its instrument for metadata locks is on.
///
/// Lock: none.
#[must_use]
pub fn instrumented(tables: &[TablePath], ages: Ages) -> Sql {
    let (age, transactions) = ages.sql("p.PROCESSLIST_ID");
    sql!(
        "SELECT p.PROCESSLIST_ID, CONCAT(COALESCE(p.PROCESSLIST_USER, ''), '@', COALESCE(p.PROCESSLIST_HOST, '')), \
         (SELECT a.ATTR_VALUE FROM performance_schema.session_connect_attrs AS a \
         WHERE a.PROCESSLIST_ID = p.PROCESSLIST_ID AND a.ATTR_NAME = 'program_name' LIMIT 1), \
         COALESCE(NULLIF(p.PROCESSLIST_STATE, ''), p.PROCESSLIST_COMMAND), {age}, \
         LEFT(COALESCE(p.PROCESSLIST_INFO, (SELECT s.SQL_TEXT FROM performance_schema.events_statements_current AS s \
         WHERE s.THREAD_ID = p.THREAD_ID ORDER BY s.EVENT_ID LIMIT 1)), {long}), \
         m.LOCK_TYPE, m.LOCK_STATUS, m.OBJECT_SCHEMA, m.OBJECT_NAME \
         FROM performance_schema.metadata_locks AS m \
         JOIN performance_schema.threads AS p ON p.THREAD_ID = m.OWNER_THREAD_ID {transactions} \
         WHERE m.OBJECT_TYPE = 'TABLE' AND ({named}) AND p.PROCESSLIST_ID <> CONNECTION_ID() LIMIT {most}",
        age = age,
        transactions = transactions,
        long = STATEMENT,
        named = named("m.OBJECT_SCHEMA", "m.OBJECT_NAME", tables),
        most = MOST,
    )
}

/// From MariaDB's plugin `metadata_lock_info`. It shows locks that are held; whoever waits is known by the state of its session.
///
/// Lock: none.
#[must_use]
pub fn plugged_in(tables: &[TablePath], ages: Ages) -> Sql {
    let (age, transactions) = ages.sql("p.ID");
    // Without the right PROCESS the other sessions are hidden, and their locks are not.
    let about = sql!(
        "COALESCE(CONCAT(p.USER, '@', REGEXP_REPLACE(p.HOST, ':[0-9]+$', '')), 'somebody'), NULL, \
         COALESCE(NULLIF(p.STATE, ''), p.COMMAND, 'hidden from this user'), {age}, LEFT(p.INFO, {long})",
        age = age,
        long = STATEMENT,
    );
    sql!(
        "SELECT m.THREAD_ID, {about}, REPLACE(m.LOCK_MODE, 'MDL_', ''), 'GRANTED', m.TABLE_SCHEMA, m.TABLE_NAME \
         FROM information_schema.metadata_lock_info AS m \
         LEFT JOIN information_schema.PROCESSLIST AS p ON p.ID = m.THREAD_ID {transactions} \
         WHERE m.LOCK_TYPE = 'Table metadata lock' AND ({named}) AND m.THREAD_ID <> CONNECTION_ID() \
         UNION ALL SELECT p.ID, {about}, 'a metadata lock', 'PENDING', NULL, NULL \
         FROM information_schema.PROCESSLIST AS p {transactions} \
         WHERE p.STATE LIKE 'Waiting for table%lock' AND p.ID <> CONNECTION_ID() LIMIT {most}",
        about = about,
        transactions = transactions,
        named = named("m.TABLE_SCHEMA", "m.TABLE_NAME", tables),
        most = MOST,
    )
}

/// Transactions that are older than a second, and sessions that wait for a metadata lock: where nothing tells who holds which.
///
/// Lock: none.
#[must_use]
pub fn transactions() -> Sql {
    sql!(
        "SELECT p.ID, CONCAT(p.USER, '@', REGEXP_REPLACE(p.HOST, ':[0-9]+$', '')), NULL, COALESCE(NULLIF(p.STATE, ''), p.COMMAND), {age}, LEFT(p.INFO, {long}), \
         IF(p.STATE LIKE 'Waiting for table%lock', 'a metadata lock', NULL), 'PENDING', NULL, NULL \
         FROM information_schema.PROCESSLIST AS p \
         LEFT JOIN information_schema.innodb_trx AS x ON x.trx_mysql_thread_id = p.ID \
         WHERE p.ID <> CONNECTION_ID() AND (p.STATE LIKE 'Waiting for table%lock' \
         OR CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00') < NOW(6) - INTERVAL 1 SECOND) LIMIT {most}",
        age = Sql::raw(AGE),
        long = STATEMENT,
        most = MOST,
    )
}

/// Replicas that are connected.
///
/// Lock: none.
#[must_use]
pub fn replicas() -> &'static str {
    "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"
}

/// Whether there is a binary log, and whether the server instruments anything: `1` or `0` each.
///
/// Lock: none.
#[must_use]
pub fn switches() -> &'static str {
    "SELECT @@log_bin, @@performance_schema"
}
