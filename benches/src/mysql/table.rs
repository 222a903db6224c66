//! The table.

use anyhow::{Context as _, ensure};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};
use shoofly_sandbox::Server;

/// The database and the table in it.
pub(super) const NAME: &str = "bench";
/// Rows of one statement: its transaction stays small.
const BATCH: u64 = 10_000;

/// A connection over the Unix socket, for set-up and measuring.
pub(super) async fn connect(server: &Server) -> anyhow::Result<Conn> {
    open(&server.socket_url(NAME)).await
}

/// A connection by the way that the URL names. Left alone, the driver asks the server for a socket and uses that.
pub(super) async fn open(url: &str) -> anyhow::Result<Conn> {
    Ok(Conn::new(OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false)).await?)
}

pub(super) async fn create_database(server: &Server) -> anyhow::Result<()> {
    let mut conn = open(&server.socket_url("mysql")).await?;
    conn.query_drop(format!("CREATE DATABASE {NAME}")).await?;
    Ok(conn.disconnect().await?)
}

/// Gives MySQL's redo log threads of its own, as it has by default where there are 32 processors or more. Without them a commit
/// that finds another one on its way to disk sleeps for 100 ms now and then: 15 and 22 of 32 000 updates of eight clients, a minute
/// each, on a server (9.7.4) with nothing else to do; none with them.
pub(super) async fn give_the_log_threads(server: &Server) -> anyhow::Result<()> {
    let mut conn = open(&server.socket_url("mysql")).await?;
    conn.query_drop("SET GLOBAL innodb_log_writer_threads = ON").await?;
    Ok(conn.disconnect().await?)
}

/// A fresh table, packed and on disk: about 150 bytes a row, a primary key, one index in random order, one in the key's order.
/// No run is remembered.
pub(super) async fn load(conn: &mut Conn, rows: u64) -> anyhow::Result<()> {
    for statement in [
        "SET SESSION sql_log_bin = 0",
        "DROP DATABASE IF EXISTS shoofly",
        "DROP TABLE IF EXISTS bench",
        "CREATE TABLE bench (id BIGINT NOT NULL PRIMARY KEY, customer INT NOT NULL, placed DATETIME NOT NULL, \
         amount INT NOT NULL, note VARCHAR(200) NOT NULL) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4",
    ] {
        conn.query_drop(statement).await?;
    }
    for base in (0..rows).step_by(BATCH as usize) {
        let end = rows.min(base + BATCH);
        conn.query_drop(format!(
            "INSERT INTO bench WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99), \
             ids (id) AS (SELECT {base} + a.i * 100 + b.i + 1 FROM n AS a CROSS JOIN n AS b) \
             SELECT id, CRC32(id) % 1000000, TIMESTAMP('2020-01-01') + INTERVAL id SECOND, id % 1000, REPEAT('x', 104) \
             FROM ids WHERE id <= {end} ORDER BY id"
        ))
        .await?;
    }
    for statement in [
        "ALTER TABLE bench ADD KEY bench_customer (customer), ADD KEY bench_placed (placed)",
        "ANALYZE TABLE bench",
        // Writes every page of the table that is only in memory.
        "FLUSH TABLES bench FOR EXPORT",
        "UNLOCK TABLES",
        "SET SESSION sql_log_bin = 1",
    ] {
        conn.query_drop(statement).await?;
    }
    Ok(())
}

/// Whether the change has come about: a reference that did something else would be none.
pub(super) async fn check(conn: &mut Conn, rows: u64) -> anyhow::Result<()> {
    let columns = "SELECT DATA_TYPE FROM information_schema.COLUMNS \
                   WHERE TABLE_SCHEMA = 'bench' AND TABLE_NAME = 'bench' AND COLUMN_NAME = 'amount'";
    let found: String = conn.query_first(columns).await?.context("the column is gone")?;
    ensure!(found == "bigint", "the column is {found} still");
    let counted: u64 = conn.query_first("SELECT COUNT(*) FROM bench").await?.context("no count")?;
    ensure!(counted == rows, "{counted} rows of {rows}");
    let indexes: u64 = conn
        .query_first("SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'bench' AND TABLE_NAME = 'bench'")
        .await?
        .context("no count")?;
    ensure!(indexes == 3, "{indexes} indexes of 3");
    Ok(())
}
