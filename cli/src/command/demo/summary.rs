//! What is printed at the end.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::bank::Story;
use super::checks::Check;
use super::latency::{self, Felt, Micros, Stretches};
use super::seen::Seen;
use super::traffic::Sent;
use super::waits::Waited;
use crate::output::text::{self, Paint};

/// What was measured.
pub(super) struct Measured {
    /// When the change began and ended.
    pub(super) began: Micros,
    /// When it ended.
    pub(super) ended: Micros,
    /// Rows of the table.
    pub(super) accounts: u64,
    /// Its size before and after.
    pub(super) table_mb: (i64, i64),
    /// What the run said about itself.
    pub(super) seen: Seen,
    /// Who waited for it.
    pub(super) waited: Waited,
    /// What the application did.
    pub(super) sent: Sent,
}

/// The end of a demonstration.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    event: &'static str,
    passed: bool,
    accounts: u64,
    change_seconds: f64,
    fill_rows_per_second: f64,
    locks: u32,
    locks_missed: u32,
    longest_lock_ms: f64,
    seen_waiting_table_ms: f64,
    seen_waiting_row_ms: f64,
    /// Before and after.
    table_mb: (i64, i64),
    latency: Stretches,
    checks: Vec<Check>,
    #[serde(skip)]
    story: Story,
    #[serde(skip)]
    remarks: Vec<String>,
}

impl Summary {
    /// Puts it together.
    pub(super) fn new(story: Story, measured: &Measured, checks: Vec<Check>) -> anyhow::Result<Self> {
        let Measured { began, ended, accounts, table_mb, seen, waited, sent } = measured;
        let latency = latency::stretches(&sent.transactions, *began, *ended)?;
        let mut all = vec![failures(&latency, sent)];
        all.extend(checks);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rows = seen.rows as f64;
        Ok(Self {
            event: "result",
            passed: all.iter().all(Check::holds),
            accounts: *accounts,
            change_seconds: Duration::from_micros(ended - began).as_secs_f64(),
            fill_rows_per_second: rows / seen.fill.as_secs_f64().max(1e-3),
            locks: seen.locks,
            locks_missed: seen.missed,
            longest_lock_ms: seen.longest.as_secs_f64() * 1e3,
            seen_waiting_table_ms: waited.table_ms,
            seen_waiting_row_ms: waited.row_ms,
            table_mb: *table_mb,
            latency,
            checks: all,
            story,
            remarks: sent.remarks.clone(),
        })
    }

    /// Whether every check holds.
    pub(super) fn passed(&self) -> bool {
        self.passed
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let paint = Paint::for_stdout();
        let mut page = String::new();
        self.write(&mut page, paint).unwrap_or_default();
        page
    }

    fn write(&self, page: &mut String, paint: Paint) -> std::fmt::Result {
        let took = text::time(Duration::from_secs_f64(self.change_seconds));
        let head = format!("{} in {took}, under traffic", self.story.change);
        writeln!(page, "\n{}\n", paint.bold(&head))?;
        let Stretches { before, during, after } = &self.latency;
        let headings = ["before", "during", "after"].map(|word| paint.dim(&format!("{word:>12}"))).join("");
        writeln!(page, "  {:<24}{headings}", "")?;
        let mut row = |name: &str, of: &dyn Fn(&Felt) -> String| {
            writeln!(page, "  {name:<24}{:>12}{:>12}{:>12}", of(before), of(during), of(after))
        };
        row("transactions", &|felt| text::count(felt.done))?;
        row("failed", &|felt| felt.failed.to_string())?;
        if let Some(why) = self.story.repeats {
            row(why, &|felt| felt.repeated.to_string())?;
        }
        row("half of them within", &|felt| millis(felt.p50_ms))?;
        row("99 of 100 within", &|felt| millis(felt.p99_ms))?;
        row("the slowest", &|felt| millis(felt.max_ms))?;
        writeln!(page)?;
        self.write_locks(page)?;
        for remark in &self.remarks {
            writeln!(page, "  {remark}")?;
        }
        writeln!(page)?;
        for check in &self.checks {
            let mark = if check.holds() { paint.green("✓") } else { paint.red("✗") };
            writeln!(page, "  {mark} {}", check.claim)?;
            for reason in check.against.iter().take(10) {
                writeln!(page, "      {reason}")?;
            }
        }
        Ok(())
    }

    fn write_locks(&self, page: &mut String) -> std::fmt::Result {
        let missed = match self.locks_missed {
            0 => "no lock had to be asked for twice".to_owned(),
            1 => "once a lock was not granted in time and was asked for again".to_owned(),
            n => format!("{n} times a lock was not granted in time and was asked for again"),
        };
        writeln!(
            page,
            "  {} rows filled at {} rows/s",
            text::count(self.accounts),
            text::short(self.fill_rows_per_second)
        )?;
        let longest = millis(self.longest_lock_ms);
        writeln!(
            page,
            "  at most {longest} from asking for a lock to its release, in {} short transactions; {missed}",
            self.locks
        )?;
        writeln!(
            page,
            "  seen from outside, clients waited for our table locks up to {}, for our row locks up to {}",
            millis(self.seen_waiting_table_ms),
            millis(self.seen_waiting_row_ms)
        )
    }
}

fn failures(latency: &Stretches, sent: &Sent) -> Check {
    let failed = latency.before.failed + latency.during.failed + latency.after.failed;
    let mut against = sent.complaints.clone();
    if failed > 0 {
        against.insert(0, format!("{failed} transactions failed"));
    }
    if latency.during.done == 0 {
        against.push("no transaction ran during the change".to_owned());
    }
    Check::new("no transaction failed", against)
}

fn millis(length: f64) -> String {
    text::time(Duration::from_secs_f64(length / 1e3))
}
