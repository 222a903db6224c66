//! What one event says, as text; where it stands on the screen is the readers' business.

use std::time::Duration;

use shoofly_engine::error::Blocker;
use shoofly_engine::event::FillProgress;
use shoofly_engine::plan::{LockMode, PhaseKind};

use crate::output::text::{self, Paint};

/// Width of a step's timing, before its title.
const TIMING: usize = 11;
/// A step that takes longer shows how long it has taken.
const SLOW: Duration = Duration::from_secs(1);
/// Blockers named on the screen; the others are counted.
const NAMED: usize = 3;

/// What is done where a proof is made outside any step.
pub(super) const PROOF: &str = "prove every row once more";

/// `20261121_widen (resumed)`
pub(super) fn run(paint: Paint, migration: &str, resumed: bool) -> String {
    let how = if resumed { " (resumed)" } else { "" };
    format!("{}{how}", paint.bold(migration))
}

/// `ready: both shapes are kept in step and proved`
pub(super) fn ready(paint: Paint) -> String {
    format!("{} both shapes are kept in step and proved", paint.bold("ready:"))
}

/// `  ✗              put the new column in the place of orders.id`
pub(super) fn unfinished(paint: Paint, title: &str) -> String {
    format!("  {} {:TIMING$}  {title}", paint.red("✗"), "")
}

/// `backfill`
pub(super) fn phase(paint: Paint, phase: PhaseKind) -> String {
    paint.bold(phase.word())
}

/// `  ✓       6 ms  put the new column in the place of orders.id (locked 5 ms)`
pub(super) fn done(paint: Paint, title: &str, took: Option<Duration>, locked: Option<Duration>) -> String {
    let timing = took.map_or_else(|| "done before".to_owned(), text::time);
    let locked = locked.map_or_else(String::new, |locked| format!(" (locked {})", text::time(locked)));
    format!("  {} {}  {title}{}", paint.green("✓"), paint.dim(&format!("{timing:>TIMING$}")), paint.dim(&locked))
}

/// `     3.2 s  build the primary key's index`; the time only when there is something to say.
pub(super) fn under_way(paint: Paint, title: &str, elapsed: Duration) -> String {
    let elapsed = if elapsed < SLOW { String::new() } else { text::time(elapsed) };
    format!("{}  {title}", paint.dim(&format!("{elapsed:>TIMING$}")))
}

/// `62.3 %   1 240 000 rows   48 k rows/s   14.0 s left   2 lanes`
pub(super) fn fill(progress: &FillProgress) -> String {
    let mut parts = vec![
        format!("{:.1} %", text::percent(progress.blocks_done, progress.blocks_total)),
        format!("{} rows", text::count(progress.rows_written)),
        format!("{} rows/s", text::short(progress.rows_per_second)),
    ];
    if let Some(eta) = progress.eta {
        parts.push(format!("{} left", text::time(Duration::from_secs(eta.as_secs().max(1)))));
    }
    if progress.lanes > 1 {
        parts.push(format!("{} lanes", progress.lanes));
    }
    if progress.deferred > 0 {
        parts.push(format!("{} locked rows put off", text::count(progress.deferred)));
    }
    parts.join("   ")
}

/// `waiting 12 s to ask for ACCESS EXCLUSIVE on orders`, and who is in the way, one line each.
pub(super) fn waiting(table: &str, mode: LockMode, waited: Duration, blockers: &[Blocker]) -> Vec<String> {
    let so_far = if waited < Duration::from_secs(1) { String::new() } else { format!(" {}", text::time(waited)) };
    let mut lines = vec![format!("waiting{so_far} to ask for {} on {table}; in the way:", mode.sql())];
    lines.extend(blockers.iter().take(NAMED).map(|blocker| format!("  {blocker}")));
    if blockers.len() > NAMED {
        lines.push(format!("  and {} more", blockers.len() - NAMED));
    }
    lines
}

/// `ended: pid 7 (app / web, idle in transaction) holds …`
pub(super) fn ended(blocker: &Blocker) -> String {
    format!("ended: {blocker}")
}

/// `lock not granted within 100 ms: stepped aside, trying again`
pub(super) fn missed(asked: Duration) -> String {
    format!("lock not granted within {}: stepped aside, trying again", text::time(asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shoofly_engine::name::TableName;

    fn progress() -> FillProgress {
        FillProgress {
            table: TableName::new("public".parse().unwrap(), "t".parse().unwrap()),
            blocks_done: 623,
            blocks_total: 1000,
            rows_written: 1_240_000,
            rows_per_second: 48_000.0,
            eta: Some(Duration::from_millis(14_200)),
            lanes: 2,
            deferred: 0,
            because: None,
        }
    }

    #[test]
    fn a_fill_says_how_far_and_how_fast() {
        assert_eq!(fill(&progress()), "62.3 %   1 240 000 rows   48 k rows/s   14.0 s left   2 lanes");
        let unknown = FillProgress { eta: None, lanes: 1, deferred: 3, ..progress() };
        assert!(fill(&unknown).ends_with("48 k rows/s   3 locked rows put off"));
    }

    #[test]
    fn a_wait_names_who_is_in_the_way() {
        let blocker = Blocker {
            pid: 7,
            user: "app".into(),
            application: "psql".into(),
            state: "idle in transaction".into(),
            transaction_age: 34.0,
            query: "select 1".into(),
            holds: "t: ACCESS SHARE".into(),
        };
        let lines = waiting("t", LockMode::AccessExclusive, Duration::from_secs(12), &vec![blocker; 5]);
        assert!(lines[0].starts_with("waiting 12.0 s to ask for ACCESS EXCLUSIVE on t"));
        assert!(lines[1].contains("pid 7 (app / psql, idle in transaction)"));
        assert_eq!(lines.last().unwrap(), "  and 2 more");
    }
}
