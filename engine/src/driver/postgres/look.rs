//! Who is in the way: read-only looks at other sessions.

use std::time::Duration;

use tokio_postgres::Row;

use super::Session;
use crate::error::{Blocker, DbError, DbErrorKind};
use crate::name::{QualifiedName, TableName};
use crate::plan::Plan;
use crate::report::{InTheWay, Now, Replication, SeenLock, Sight, TableNow, locked};

const BLOCKERS: &str = include_str!("../../dialect/postgres/read/blockers.sql");
const LOCKS_NOW: &str = include_str!("../../dialect/postgres/read/locks_now.sql");
const TABLES_NOW: &str = include_str!("../../dialect/postgres/read/tables_now.sql");
const END_SESSION: &str = "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
WHERE a.pid = $1 AND a.backend_type = 'client backend'
  AND clock_timestamp() - coalesce(a.xact_start, a.query_start) >= make_interval(secs => $2)";
const OLD_SNAPSHOTS: &str = include_str!("../../dialect/postgres/read/old_snapshots.sql");

/// Sessions that would make a lock on `tables` that conflicts with reads or writes wait: holders of SHARE UPDATE EXCLUSIVE or
/// stronger, autovacuum included, and transactions older than `patience` that hold any lock on them. Oldest first.
///
/// # Errors
/// The server's.
pub async fn blockers(
    session: &Session,
    tables: &[TableName],
    patience: Duration,
    own_pids: &[i32],
) -> Result<Vec<Blocker>, DbError> {
    let schemas: Vec<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let rows = session.query(BLOCKERS, &[&schemas, &names, &patience.as_secs_f64(), &own_pids]).await?;
    Ok(rows.iter().map(blocker).collect())
}

/// Ends a session, if its transaction is the one that was seen, or another one as old: whether there was one.
///
/// # Errors
/// The server's: without the right to (`pg_signal_backend`, or the session's own role), nothing happens.
pub async fn end(session: &Session, blocker: &Blocker, after: Option<Duration>) -> Result<bool, DbError> {
    let after = after.unwrap_or_default().as_secs_f64();
    let rows = session.query(END_SESSION, &[&blocker.pid, &after]).await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// Whoever may still see the database as it was before the transaction `xid` (an `xid8` as text). Oldest first.
///
/// # Errors
/// The server's.
pub async fn snapshots_older_than(session: &Session, xid: &str, own_pids: &[i32]) -> Result<Vec<Blocker>, DbError> {
    let rows = session.query(OLD_SNAPSHOTS, &[&xid, &own_pids]).await?;
    Ok(rows.iter().map(blocker).collect())
}

/// What the server is like for a plan: who is in the way of its locks, and how large its tables are. A transaction that is
/// younger than `patience` and holds only a weak lock is in nobody's way.
///
/// Locks: none that anybody waits for.
///
/// # Errors
/// The server's.
pub async fn now(session: &Session, plan: &Plan, patience: Duration) -> Result<Now, DbError> {
    let relations = locked(plan);
    let schemas: Vec<&str> = relations.iter().map(|(name, _)| name.schema.as_str()).collect();
    let names: Vec<&str> = relations.iter().map(|(name, _)| name.name.as_str()).collect();
    let mut sessions = Vec::new();
    for row in session.query(LOCKS_NOW, &[&schemas, &names, &patience.as_secs_f64()]).await? {
        InTheWay::gather(&mut sessions, in_the_way(&row)?);
    }
    let rows = session.query(TABLES_NOW, &[&schemas, &names]).await?;
    let now = Now {
        sight: Sight::Locks,
        sessions: Vec::new(),
        more: 0,
        tables: rows.iter().map(table_now).collect::<Result<_, _>>()?,
        replication: Replication::CARRIES_RESULTS,
    };
    Ok(now.with_sessions(sessions))
}

fn in_the_way(row: &Row) -> Result<InTheWay, DbError> {
    let pid: Option<i32> = row.get("pid");
    let granted: bool = row.get("granted");
    let lock = SeenLock { relation: Some(relation(row)?), mode: row.get("mode"), waited_for: !granted };
    Ok(InTheWay {
        connection: pid.and_then(|pid| u64::try_from(pid).ok()),
        user: row.get("account"),
        program: row.get("program"),
        state: row.get("state"),
        transaction_age: row.get("age"),
        statement: row.get("statement"),
        locks: vec![lock],
    })
}

fn table_now(row: &Row) -> Result<TableNow, DbError> {
    let number = |name: &str| u64::try_from(row.get::<_, i64>(name)).unwrap_or(0);
    Ok(TableNow {
        table: relation(row)?,
        rows: number("rows"),
        data_bytes: number("data_bytes"),
        index_bytes: number("index_bytes"),
        row_versions: None,
    })
}

fn relation(row: &Row) -> Result<QualifiedName, DbError> {
    let name = |column: &str| {
        row.get::<_, String>(column).parse().map_err(|error: crate::name::IdentError| DbError {
            kind: DbErrorKind::Other,
            code: None,
            message: error.to_string(),
            detail: String::new(),
            statement: String::new(),
        })
    };
    Ok(QualifiedName::new(name("schema")?, name("relation")?))
}

fn blocker(row: &Row) -> Blocker {
    Blocker {
        pid: row.get("pid"),
        user: row.get("role"),
        application: row.get("application"),
        state: row.get("state"),
        transaction_age: row.get("age"),
        query: row.get("query"),
        holds: row.get("holds"),
    }
}
