//! Who is in the way: read-only looks at other sessions.

use std::time::Duration;

use tokio_postgres::Row;

use super::Session;
use crate::error::{Blocker, DbError};
use crate::name::TableName;

const BLOCKERS: &str = include_str!("../../dialect/postgres/read/blockers.sql");
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

/// Whoever may still see the database as it was before the transaction `xid` (an `xid8` as text). Oldest first.
///
/// # Errors
/// The server's.
pub async fn snapshots_older_than(session: &Session, xid: &str, own_pids: &[i32]) -> Result<Vec<Blocker>, DbError> {
    let rows = session.query(OLD_SNAPSHOTS, &[&xid, &own_pids]).await?;
    Ok(rows.iter().map(blocker).collect())
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
