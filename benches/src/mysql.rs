//! MySQL and MariaDB: how long a whole change takes against the server's own copy and against pt-online-schema-change, and what
//! the application feels meanwhile.

mod change;
mod latency;
mod peer;
mod table;
mod throughput;
mod traffic;

use anyhow::Context as _;
use shoofly_sandbox::{Installation, Options, Product, Server};

use crate::{Args, Report};

/// What the change does to the table: a type that the server can only give it by copying.
const CLAUSE: &str = "MODIFY amount BIGINT NOT NULL";

/// Runs what the arguments ask for on a server of its own.
pub(crate) async fn measure(args: &Args, installation: &Installation) -> anyhow::Result<Report> {
    let server = Server::start(installation, &options(installation)).context("could not start the server")?;
    table::create_database(&server).await?;
    let mut report = Report::new(format!(
        "{} {}, binary log on and synced, {} rows, medians of {} interleaved runs",
        installation.product(),
        installation.version(),
        args.rows,
        args.repeats
    ));
    if !args.no_throughput {
        throughput::measure(&server, args.rows, args.repeats, &mut report).await?;
    }
    if !args.no_latency {
        if installation.product() == Product::MySql {
            table::give_the_log_threads(&server).await?;
        }
        latency::measure(&server, args.rows, args.idle_seconds, &mut report).await?;
    }
    Ok(report)
}

/// The table and everything made of it in memory, a redo log that no change fills, each commit on disk in both logs.
fn options(installation: &Installation) -> Options {
    let redo = match installation.product() {
        Product::MariaDb => "innodb-log-file-size",
        Product::MySql | Product::Postgres => "innodb-redo-log-capacity",
    };
    Options::default()
        .with("innodb-buffer-pool-size", "1G")
        .with(redo, "2G")
        .with("innodb-flush-log-at-trx-commit", "1")
        .with("sync-binlog", "1")
}
