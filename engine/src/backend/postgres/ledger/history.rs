//! Reading runs back.

use crate::driver::postgres::Session;
use crate::error::{DbError, DbErrorKind};
use crate::run::RunStatus;

const RUNS: &str = include_str!("runs.sql");

/// Every run, oldest first.
///
/// # Errors
/// The server's; a missing ledger is one.
pub async fn runs(session: &Session) -> Result<Vec<RunStatus>, DbError> {
    let rows = session.query(RUNS, &[]).await?;
    rows.iter().map(|row| serde_json::from_str(row.get(0)).map_err(|error| unreadable(&error))).collect()
}

fn unreadable(error: &serde_json::Error) -> DbError {
    DbError {
        kind: DbErrorKind::Other,
        code: None,
        message: format!("the ledger holds a run that cannot be read: {error}"),
        detail: String::new(),
        statement: String::new(),
    }
}
