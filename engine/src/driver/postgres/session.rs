//! One connection, with the settings that every session of ours runs under.

use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, NoTls, Row, SimpleQueryMessage};

use super::{Target, classify};
use crate::error::{DbError, DbErrorKind, Error, Problem};

/// Oldest server that has what we need (TID range scans), as `server_version_num`.
const OLDEST: u32 = 140_000;

/// What every session of ours runs under, whatever the role's or the database's settings say. Compiling a catalogue query
/// takes a hundred times as long as running it.
const HYGIENE: &str = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = '60s'; \
     SET client_min_messages = warning; SET default_transaction_isolation = 'read committed'; \
     SET default_transaction_read_only = off; SET standard_conforming_strings = on; SET bytea_output = hex; \
     SET extra_float_digits = 1; SET jit = off";

/// One connection with its driver task; errors come classified.
#[derive(Debug)]
pub struct Session {
    client: Client,
    backend_pid: i32,
    target: Target,
}

impl Session {
    /// Connects; `purpose` stands in `application_name`.
    ///
    /// # Errors
    /// [`Error::Connect`]; [`Error::Usage`] for a server that is too old or a pooler in transaction mode.
    pub async fn connect(target: &Target, purpose: &str) -> Result<Self, Error> {
        let client = dial(target, purpose).await?;
        let mut session = Self { client, backend_pid: 0, target: target.clone() };
        session.settle().await?;
        Ok(session)
    }

    /// Settings, server version, and whether statements of this connection reach one and the same backend.
    async fn settle(&mut self) -> Result<(), Error> {
        let failed = |target: &Target, source: DbError| Error::Connect { target: target.display(), source };
        let target = self.target.clone();
        self.batch(HYGIENE).await.map_err(|source| failed(&target, source))?;
        // Not every version has them; a session that holds a run is idle while others fill for it.
        let more = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')";
        self.simple_rows(more).await.map_err(|source| failed(&target, source))?;
        // A killed client's backend notices within this time even while it works; not every platform has it.
        if let Err(error) = self.batch("SET client_connection_check_interval = '1s'").await
            && error.kind == DbErrorKind::ConnectionLost
        {
            return Err(failed(&target, error));
        }
        let look = "SELECT pg_backend_pid(), current_setting('server_version_num'), current_setting('idle_in_transaction_session_timeout')";
        let mut pids = Vec::new();
        for _ in 0..3 {
            let rows = self.simple_rows(look).await.map_err(|source| failed(&target, source))?;
            let [pid, version, timeout] = <[Option<String>; 3]>::try_from(rows.into_iter().next().unwrap_or_default())
                .unwrap_or_default()
                .map(Option::unwrap_or_default);
            let version: u32 = version.parse().unwrap_or(0);
            if version < OLDEST {
                return Err(too_old(&target, version));
            }
            pids.push((pid, timeout));
        }
        if pids.iter().any(|found| *found != pids[0]) || pids[0].1 != "1min" {
            return Err(pooled(&target));
        }
        self.backend_pid = pids[0].0.parse().unwrap_or(0);
        Ok(())
    }

    /// The target that this session is connected to.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The raw client, for transactions, pipelining and prepared statements.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The server's process id of this connection.
    #[must_use]
    pub fn backend_pid(&self) -> i32 {
        self.backend_pid
    }

    /// Whether the connection is known to be gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// What [`Session::cancel`] needs.
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// Cancels the statement that runs on this connection, from another connection.
    ///
    /// # Errors
    /// [`Error::Connect`] where the other connection cannot be made.
    pub async fn cancel(token: &CancelToken, target: &Target) -> Result<(), Error> {
        let cancelled = if target.plain() {
            token.cancel_query(NoTls).await
        } else {
            token.cancel_query(target.connector()?).await
        };
        cancelled.map_err(|error| Error::Connect { target: target.display(), source: classify(&error, "cancel") })
    }

    /// Runs a query with parameters.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn query(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DbError> {
        self.client.query(sql, parameters).await.map_err(|error| classify(&error, sql))
    }

    /// Runs a query that returns exactly one row.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn query_one(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Row, DbError> {
        self.client.query_one(sql, parameters).await.map_err(|error| classify(&error, sql))
    }

    /// Runs a query that returns at most one row.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn query_opt(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, DbError> {
        self.client.query_opt(sql, parameters).await.map_err(|error| classify(&error, sql))
    }

    /// Type oid and type modifier of each column that a query would return; the query is only prepared.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn describe(&self, sql: &str) -> Result<Vec<(u32, i32)>, DbError> {
        let statement = self.client.prepare(sql).await.map_err(|error| classify(&error, sql))?;
        Ok(statement.columns().iter().map(|column| (column.type_().oid(), column.type_modifier())).collect())
    }

    /// Runs a statement and returns the number of rows it touched.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn execute(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, DbError> {
        self.client.execute(sql, parameters).await.map_err(|error| classify(&error, sql))
    }

    /// Sends several statements as one simple-query string.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn batch(&self, sql: &str) -> Result<(), DbError> {
        self.client.batch_execute(sql).await.map_err(|error| classify(&error, sql))
    }

    /// Rolls back whatever transaction is open; the connection may be gone, which ends the transaction as well.
    pub async fn abandon(&self) {
        if let Err(error) = self.batch("ROLLBACK").await {
            tracing::debug!(%error, "rollback after an error");
        }
    }

    /// Rows of a simple query as text; no plan is cached, so it is safe around changes of the schema.
    ///
    /// # Errors
    /// The server's, classified.
    pub async fn simple_rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DbError> {
        let messages = self.client.simple_query(sql).await.map_err(|error| classify(&error, sql))?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
            _ => None,
        });
        Ok(rows.collect())
    }
}

async fn dial(target: &Target, purpose: &str) -> Result<Client, Error> {
    let config = target.config(purpose);
    let failed =
        |error: &tokio_postgres::Error| Error::Connect { target: target.display(), source: classify(error, "") };
    if target.plain() {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| failed(&error))?;
        tokio::spawn(drive(connection));
        return Ok(client);
    }
    let (client, connection) = config.connect(target.connector()?).await.map_err(|error| failed(&error))?;
    tokio::spawn(drive(connection));
    Ok(client)
}

/// Runs the connection until it ends; whoever waits for an answer then learns that it is gone.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended");
    }
}

fn too_old(target: &Target, version: u32) -> Error {
    Error::Usage(vec![Problem {
        what: format!("the server is PostgreSQL {}", version / 10_000),
        place: target.display(),
        why: "reading a range of blocks needs PostgreSQL 14 or later".to_owned(),
        advice: "upgrade the server first".to_owned(),
    }])
}

fn pooled(target: &Target) -> Error {
    Error::Usage(vec![Problem {
        what: "statements of one connection reach different sessions: a pooler in transaction mode".to_owned(),
        place: target.display(),
        why: "lock timeouts and advisory locks belong to a session".to_owned(),
        advice: "connect to the server itself, or through a pool in session mode".to_owned(),
    }])
}
