//! Lock impact: a plan, and what the server is like at this moment: who is in the way, and what the steps will cost it.

use serde::Serialize;

use crate::name::{QualifiedName, TableName};
use crate::plan::{LockMode, Plan};

mod forecast;
mod render;

pub use forecast::{Forecast, Topic, forecast};
pub use render::render;

/// Sessions that a report names at most; the others are counted.
pub const MOST_SESSIONS: usize = 10;

/// A plan and the moment in which it was made. As JSON it is the plan, with `now` and `forecast` besides.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What will be done.
    #[serde(flatten)]
    pub plan: Plan,
    /// What was seen.
    pub now: Now,
    /// What follows from both.
    pub forecast: Vec<Forecast>,
}

impl Report {
    /// Puts both together.
    #[must_use]
    pub fn new(plan: Plan, now: Now) -> Self {
        let forecast = forecast(&plan, &now);
        Self { plan, now, forecast }
    }
}

/// What a look at the server has shown. Nothing was waited for, and nothing written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Now {
    /// Whose locks could be seen.
    pub sight: Sight,
    /// Sessions in the way, those with the oldest transactions first, [`MOST_SESSIONS`] at most.
    pub sessions: Vec<InTheWay>,
    /// How many more there are.
    pub more: usize,
    /// Tables that the plan's steps lock, as far as they exist.
    pub tables: Vec<TableNow>,
    /// What reaches replicas.
    pub replication: Replication,
}

impl Now {
    /// With these sessions in the way, of which a report names the oldest.
    #[must_use]
    pub fn with_sessions(mut self, mut sessions: Vec<InTheWay>) -> Self {
        // Whose age is not known comes last.
        let age = |session: &InTheWay| session.transaction_age.unwrap_or(-1.0);
        sessions.sort_by(|a, b| age(b).total_cmp(&age(a)));
        self.more = sessions.len().saturating_sub(MOST_SESSIONS);
        sessions.truncate(MOST_SESSIONS);
        self.sessions = sessions;
        self
    }
}

/// How much the server tells about locks of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Sight {
    /// Who holds which lock, and who waits for one.
    Locks,
    /// Which transactions are open, and not which tables they have locked.
    Transactions {
        /// Why no more.
        why: String,
        /// What to do about it.
        advice: String,
    },
    /// Nothing.
    Nothing {
        /// Why.
        why: String,
        /// What to do about it.
        advice: String,
    },
}

/// A session that holds or waits for locks on the plan's tables; or one with an old transaction, where locks cannot be seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InTheWay {
    /// The connection's number; none for a prepared transaction.
    pub connection: Option<u64>,
    /// `user@host`
    pub user: String,
    /// What the program calls itself; may be empty.
    pub program: String,
    /// What it does: `active`, `idle in transaction`, `Waiting for table metadata lock` …
    pub state: String,
    /// Age of its transaction in seconds, where it is known.
    pub transaction_age: Option<f64>,
    /// Its current or last statement, shortened; may be empty.
    pub statement: String,
    /// Its locks.
    pub locks: Vec<SeenLock>,
}

/// A lock of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeenLock {
    /// The relation; none where the server does not tell.
    pub relation: Option<QualifiedName>,
    /// The mode in the server's word.
    pub mode: String,
    /// Whether it is waited for, and not held.
    pub waited_for: bool,
}

impl InTheWay {
    /// Adds a lock to the session that has it: `sessions` gets one entry for each connection.
    pub fn gather(sessions: &mut Vec<Self>, one: Self) {
        let same = |known: &&mut Self| known.connection.is_some() && known.connection == one.connection;
        match sessions.iter_mut().find(same) {
            Some(known) => {
                for lock in one.locks {
                    if !known.locks.contains(&lock) {
                        known.locks.push(lock);
                    }
                }
            }
            None => sessions.push(one),
        }
    }
}

/// A table at this moment; estimates are the server's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableNow {
    /// Its name.
    pub table: TableName,
    /// Rows.
    pub rows: u64,
    /// Bytes of rows.
    pub data_bytes: u64,
    /// Bytes of indexes that are kept apart from the rows.
    pub index_bytes: u64,
    /// Row versions of instant changes, where the server counts them.
    pub row_versions: Option<RowVersions>,
}

/// How many row versions a table has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RowVersions {
    /// So many.
    pub used: u32,
    /// Of so many.
    pub most: u32,
}

/// What reaches replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replication {
    /// Whether replicas carry statements of DDL out anew, once they are done here (a binary log).
    pub repeats_ddl: bool,
    /// Replicas that are connected, where they can be seen.
    pub connected: Option<u64>,
}

impl Replication {
    /// Replicas get what DDL has made, or there are none to think of.
    pub const CARRIES_RESULTS: Self = Self { repeats_ddl: false, connected: None };
}

/// Relations that a plan's steps lock, each with the strongest mode; those that it makes itself included.
#[must_use]
pub fn locked(plan: &Plan) -> Vec<(QualifiedName, LockMode)> {
    let mut found: Vec<(QualifiedName, LockMode)> = Vec::new();
    for lock in plan.steps().flat_map(|step| &step.locks) {
        match found.iter_mut().find(|(relation, _)| *relation == lock.relation) {
            Some((_, mode)) => *mode = lock.mode.max(*mode),
            None => found.push((lock.relation.clone(), lock.mode)),
        }
    }
    found
}
