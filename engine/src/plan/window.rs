//! The time after a swap in which the old table is kept in step: what opens it, what leads back, what ends it.

use serde::{Deserialize, Serialize};

use super::Step;
use crate::error::Problem;

/// Whether the old table of a change can be kept once the new one has its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Window {
    /// The change makes no second table: there is nothing to keep.
    #[default]
    Nothing,
    /// There is an old table, and it cannot be kept in step.
    Closed {
        /// Why, all of it.
        reasons: Vec<Problem>,
    },
    /// It can be kept.
    Open(Box<Ways>),
}

/// The ways into a window and out of it. Their steps are no part of the plan's phases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ways {
    /// Instead of the contract phase: the new table takes the name, the old one follows it.
    pub switch: Vec<Step>,
    /// What must hold before the way back: changes nothing.
    pub proofs: Vec<Step>,
    /// The old table takes its name back. What is left over then goes as in any rollback.
    pub back: Vec<Step>,
    /// The end of the window: the old table goes.
    pub close: Vec<Step>,
}

impl Window {
    /// Whether there is nothing to say of it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    /// The ways of a window that can be opened.
    #[must_use]
    pub fn ways(&self) -> Option<&Ways> {
        match self {
            Self::Open(ways) => Some(ways),
            Self::Nothing | Self::Closed { .. } => None,
        }
    }
}
