//! A plain connection to the private server, for measuring and checking without the engine's help.

use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, Row};

/// One connection.
pub(in crate::command::demo) struct Database {
    client: Client,
    connection: JoinHandle<()>,
}

impl Database {
    /// Connects.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn open(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("could not connect")?;
        // An error of the connection shows in the next query.
        let connection = tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(Self { client, connection })
    }

    /// Runs statements.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn run(&self, sql: &str) -> anyhow::Result<()> {
        self.client.batch_execute(sql).await.with_context(|| format!("could not run {sql}"))
    }

    /// The only row of a query.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn row(&self, sql: &str) -> anyhow::Result<Row> {
        self.client.query_one(sql, &[]).await.with_context(|| format!("could not run {sql}"))
    }

    /// The texts in the first column of a query's rows, sorted.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn lines(&self, sql: &str, others: &[&str]) -> anyhow::Result<Vec<String>> {
        let rows = if others.is_empty() {
            self.client.query(sql, &[]).await
        } else {
            self.client.query(sql, &[&others]).await
        };
        let mut lines: Vec<String> =
            rows.context("could not read the catalogue")?.iter().map(|row| row.get(0)).collect();
        lines.sort();
        Ok(lines)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
