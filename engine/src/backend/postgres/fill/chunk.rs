//! The statements of a chunk: one statement is one transaction that locks, writes and records.

use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::pool::Connection;
use super::span::Span;
use crate::backend::hold::Hold;
use crate::backend::progress::Written;
use crate::driver::postgres::classify;
use crate::error::DbError;
use crate::plan::{Fill, StepId};
use crate::sql;
use crate::text::Sql;

/// Which rows of the span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Those whose line pointer leaves this residue; what is locked is left for later.
    Residue { residue: i32, of: i32 },
    /// All that are left; what is locked is noted as deferred.
    Rest,
}

/// The row of the ledger that a chunk advances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark<'a> {
    pub(super) hold: Hold,
    pub(super) step: &'a StepId,
    pub(super) lane: i32,
    /// Everything below is filled or deferred once the chunk has committed.
    pub(super) next_block: u64,
}

/// The two statements, as text.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    residue: Sql,
    rest: Sql,
}

impl Texts {
    pub(super) fn of(fill: &Fill) -> Self {
        Self { residue: residue(fill), rest: rest(fill) }
    }
}

/// The statements, prepared on one connection.
#[derive(Debug, Clone)]
pub(super) struct Chunks {
    residue: Statement,
    rest: Statement,
}

impl Chunks {
    pub(super) async fn prepare(connection: &mut Connection, texts: &Texts) -> Result<Self, DbError> {
        let client = connection.client();
        let prepare = async |sql: &Sql| {
            let text = sql.as_str();
            client.prepare(text).await.map_err(|error| classify(&error, text))
        };
        Ok(Self { residue: prepare(&texts.residue).await?, rest: prepare(&texts.rest).await? })
    }

    /// Runs a chunk. `None` where the lane is no longer ours or the table has got another file: nothing was written.
    pub(super) async fn run(
        &self,
        connection: &mut Connection,
        span: Span,
        part: Part,
        mark: &Mark<'_>,
    ) -> Result<Option<Written>, DbError> {
        let next = i64::try_from(mark.next_block).unwrap_or(i64::MAX);
        let common: [&(dyn ToSql + Sync); 7] =
            [&span.from, &span.to, &mark.hold.run, &mark.step.0, &mark.lane, &mark.hold.epoch, &next];
        let client = connection.client();
        let row = match part {
            Part::Residue { residue, of } => {
                let mut all = common.to_vec();
                all.extend([&residue as &(dyn ToSql + Sync), &of]);
                client.query_opt(&self.residue, &all).await
            }
            Part::Rest => client.query_opt(&self.rest, &common).await,
        };
        let row = row.map_err(|error| classify(&error, "the fill's chunk"))?;
        let count = |row: &tokio_postgres::Row, at: usize| u64::try_from(row.get::<_, i64>(at)).unwrap_or(0);
        Ok(row.map(|row| Written { rows: count(&row, 0), stayed: count(&row, 1), deferred: count(&row, 2) }))
    }
}

/// The lane's row, locked: none where another process has raised the epoch, or where the table's file is a new one.
fn held(fill: &Fill) -> Sql {
    sql!(
        "SELECT FROM shoofly.lane WHERE run = $3 AND step = $4 AND lane = $5 AND epoch = $6 \
         AND relfilenode = pg_relation_filenode({table}::regclass) FOR NO KEY UPDATE",
        table = crate::text::Literal(sql!("{t}", t = fill.table).as_str()),
    )
}

fn assignments(fill: &Fill) -> Sql {
    let each: Vec<Sql> =
        fill.assignments.iter().map(|set| sql!("{c} = ({v}\n)", c = set.column, v = set.value)).collect();
    Sql::join(&each, ", ")
}

/// One residue of the rows of some blocks.
///
/// Rows are locked first and those that somebody holds are skipped, so that no deadlock can come of it. The residue is taken
/// from the line pointer (the last byte of a `tid`): it needs no key and spreads over each page.
///
/// Lock: `ROW EXCLUSIVE` on the table, row locks `FOR NO KEY UPDATE` until the statement's end.
fn residue(fill: &Fill) -> Sql {
    sql!(
        "WITH held AS MATERIALIZED ({held}), \
         written AS (UPDATE ONLY {t} SET {set} WHERE ctid = ANY (ARRAY(\
         SELECT ctid FROM ONLY {t} WHERE ctid >= $1 AND ctid < $2 AND get_byte(tidsend(ctid), 5) % $9::int = $8::int \
         AND ({pending}\n) AND (SELECT count(*) FROM held) = 1 FOR NO KEY UPDATE SKIP LOCKED)) RETURNING ctid), \
         told AS (SELECT count(*) AS rows, count(*) FILTER (WHERE ctid >= $1 AND ctid < $2) AS stayed FROM written) \
         {advance}, 0::bigint",
        held = held(fill),
        t = fill.table,
        set = assignments(fill),
        pending = fill.pending,
        advance = advance(),
    )
}

/// All rows of some blocks that are left; blocks of rows that somebody holds are noted, blocks without any are struck off.
///
/// Lock: as [`residue`].
fn rest(fill: &Fill) -> Sql {
    sql!(
        "WITH held AS MATERIALIZED ({held}), \
         due AS MATERIALIZED (SELECT ctid AS place FROM ONLY {t} WHERE ctid >= $1 AND ctid < $2 AND ({pending}\n) \
         AND (SELECT count(*) FROM held) = 1), \
         got AS MATERIALIZED (SELECT ctid AS place FROM ONLY {t} WHERE ctid = ANY (ARRAY(SELECT place FROM due)) \
         AND ({pending}\n) FOR NO KEY UPDATE SKIP LOCKED), \
         written AS (UPDATE ONLY {t} SET {set} WHERE ctid = ANY (ARRAY(SELECT place FROM got)) RETURNING ctid), \
         skipped AS MATERIALIZED (SELECT (place::text::point)[0]::bigint AS block \
         FROM (SELECT place FROM due EXCEPT SELECT place FROM got) AS s), \
         noted AS (INSERT INTO shoofly.deferred (run, step, block) SELECT DISTINCT $3::bigint, $4::text, block FROM skipped \
         ON CONFLICT DO NOTHING), \
         struck AS (DELETE FROM shoofly.deferred d WHERE d.run = $3 AND d.step = $4 \
         AND d.block >= ($1::tid::text::point)[0]::bigint AND d.block < ($2::tid::text::point)[0]::bigint \
         AND (SELECT count(*) FROM held) = 1 AND NOT EXISTS (SELECT FROM skipped s WHERE s.block = d.block)), \
         told AS (SELECT count(*) AS rows, count(*) FILTER (WHERE ctid >= $1 AND ctid < $2) AS stayed FROM written) \
         {advance}, (SELECT count(*) FROM skipped)",
        held = held(fill),
        t = fill.table,
        set = assignments(fill),
        pending = fill.pending,
        advance = advance(),
    )
}

fn advance() -> Sql {
    Sql::raw(
        "UPDATE shoofly.lane l SET next_block = $7, rows_written = l.rows_written + told.rows FROM told, held \
         WHERE l.run = $3 AND l.step = $4 AND l.lane = $5 RETURNING told.rows, told.stayed",
    )
}
