//! The private server and its tables.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use shoofly_sandbox::{Installation, Options, Product, Server};

use super::database::Database;

/// The database with the traffic.
pub(super) const APP: &str = "app";
/// The database where plain DDL shows what the result should be.
pub(super) const IDLE: &str = "idle";
/// The application's user: whoever else is connected is not the application.
pub(super) const USER: &str = "bank";

/// The same in both databases.
const SCHEMA: &str = include_str!("schema.sql");
/// Tellers of each branch.
const TELLERS: u32 = 10;

/// Starts it. The settings are those of a small production server; nothing that costs durability is switched off.
pub(super) async fn server(installation: Installation) -> anyhow::Result<Server> {
    let log = match installation.product() {
        Product::MySql => "loose-innodb-redo-log-capacity",
        Product::MariaDb | Product::Postgres => "loose-innodb-log-file-size",
    };
    let options = Options::default().with("innodb-buffer-pool-size", "512M").with(log, "1G");
    let starting = tokio::task::spawn_blocking(move || Server::start(&installation, &options));
    Ok(starting.await.context("could not start the private server")??)
}

/// URL of the application.
pub(super) fn application_url(server: &Server) -> String {
    format!("mysql://{USER}:{}@127.0.0.1:{}/{APP}", server.password(), server.port())
}

/// Creates both databases and the application's user; the busy database at that scale, the idle one as small as it gets.
pub(super) async fn load(server: &Server, scale: NonZeroU32) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut root = Database::open(&server.url("")).await?;
    root.run(&format!("CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{}'", server.password())).await?;
    root.run(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {APP}.* TO '{USER}'@'127.0.0.1'")).await?;
    for (name, scale) in [(IDLE, NonZeroU32::MIN), (APP, scale)] {
        root.run(&format!("CREATE DATABASE {name}")).await?;
        let mut database = Database::open(&server.url(name)).await?;
        fill(&mut database, scale).await?;
        // What loading left in memory must not be written under the eyes of the measurement.
        database.run("FLUSH TABLES accounts, tellers, branches, history FOR EXPORT").await?;
        database.run("UNLOCK TABLES").await?;
    }
    Ok(began.elapsed())
}

async fn fill(database: &mut Database, scale: NonZeroU32) -> anyhow::Result<()> {
    let statements = SCHEMA.lines().filter(|line| !line.starts_with("--"));
    for statement in statements {
        database.run(statement.trim_end_matches(';')).await?;
    }
    for branch in 1..=scale.get() {
        database.run(&format!("INSERT INTO branches VALUES ({branch}, 0, '')")).await?;
        for teller in (branch - 1) * TELLERS + 1..=branch * TELLERS {
            database.run(&format!("INSERT INTO tellers VALUES ({teller}, {branch}, 0, '')")).await?;
        }
        database.run(&accounts(branch)).await?;
    }
    database.run("ANALYZE TABLE accounts, tellers, branches, history").await
}

/// The 100 000 accounts of a branch.
fn accounts(branch: u32) -> String {
    format!(
        "INSERT INTO accounts (aid, bid, filler)
         WITH d (n) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
                        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)
         SELECT ({branch} - 1) * 100000 + e.n * 10000 + d.n * 1000 + c.n * 100 + b.n * 10 + a.n + 1 AS aid, {branch}, ''
         FROM d AS a, d AS b, d AS c, d, d AS e ORDER BY aid"
    )
}

/// Megabytes of the file of the table that is changed: the rows, and the index over their branches.
pub(super) async fn table_mb(server: &Server) -> anyhow::Result<i64> {
    let files = match server.installation().product() {
        Product::MySql => "INNODB_TABLESPACES",
        Product::MariaDb | Product::Postgres => "INNODB_SYS_TABLESPACES",
    };
    let mut root = Database::open(&server.url(APP)).await?;
    let size = format!("SELECT FILE_SIZE DIV 1048576 FROM information_schema.{files} WHERE NAME = '{APP}/accounts'");
    let [megabytes] = root.numbers(&size).await?;
    megabytes.context("the server does not say how large the table is")
}
