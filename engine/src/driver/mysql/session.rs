//! One connection, with the settings that every session of ours runs under.

use std::fmt;
use std::io;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error as Failure, Opts, Params, Row, Value};
use tokio::sync::{Mutex, MutexGuard};

use super::error::closed;
use super::{Target, classify};
use crate::dialect::mysql::lock::UNHEARD;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::sql::mysql::mode::Product;

/// How long to wait for a connection, the greeting and the login included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What every session of ours runs under, whatever the server's globals say; but dates of zeros are as good as they are to the
/// server. [`UNHEARD`] belongs to it.
const HYGIENE: &str = "SET NAMES utf8mb4; \
     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION TRANSACTION READ WRITE; \
     SET sql_mode = CONCAT('STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', \
     IF(FIND_IN_SET('NO_ZERO_DATE', @@global.sql_mode), ',NO_ZERO_DATE', ''), \
     IF(FIND_IN_SET('NO_ZERO_IN_DATE', @@global.sql_mode), ',NO_ZERO_IN_DATE', '')), \
     time_zone = '+00:00', autocommit = 1, lock_wait_timeout = 1, innodb_lock_wait_timeout = 1, \
     foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, sql_quote_show_create = 1, \
     sql_select_limit = 18446744073709551615, group_concat_max_len = 16777216";

/// What only the one product has; estimates of MySQL are a day old otherwise, and it sorts an index's rows in 1 MB.
const HYGIENE_MYSQL: &str = "SET max_execution_time = 0, information_schema_stats_expiry = 0 \
     /*!80027 , innodb_ddl_buffer_size = 67108864 */";
const HYGIENE_MARIADB: &str = "SET max_statement_time = 0";

/// What stays the same as long as statements reach one and the same session.
const LOOK: &str = "SELECT CONNECTION_ID(), @@pseudo_thread_id, @@lock_wait_timeout, @@time_zone";

/// One connection; errors come classified. Calls take turns.
///
/// A call that is not waited for to its end closes the connection, as what the server still answers would be taken for the
/// answer to the next call. The server may work on for a while: see [`Session::kill_query`].
pub struct Session {
    /// Empty once the connection is gone, and while a call works with it.
    conn: Mutex<Option<Conn>>,
    product: Product,
    version: u32,
    id: u64,
    target: Target,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).field("target", &self.target).finish_non_exhaustive()
    }
}

impl Session {
    /// Connects; `purpose` stands in the connection's attributes as `program_name`.
    ///
    /// # Errors
    /// [`Error::Connect`]; [`Error::Usage`] for a server that is too old or a proxy that moves statements between sessions.
    pub async fn connect(target: &Target, purpose: &str) -> Result<Self, Error> {
        let conn = dial(target, purpose).await?;
        let mut session =
            Self { conn: Mutex::new(Some(conn)), product: Product::MySql, version: 0, id: 0, target: target.clone() };
        session.settle().await?;
        Ok(session)
    }

    /// Settings, server version, and whether statements of this connection reach one and the same session.
    async fn settle(&mut self) -> Result<(), Error> {
        let target = self.target.clone();
        let failed = |source: DbError| Error::Connect { target: target.display(), source };
        let text = self.rows("SELECT VERSION()").await.map_err(failed)?.into_iter().flatten().flatten().next();
        let text = text.unwrap_or_default();
        (self.product, self.version) = version(&text);
        let (oldest, more) = match self.product {
            Product::MySql => (80_000, HYGIENE_MYSQL),
            Product::MariaDb => (100_600, HYGIENE_MARIADB),
        };
        if self.version < oldest {
            return Err(too_old(&target, &text));
        }
        self.execute(&format!("{HYGIENE}, {UNHEARD}")).await.map_err(failed)?;
        self.execute(more).await.map_err(failed)?;
        let first = self.rows(LOOK).await.map_err(failed)?;
        for _ in 0..2 {
            if self.rows(LOOK).await.map_err(failed)? != first {
                return Err(pooled(&target));
            }
        }
        let [id, _, timeout, _] = <[Option<String>; 4]>::try_from(first.into_iter().next().unwrap_or_default())
            .unwrap_or_default()
            .map(Option::unwrap_or_default);
        if timeout != "1" {
            return Err(pooled(&target));
        }
        self.id = id.parse().unwrap_or(0);
        Ok(())
    }

    /// Whose server it is.
    #[must_use]
    pub fn product(&self) -> Product {
        self.product
    }

    /// The server's version, `major * 10000 + minor * 100 + patch`.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// `CONNECTION_ID()`.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The target that this session is connected to.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the connection is known to be gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // Where a call works with it, that call finds out.
        self.conn.try_lock().is_ok_and(|slot| slot.as_ref().is_none_or(Conn::is_disconnected))
    }

    /// Rows as text of the last statement in `sql` that has any to give; no plan is kept.
    ///
    /// # Errors
    /// The server's, classified; the first one ends the batch.
    pub async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DbError> {
        let mut held = self.hold(sql).await?;
        let result = last_rows(&mut held.conn, sql).await;
        let rows = held.done(result, sql)?;
        Ok(rows
            .into_iter()
            .map(|row| row.unwrap_raw().into_iter().map(|value| value.and_then(text)).collect())
            .collect())
    }

    /// Runs one or several statements to the end of the last and returns the number of rows that this one changed.
    ///
    /// # Errors
    /// The server's, classified; the first one ends the batch.
    pub async fn execute(&self, sql: &str) -> Result<u64, DbError> {
        let mut held = self.hold(sql).await?;
        let result = last_rows(&mut held.conn, sql).await;
        let affected = held.conn.affected_rows();
        held.done(result, sql).map(|_| affected)
    }

    /// Runs one prepared statement and collects its rows.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn exec(&self, sql: &str, params: Params) -> Result<Vec<Row>, DbError> {
        let mut held = self.hold(sql).await?;
        let result = held.conn.exec(sql, params).await;
        held.done(result, sql)
    }

    /// Runs one prepared statement and returns the number of rows that it changed: an UPDATE counts no row that was so already.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn affected(&self, sql: &str, params: Params) -> Result<u64, DbError> {
        let mut held = self.hold(sql).await?;
        let result = held.conn.exec_drop(sql, params).await;
        let affected = held.conn.affected_rows();
        held.done(result, sql).map(|()| affected)
    }

    /// What the server warned of in the last statement, notes left out; `1265: Data truncated …`. Meant for a session that one
    /// task alone uses: a call of another in between has warnings of its own.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn warnings(&self) -> Result<Vec<String>, DbError> {
        let rows = self.rows("SHOW WARNINGS").await?;
        let rows = rows.into_iter().filter_map(|row| <[Option<String>; 3]>::try_from(row).ok());
        let rows = rows.map(|row| row.map(Option::unwrap_or_default));
        Ok(rows.filter(|[level, ..]| level != "Note").map(|[_, code, message]| format!("{code}: {message}")).collect())
    }

    /// Ends the statement that the session of that [`Session::id`] runs, from another connection. The session lives on; one
    /// that is gone is as good.
    ///
    /// # Errors
    /// [`Error::Connect`] where the other connection cannot be made; [`Error::Database`] with the server's.
    pub async fn kill_query(target: &Target, id: u64) -> Result<(), Error> {
        kill(target, &format!("KILL QUERY {id}")).await
    }

    /// Ends the session of that [`Session::id`], from another connection; its transaction is rolled back.
    ///
    /// # Errors
    /// [`Error::Connect`] where the other connection cannot be made; [`Error::Database`] with the server's.
    pub async fn kill_connection(target: &Target, id: u64) -> Result<(), Error> {
        kill(target, &format!("KILL CONNECTION {id}")).await
    }

    /// Takes the connection out of its place, so that it is closed with a future that is dropped.
    async fn hold(&self, sql: &str) -> Result<Held<'_>, DbError> {
        let mut slot = self.conn.lock().await;
        let conn = slot.take().ok_or_else(|| closed(sql))?;
        Ok(Held { slot, conn })
    }
}

/// The connection while a call works with it.
struct Held<'a> {
    slot: MutexGuard<'a, Option<Conn>>,
    conn: Conn,
}

impl Held<'_> {
    /// Puts the connection back, unless it is gone.
    fn done<T>(mut self, result: Result<T, Failure>, sql: &str) -> Result<T, DbError> {
        let result = result.map_err(|error| classify(&error, sql));
        let lost = result.as_ref().is_err_and(|error| error.kind == DbErrorKind::ConnectionLost);
        if !lost && !self.conn.is_disconnected() {
            *self.slot = Some(self.conn);
        }
        result
    }
}

/// Reads every result to its end and keeps the rows of the last that has columns.
async fn last_rows(conn: &mut Conn, sql: &str) -> Result<Vec<Row>, Failure> {
    let mut results = conn.query_iter(sql).await?;
    let mut last = Vec::new();
    while !results.is_empty() {
        let has_columns = !results.columns_ref().is_empty();
        let rows = results.collect().await?;
        if has_columns {
            last = rows;
        }
    }
    results.drop_result().await?;
    Ok(last)
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        // The text protocol sends no others.
        other => Some(other.as_sql(true)),
    }
}

/// `8.4.2`, `10.11.19-MariaDB-1`, and what old clients were told of it: `5.5.5-10.11.19-MariaDB`.
fn version(text: &str) -> (Product, u32) {
    let maria = text.to_ascii_lowercase().contains("mariadb");
    let product = if maria { Product::MariaDb } else { Product::MySql };
    let own = text.strip_prefix("5.5.5-").filter(|_| maria).unwrap_or(text);
    let numbers = own.split(|char: char| !char.is_ascii_digit() && char != '.').next().unwrap_or_default();
    let mut parts = numbers.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).chain([0, 0, 0]);
    let mut next = || parts.next().unwrap_or(0);
    (product, next() * 10_000 + next() * 100 + next())
}

async fn dial(target: &Target, purpose: &str) -> Result<Conn, Error> {
    let failed = |error: Failure| Error::Connect { target: target.display(), source: classify(&error, "") };
    let encryption = target.trust().options()?;
    match open(target.opts(purpose, encryption)).await {
        Err(Failure::Driver(DriverError::NoClientSslFlagFromServer)) if target.trust().takes_plain() => {
            open(target.opts(purpose, None)).await.map_err(failed)
        }
        other => other.map_err(failed),
    }
}

async fn open(opts: Opts) -> Result<Conn, Failure> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()));
    tokio::time::timeout(CONNECT_TIMEOUT, Conn::new(opts)).await.unwrap_or_else(|_| Err(late().into()))
}

async fn kill(target: &Target, sql: &str) -> Result<(), Error> {
    let mut conn = dial(target, "kill").await?;
    let killed = conn.query_drop(sql).await.map_err(|error| classify(&error, sql));
    if let Err(error) = conn.disconnect().await {
        tracing::debug!(%error, "connection ended");
    }
    match killed {
        // No such thread: it has ended by itself.
        Err(error) if error.code.as_deref().is_some_and(|code| code.starts_with("1094,")) => Ok(()),
        other => other.map_err(|error| error.doing("end another session's work")),
    }
}

fn too_old(target: &Target, version: &str) -> Error {
    Error::Usage(vec![Problem {
        what: format!("the server is version {version}"),
        place: target.display(),
        why: "changes that are instant, and rows passed over where they are locked, need MySQL 8.0 or MariaDB 10.6 or later"
            .to_owned(),
        advice: "upgrade the server first".to_owned(),
    }])
}

fn pooled(target: &Target) -> Error {
    Error::Usage(vec![Problem {
        what: "statements of one connection reach different sessions: a proxy that shares connections".to_owned(),
        place: target.display(),
        why: "lock timeouts, table locks and named locks belong to a session".to_owned(),
        advice: "connect to the server itself, or through a proxy that keeps one session for each connection"
            .to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_as_servers_write_them() {
        for (text, product, number) in [
            ("9.7.4", Product::MySql, 90_704),
            ("8.0.36-0ubuntu0.22.04.1", Product::MySql, 80_036),
            ("8.0.mysql_aurora.3.04.0", Product::MySql, 80_000),
            ("10.11.19-MariaDB-0+deb12u1-log", Product::MariaDb, 101_119),
            ("5.5.5-10.6.3-MariaDB", Product::MariaDb, 100_603),
            ("11.4.2-MariaDB", Product::MariaDb, 110_402),
            ("", Product::MySql, 0),
        ] {
            assert_eq!(version(text), (product, number), "{text}");
        }
    }
}
