//! Who is in the way of a metadata lock.

use super::look;
use crate::dialect::mysql::lock;
use crate::dialect::mysql::look::Ages;
use crate::driver::mysql::Session;
use crate::error::{Blocker, DbError, DbErrorKind};
use crate::report::InTheWay;
use crate::schema::mysql::TablePath;
use crate::sql::mysql::mode::Product;

/// Whether a session of an application's has its lock: no backup's, and not one that waits for it as we do.
pub(super) fn holds(blocker: &Blocker) -> bool {
    !blocker.holds.ends_with(lock::WAITS) && !blocker.holds.ends_with(lock::BACKUP)
}

/// Who holds or waits for locks on the tables, the oldest first; nothing where the server does not tell.
pub(super) async fn holders(session: &Session, tables: &[TablePath]) -> Option<Vec<Blocker>> {
    let seen = match session.product() {
        Product::MySql => instrumented(session, tables).await,
        Product::MariaDb => looked_up(session, tables).await,
    };
    seen.unwrap_or_else(|error| {
        tracing::debug!(%error, "who holds a lock cannot be seen");
        None
    })
}

/// Whoever may be in the way: the holders, else every transaction.
pub(super) async fn in_the_way(session: &Session, tables: &[TablePath]) -> Vec<Blocker> {
    match holders(session, tables).await {
        Some(holders) => holders,
        None => transactions(session).await,
    }
}

/// Every transaction of others: one of them may be in the way.
pub(super) async fn transactions(session: &Session) -> Vec<Blocker> {
    let rows = session.rows(lock::transactions().as_str()).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "transactions cannot be seen");
        Vec::new()
    });
    rows.into_iter().filter_map(blocker).collect()
}

async fn instrumented(session: &Session, tables: &[TablePath]) -> Result<Option<Vec<Blocker>>, DbError> {
    match session.rows(lock::holders(tables).as_str()).await {
        Ok(rows) => Ok(Some(rows.into_iter().filter_map(blocker).collect())),
        Err(error) if matches!(error.kind, DbErrorKind::Privilege | DbErrorKind::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// By whatever MariaDB has for it. Who only waits is left out: the server does not say for which table.
async fn looked_up(session: &Session, tables: &[TablePath]) -> Result<Option<Vec<Blocker>>, DbError> {
    let Some(seen) = look::locks(session, tables, Ages::Seen).await? else { return Ok(None) };
    let mut holders: Vec<Blocker> = seen.into_iter().filter_map(holder).collect();
    holders.sort_by(|one, other| other.transaction_age.total_cmp(&one.transaction_age));
    Ok(Some(holders))
}

fn holder(session: InTheWay) -> Option<Blocker> {
    let granted = session.locks.iter().find(|lock| !lock.waited_for)?;
    let table = granted.relation.as_ref().map(|table| table.name.as_str().to_owned()).unwrap_or_default();
    Some(Blocker {
        pid: session.connection.and_then(|id| i32::try_from(id).ok()).unwrap_or(0),
        holds: format!("{} on {table}", granted.mode),
        user: session.user,
        application: session.program,
        state: session.state,
        transaction_age: session.transaction_age.unwrap_or(0.0),
        query: session.statement,
    })
}

/// A row of [`lock::holders`] and its kin.
pub(super) fn blocker(row: Vec<Option<String>>) -> Option<Blocker> {
    let [id, user, application, state, age, query, holds] = <[Option<String>; 7]>::try_from(row).ok()?;
    Some(Blocker {
        pid: id?.parse().unwrap_or(0),
        user: user.unwrap_or_default(),
        application: application.unwrap_or_default(),
        state: state.unwrap_or_default(),
        transaction_age: age.and_then(|age| age.parse().ok()).unwrap_or(0.0),
        query: query.unwrap_or_default(),
        holds: holds.unwrap_or_default(),
    })
}
