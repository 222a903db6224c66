//! What a run tells the world. The engine emits; only the command line prints.

use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::error::Blocker;
use crate::name::TableName;
use crate::plan::{LockMode, PhaseKind, StepId};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A run began or was taken up again.
    RunBegan {
        /// Run id in the ledger.
        run: i64,
        /// The migration.
        migration: String,
        /// Whether an earlier process had begun it.
        resumed: bool,
    },
    /// A phase began.
    PhaseBegan {
        /// Which.
        phase: PhaseKind,
    },
    /// A step began.
    StepBegan {
        /// Which.
        step: StepId,
        /// Its title.
        title: String,
    },
    /// A step is done, or was found done.
    StepDone {
        /// Which.
        step: StepId,
        /// Its title.
        title: String,
        /// Time it took; `None` where it was found done.
        #[serde(serialize_with = "maybe_seconds")]
        took: Option<Duration>,
    },
    /// Somebody is in the way of a lock; we wait without asking for it.
    LockWaiting {
        /// The step.
        step: StepId,
        /// The table.
        table: TableName,
        /// The mode that will be asked for.
        mode: LockMode,
        /// Who is in the way.
        blockers: Vec<Blocker>,
        /// Time waited so far.
        #[serde(serialize_with = "seconds")]
        waited: Duration,
    },
    /// A session of somebody's that was in the way was ended, as the operator wished.
    SessionEnded {
        /// The step.
        step: StepId,
        /// Who it was.
        blocker: Blocker,
    },
    /// A conflicting lock was asked for and not granted within the budget; it will be tried again.
    LockMissed {
        /// The step.
        step: StepId,
        /// How long we asked, and so how long anybody may have waited behind us.
        #[serde(serialize_with = "seconds")]
        asked: Duration,
    },
    /// A conflicting lock was held and is released.
    LockReleased {
        /// The step.
        step: StepId,
        /// From the first lock asked for to the last one granted.
        #[serde(serialize_with = "seconds")]
        acquiring: Duration,
        /// From the first lock asked for to the end of COMMIT: nobody waited longer for us.
        #[serde(serialize_with = "seconds")]
        total: Duration,
    },
    /// Progress of a fill, some times a second.
    FillProgress(FillProgress),
    /// A fill paused or slowed down, with the reason.
    FillWaiting {
        /// Why.
        because: String,
    },
    /// Progress of a proof over a table's blocks.
    CheckProgress {
        /// What is being proved.
        claim: String,
        /// Blocks read.
        blocks_done: u64,
        /// Blocks to read.
        blocks_total: u64,
    },
    /// A proof holds.
    Proved {
        /// What was proved.
        claim: String,
    },
    /// Something the operator may want to know.
    Notice {
        /// The text.
        text: String,
    },
    /// Both shapes work and are proved.
    Ready,
    /// The run ended in this state.
    RunEnded {
        /// `ready`, `complete`, `rolled back`.
        state: String,
    },
}

/// Where a fill stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FillProgress {
    /// The table.
    pub table: TableName,
    /// Blocks behind the cursors.
    pub blocks_done: u64,
    /// Blocks to do.
    pub blocks_total: u64,
    /// Rows written so far, earlier processes' included.
    pub rows_written: u64,
    /// Rows per second over the last seconds.
    pub rows_per_second: f64,
    /// Estimated time left; `None` while unknown.
    #[serde(serialize_with = "maybe_seconds")]
    pub eta: Option<Duration>,
    /// Lanes at work.
    pub lanes: u32,
    /// Rows skipped because somebody held them; tried again later.
    pub deferred: u64,
    /// Why it is slower than it might be or waits at this moment, for the server's sake; `None` where it is not.
    pub because: Option<String>,
}

/// Lengths of time are seconds in JSON.
fn seconds<S: Serializer>(length: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(length.as_secs_f64())
}

fn maybe_seconds<S: Serializer>(length: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    length.map(|length| length.as_secs_f64()).serialize(serializer)
}

/// Where events go. Cheap to clone; must not block.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    /// Events go to this function.
    pub fn to(sink: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Nobody listens.
    #[must_use]
    pub fn ignored() -> Self {
        Self::to(|_| ())
    }

    /// Emits one.
    pub fn emit(&self, event: Event) {
        (self.0)(event);
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}
