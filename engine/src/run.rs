//! Carrying a plan out: start, complete, rollback; crash-safe, resumable.

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::driver::postgres::Target;
use crate::error::Error;
use crate::event::Events;
use crate::facts::Facts;
use crate::name::TableName;
pub use crate::plan::Direction;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::source::Migration;

/// The engine, bound to one database. Connections are made when they are needed.
#[derive(Debug, Clone)]
pub struct Engine {
    target: Target,
    settings: Settings,
    events: Events,
    /// Cancelled once: finish the chunk and stop. See [`Engine::abort`] for the second signal.
    stop: CancellationToken,
}

/// Where one run stands, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunStatus {
    /// Id in the ledger.
    pub run: i64,
    /// Migration.
    pub migration: String,
    /// Checksum of its text.
    pub checksum: String,
    /// State: `running`, `ready`, `completing`, `complete`, `rolling-back`, `rolled-back`.
    pub state: RunState,
    /// `up` or `down`.
    pub direction: Direction,
    /// Tables changed.
    pub tables: Vec<TableName>,
    /// Steps done and steps in all.
    pub steps_done: u32,
    /// Steps in all.
    pub steps_total: u32,
    /// Title of the step that is next or under way.
    pub current: Option<String>,
    /// Blocks done of the fill under way.
    pub blocks_done: u64,
    /// Blocks of the fill under way.
    pub blocks_total: u64,
    /// Rows written by fills.
    pub rows_written: u64,
    /// Whether a live process holds the run now.
    pub held_by: Option<String>,
    /// The last error, where the last attempt ended in one.
    pub last_error: Option<String>,
    /// Began (RFC 3339, the database's clock).
    pub began: String,
    /// Ended, where it has.
    pub ended: Option<String>,
}

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Between the first step and `ready`.
    Running,
    /// Both shapes work and are proved.
    Ready,
    /// In the contract phase.
    Completing,
    /// Done.
    Complete,
    /// Being undone.
    RollingBack,
    /// Undone.
    RolledBack,
}

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did its work.
    Done,
    /// There was nothing to do: it had been done before.
    AlreadyDone,
}

impl Engine {
    /// An engine for `target`.
    #[must_use]
    pub fn new(target: Target, settings: Settings, events: Events, stop: CancellationToken) -> Self {
        Self { target, settings, events, stop }
    }

    /// Reads what the migration needs to know. Read-only.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Database`].
    pub async fn facts(&self, migration: &Migration, direction: Direction) -> Result<Facts, Error> {
        unwritten(migration, direction)
    }

    /// Plans the migration against the live catalogue. Read-only.
    ///
    /// # Errors
    /// [`Error::Refused`] with every reason; [`Error::Connect`], [`Error::Database`].
    pub async fn plan(&self, migration: &Migration, direction: Direction) -> Result<Plan, Error> {
        unwritten(migration, direction)
    }

    /// Expand → backfill → build → verify; resumes an unfinished run of the same migration. Ends `ready`.
    ///
    /// # Errors
    /// Any; what was done stays and can be resumed or rolled back.
    pub async fn start(&self, migration: &Migration, direction: Direction) -> Result<Outcome, Error> {
        unwritten(migration, direction)
    }

    /// Contracts a run that is `ready`. `name` picks one where several are; `None` means the only one.
    ///
    /// # Errors
    /// [`Error::Refused`] for a run that is not ready or does not prove itself again; others as [`Engine::start`].
    pub async fn complete(&self, name: Option<&str>) -> Result<Outcome, Error> {
        unwritten(name, ())
    }

    /// Undoes a run that is not complete: the catalogue is as before.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn rollback(&self, name: Option<&str>) -> Result<Outcome, Error> {
        unwritten(name, ())
    }

    /// Every run that the ledger knows, newest last. Read-only; empty where there is no ledger.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Database`].
    pub async fn runs(&self) -> Result<Vec<RunStatus>, Error> {
        unwritten((), ())
    }
}

fn unwritten<A, B, T>(_: A, _: B) -> Result<T, Error> {
    Err(Error::Interrupted)
}
