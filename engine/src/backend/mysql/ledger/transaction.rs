//! Transactions of the ledger alone.

use std::time::Duration;

use crate::driver::mysql::Session;
use crate::error::{DbError, DbErrorKind};
use crate::sql;
use crate::text::Sql;

/// How often a transaction of the ledger is begun that meets others, and how long is waited before the second time.
const TRIES: u32 = 10;
const BEFORE_NEXT_TRY: Duration = Duration::from_millis(10);

/// Runs statements of the ledger in a transaction of their own. Runs side by side may meet in the ledger's indexes: what the
/// server has rolled back for that is tried again.
pub(super) async fn transact(session: &Session, statements: &Sql) -> Result<(), DbError> {
    let text = sql!("START TRANSACTION; {statements}; COMMIT", statements = statements);
    let mut tries = 1;
    loop {
        let Err(error) = session.execute(text.as_str()).await else { return Ok(()) };
        abandon(session).await;
        if tries == TRIES || !matches!(error.kind, DbErrorKind::Deadlock | DbErrorKind::LockTimeout) {
            return Err(error);
        }
        tokio::time::sleep(BEFORE_NEXT_TRY * tries).await;
        tries += 1;
    }
}

/// Rolls back whatever transaction is open and gives back table locks; a connection that is gone has done so by itself.
pub(in crate::backend::mysql) async fn abandon(session: &Session) {
    if let Err(error) = session.execute("ROLLBACK; UNLOCK TABLES").await {
        tracing::debug!(%error, "rollback after an error");
    }
}
