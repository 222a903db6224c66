//! Errors by what a caller does about them; each knows its exit class.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::name::TableName;
use crate::plan::{LockMode, StepId};

/// What, where, why and what to do: one reason for a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// Where: `file:line`, a table, a row key.
    pub place: String,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if !self.why.is_empty() {
            write!(f, "\n    why: {}", self.why)?;
        }
        if !self.advice.is_empty() {
            write!(f, "\n    do:  {}", self.advice)?;
        }
        Ok(())
    }
}

/// A session that stands in the way of a lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blocker {
    /// Backend pid; 0 for a prepared transaction.
    pub pid: i32,
    /// Role.
    pub user: String,
    /// `application_name`.
    pub application: String,
    /// `active`, `idle in transaction`, `autovacuum` …
    pub state: String,
    /// Age of its transaction in seconds.
    pub transaction_age: f64,
    /// Its current or last statement, shortened.
    pub query: String,
    /// The relation and the mode it holds.
    pub holds: String,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "pid {} ({} / {}, {}) holds {} since {:.1} s",
            self.pid, self.user, self.application, self.state, self.holds, self.transaction_age
        )?;
        if self.query.is_empty() { Ok(()) } else { write!(f, ": {}", self.query) }
    }
}

/// What the server said no to, classified once (in `driver`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DbErrorKind {
    /// `lock_timeout` (55P03).
    LockTimeout,
    /// We lost a deadlock (40P01) or a serialisation conflict (40001).
    Deadlock,
    /// The connection is gone; whether the last statement took effect is unknown.
    ConnectionLost,
    /// Starting, stopping or out of connections: try again later.
    Unavailable,
    /// Wrong password, no such role, no such database, TLS refused.
    Authentication,
    /// Missing rights (42501).
    Privilege,
    /// No such table, column, function, type (42P01, 42703, 42883, 42704, 3F000).
    Missing,
    /// The name of a relation is taken (42P07).
    NameTaken,
    /// A row breaks a constraint (23xxx).
    Constraint,
    /// A value cannot be converted (22xxx).
    Data,
    /// Out of disk, memory or another resource (53xxx).
    Resources,
    /// The server is read-only or a standby (25006).
    ReadOnly,
    /// Syntax or semantics of a statement (other 42xxx).
    Statement,
    /// Cancelled by somebody or by a timeout of the server (57014).
    Cancelled,
    /// Anything else.
    Other,
}

/// An error of the server or of the connection to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbError {
    /// Class.
    pub kind: DbErrorKind,
    /// SQLSTATE, where there is one; of MySQL and MariaDB the error's number before it: `1205, HY000`.
    pub code: Option<String>,
    /// The server's message.
    pub message: String,
    /// The server's detail and hint.
    pub detail: String,
    /// The statement, shortened.
    pub statement: String,
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            // MySQL and MariaDB have numbers of their own, which say more.
            let what = if code.contains(',') { "error" } else { "SQLSTATE" };
            write!(f, " ({what} {code})")?;
        }
        if !self.detail.is_empty() {
            write!(f, "\n    {}", self.detail)?;
        }
        if !self.statement.is_empty() {
            write!(f, "\n    statement: {}", self.statement)?;
        }
        Ok(())
    }
}

impl std::error::Error for DbError {}

/// Everything that can go wrong, by what the caller does about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Bad arguments, configuration or migration text. Nothing was touched.
    #[error("{}", list("the input cannot be used", .0))]
    Usage(Vec<Problem>),
    /// Migration text that does not parse; the texts are rendered with line and caret. Nothing was touched.
    #[error("{}", .0.join("\n"))]
    Syntax(Vec<String>),
    /// No connection. Nothing was touched.
    #[error("could not connect to {target}: {source}")]
    Connect {
        /// Host, port, database and role, without the password.
        target: String,
        /// What happened.
        source: DbError,
    },
    /// Unsafe, impossible to do faithfully, or not accepted. Nothing was touched.
    #[error("{}", list("refused; nothing was changed", .0))]
    Refused(Vec<Problem>),
    /// The history and the migration do not agree.
    #[error("{}", list("the history and the migration do not agree", .0))]
    Divergence(Vec<Problem>),
    /// A lock could not be had within its attempts. What was done before stays and can be resumed or rolled back.
    #[error("could not take {} on {} in {attempts} attempts over {:.0} s (step {step}){}", .mode.sql(), .table.display(), .waited.as_secs_f64(), holders(.in_the_way))]
    Lock {
        /// The step.
        step: StepId,
        /// The table.
        table: TableName,
        /// The mode asked for.
        mode: LockMode,
        /// Attempts made.
        attempts: u32,
        /// Time since the first attempt.
        waited: Duration,
        /// Who was in the way at the last look; nobody, where locks are held too briefly to be seen.
        in_the_way: Vec<Blocker>,
    },
    /// Something that only others can bring about, and that did not come in time: the end of their transactions, a moment without
    /// their writes. What was done before stays and can be resumed or rolled back.
    #[error("waited {:.0} s (step {step}) for {what}{}", .waited.as_secs_f64(), blockers(.in_the_way))]
    Outwaited {
        /// The step.
        step: StepId,
        /// What for, as a noun.
        what: &'static str,
        /// Time since the first look.
        waited: Duration,
        /// Whose transactions they are, as far as the server shows it.
        in_the_way: Vec<Blocker>,
    },
    /// Rows that break a proof or cannot be converted. What was done before stays and can be resumed or rolled back.
    #[error("{}", list("the data does not allow it", .0))]
    Data(Vec<Problem>),
    /// Rows that do not allow the change, found before anything was begun.
    #[error("{}", list("the data does not allow it; nothing was changed", .0))]
    Unfit(Vec<Problem>),
    /// Another process is running this migration, or another run is active on a table.
    #[error("{}", list("another run is in the way", .0))]
    Busy(Vec<Problem>),
    /// Stopped by a signal between two units of work; can be resumed.
    #[error("stopped; the same command resumes where it left off")]
    Interrupted,
    /// The server refused or failed a step. What was done before stays and can be resumed or rolled back.
    #[error("could not {doing}: {source}")]
    Database {
        /// What was being done, as a fragment after "could not".
        doing: String,
        /// What happened.
        #[source]
        source: DbError,
    },
}

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Usage, configuration or connection.
    Usage = 2,
    /// Something is pending.
    Pending = 3,
    /// Divergence.
    Divergence = 4,
    /// Findings at the chosen level.
    Findings = 5,
    /// A lock was not acquired.
    Lock = 6,
    /// Refused as unsafe or protected.
    Refused = 7,
    /// Interrupted, resumable.
    Interrupted = 8,
}

impl Error {
    /// The exit code for it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Syntax(_) | Self::Connect { .. } => Exit::Usage,
            Self::Refused(_) | Self::Busy(_) => Exit::Refused,
            Self::Divergence(_) => Exit::Divergence,
            Self::Lock { .. } | Self::Outwaited { .. } => Exit::Lock,
            Self::Database { source, .. } if source.kind == DbErrorKind::LockTimeout => Exit::Lock,
            Self::Interrupted => Exit::Interrupted,
            Self::Data(_) | Self::Unfit(_) | Self::Database { .. } => Exit::Failed,
        }
    }
}

fn list(head: &str, problems: &[Problem]) -> String {
    let mut text = head.to_owned();
    for problem in problems {
        text.push_str("\n  - ");
        text.push_str(&problem.to_string());
    }
    text
}

/// Whoever holds what was asked for.
fn holders(in_the_way: &[Blocker]) -> String {
    match in_the_way {
        [] => "\n  - nobody was seen at the last look: short transactions hold it one after the other, or sessions that our role may not see".to_owned(),
        seen => blockers(seen),
    }
}

fn blockers(in_the_way: &[Blocker]) -> String {
    in_the_way.iter().map(|blocker| format!("\n  - {blocker}")).collect()
}
