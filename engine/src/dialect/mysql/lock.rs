//! Metadata locks: seeing who holds them before asking.
//!
//! Our sessions run in UTC; the server tells when transactions began in its system's time zone, in whole seconds.

use super::literal::Text;
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::text::Sql;

/// Fails with error 1242 while a transaction of somebody else's holds a lock on one of the tables, or a backup keeps everybody
/// from changing definitions (we would wait for its end with the table locked): as the first statement of a batch it ends it, and
/// nothing is asked for. For MySQL, which has no way of asking without waiting.
///
/// Lock: none.
#[must_use]
pub fn assert_nobody(tables: &[TablePath]) -> Sql {
    sql!(
        "SELECT IF((SELECT COUNT(*) FROM performance_schema.metadata_locks AS m \
         JOIN performance_schema.threads AS p ON p.THREAD_ID = m.OWNER_THREAD_ID \
         WHERE {in_the_way} AND p.PROCESSLIST_ID <> CONNECTION_ID() \
         AND m.LOCK_DURATION <> 'STATEMENT') = 0, 1, (SELECT 1 UNION SELECT 2))",
        in_the_way = in_the_way(tables),
    )
}

/// A condition that holds for each of the tables.
pub(super) fn named(schema: &str, name: &str, tables: &[TablePath]) -> Sql {
    let each: Vec<Sql> = tables
        .iter()
        .map(|table| {
            sql!(
                "({schema} = {d} AND {name} = {t})",
                schema = Sql::raw(schema),
                d = Text(table.database.as_str()),
                name = Sql::raw(name),
                t = Text(table.name.as_str()),
            )
        })
        .collect();
    if each.is_empty() { Sql::raw("FALSE") } else { Sql::join(&each, " OR ") }
}

/// Locks `m` on the tables, and `LOCK INSTANCE FOR BACKUP`.
fn in_the_way(tables: &[TablePath]) -> Sql {
    sql!(
        "(m.OBJECT_TYPE = 'TABLE' AND ({named}) OR m.OBJECT_TYPE = 'BACKUP LOCK' AND m.LOCK_TYPE = 'SHARED')",
        named = named("m.OBJECT_SCHEMA", "m.OBJECT_NAME", tables),
    )
}

/// What [`holders`] calls the object of a backup's lock.
pub const BACKUP: &str = "the server (LOCK INSTANCE FOR BACKUP)";

/// How [`holders`] ends what it says of a lock that is not held yet.
pub const WAITS: &str = "(waits for it)";

/// Who holds or waits for locks on the tables, oldest transaction first: id, user, state, age of the transaction in seconds,
/// statement, what is held.
///
/// Lock: none.
#[must_use]
pub fn holders(tables: &[TablePath]) -> Sql {
    sql!(
        "SELECT p.PROCESSLIST_ID, COALESCE(p.PROCESSLIST_USER, ''), \
         COALESCE((SELECT a.ATTR_VALUE FROM performance_schema.session_connect_attrs AS a \
         WHERE a.PROCESSLIST_ID = p.PROCESSLIST_ID AND a.ATTR_NAME = 'program_name' LIMIT 1), p.PROCESSLIST_HOST, ''), \
         COALESCE(p.PROCESSLIST_STATE, p.PROCESSLIST_COMMAND, ''), \
         COALESCE(TIMESTAMPDIFF(MICROSECOND, CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00'), NOW(6)) / 1000000, p.PROCESSLIST_TIME, 0), \
         COALESCE(LEFT(p.PROCESSLIST_INFO, 200), ''), \
         CONCAT(m.LOCK_TYPE, ' on ', COALESCE(m.OBJECT_NAME, '{backup}'), IF(m.LOCK_STATUS = 'PENDING', ' {waits}', '')) \
         FROM performance_schema.metadata_locks AS m \
         JOIN performance_schema.threads AS p ON p.THREAD_ID = m.OWNER_THREAD_ID \
         LEFT JOIN information_schema.innodb_trx AS x ON x.trx_mysql_thread_id = p.PROCESSLIST_ID \
         WHERE {in_the_way} AND p.PROCESSLIST_ID <> CONNECTION_ID() \
         ORDER BY 5 DESC LIMIT 20",
        backup = Sql::raw(BACKUP),
        waits = Sql::raw(WAITS),
        in_the_way = in_the_way(tables),
    )
}

/// Every transaction but ours, oldest first, in the form of [`holders`]: where the server does not tell who holds which lock.
///
/// Lock: none.
#[must_use]
pub fn transactions() -> Sql {
    Sql::raw(
        "SELECT p.ID, p.USER, p.HOST, COALESCE(NULLIF(p.STATE, ''), p.COMMAND), \
         TIMESTAMPDIFF(MICROSECOND, CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00'), NOW(6)) / 1000000, COALESCE(LEFT(p.INFO, 200), ''), \
         'a transaction (the server does not tell on which tables)' \
         FROM information_schema.INNODB_TRX AS x JOIN information_schema.PROCESSLIST AS p ON p.ID = x.trx_mysql_thread_id \
         WHERE p.ID <> CONNECTION_ID() ORDER BY x.trx_started LIMIT 20",
    )
}

/// What the connection of that id does at this moment: [`WAITING`] for a metadata lock, [`IDLE`], or anything else.
///
/// Lock: none.
#[must_use]
pub fn doing(connection: u64) -> Sql {
    sql!(
        "SELECT CASE WHEN COMMAND = 'Sleep' THEN '{idle}' WHEN STATE LIKE 'Waiting for %lock' THEN '{waiting}' ELSE 'works' END \
         FROM information_schema.PROCESSLIST WHERE ID = {id}",
        idle = Sql::raw(IDLE),
        waiting = Sql::raw(WAITING),
        id = connection,
    )
}

/// How [`doing`] says that a connection waits for a lock of tables, schemas, triggers, or against backups.
pub const WAITING: &str = "waits";
/// How [`doing`] says that the server waits for the connection's next statement.
pub const IDLE: &str = "idle";

/// Opens a transaction that the server lists, and that keeps no snapshot at `READ COMMITTED`.
///
/// Lock: `SHARED_READ` (metadata) on a table of the ledger, until the transaction or its session ends.
#[must_use]
pub fn open_transaction() -> &'static str {
    "START TRANSACTION; SELECT 1 FROM shoofly.run LIMIT 1"
}

/// Transactions of others that began before a moment of the server's clock, in the form of [`holders`], and before them the
/// session's own, where the server lists it.
///
/// The list is renewed only when nobody has read it for 100 ms. Where it has a transaction that was opened after the moment, it
/// is younger than the moment.
///
/// Lock: none.
#[must_use]
pub fn transactions_before(moment: &str, ours: &[u64]) -> Sql {
    let ours: Vec<String> = ours.iter().map(u64::to_string).collect();
    sql!(
        "SELECT p.ID, p.USER, p.HOST, COALESCE(NULLIF(p.STATE, ''), p.COMMAND), \
         TIMESTAMPDIFF(MICROSECOND, CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00'), NOW(6)) / 1000000, COALESCE(LEFT(p.INFO, 200), ''), \
         'a transaction that may not see the new table' \
         FROM information_schema.INNODB_TRX AS x JOIN information_schema.PROCESSLIST AS p ON p.ID = x.trx_mysql_thread_id \
         WHERE p.ID = CONNECTION_ID() \
         OR CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00') <= {moment} AND p.ID NOT IN ({ours}) \
         ORDER BY p.ID <> CONNECTION_ID(), x.trx_started LIMIT 20",
        moment = Text(moment),
        ours = Sql::raw(if ours.is_empty() { "0".to_owned() } else { ours.join(", ") }),
    )
}

/// A statement that does not wait for locks of rows, nor for those between rows: it fails at once (error 1205). On MySQL it may
/// wait: there the shortest time is a second.
///
/// Lock: the statement's.
#[must_use]
pub fn unwaited(product: Product, statement: &Sql) -> Sql {
    match product {
        Product::MySql => statement.clone(),
        Product::MariaDb => sql!("SET STATEMENT innodb_lock_wait_timeout = 0 FOR {s}", s = statement),
    }
}

/// The write lock by itself, to be given back with `UNLOCK TABLES`.
///
/// Lock: `EXCLUSIVE` (metadata) in effect.
#[must_use]
pub fn write(table: &TablePath) -> Sql {
    sql!("LOCK TABLES {t} WRITE; SET lock_wait_timeout = 1", t = table)
}

/// For as long as a lock is kept from one statement of ours to the next, an assignment for `SET`: the server takes it back where it
/// hears nothing for five seconds, as our machine, or the way to it, may be gone.
pub const HEARD_FROM: &str = "wait_timeout = 5";
/// At any other time, an assignment for `SET`: a week without a word is no reason to end a session.
pub const UNHEARD: &str = "wait_timeout = 604800";

/// Statements under one write lock: nobody writes between them, and the lock is asked for once.
///
/// The first statement shows whether somebody looks at the table's definition (`BACKUP LOCK`), which a write lock does not keep
/// them from: while nothing has changed, the batch may break off. From then on, whoever comes to look is waited for: MariaDB has
/// lost writes of an application whose table had got some of its triggers when a batch broke off.
///
/// Lock: `EXCLUSIVE` (metadata) in effect, from the first statement to the last.
#[must_use]
pub fn under(table: &TablePath, statements: &[Sql]) -> Sql {
    let (first, others) = statements.split_at(statements.len().min(1));
    let waits = [Sql::raw("SET lock_wait_timeout = 1")];
    let parts: Vec<Sql> = first.iter().chain(&waits).chain(others).cloned().collect();
    sql!("LOCK TABLES {t} WRITE; {parts}; UNLOCK TABLES", t = table, parts = Sql::join(&parts, "; "))
}
