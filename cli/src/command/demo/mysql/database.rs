//! A plain connection to the private server, for measuring and checking without the engine's help.

use anyhow::Context as _;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};

/// One connection.
pub(super) struct Database {
    conn: Conn,
}

impl Database {
    /// Connects.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn open(url: &str) -> anyhow::Result<Self> {
        Ok(Self { conn: connect(url).await.context("could not connect")? })
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn run(&mut self, sql: &str) -> anyhow::Result<()> {
        self.conn.query_drop(sql).await.with_context(|| format!("could not run {sql}"))
    }

    /// The only row of a query, each value as text.
    ///
    /// # Errors
    /// What the server says, or that there is not one row with so many values.
    pub(super) async fn row<const N: usize>(&mut self, sql: &str) -> anyhow::Result<[Option<String>; N]> {
        let rows = self.rows(sql).await?;
        let only = rows.into_iter().next().and_then(|row| <[Option<String>; N]>::try_from(row).ok());
        only.with_context(|| format!("no row of {N} values from {sql}"))
    }

    /// The same with numbers.
    ///
    /// # Errors
    /// As [`Database::row`], or that a value is no number.
    pub(super) async fn numbers<const N: usize>(&mut self, sql: &str) -> anyhow::Result<[Option<i64>; N]> {
        let texts: [Option<String>; N] = self.row(sql).await?;
        let mut numbers = [None; N];
        for (number, text) in numbers.iter_mut().zip(texts) {
            *number = text.map(|text| text.parse()).transpose().with_context(|| format!("no number from {sql}"))?;
        }
        Ok(numbers)
    }

    /// The texts in the first column of a query's rows.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn lines(&mut self, sql: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.rows(sql).await?.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// All rows of a query, each value as text.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn rows(&mut self, sql: &str) -> anyhow::Result<Vec<Vec<Option<String>>>> {
        let rows: Vec<mysql_async::Row> = self.conn.query(sql).await.with_context(|| format!("could not run {sql}"))?;
        let texts =
            rows.into_iter().map(|row| (0..row.len()).map(|at| row.get::<Option<String>, _>(at).flatten()).collect());
        Ok(texts.collect())
    }
}

/// Connects over the loopback interface. Left alone, the driver would ask for the server's socket and use that.
///
/// # Errors
/// The driver's.
pub(super) async fn connect(url: &str) -> mysql_async::Result<Conn> {
    // Rows found, not rows changed: what an application wants to know.
    Conn::new(OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false).client_found_rows(true)).await
}
