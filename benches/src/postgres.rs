//! PostgreSQL: how fast a fill in place is against the one statement it replaces, what it costs in space and WAL, and what the
//! application feels meanwhile.

mod fill;
mod latency;
mod throughput;

use anyhow::Context as _;
use shoofly_sandbox::{Installation, Options, Server};

use crate::{Args, Report};

/// Runs what the arguments ask for on a server of its own.
pub(crate) async fn measure(args: &Args, installation: &Installation) -> anyhow::Result<Report> {
    let wal_level = args.wal_level.as_deref().unwrap_or("replica");
    let options =
        Options::default().with("shared_buffers", "1GB").with("max_wal_size", "8GB").with("wal_level", wal_level);
    let server = Server::start(installation, &options).context("could not start the server")?;
    let mut report = Report::new(format!(
        "PostgreSQL {}, wal_level {wal_level}, {} rows, medians of {} interleaved runs",
        installation.major(),
        args.rows,
        args.repeats
    ));
    if !args.no_throughput {
        throughput::measure(&server, args.rows, args.repeats, &mut report).await?;
    }
    if !args.no_latency {
        latency::measure(&server, args.rows, args.idle_seconds, &mut report).await?;
    }
    Ok(report)
}
