//! shoofly's own tables on the server, in the database `shoofly`: the history, and what makes every effect happen once.
//!
//! DDL commits by itself here: what was intended is recorded before it, and the catalogue says what has become of it. A chunk of
//! rows and its record commit together.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::backend::hold::{self, Hold, Holding};
use crate::dialect::mysql::literal::Text;
use crate::driver::mysql::Session;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::plan::{Plan, StepId};
use crate::run::{Direction, RunState, RunStatus, StepState};
use crate::source::Migration;
use crate::sql;
use crate::text::Sql;

mod history;
mod transaction;

pub(crate) use history::runs;
pub(super) use transaction::abandon;
use transaction::transact;

/// The table that is made last: where it is, all are.
const LAST: &str = "event";

const SCHEMA: &str = include_str!("ledger/schema.sql");

/// Creates the ledger where it is missing.
///
/// # Errors
/// [`Error::Refused`] where the user may not; tables made before stay.
pub(crate) async fn ensure(session: &Session) -> Result<(), Error> {
    let made = async {
        if has_table(session, LAST).await? {
            return Ok(());
        }
        // Two processes may come here at once.
        session.rows("SELECT GET_LOCK('shoofly.ledger', 30)").await?;
        let made = session.execute(SCHEMA).await;
        session.rows("SELECT RELEASE_LOCK('shoofly.ledger')").await?;
        made.map(|_| ())
    };
    let Err(error): Result<(), DbError> = made.await else { return Ok(()) };
    if error.kind == DbErrorKind::Privilege {
        return Err(Error::Refused(vec![Problem {
            what: format!("the ledger cannot be created: {}", error.message),
            place: session.target().display(),
            why: "what has been done is recorded in a database named shoofly on the same server".to_owned(),
            advice: "CREATE DATABASE shoofly; GRANT ALL ON shoofly.* TO the user".to_owned(),
        }]));
    }
    Err(error.doing("create the ledger"))
}

async fn has_table(session: &Session, name: &str) -> Result<bool, DbError> {
    let text = sql!(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shoofly' AND TABLE_NAME = {name}",
        name = Text(name)
    );
    Ok(number(&session.rows(text.as_str()).await?) > 0)
}

/// Whether the ledger exists, all of it: another process may be making it.
pub(crate) async fn exists(session: &Session) -> Result<bool, DbError> {
    has_table(session, LAST).await
}

/// The first value of the first row, as a number; 0 where there is none.
pub(super) fn number(rows: &[Vec<Option<String>>]) -> i64 {
    first(rows).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The first value of the first row.
pub(super) fn first(rows: &[Vec<Option<String>>]) -> Option<&str> {
    rows.first()?.first()?.as_deref()
}

/// Enters a new run and takes its tables; the unique key on active tables is what keeps two runs apart.
///
/// # Errors
/// [`Error::Busy`] where another run is active on a table: nothing was entered.
pub(crate) async fn enter(
    session: &Session,
    migration: &Migration,
    direction: Direction,
    plan: &Plan,
) -> Result<i64, Error> {
    let plan_json = plan.to_store()?;
    let mut statements = vec![sql!(
        "INSERT INTO shoofly.run (migration, checksum, direction, state, plan) \
         VALUES ({name}, {checksum}, {direction}, 'running', {plan})",
        name = Text(&migration.name),
        checksum = Text(&migration.checksum),
        direction = Text(direction.word()),
        plan = Text(&plan_json),
    )];
    statements.push(Sql::raw("SET @shoofly_run = LAST_INSERT_ID()"));
    for table in &plan.tables {
        statements.push(sql!(
            "INSERT INTO shoofly.run_table (run, table_schema, table_name) VALUES (@shoofly_run, {d}, {t})",
            d = Text(table.schema.as_str()),
            t = Text(table.name.as_str()),
        ));
    }
    match transact(session, &Sql::join(&statements, "; ")).await {
        Ok(()) => {
            let run = session.rows("SELECT @shoofly_run").await.map_err(|error| error.doing("enter the run"))?;
            Ok(number(&run))
        }
        Err(error) if error.kind == DbErrorKind::Constraint => Err(hold::busy(session, &plan.tables).await),
        Err(error) => Err(error.doing("enter the run into the ledger")),
    }
}

/// Name of the session-level lock that says that a live process holds the run.
fn lock_name(run: i64) -> String {
    format!("shoofly.run.{run}")
}

impl Holding for Session {
    async fn try_lock(&self, run: i64) -> Result<bool, DbError> {
        let text = sql!("SELECT GET_LOCK({name}, 0)", name = Text(&lock_name(run)));
        Ok(number(&self.rows(text.as_str()).await?) == 1)
    }

    async fn take_over(&self, run: i64) -> Result<Hold, DbError> {
        let holder = format!("process {} on {}", std::process::id(), crate::backend::host());
        let text = sql!(
            "UPDATE shoofly.run SET epoch = epoch + 1, holder = {holder}, holder_session = CONNECTION_ID(), \
             last_error = NULL WHERE id = {run}; UPDATE shoofly.lane l JOIN shoofly.run r ON r.id = l.run \
             SET l.epoch = r.epoch WHERE l.run = {run}",
            holder = Text(&holder),
            run = run,
        );
        transact(self, &text).await?;
        let read = sql!("SELECT epoch FROM shoofly.run WHERE id = {run}", run = run);
        Ok(Hold { run, epoch: number(&self.rows(read.as_str()).await?) })
    }

    async fn end_earlier(&self, held: Hold, earlier: &Self) -> Result<(), DbError> {
        let text = sql!(
            "SELECT IS_USED_LOCK({name}) = {id} FROM shoofly.run WHERE id = {run} AND epoch = {epoch} AND holder_session = {id}",
            name = Text(&lock_name(held.run)),
            id = earlier.id(),
            run = held.run,
            epoch = held.epoch,
        );
        if number(&self.rows(text.as_str()).await?) == 1 {
            self.execute(&format!("KILL CONNECTION {}", earlier.id())).await?;
        }
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
pub(crate) async fn plan(session: &Session, run: i64) -> Result<Plan, Error> {
    let text = sql!("SELECT plan FROM shoofly.run WHERE id = {run}", run = run);
    let rows = session.rows(text.as_str()).await.map_err(|error| error.doing("read the stored plan"))?;
    Plan::stored(first(&rows).unwrap_or_default(), run)
}

/// States of the run's steps.
pub(crate) async fn steps(session: &Session, run: i64) -> Result<BTreeMap<StepId, StepState>, DbError> {
    let text = sql!("SELECT step, state FROM shoofly.step WHERE run = {run}", run = run);
    let rows = session.rows(text.as_str()).await?;
    let pairs = rows.into_iter().filter_map(|row| <[Option<String>; 2]>::try_from(row).ok());
    Ok(pairs
        .map(|[step, state]| {
            let done = state.as_deref() == Some("done");
            (StepId(step.unwrap_or_default()), if done { StepState::Done } else { StepState::Begun })
        })
        .collect())
}

/// Whether a step was done so lately, by the database's clock.
pub(crate) async fn ended_within(
    session: &Session,
    held: Hold,
    step: &StepId,
    time: Duration,
) -> Result<bool, DbError> {
    let text = sql!(
        "SELECT COUNT(*) FROM shoofly.step WHERE run = {run} AND step = {step} AND state = 'done' \
         AND ended >= UTC_TIMESTAMP(6) - INTERVAL {seconds} SECOND",
        run = held.run,
        step = Text(&step.0),
        seconds = time.as_secs(),
    );
    Ok(number(&session.rows(text.as_str()).await?) > 0)
}

/// First statement of every transaction of ours: error 1242 unless this process still holds the run.
#[must_use]
pub(crate) fn hold(held: Hold) -> Sql {
    sql!(
        "SELECT IF((SELECT epoch FROM shoofly.run WHERE id = {run} FOR SHARE) = {epoch}, 1, (SELECT 1 UNION SELECT 2))",
        run = held.run,
        epoch = held.epoch,
    )
}

/// The same in MariaDB's words.
#[must_use]
fn hold_mariadb(held: Hold) -> Sql {
    sql!(
        "SELECT IF((SELECT epoch FROM shoofly.run WHERE id = {run} LOCK IN SHARE MODE) = {epoch}, 1, (SELECT 1 UNION SELECT 2))",
        run = held.run,
        epoch = held.epoch,
    )
}

/// Records that a step is begun, and what the catalogue says; the record stands before the effect. What an earlier attempt saw
/// stays.
#[must_use]
pub(crate) fn begun(held: Hold, step: &StepId, seen: Option<&str>) -> Sql {
    sql!(
        "INSERT INTO shoofly.step (run, step, state, seen) VALUES ({run}, {step}, 'begun', {seen}) \
         ON DUPLICATE KEY UPDATE attempts = attempts + 1",
        run = held.run,
        step = Text(&step.0),
        seen = seen.map_or_else(|| Sql::raw("NULL"), |seen| sql!("{t}", t = Text(seen))),
    )
}

/// What the catalogue said when the step was begun.
pub(crate) async fn seen(session: &Session, held: Hold, step: &StepId) -> Result<Option<String>, DbError> {
    let text =
        sql!("SELECT seen FROM shoofly.step WHERE run = {run} AND step = {step}", run = held.run, step = Text(&step.0));
    Ok(first(&session.rows(text.as_str()).await?).map(str::to_owned))
}

/// Records that a step is done.
#[must_use]
pub(crate) fn done(held: Hold, step: &StepId) -> Sql {
    sql!(
        "INSERT INTO shoofly.step (run, step, state, ended) VALUES ({run}, {step}, 'done', UTC_TIMESTAMP(6)) \
         ON DUPLICATE KEY UPDATE state = 'done', ended = UTC_TIMESTAMP(6)",
        run = held.run,
        step = Text(&step.0),
    )
}

/// Forgets that a step was begun: it has done nothing.
#[must_use]
pub(crate) fn unbegun(held: Hold, step: &StepId) -> Sql {
    sql!("DELETE FROM shoofly.step WHERE run = {run} AND step = {step}", run = held.run, step = Text(&step.0))
}

/// Forgets how far a step's fill has come: it begins anew.
#[must_use]
pub(crate) fn unfilled(held: Hold, step: &StepId) -> Vec<Sql> {
    let forget = |table: &str| {
        sql!(
            "DELETE FROM shoofly.{t} WHERE run = {run} AND step = {step}",
            t = Sql::raw(table),
            run = held.run,
            step = Text(&step.0)
        )
    };
    ["lane", "deferred"].into_iter().map(forget).collect()
}

/// Forgets the records of the run's steps and lanes: it has been undone.
#[must_use]
pub(crate) fn undone(held: Hold) -> Vec<Sql> {
    let forget = |table: &str| sql!("DELETE FROM shoofly.{t} WHERE run = {run}", t = Sql::raw(table), run = held.run);
    ["step", "lane", "deferred"].into_iter().map(forget).collect()
}

/// Moves the run to another state; an ended run gives its tables free.
#[must_use]
pub(crate) fn enter_state(held: Hold, state: RunState) -> Vec<Sql> {
    let (state_text, run) = (Text(state.word()), held.run);
    match state.is_active() {
        true => vec![sql!(
            "UPDATE shoofly.run SET state = {state}, last_error = NULL WHERE id = {run}",
            state = state_text,
            run = run
        )],
        false => vec![
            sql!(
                "UPDATE shoofly.run SET state = {state}, ended = UTC_TIMESTAMP(6), last_error = NULL WHERE id = {run}",
                state = state_text,
                run = run,
            ),
            sql!("UPDATE shoofly.run_table SET active = NULL WHERE run = {run}", run = run),
        ],
    }
}

/// Adds a line to the run's log.
#[must_use]
pub(crate) fn log(held: Hold, what: &str) -> Sql {
    sql!("INSERT INTO shoofly.event (run, what) VALUES ({run}, {what})", run = held.run, what = Text(what))
}

/// Keeps the text of the last error.
#[must_use]
pub(crate) fn failed(held: Hold, error: &str) -> Sql {
    sql!("UPDATE shoofly.run SET last_error = {error} WHERE id = {run}", error = Text(error), run = held.run)
}

/// Runs statements of the ledger alone, in a transaction that checks the hold.
///
/// # Errors
/// [`Error::Busy`] where another process has taken the run over; the server's. Nothing is recorded.
pub(crate) async fn record(session: &Session, held: Hold, doing: &str, statements: &[Sql]) -> Result<(), Error> {
    let text =
        sql!("{holding}; {statements}", holding = holding(session, held), statements = Sql::join(statements, "; "),);
    transact(session, &text).await.map_err(|error| match is_taken(&error) {
        true => hold::taken(held.run, "another process took the run over"),
        false => error.doing(doing),
    })
}

/// [`hold`] in the words of the session's product.
pub(super) fn holding(session: &Session, held: Hold) -> Sql {
    match session.product() {
        crate::sql::mysql::mode::Product::MySql => hold(held),
        crate::sql::mysql::mode::Product::MariaDb => hold_mariadb(held),
    }
}

/// Whether an assertion of ours ended a batch.
pub(super) fn is_taken(error: &DbError) -> bool {
    error.code.as_deref().is_some_and(|code| code.starts_with("1242"))
}
