//! Reading runs back.

use serde::Deserialize;

use crate::driver::postgres::Session;
use crate::error::DbError;
use crate::name::{QualifiedName, TableName};
use crate::run::{Direction, RunState, RunStatus};

const RUNS: &str = include_str!("runs.sql");

/// A run, as the ledger has it.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Id.
    pub id: i64,
    /// Migration.
    pub migration: String,
    /// Its checksum.
    pub checksum: String,
    /// Direction.
    pub direction: Direction,
    /// State.
    pub state: RunState,
    /// Tables.
    pub plan_tables: Vec<TableName>,
    /// What people want to know.
    pub status: RunStatus,
}

/// One row of `runs.sql`, as the server's JSON has it.
#[derive(Deserialize)]
struct Raw {
    id: i64,
    migration: String,
    checksum: String,
    direction: Direction,
    state: RunState,
    tables: Vec<QualifiedName>,
    steps_done: u32,
    steps_total: u32,
    current: Option<String>,
    blocks_done: u64,
    blocks_total: u64,
    rows_written: u64,
    held_by: Option<String>,
    last_error: Option<String>,
    began: String,
    ended: Option<String>,
}

/// Every run, oldest first.
///
/// # Errors
/// The server's; a missing ledger is one.
pub async fn runs(session: &Session) -> Result<Vec<RunRow>, DbError> {
    let rows = session.query(RUNS, &[]).await?;
    rows.iter()
        .map(|row| {
            let text: String = row.get(0);
            serde_json::from_str::<Raw>(&text).map(row_of).map_err(|error| DbError {
                kind: crate::error::DbErrorKind::Other,
                code: None,
                message: format!("the ledger holds a run that cannot be read: {error}"),
                detail: String::new(),
                statement: String::new(),
            })
        })
        .collect()
}

fn row_of(raw: Raw) -> RunRow {
    RunRow {
        id: raw.id,
        migration: raw.migration.clone(),
        checksum: raw.checksum.clone(),
        direction: raw.direction,
        state: raw.state,
        plan_tables: raw.tables.clone(),
        status: RunStatus {
            run: raw.id,
            migration: raw.migration,
            checksum: raw.checksum,
            state: raw.state,
            direction: raw.direction,
            tables: raw.tables,
            steps_done: raw.steps_done,
            steps_total: raw.steps_total,
            current: raw.current,
            blocks_done: raw.blocks_done,
            blocks_total: raw.blocks_total,
            rows_written: raw.rows_written,
            held_by: raw.held_by,
            last_error: raw.last_error,
            began: raw.began,
            ended: raw.ended,
        },
    }
}
