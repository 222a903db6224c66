//! Ratios, measured in one run on one private server: how fast our way is against the statement that it replaces, and what the
//! application feels meanwhile. PostgreSQL: a fill in place. MySQL and MariaDB: a whole change by a second table.
//!
//! `cargo run --release -p shoofly-benches -- [--server mysql|mariadb|postgres:15]`

mod figures;
mod mysql;
mod postgres;
mod report;
mod which;

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::bail;
use clap::Parser;

use crate::report::Report;
use crate::which::Which;

/// How long one change may take at most.
const LONGEST: Duration = Duration::from_secs(900);

/// Throughput and application latency of online changes, against references on the same server in the same run.
#[derive(Debug, Parser)]
struct Args {
    /// The server: postgres, postgres:VERSION, mysql or mariadb.
    #[arg(long, default_value = "postgres:15")]
    server: Which,
    /// Rows of the table.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Times that each case is run, in turn.
    #[arg(long, default_value = "3")]
    repeats: NonZeroU32,
    /// Seconds of traffic before a change begins, to know what idle is.
    #[arg(long, default_value_t = 8)]
    idle_seconds: u64,
    /// Leave the latency part out.
    #[arg(long)]
    no_latency: bool,
    /// Leave the throughput part out.
    #[arg(long)]
    no_throughput: bool,
    /// PostgreSQL's `wal_level` (`replica` unless given): with `logical` each new row version is logged whole, also where it
    /// stays on its page.
    #[arg(long)]
    wal_level: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let installation = args.server.installation()?;
    let report = match args.server {
        Which::Postgres(_) => postgres::measure(&args, &installation).await?,
        Which::MariaDb | Which::MySql if args.wal_level.is_some() => bail!("--wal-level is for PostgreSQL"),
        Which::MariaDb | Which::MySql => mysql::measure(&args, &installation).await?,
    };
    report.print();
    Ok(())
}
