//! What the application feels: traffic at a steady rate, with no change, a change at the default pace, a change at full speed.

use std::time::{Duration, Instant};

use shoofly_engine::settings::{FillSettings, Pace};
use shoofly_sandbox::Server;

use super::traffic::{Traffic, Transaction};
use super::{change, table};
use crate::figures::Felt;
use crate::report::{Goal, Report};

/// Transactions a second.
const RATE: u32 = 500;
/// Caches and connections warm up; left out.
const WARM_UP: Duration = Duration::from_secs(1);

/// A piece of the traffic.
struct Period {
    felt: Felt,
    failures: Vec<String>,
    seconds: f64,
}

/// Runs both paces, each after an idle period of its own.
pub(super) async fn measure(server: &Server, rows: u64, idle_seconds: u64, report: &mut Report) -> anyhow::Result<()> {
    for (name, pace) in [("default pace", Pace::Polite), ("full speed", Pace::Full)] {
        report.say(&format!("latency at {RATE}/s, {name}"));
        let (idle, busy) = periods(server, rows, idle_seconds, pace).await?;
        report.row(&format!("{RATE}/s, before it"), &idle.text());
        report.row(&format!("{RATE}/s, change at {name}"), &busy.text());
        report.ratio(&format!("{RATE}/s, {name}: max ms"), busy.felt.max, Goal::AtMost(50.0));
        report.ratio(&format!("{RATE}/s, {name}: p99 ÷ idle p99"), busy.felt.p99 / idle.felt.p99, Goal::AtMost(5.0));
        let failures: Vec<&String> = idle.failures.iter().chain(&busy.failures).collect();
        report.ratio(&format!("{RATE}/s, {name}: failed statements"), failures.len() as f64, Goal::AtMost(0.0));
        if let Some(first) = failures.first() {
            report.row("the first of them", first);
        }
    }
    Ok(())
}

async fn periods(server: &Server, rows: u64, idle_seconds: u64, pace: Pace) -> anyhow::Result<(Period, Period)> {
    let mut conn = table::connect(server).await?;
    table::load(&mut conn, rows).await?;
    let traffic = Traffic::start(server.url(table::NAME), rows, RATE);
    tokio::time::sleep(WARM_UP).await;
    let idle = Instant::now();
    tokio::time::sleep(Duration::from_secs(idle_seconds)).await;
    let began = Instant::now();
    let changed = change::run(server, FillSettings { pace, ..FillSettings::default() }).await;
    let ended = Instant::now();
    let sent = traffic.stop().await?;
    changed?;
    table::check(&mut conn, rows).await?;
    conn.disconnect().await?;
    Ok((Period::of(&sent, idle, began), Period::of(&sent, began, ended)))
}

impl Period {
    fn of(sent: &[Transaction], from: Instant, to: Instant) -> Self {
        let inside: Vec<&Transaction> = sent.iter().filter(|one| one.ended >= from && one.ended < to).collect();
        Self {
            felt: Felt::of(inside.iter().map(|one| one.latency)),
            failures: inside.iter().filter_map(|one| one.failure.clone()).collect(),
            seconds: to.duration_since(from).as_secs_f64(),
        }
    }

    fn text(&self) -> String {
        let Felt { transactions, p50, p99, max } = self.felt;
        format!("p50 {p50:.2} ms, p99 {p99:.2} ms, max {max:.1} ms; {transactions} in {:.1} s", self.seconds)
    }
}
