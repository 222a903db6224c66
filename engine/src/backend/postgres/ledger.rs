//! shoofly's own tables in the target database: the history, and what makes every effect happen once.
//!
//! PostgreSQL commits an effect and its record together; the texts here are made to be part of the same transaction.

use std::collections::BTreeMap;

use crate::backend::hold::{self, Hold, Holding};
use crate::driver::postgres::Session;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::plan::{Plan, StepId};
use crate::run::{Direction, RunState, RunStatus, StepState};
use crate::source::Migration;
use crate::sql;
use crate::text::{Literal, Sql};

mod history;

pub use history::runs;

/// Class of our advisory locks (`SHOF` in ASCII); the second key is the run's id, 0 for changes of the ledger itself.
const LOCK_CLASS: i32 = 0x5348_4F46;

const SCHEMA: &str = include_str!("ledger/schema.sql");

/// Creates the ledger where it is missing.
///
/// # Errors
/// [`Error::Refused`] where the role may not create a schema; nothing was changed.
pub async fn ensure(session: &Session) -> Result<(), Error> {
    let run = async {
        // Made in one transaction: where one table is, all are.
        if exists(session).await? {
            return Ok(());
        }
        // Two processes may come here at once: `IF NOT EXISTS` alone does not keep them from colliding.
        session.batch(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK_CLASS}, 0)")).await?;
        session.batch(SCHEMA).await?;
        session.batch("COMMIT").await
    };
    let Err(error) = run.await else { return Ok(()) };
    session.abandon().await;
    if error.kind == DbErrorKind::Privilege {
        return Err(Error::Refused(vec![Problem {
            what: format!("the ledger cannot be created: {}", error.message),
            place: session.target().display(),
            why: "what has been done is recorded in the schema shoofly of the same database".to_owned(),
            advice: format!(
                "as the database's owner: CREATE SCHEMA shoofly AUTHORIZATION {role}, or GRANT CREATE ON DATABASE … TO {role}",
                role = current_role(session).await
            ),
        }]));
    }
    Err(error.doing("create the ledger"))
}

/// The session's role, as SQL writes it.
async fn current_role(session: &Session) -> String {
    let row = session.query_one("SELECT format('\"%s\"', replace(current_user, '\"', '\"\"'))", &[]).await;
    row.map_or_else(|_| "the role".to_owned(), |row| row.get(0))
}

/// Whether the ledger exists.
///
/// # Errors
/// The server's.
pub async fn exists(session: &Session) -> Result<bool, DbError> {
    let row = session.query_one("SELECT to_regclass('shoofly.run') IS NOT NULL", &[]).await?;
    Ok(row.get(0))
}

/// Enters a new run and takes its tables; the unique index on active tables is what keeps two runs apart.
///
/// # Errors
/// [`Error::Busy`] where another run is active on a table.
pub async fn enter(session: &Session, migration: &Migration, direction: Direction, plan: &Plan) -> Result<i64, Error> {
    let plan_json = plan.to_store()?;
    let schemas: Vec<&str> = plan.tables.iter().map(|table| table.schema.as_str()).collect();
    let tables: Vec<&str> = plan.tables.iter().map(|table| table.name.as_str()).collect();
    let sql = "WITH entered AS (INSERT INTO shoofly.run (migration, checksum, direction, state, plan) \
               VALUES ($1, $2, $3, 'running', $4::text::json) RETURNING id), \
               taken AS (INSERT INTO shoofly.run_table (run, schema_name, table_name) \
               SELECT entered.id, t.s, t.n FROM entered, unnest($5::text[], $6::text[]) AS t(s, n)) \
               SELECT id FROM entered";
    let entered = session
        .query_one(sql, &[&migration.name, &migration.checksum, &direction.word(), &plan_json, &schemas, &tables])
        .await;
    match entered {
        Ok(row) => Ok(row.get(0)),
        Err(error) if error.kind == DbErrorKind::Constraint => Err(hold::busy(session, &plan.tables).await),
        Err(error) => Err(error.doing("enter the run into the ledger")),
    }
}

impl Holding for Session {
    async fn try_lock(&self, run: i64) -> Result<bool, DbError> {
        // The lock's second key has 32 bits; ids that share it would only make two runs wait for each other.
        let key = i32::from_le_bytes(run.to_le_bytes()[..4].try_into().unwrap_or_default());
        let row = self.query_one("SELECT pg_try_advisory_lock($1, $2)", &[&LOCK_CLASS, &key]).await?;
        Ok(row.get(0))
    }

    async fn take_over(&self, run: i64) -> Result<Hold, DbError> {
        let holder = format!("process {} on {}", std::process::id(), crate::backend::host());
        let sql = "UPDATE shoofly.run SET epoch = epoch + 1, holder = $2, holder_backend = pg_backend_pid(), last_error = NULL \
                   WHERE id = $1 RETURNING epoch";
        let row = self.query_one(sql, &[&run, &holder]).await?;
        Ok(Hold { run, epoch: row.get(0) })
    }

    async fn end_earlier(&self, held: Hold, earlier: &Self) -> Result<(), DbError> {
        let sql = "SELECT pg_terminate_backend(l.pid) FROM pg_locks l \
                   JOIN shoofly.run r ON r.id = $1 AND r.epoch = $2 AND r.holder_backend = l.pid \
                   WHERE l.pid = $3 AND l.locktype = 'advisory' AND l.granted AND l.classid::bigint = $4 AND l.objsubid = 2 \
                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        self.query(sql, &[&held.run, &held.epoch, &earlier.backend_pid(), &i64::from(LOCK_CLASS)]).await?;
        Ok(())
    }

    async fn runs(&self) -> Result<Vec<RunStatus>, DbError> {
        runs(self).await
    }
}

/// The stored plan of a run.
///
/// # Errors
/// [`Error::Divergence`] where another version of the program wrote it and this one cannot read it.
pub async fn plan(session: &Session, run: i64) -> Result<Plan, Error> {
    let row = session
        .query_one("SELECT plan::text FROM shoofly.run WHERE id = $1", &[&run])
        .await
        .map_err(|error| error.doing("read the stored plan"))?;
    let text: String = row.get(0);
    Plan::stored(&text, run)
}

/// States of the run's steps.
///
/// # Errors
/// The server's.
pub async fn steps(session: &Session, run: i64) -> Result<BTreeMap<StepId, StepState>, DbError> {
    let rows = session.query("SELECT step, state = 'done' FROM shoofly.step WHERE run = $1", &[&run]).await?;
    let state = |done: bool| if done { StepState::Done } else { StepState::Begun };
    Ok(rows.iter().map(|row| (StepId(row.get(0)), state(row.get(1)))).collect())
}

/// First statement of every transaction of ours.
#[must_use]
pub fn hold(hold: Hold) -> Sql {
    sql!("SELECT shoofly.hold({run}, {epoch})", run = hold.run, epoch = hold.epoch)
}

/// Records that a step is begun; the record stands before the effect.
#[must_use]
pub fn begun(hold: Hold, step: &StepId) -> Sql {
    sql!(
        "INSERT INTO shoofly.step (run, step, state) VALUES ({run}, {step}, 'begun') \
         ON CONFLICT (run, step) DO UPDATE SET attempts = shoofly.step.attempts + 1",
        run = hold.run,
        step = Literal(&step.0),
    )
}

/// Records that a step is done.
#[must_use]
pub fn done(hold: Hold, step: &StepId) -> Sql {
    sql!(
        "INSERT INTO shoofly.step (run, step, state, ended) VALUES ({run}, {step}, 'done', clock_timestamp()) \
         ON CONFLICT (run, step) DO UPDATE SET state = 'done', ended = clock_timestamp()",
        run = hold.run,
        step = Literal(&step.0),
    )
}

/// Forgets that a step was begun: it has done nothing.
#[must_use]
pub fn unbegun(hold: Hold, step: &StepId) -> Sql {
    sql!("DELETE FROM shoofly.step WHERE run = {run} AND step = {step}", run = hold.run, step = Literal(&step.0))
}

/// Forgets the records of the run's steps and lanes: it has been undone.
#[must_use]
pub fn undone(hold: Hold) -> Sql {
    sql!(
        "DELETE FROM shoofly.step WHERE run = {run}; DELETE FROM shoofly.lane WHERE run = {run}; \
         DELETE FROM shoofly.deferred WHERE run = {run}",
        run = hold.run,
    )
}

/// Moves the run to another state; an ended run gives its tables free.
#[must_use]
pub fn enter_state(hold: Hold, state: RunState) -> Sql {
    let ended = sql!(
        "UPDATE shoofly.run SET state = {state}, ended = clock_timestamp(), last_error = NULL WHERE id = {run}; \
         UPDATE shoofly.run_table SET active = false WHERE run = {run}",
        state = Literal(state.word()),
        run = hold.run,
    );
    let going = sql!(
        "UPDATE shoofly.run SET state = {state}, last_error = NULL WHERE id = {run}",
        state = Literal(state.word()),
        run = hold.run
    );
    if state.is_active() { going } else { ended }
}

/// Adds a line to the run's log.
#[must_use]
pub fn log(hold: Hold, what: &str) -> Sql {
    sql!("INSERT INTO shoofly.event (run, what) VALUES ({run}, {what})", run = hold.run, what = Literal(what))
}

/// Keeps the text of the last error.
#[must_use]
pub fn failed(hold: Hold, error: &str) -> Sql {
    sql!("UPDATE shoofly.run SET last_error = {error} WHERE id = {run}", error = Literal(error), run = hold.run)
}

/// Runs statements of the ledger alone, in a transaction that checks the hold.
///
/// # Errors
/// The server's; nothing is recorded.
pub async fn record(session: &Session, held: Hold, statements: &[Sql]) -> Result<(), DbError> {
    let text = format!("BEGIN; {}; {}; COMMIT", hold(held).as_str(), Sql::join(statements, "; ").as_str());
    let result = session.batch(&text).await;
    if result.is_err() {
        session.abandon().await;
    }
    result
}
