//! What planning and running need of a database: one implementation for each kind of server, and nothing above asks which.
//!
//! A `Backend` is a connection that reads and enters runs; a `Held` run is one that no other process carries out meanwhile.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::plan::{Plan, Step, StepId};
use crate::report::Now;
use crate::run::{Direction, Engine, RunState, RunStatus, StepState, WayBack};
use crate::source::Migration;

mod crew;
mod ending;
pub mod hold;
pub mod mysql;
mod pace;
pub mod postgres;
mod progress;

/// Whether something may be made on the server to find out what it does with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trying {
    /// Nothing is written: the verb only reads.
    Never,
    /// Empty tables of ours may be made and dropped.
    Allowed,
}

/// A connection to a database that is to be changed.
pub(crate) trait Backend: Sized {
    /// A run of this kind of database, held.
    type Held: Held;
    /// Where such a database is.
    type Target;

    /// Connects; `purpose` is what the server shows of the connection.
    ///
    /// # Errors
    /// [`Error::Connect`]; [`Error::Usage`] for a server that cannot be worked with.
    async fn connect(engine: &Engine, target: &Self::Target, purpose: &str) -> Result<Self, Error>;

    /// Plans a migration against the live catalogue.
    ///
    /// # Errors
    /// [`Error::Refused`] with every reason; [`Error::Lock`] where somebody has a table for himself alone; [`Error::Database`].
    async fn plan(&mut self, migration: &Migration, direction: Direction, trying: Trying) -> Result<Plan, Error>;

    /// Looks at what the server is like for a plan: who holds or waits for locks on the tables that its steps lock, and how large
    /// they are. Waits for nobody and writes nothing.
    ///
    /// # Errors
    /// [`Error::Database`].
    async fn look(&self, plan: &Plan) -> Result<Now, Error>;

    /// Every run that the ledger has, oldest first; none where there is no ledger. Reads only.
    ///
    /// # Errors
    /// [`Error::Database`].
    async fn runs(&self) -> Result<Vec<RunStatus>, Error>;

    /// Looks whether the rows allow the plan, makes the ledger where it is missing, and enters a run, which takes its tables.
    ///
    /// # Errors
    /// [`Error::Unfit`] with the rows in the way, [`Error::Refused`] where the ledger cannot be made, [`Error::Busy`] where
    /// another run is active on one of the tables: no run was entered.
    async fn enter(&self, migration: &Migration, direction: Direction, plan: &Plan) -> Result<i64, Error>;

    /// Takes a run over: waits for a dead holder's connection to go, and fences whatever it may still send.
    ///
    /// # Errors
    /// [`Error::Busy`] where a live process holds the run.
    async fn hold(self, run: i64) -> Result<Self::Held, Error>;
}

/// A run that this process holds. Whatever it changes is recorded so that it happens once, and not at all when the run has been
/// taken over by another process.
pub(crate) trait Held {
    /// The run as the ledger has it now: while it is held, nobody else changes it.
    async fn status(&self) -> Result<RunStatus, Error>;

    /// The plan that the run was begun with.
    ///
    /// # Errors
    /// [`Error::Divergence`] where another version of the program wrote it and this one cannot read it.
    async fn plan(&self) -> Result<Plan, Error>;

    /// Steps that were begun or are done.
    async fn steps(&self) -> Result<BTreeMap<StepId, StepState>, Error>;

    /// Carries a step out and records it, from wherever an earlier attempt has left it: `known` is its record.
    ///
    /// # Errors
    /// Any; what was done can be gone on from.
    async fn act(&mut self, step: &Step, known: Option<StepState>) -> Result<(), Error>;

    /// Proves every row once more, as those of these steps do that prove something.
    ///
    /// # Errors
    /// [`Error::Data`] with rows.
    async fn prove(&self, steps: &[&Step]) -> Result<(), Error>;

    /// Makes right what these steps would find wrong, where rows are in two tables.
    ///
    /// # Errors
    /// [`Error::Refused`] where nothing can be repaired; [`Error::Database`] with rows that the new shape does not take.
    async fn repair(&self, steps: &[&Step]) -> Result<(), Error>;

    /// Takes everything back and ends the run in the state `undone`.
    ///
    /// # Errors
    /// Any; can be called again.
    async fn take_back(&mut self, way: &WayBack, undone: RunState) -> Result<(), Error>;

    /// Records the run's state.
    ///
    /// # Errors
    /// [`Error::Database`].
    async fn enter_state(&self, state: RunState) -> Result<(), Error>;

    /// Keeps an error's text for `status`; best effort.
    async fn remember(&self, text: &str);

    /// Makes a lost connection anew and takes the run back.
    ///
    /// # Errors
    /// `error` itself, where it is not about a lost connection or the server does not come back.
    async fn survive(&mut self, error: Error) -> Result<(), Error>;
}

/// This machine's name, for people.
fn host() -> String {
    std::env::var("HOSTNAME")
        .ok()
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .map_or_else(|| "this host".to_owned(), |name| name.trim().to_owned())
}
