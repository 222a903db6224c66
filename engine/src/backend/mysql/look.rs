//! What the server is like for a plan: who holds or waits for metadata locks, how large the tables are.
//!
//! What a server tells depends on its product, on what it instruments and on the session's rights: the best there is, is asked
//! for, and what cannot be seen is said.

use super::ledger;
use crate::dialect::mysql::look::{self, Ages};
use crate::driver::mysql::{Session, catalogue};
use crate::error::{DbError, DbErrorKind};
use crate::name::QualifiedName;
use crate::plan::Plan;
use crate::report::{InTheWay, Now, Replication, SeenLock, Sight, TableNow, locked};
use crate::schema::mysql::TablePath;
use crate::sql::mysql::mode::Product;
use crate::text::Sql;

/// How often a server is asked that could not show its transactions (MySQL, for a moment).
const TRIES: usize = 3;

const PROCESS: &str = "GRANT PROCESS ON *.* to the user";

/// Looks.
///
/// Locks: none that anybody waits for.
///
/// # Errors
/// The server's.
pub(super) async fn at(session: &Session, plan: &Plan) -> Result<Now, DbError> {
    let paths: Vec<TablePath> = locked(plan).iter().filter_map(|(name, _)| path(name)).collect();
    let mut tables: Vec<TableNow> = Vec::new();
    for path in &paths {
        tables.extend(catalogue::table_now(session, path).await?);
    }
    let switches = session.rows(look::switches()).await?;
    let is_on = |at: usize| switches.first().and_then(|row| row.get(at)?.as_deref()).is_some_and(|text| text == "1");
    // Without the right PROCESS a server may answer, and show none but our own.
    let transactions = match catalogue::sees_transactions(session).await? {
        true => seen(session, &look::transactions()).await?,
        false => None,
    };
    let connected = match &transactions {
        Some(_) => Some(ledger::number(&session.rows(look::replicas()).await?).unsigned_abs()),
        None => None,
    };
    let replication = Replication { repeats_ddl: is_on(0), connected };
    let ages = if transactions.is_some() { Ages::Seen } else { Ages::Unseen };
    let (sight, sessions) = match locks(session, &paths, ages).await? {
        Some(sessions) => (Sight::Locks, sessions),
        None => {
            let (why, advice) = unseen(session.product(), is_on(1));
            match transactions {
                Some(sessions) => (Sight::Transactions { why, advice }, sessions),
                None => {
                    let why = format!("{why}; and the user may not see transactions of others");
                    (Sight::Nothing { why, advice: format!("{advice}; and {PROCESS}") }, Vec::new())
                }
            }
        }
    };
    let now = Now { sight, sessions: Vec::new(), more: 0, tables, replication };
    Ok(now.with_sessions(sessions))
}

/// Who holds or waits for locks, by whatever tells it.
pub(super) async fn locks(
    session: &Session,
    paths: &[TablePath],
    ages: Ages,
) -> Result<Option<Vec<InTheWay>>, DbError> {
    if catalogue::sees_metadata_locks(session).await?
        && let Some(found) = seen(session, &look::instrumented(paths, ages)).await?
    {
        return Ok(Some(found));
    }
    match session.product() {
        Product::MySql => Ok(None),
        Product::MariaDb => seen(session, &look::plugged_in(paths, ages)).await,
    }
}

/// The sessions that a query of [`look`] finds; none where the session may not ask it, or the server knows nothing of it.
async fn seen(session: &Session, query: &Sql) -> Result<Option<Vec<InTheWay>>, DbError> {
    for _ in 0..TRIES {
        match session.rows(query.as_str()).await {
            Ok(rows) => {
                let mut sessions = Vec::new();
                for one in rows.into_iter().filter_map(one) {
                    InTheWay::gather(&mut sessions, one);
                }
                return Ok(Some(sessions));
            }
            Err(error) if error.is_unshowable() => {}
            Err(error) if matches!(error.kind, DbErrorKind::Privilege | DbErrorKind::Missing) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn one(row: Vec<Option<String>>) -> Option<InTheWay> {
    let [connection, user, program, state, age, statement, mode, status, database, table] =
        <[Option<String>; 10]>::try_from(row).ok()?;
    let relation = database
        .zip(table)
        .and_then(|(database, table)| Some(TablePath::new(database.parse().ok()?, table.parse().ok()?).qualified()));
    let waited_for = status.as_deref() != Some("GRANTED");
    Some(InTheWay {
        connection: connection?.parse().ok(),
        user: user.unwrap_or_default(),
        program: program.unwrap_or_default(),
        state: state.filter(|state| state != "Sleep").unwrap_or_else(|| "idle".to_owned()),
        transaction_age: age.and_then(|age| age.parse().ok()),
        statement: statement.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        locks: mode.into_iter().map(|mode| SeenLock { relation: relation.clone(), mode, waited_for }).collect(),
    })
}

/// Why metadata locks cannot be seen, and what to do.
fn unseen(product: Product, instrumented: bool) -> (String, String) {
    let instrument =
        "UPDATE performance_schema.setup_instruments SET ENABLED = 'YES' WHERE NAME = 'wait/lock/metadata/sql/mdl'";
    let (why, advice) = match (product, instrumented) {
        (Product::MariaDb, false) => (
            "performance_schema is off, and the plugin metadata_lock_info is not loaded",
            "INSTALL SONAME 'metadata_lock_info' takes effect at once".to_owned(),
        ),
        (Product::MySql, false) => (
            "performance_schema is off",
            "set performance_schema = ON in the server's configuration, and start it anew".to_owned(),
        ),
        (Product::MariaDb, true) => (
            "the user may not read performance_schema, or its instrument for metadata locks is off; and the plugin \
             metadata_lock_info is not loaded",
            format!(
                "INSTALL SONAME 'metadata_lock_info'; or GRANT SELECT ON performance_schema.* to the user, and {instrument}"
            ),
        ),
        (Product::MySql, true) => (
            "the user may not read performance_schema, or its instrument for metadata locks is off",
            format!("GRANT SELECT ON performance_schema.* to the user; where that is so, {instrument}"),
        ),
    };
    (why.to_owned(), advice)
}

/// The names of a plan came from the server's own catalogue.
fn path(name: &QualifiedName) -> Option<TablePath> {
    Some(TablePath::new(name.schema.as_str().parse().ok()?, name.name.as_str().parse().ok()?))
}
