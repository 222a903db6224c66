//! The life of a run: one pure function moves it.

use serde::{Deserialize, Serialize};

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Between the first step and `ready`.
    Running,
    /// Both shapes work and are proved.
    Ready,
    /// The new shape is taking over, and the old table is to be kept.
    Switching,
    /// The new shape is in force, and the old table is kept in step.
    Switched,
    /// In the contract phase.
    Completing,
    /// Done.
    Complete,
    /// Being undone.
    RollingBack,
    /// Undone.
    RolledBack,
}

/// A step's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Begun; whether it took effect is for its probe to say.
    Begun,
    /// Done.
    Done,
}

/// What happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// The last proof holds.
    Proved,
    /// The operator lets the new shape take over and keeps the old table.
    Switch,
    /// The old table follows the new one.
    Kept,
    /// The operator completes it.
    Complete,
    /// The last step of the contract phase is done.
    Contracted,
    /// The operator rolls it back.
    RollBack,
    /// Everything is undone.
    Undone,
}

impl RunState {
    /// Whether the run still has its tables.
    #[must_use]
    pub fn is_active(self) -> bool {
        match self {
            Self::Running | Self::Ready | Self::Switching | Self::Switched | Self::Completing | Self::RollingBack => {
                true
            }
            Self::Complete | Self::RolledBack => false,
        }
    }

    /// The word in the ledger and in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Switching => "switching",
            Self::Switched => "switched",
            Self::Completing => "completing",
            Self::Complete => "complete",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
        }
    }
}

/// The next state, or `None` where the signal has no place in this state.
#[must_use]
pub(super) fn next(state: RunState, signal: Signal) -> Option<RunState> {
    use RunState::{Complete, Completing, Ready, RolledBack, RollingBack, Running, Switched, Switching};
    Some(match (state, signal) {
        (Running, Signal::Proved) => Ready,
        (Ready, Signal::Switch) => Switching,
        (Switching, Signal::Kept) => Switched,
        (Ready | Switched | Completing, Signal::Complete) => Completing,
        (Completing, Signal::Contracted) => Complete,
        // Whether a run in its contract phase can still go back is for its steps to say.
        (Running | Ready | Switching | Switched | Completing | RollingBack, Signal::RollBack) => RollingBack,
        (RollingBack, Signal::Undone) => RolledBack,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_an_ended_run_and_only_a_proved_one_completes() {
        let signals = [
            Signal::Proved,
            Signal::Switch,
            Signal::Kept,
            Signal::Complete,
            Signal::Contracted,
            Signal::RollBack,
            Signal::Undone,
        ];
        for signal in signals {
            assert_eq!(next(RunState::Complete, signal), None);
            assert_eq!(next(RunState::RolledBack, signal), None);
        }
        assert_eq!(next(RunState::Running, Signal::Complete), None);
        assert_eq!(next(RunState::Running, Signal::Switch), None);
        assert_eq!(next(RunState::Ready, Signal::Complete), Some(RunState::Completing));
    }

    #[test]
    fn a_kept_table_leaves_both_ways_open() {
        assert_eq!(next(RunState::Ready, Signal::Switch), Some(RunState::Switching));
        assert_eq!(next(RunState::Switching, Signal::Complete), None);
        assert_eq!(next(RunState::Switching, Signal::Kept), Some(RunState::Switched));
        assert_eq!(next(RunState::Switched, Signal::Complete), Some(RunState::Completing));
        assert_eq!(next(RunState::Switched, Signal::RollBack), Some(RunState::RollingBack));
    }
}
