//! Ratios, measured in one run on one private server: how fast the fill is against the one statement it replaces, what it
//! costs in space and WAL, and what the application feels meanwhile.
//!
//! `cargo run --release -p shoofly-benches`

mod bench;
mod latency;
mod report;
mod throughput;

use std::num::NonZeroU32;

use anyhow::Context as _;
use clap::Parser;
use shoofly_sandbox::{Installation, Options, Server};

/// Throughput and application latency of a backfill in place, against references on the same server in the same run.
#[derive(Debug, Parser)]
struct Args {
    /// Rows of the table.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Times that each case is run, in turn.
    #[arg(long, default_value = "3")]
    repeats: NonZeroU32,
    /// Seconds of traffic before a fill begins, to know what idle is.
    #[arg(long, default_value_t = 8)]
    idle_seconds: u64,
    /// Leave the latency part out.
    #[arg(long)]
    no_latency: bool,
    /// Leave the throughput part out.
    #[arg(long)]
    no_throughput: bool,
    /// Major version of the server.
    #[arg(long, default_value_t = 15)]
    server: u32,
    /// The server's `wal_level`: with `logical` each new row version is logged whole, also where it stays on its page.
    #[arg(long, default_value = "replica")]
    wal_level: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let installation = Installation::find(Some(args.server)).context("no PostgreSQL server programs")?;
    let options =
        Options::default().with("shared_buffers", "1GB").with("max_wal_size", "8GB").with("wal_level", &args.wal_level);
    let server = Server::start(&installation, &options).context("could not start the server")?;
    let mut report = report::Report::new(installation.major(), &args.wal_level, args.rows, args.repeats.get());
    if !args.no_throughput {
        throughput::measure(&server, args.rows, args.repeats, &mut report).await?;
    }
    if !args.no_latency {
        latency::measure(&server, args.rows, args.idle_seconds, &mut report).await?;
    }
    report.print();
    Ok(())
}
