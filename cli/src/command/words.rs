//! What the ledger says, in words.

use std::time::Duration;

use shoofly_engine::name::QualifiedName;
use shoofly_engine::run::{Direction, RunState, RunStatus};

use crate::output::text;

/// `up` or `down`.
pub(crate) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

/// A run's state.
pub(crate) fn state(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Ready => "ready",
        RunState::Switching => "switching",
        RunState::Switched => "switched",
        RunState::Completing => "completing",
        RunState::Complete => "complete",
        RunState::RollingBack => "rolling back",
        RunState::RolledBack => "rolled back",
    }
}

/// Whether the run still has something to do.
pub(crate) fn is_open(state: RunState) -> bool {
    match state {
        RunState::Running
        | RunState::Ready
        | RunState::Switching
        | RunState::Switched
        | RunState::Completing
        | RunState::RollingBack => true,
        RunState::Complete | RunState::RolledBack => false,
    }
}

/// Its tables.
pub(crate) fn tables(run: &RunStatus) -> String {
    run.tables.iter().map(QualifiedName::display).collect::<Vec<_>>().join(", ")
}

/// Rows written by fills; nothing where there was no fill.
pub(crate) fn rows(run: &RunStatus) -> String {
    if run.rows_written == 0 { String::new() } else { text::count(run.rows_written) }
}

/// A moment of the database's clock, to the second.
pub(crate) fn moment(stamp: &str) -> String {
    match stamp.parse::<jiff::Timestamp>() {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => stamp.to_owned(),
    }
}

/// How long the run took.
pub(crate) fn took(run: &RunStatus) -> String {
    let length = || {
        let began: jiff::Timestamp = run.began.parse().ok()?;
        let ended: jiff::Timestamp = run.ended.as_ref()?.parse().ok()?;
        Duration::try_from(ended.duration_since(began)).ok()
    };
    length().map(text::time).unwrap_or_default()
}
