//! The private server and its tables.

use std::num::NonZeroU32;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use shoofly_sandbox::{Installation, Options, Server};
use tokio::process::Command;

use super::database::Database;

/// The database with the traffic.
pub(super) const APP: &str = "app";
/// The database where plain DDL shows what the result should be.
pub(super) const IDLE: &str = "idle";

/// Starts it. The settings are those of a small production server with room for the WAL between two timed checkpoints;
/// nothing that costs durability is switched off.
pub(super) async fn server(installation: &Installation) -> anyhow::Result<Server> {
    let installation = installation.clone();
    let options = Options::default().with("shared_buffers", "256MB").with("max_wal_size", "4GB");
    let starting = tokio::task::spawn_blocking(move || Server::start(&installation, &options));
    Ok(starting.await.context("could not start the private server")??)
}

/// `private PostgreSQL 15 on port 41234; removed at the end`
pub(super) fn introduction(server: &Server) -> String {
    format!("private PostgreSQL {} on port {}; removed at the end", server.installation().major(), server.port())
}

/// Creates both databases; the busy one at that scale, the idle one as small as it gets.
pub(super) async fn load(server: &Server, scale: NonZeroU32) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let postgres = Database::open(&server.url("postgres")).await?;
    postgres.run(&format!("CREATE DATABASE {APP}")).await?;
    postgres.run(&format!("CREATE DATABASE {IDLE}")).await?;
    initialise(server, IDLE, NonZeroU32::MIN).await?;
    initialise(server, APP, scale).await?;
    // What loading left in memory must not be written under the eyes of the measurement.
    postgres.run("CHECKPOINT").await?;
    Ok(began.elapsed())
}

/// Megabytes of the table that is changed, without its indexes.
pub(super) async fn table_mb(server: &Server) -> anyhow::Result<i64> {
    let app = Database::open(&server.url(APP)).await?;
    Ok(app.row("SELECT pg_relation_size('pgbench_accounts') / 1048576").await?.get(0))
}

async fn initialise(server: &Server, database: &str, scale: NonZeroU32) -> anyhow::Result<()> {
    let mut command = pgbench(server, database)?;
    command.args(["--initialize", "--quiet", "--foreign-keys", "--scale", &scale.to_string()]);
    let output = command.stdout(Stdio::null()).output().await.context("could not run pgbench")?;
    if !output.status.success() {
        bail!("pgbench --initialize failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// pgbench, pointed at a database. It ends with us, and a Ctrl-C on the terminal reaches only us.
pub(super) fn pgbench(server: &Server, database: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(server.installation().program("pgbench")?);
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", "postgres")
        .env("PGPASSWORD", server.password())
        .env("PGDATABASE", database)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0);
    Ok(command)
}
