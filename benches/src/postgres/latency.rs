//! What the application feels: pgbench at a steady rate, with no fill, a fill at the default pace, a fill at full speed.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use shoofly_engine::settings::{FillSettings, Pace};
use shoofly_sandbox::Server;
use tokio::process::{Child, Command};

use super::fill;
use crate::figures::Felt;
use crate::report::{Goal, Report};

/// 70 % reads, 30 % writes of one row by key.
const READ: &str = "\\set id random(1, :rows)\nSELECT amount FROM bench WHERE id = :id;\n";
const WRITE: &str = "\\set id random(1, :rows)\nUPDATE bench SET amount = amount + 1 WHERE id = :id;\n";

/// One period, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Period {
    felt: Felt,
    /// The highest latency without the time that pgbench itself was late.
    max_served: f64,
    /// How late the last second's transactions were: what a queue would show.
    lag_at_end: f64,
}

/// One transaction of pgbench's log.
struct Transaction {
    ended: f64,
    latency: f64,
    lag: f64,
}

/// Runs both rates under both paces, each after an idle period of its own.
pub(super) async fn measure(server: &Server, rows: u64, idle_seconds: u64, report: &mut Report) -> anyhow::Result<()> {
    for rate in [500, 5_000] {
        for (name, pace) in [("default pace", Pace::Polite), ("full speed", Pace::Full)] {
            report.say(&format!("latency at {rate}/s, {name}"));
            let (idle, busy) = period(server, rows, rate, idle_seconds, pace).await?;
            if pace == Pace::Polite {
                report.row(&format!("{rate}/s, no fill"), &idle.text());
            }
            report.row(&format!("{rate}/s, fill at {name}"), &busy.text());
            if rate == 500 {
                report.ratio(&format!("{rate}/s, {name}: max ms"), busy.felt.max, Goal::AtMost(30.0));
            }
            report.ratio(
                &format!("{rate}/s, {name}: p99 ÷ idle p99"),
                busy.felt.p99 / idle.felt.p99,
                Goal::AtMost(5.0),
            );
            if rate == 5_000 && pace == Pace::Polite {
                report.ratio(&format!("{rate}/s, {name}: lag at the end, ms"), busy.lag_at_end, Goal::AtMost(30.0));
            }
        }
    }
    Ok(())
}

impl Period {
    fn text(&self) -> String {
        format!(
            "p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms (served {:.1} ms), {} transactions",
            self.felt.p50, self.felt.p99, self.felt.max, self.max_served, self.felt.transactions
        )
    }
}

async fn period(
    server: &Server,
    rows: u64,
    rate: u32,
    idle_seconds: u64,
    pace: Pace,
) -> anyhow::Result<(Period, Period)> {
    let client = fill::connect(server).await?;
    fill::load(&client, rows).await?;
    let logs = server.folder().join(format!("latency-{rate}-{pace:?}"));
    fs::create_dir(&logs)?;
    let traffic = start(server, rows, rate, &logs)?;
    // The first second warms caches and connections up and is left out.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle_from = now();
    tokio::time::sleep(Duration::from_secs(idle_seconds)).await;
    let idle_to = now();
    let settings = FillSettings { pace, horizon_wait: Duration::from_secs(5), ..FillSettings::default() };
    let filled = fill::fill(server, &client, settings).await;
    stop(traffic).await?;
    let (began, ended) = filled?;
    let transactions = read(&logs)?;
    let busy_to = now() - ended.seconds_ago();
    let busy_from = busy_to - began.seconds_until(ended);
    Ok((within(&transactions, idle_from, idle_to), within(&transactions, busy_from, busy_to)))
}

fn start(server: &Server, rows: u64, rate: u32, logs: &std::path::Path) -> anyhow::Result<Child> {
    let (read, write) = (logs.join("read.sql"), logs.join("write.sql"));
    fs::write(&read, READ)?;
    fs::write(&write, WRITE)?;
    let child = Command::new(server.installation().program("pgbench")?)
        .args(["--no-vacuum", "--client=8", "--jobs=1", "--protocol=prepared", "--log", "--time=86400"])
        .arg(format!("--define=rows={rows}"))
        .arg(format!("--rate={rate}"))
        .arg(format!("--file={}@7", read.display()))
        .arg(format!("--file={}@3", write.display()))
        .arg(format!("--log-prefix={}", logs.join("log").display()))
        .arg(server.url("postgres"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("could not start pgbench")?;
    Ok(child)
}

/// pgbench ends its run, and writes its log to the end, when its timer rings; the timer is SIGALRM.
async fn stop(mut traffic: Child) -> anyhow::Result<()> {
    let pid =
        traffic.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).context("pgbench has ended by itself")?;
    kill_process(pid, Signal::ALARM)?;
    traffic.wait().await?;
    Ok(())
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// `client transaction time script epoch microseconds lag`, times in microseconds.
fn read(logs: &std::path::Path) -> anyhow::Result<Vec<Transaction>> {
    let mut transactions = Vec::new();
    for entry in fs::read_dir(logs)? {
        let path = entry?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log")) {
            continue;
        }
        for line in fs::read_to_string(&path)?.lines() {
            let fields: Vec<f64> = line.split(' ').filter_map(|field| field.parse().ok()).collect();
            if let [_, _, latency, _, seconds, microseconds, lag, ..] = fields[..] {
                transactions.push(Transaction {
                    ended: seconds + microseconds / 1e6,
                    latency: latency / 1e3,
                    lag: lag / 1e3,
                });
            }
        }
    }
    Ok(transactions)
}

fn within(transactions: &[Transaction], from: f64, to: f64) -> Period {
    let inside: Vec<&Transaction> = transactions.iter().filter(|one| one.ended >= from && one.ended < to).collect();
    let lags: Vec<f64> = inside.iter().filter(|one| one.ended > to - 1.0).map(|one| one.lag).collect();
    Period {
        felt: Felt::of(inside.iter().map(|one| one.latency)),
        max_served: inside.iter().map(|one| one.latency - one.lag).fold(0.0, f64::max),
        lag_at_end: lags.iter().sum::<f64>() / lags.len().max(1) as f64,
    }
}
