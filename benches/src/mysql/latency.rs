//! What the application feels: traffic at a steady rate, with no change, a change at the default pace, a change at full speed.

use std::time::{Duration, Instant};

use shoofly_engine::settings::{FillSettings, Pace};
use shoofly_sandbox::Server;
use shoofly_sandbox::stall::{Sleepers, Times};

use super::change::{self, Lock, Made};
use super::table;
use super::traffic::{Traffic, Transaction};
use crate::figures::Felt;
use crate::report::{Goal, Report};

/// Transactions a second.
const RATE: u32 = 500;
/// Caches and connections warm up; left out.
const WARM_UP: Duration = Duration::from_secs(1);

/// A piece of the traffic.
struct Period {
    felt: Felt,
    /// The highest latency without the time in which the machine stood still for others too.
    max_alone: f64,
    /// The moment in which that one was due, and whether it has only read.
    slowest: Option<(Instant, bool)>,
    failures: Vec<String>,
    seconds: f64,
}

/// The longest time that one transaction was under way while we had a lock on whatever table, in milliseconds and without the
/// machine's stalls, and the step that had it: no transaction waited longer for that.
struct Worst {
    beside: f64,
    step: String,
    /// When each step began.
    steps: Vec<(Instant, String)>,
}

/// Runs both paces, each after an idle period of its own.
pub(super) async fn measure(server: &Server, rows: u64, idle_seconds: u64, report: &mut Report) -> anyhow::Result<()> {
    for (name, pace) in [("default pace", Pace::Polite), ("full speed", Pace::Full)] {
        report.say(&format!("latency at {RATE}/s, {name}"));
        let (idle, busy, worst) = periods(server, rows, idle_seconds, pace).await?;
        report.row(&format!("{RATE}/s, before it"), &idle.text());
        report.row(&format!("{RATE}/s, change at {name}"), &busy.text());
        let beside = format!("{:.1} ms ({})", worst.beside, worst.step);
        report.row(&format!("{RATE}/s, {name}: longest time beside a lock of ours"), &beside);
        let max = format!("{RATE}/s, {name}: max ms, the machine's stalls left out");
        if let Some(slowest) = busy.slowest {
            report.row(&format!("{RATE}/s, {name}: that was"), &worst.during(slowest));
        }
        report.ratio(&max, busy.max_alone, Goal::AtMost(50.0));
        report.ratio(&format!("{RATE}/s, {name}: p99 ÷ idle p99"), busy.felt.p99 / idle.felt.p99, Goal::AtMost(5.0));
        let failures: Vec<&String> = idle.failures.iter().chain(&busy.failures).collect();
        report.ratio(&format!("{RATE}/s, {name}: failed statements"), failures.len() as f64, Goal::AtMost(0.0));
        if let Some(first) = failures.first() {
            report.row("the first of them", first);
        }
    }
    Ok(())
}

async fn periods(server: &Server, rows: u64, idle_seconds: u64, pace: Pace) -> anyhow::Result<(Period, Period, Worst)> {
    let mut conn = table::connect(server).await?;
    table::load(&mut conn, rows).await?;
    let sleepers = Sleepers::start()?;
    let traffic = Traffic::start(server.url(table::NAME), rows, RATE);
    tokio::time::sleep(WARM_UP).await;
    let idle = Instant::now();
    tokio::time::sleep(Duration::from_secs(idle_seconds)).await;
    let began = Instant::now();
    let changed = change::run(server, FillSettings { pace, ..FillSettings::default() }).await;
    let ended = Instant::now();
    let sent = traffic.stop().await?;
    let stalls = Times::new(sleepers.stop());
    let worst = Worst::of(changed?, &sent, &stalls);
    table::check(&mut conn, rows).await?;
    conn.disconnect().await?;
    Ok((Period::of(&sent, idle, began, &stalls), Period::of(&sent, began, ended, &stalls), worst))
}

impl Worst {
    fn of(made: Made, sent: &[Transaction], stalls: &Times) -> Self {
        let times = made.locks.iter().flat_map(|Lock { time, step }| {
            let ours = Times::new(vec![*time]).without(stalls);
            sent.iter().map(move |one| (ours.within(one.due, one.ended), step))
        });
        let (beside, step) = times.max().map_or((Duration::ZERO, "none"), |(beside, step)| (beside, step));
        Self { beside: beside.as_secs_f64() * 1e3, step: step.to_owned(), steps: made.steps }
    }

    /// What it was, and in which step: the last one that had begun then.
    fn during(&self, slowest: (Instant, bool)) -> String {
        let (due, read) = slowest;
        let kind = if read { "a read" } else { "a write" };
        match self.steps.iter().rev().find(|(begun, _)| *begun <= due) {
            Some((begun, step)) => {
                format!("{kind}, {:.0} ms after the begin of {step}", (due - *begun).as_secs_f64() * 1e3)
            }
            None => format!("{kind}, while the plan was made"),
        }
    }
}

impl Period {
    fn of(sent: &[Transaction], from: Instant, to: Instant, stalls: &Times) -> Self {
        let inside: Vec<&Transaction> = sent.iter().filter(|one| one.ended >= from && one.ended < to).collect();
        let slowest = inside.iter().max_by_key(|one| one.alone(stalls));
        Self {
            felt: Felt::of(inside.iter().map(|one| one.latency().as_secs_f64() * 1e3)),
            max_alone: slowest.map_or(0.0, |one| one.alone(stalls).as_secs_f64() * 1e3),
            slowest: slowest.map(|one| (one.due, one.read)),
            failures: inside.iter().filter_map(|one| one.failure.clone()).collect(),
            seconds: to.duration_since(from).as_secs_f64(),
        }
    }

    fn text(&self) -> String {
        let Felt { transactions, p50, p99, max } = self.felt;
        format!(
            "p50 {p50:.2} ms, p99 {p99:.2} ms, max {max:.1} ms (the machine's stalls left out: {:.1} ms); {transactions} in {:.1} s",
            self.max_alone, self.seconds
        )
    }
}
