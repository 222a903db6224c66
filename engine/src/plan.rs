//! `Plan › Phase › Step` as data: what will be done, what each step locks and costs, how to tell that it has happened, and how to
//! take it back. Made by a planner of [`crate::dialect`] without touching anything, stored in the ledger, run by [`crate::run`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem};
use crate::name::TableName;

mod finding;
mod lock;
pub mod render;
pub mod rows;
pub mod shadow;
mod step;
mod window;

pub use finding::{Finding, Hazard};
pub use lock::{Guard, Held, Lock, LockMode, TableLock};
pub use step::{Action, Check, Cost, Fill, FillAssignment, Probe, Step, Undo, UserTriggers};
pub use window::{Ways, Window};

/// Version of the serialised plan. Raised when a stored plan of an older program could be misread.
pub const FORMAT: u32 = 1;

/// A whole plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`] of the program that made it.
    pub format: u32,
    /// Name of the migration.
    pub migration: String,
    /// SHA-256 of the migration's statements and directives, hex.
    pub checksum: String,
    /// The server that the plan was made for, in words: `PostgreSQL 18`.
    pub server: String,
    /// Its version as it counts it itself: `server_version_num`; elsewhere `major * 10000 + minor * 100 + patch`.
    pub server_version: u32,
    /// What was asked, in order, with the strategy chosen for each.
    pub operations: Vec<PlannedOperation>,
    /// Tables that the run changes; no other run may be active on them.
    pub tables: Vec<TableName>,
    /// What the operator must know: from the census, from the catalogue.
    pub findings: Vec<Finding>,
    /// Read-only checks of data that must hold before the first change.
    pub preflight: Vec<Check>,
    /// The phases that have something to do, in order.
    pub phases: Vec<Phase>,
    /// Whether the old table can be kept for a time once the new one is in force.
    #[serde(default, skip_serializing_if = "Window::is_nothing")]
    pub window: Window,
}

impl Plan {
    /// Reads a plan that a ledger has kept as JSON.
    ///
    /// # Errors
    /// [`Error::Divergence`] where another version of the program wrote it and this one cannot read it.
    pub fn stored(text: &str, run: i64) -> Result<Self, Error> {
        let unreadable = |what: String| {
            Error::Divergence(vec![Problem {
                what,
                place: format!("run {run}"),
                why: "a run is finished by the plan that it was begun with".to_owned(),
                advice: "use the version of shoofly that began it to complete it or to roll it back".to_owned(),
            }])
        };
        let plan: Self =
            serde_json::from_str(text).map_err(|error| unreadable(format!("its plan cannot be read: {error}")))?;
        if plan.format != FORMAT {
            return Err(unreadable(format!("its plan has format {}, not {FORMAT}", plan.format)));
        }
        Ok(plan)
    }

    /// The plan as a ledger keeps it, see [`Plan::stored`].
    ///
    /// # Errors
    /// [`Error::Usage`] where it cannot be written as JSON.
    pub fn to_store(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| {
            Error::Usage(vec![Problem {
                what: format!("the plan cannot be stored: {error}"),
                place: self.migration.clone(),
                why: String::new(),
                advice: "report this".to_owned(),
            }])
        })
    }

    /// Every step in order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.phases.iter().flat_map(|phase| &phase.steps)
    }

    /// Every step of the phases and of the window.
    pub fn every_step(&self) -> impl Iterator<Item = &Step> {
        let ways = self.window.ways().into_iter();
        let besides = ways.flat_map(|ways| [&ways.switch, &ways.proofs, &ways.back, &ways.close]).flatten();
        self.steps().chain(besides)
    }

    /// The step of that identity.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps().find(|step| step.id == *id)
    }

    /// Findings that stop the run until the operator accepts them.
    pub fn unaccepted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.hazard.is_some() && !finding.accepted)
    }
}

/// An operation as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOperation {
    /// The user's statement.
    pub sql: String,
    /// What it does, in a few words: `change the type of pgbench_accounts.aid to bigint`.
    pub summary: String,
    /// How.
    pub strategy: Strategy,
}

/// How an operation is carried out, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// A change of the catalogue only.
    Metadata,
    /// Long work under locks that let reads and writes through.
    Online,
    /// A second column kept in step by a trigger, filled, and swapped in.
    DualColumn,
    /// A second table kept in step by triggers, filled, and swapped in.
    ShadowTable,
    /// The statement as it is, blocking: only with the operator's leave.
    Direct,
}

impl Strategy {
    /// The word for it, in directives and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Online => "online",
            Self::DualColumn => "dual-column",
            Self::ShadowTable => "shadow-table",
            Self::Direct => "direct",
        }
    }
}

/// A stage of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseKind {
    /// New, empty things beside the old ones, and the triggers that keep them in step.
    Expand,
    /// Existing rows.
    Backfill,
    /// Indexes and constraints on what was filled.
    Build,
    /// Proof; then the run is *ready*.
    Verify,
    /// The new shape takes over; leftovers go.
    Contract,
}

impl PhaseKind {
    /// All phases in order.
    pub const ALL: [Self; 5] = [Self::Expand, Self::Backfill, Self::Build, Self::Verify, Self::Contract];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Backfill => "backfill",
            Self::Build => "build",
            Self::Verify => "verify",
            Self::Contract => "contract",
        }
    }
}

/// A phase with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Which.
    pub kind: PhaseKind,
    /// What is done in it, in order.
    pub steps: Vec<Step>,
}

/// A step's identity within its plan: `expand.1`, `build.2` …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which way a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The migration's `up`.
    Up,
    /// Its `down`.
    Down,
}

impl Direction {
    /// The word in the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}
