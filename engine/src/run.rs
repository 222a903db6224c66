//! Carrying a plan out: start, complete, rollback; crash-safe, resumable.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::backend::mysql::MySql;
use crate::backend::postgres::Postgres;
use crate::backend::{Backend, Trying};
use crate::driver::Target;
use crate::error::Error;
use crate::event::Events;
use crate::name::TableName;
use crate::plan::Plan;
use crate::report::Report;
use crate::settings::Settings;
use crate::source::Migration;

mod conductor;
mod state;
mod undo;
mod verify;
mod which;
mod window;

pub use crate::plan::Direction;
pub use state::{RunState, StepState};
pub(crate) use undo::WayBack;

/// The engine, bound to one database. Connections are made when they are needed.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) target: Target,
    pub(crate) settings: Settings,
    pub(crate) events: Events,
    /// Cancelled: finish the chunk and stop.
    pub(crate) stop: CancellationToken,
}

/// Where one run stands, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStatus {
    /// Id in the ledger.
    pub run: i64,
    /// Migration.
    pub migration: String,
    /// Checksum of its text.
    pub checksum: String,
    /// State.
    pub state: RunState,
    /// `up` or `down`.
    pub direction: Direction,
    /// Tables changed.
    pub tables: Vec<TableName>,
    /// Steps done.
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

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did its work.
    Done,
    /// The new shape is in force, and the old table is kept in step with it.
    Switched,
    /// There was nothing to do: it had been done before.
    AlreadyDone,
}

/// Whether rows that differ are put right before they are proved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repair {
    /// They are named, and that is all.
    #[default]
    Never,
    /// They are.
    Asked,
}

impl Engine {
    /// An engine for `target`.
    #[must_use]
    pub fn new(target: Target, settings: Settings, events: Events, stop: CancellationToken) -> Self {
        Self { target, settings, events, stop }
    }

    /// The same, for whoever completes what it has just started: proofs count for a minute.
    #[must_use]
    pub fn at_once(mut self) -> Self {
        self.settings.proof_age = Duration::from_secs(60);
        self
    }

    /// Plans the migration against the live catalogue. Read-only.
    ///
    /// # Errors
    /// [`Error::Refused`] with every reason; [`Error::Connect`], [`Error::Database`].
    pub async fn plan(&self, migration: &Migration, direction: Direction) -> Result<Plan, Error> {
        match &self.target {
            Target::Postgres(target) => plan::<Postgres>(self, target, migration, direction).await,
            Target::MySql(target) => plan::<MySql>(self, target, migration, direction).await,
        }
    }

    /// Plans the migration and looks who is in its way. Read-only.
    ///
    /// # Errors
    /// As [`Engine::plan`].
    pub async fn report(&self, migration: &Migration, direction: Direction) -> Result<Report, Error> {
        match &self.target {
            Target::Postgres(target) => report::<Postgres>(self, target, migration, direction).await,
            Target::MySql(target) => report::<MySql>(self, target, migration, direction).await,
        }
    }

    /// Expand → backfill → build → verify; resumes an unfinished run of the same migration. Ends `ready`.
    ///
    /// # Errors
    /// Any; what was done stays and can be resumed or rolled back.
    pub async fn start(&self, migration: &Migration, direction: Direction) -> Result<Outcome, Error> {
        match &self.target {
            Target::Postgres(target) => conductor::start::<Postgres>(self, target, migration, direction).await,
            Target::MySql(target) => conductor::start::<MySql>(self, target, migration, direction).await,
        }
    }

    /// Contracts a run that is `ready`, or lets the new shape take over and keeps the old table, where the settings say so. A run
    /// that has been switched is contracted. `name` picks one where several are; `None` means the only one.
    ///
    /// # Errors
    /// [`Error::Refused`] for a run that is not ready, or whose old table cannot be kept; [`Error::Data`] for one that does not
    /// prove itself again; others as [`Engine::start`].
    pub async fn complete(&self, name: Option<&str>) -> Result<Outcome, Error> {
        match &self.target {
            Target::Postgres(target) => conductor::complete::<Postgres>(self, target, name).await,
            Target::MySql(target) => conductor::complete::<MySql>(self, target, name).await,
        }
    }

    /// Proves every row of a run that is ready, or whose old table is kept, once more. [`Outcome::AlreadyDone`] for one that has
    /// ended: there is nothing left to compare with.
    ///
    /// # Errors
    /// [`Error::Data`] with rows; [`Error::Refused`] for a run in another state, or where rows cannot be repaired; others as
    /// [`Engine::start`].
    pub async fn verify(&self, name: Option<&str>, repair: Repair) -> Result<Outcome, Error> {
        match &self.target {
            Target::Postgres(target) => verify::verify::<Postgres>(self, target, name, repair).await,
            Target::MySql(target) => verify::verify::<MySql>(self, target, name, repair).await,
        }
    }

    /// Undoes a run that is not complete: the catalogue is as before.
    ///
    /// # Errors
    /// [`Error::Refused`] where the way back is closed, [`Error::Data`] for rows that the old shape does not take; others as
    /// [`Engine::start`].
    pub async fn rollback(&self, name: Option<&str>) -> Result<Outcome, Error> {
        match &self.target {
            Target::Postgres(target) => conductor::rollback::<Postgres>(self, target, name).await,
            Target::MySql(target) => conductor::rollback::<MySql>(self, target, name).await,
        }
    }

    /// Every run that the ledger knows, newest last. Read-only; empty where there is no ledger.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Database`].
    pub async fn runs(&self) -> Result<Vec<RunStatus>, Error> {
        match &self.target {
            Target::Postgres(target) => Postgres::connect(self, target, "status").await?.runs().await,
            Target::MySql(target) => MySql::connect(self, target, "status").await?.runs().await,
        }
    }
}

async fn plan<B: Backend>(
    engine: &Engine,
    target: &B::Target,
    migration: &Migration,
    direction: Direction,
) -> Result<Plan, Error> {
    B::connect(engine, target, "plan").await?.plan(migration, direction, Trying::Never).await
}

async fn report<B: Backend>(
    engine: &Engine,
    target: &B::Target,
    migration: &Migration,
    direction: Direction,
) -> Result<Report, Error> {
    let mut backend = B::connect(engine, target, "plan").await?;
    let plan = backend.plan(migration, direction, Trying::Never).await?;
    let now = backend.look(&plan).await?;
    Ok(Report::new(plan, now))
}
