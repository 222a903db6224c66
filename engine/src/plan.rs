//! `Plan › Phase › Step` as data: what will be done, what each step locks and costs, how to tell that it has happened, and
//! how to take it back. Made by [`planner::plan`] without touching anything, stored in the ledger, run by [`crate::run`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{Ident, QualifiedName, TableName};
use crate::text::Sql;

pub mod planner;
pub mod render;

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
    /// `server_version_num` that the plan was made for.
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
}

impl Plan {
    /// Every step in order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.phases.iter().flat_map(|phase| &phase.steps)
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

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Identity.
    pub id: StepId,
    /// What it does, in a few words.
    pub title: String,
    /// What is sent to the server.
    pub action: Action,
    /// Every relation that it locks.
    pub locks: Vec<Lock>,
    /// How it asks for those locks.
    pub guard: Guard,
    /// What it costs.
    pub cost: Cost,
    /// How to know that it has happened, after a lost reply or a restart.
    pub probe: Probe,
    /// How to take it back.
    pub undo: Undo,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Action {
    /// Statements that commit together with the ledger's record of the step.
    Transaction {
        /// Tables locked explicitly before the first statement, in this order; empty where the statements' own locks suffice.
        lock_first: Vec<TableLock>,
        /// The statements; sent as one batch once the locks are held.
        statements: Vec<Sql>,
    },
    /// `CREATE INDEX CONCURRENTLY`: outside any transaction; an invalid leftover of an interrupted build is dropped first.
    BuildIndex {
        /// The index.
        index: QualifiedName,
        /// The table it is on.
        table: TableName,
        /// The statement.
        statement: Sql,
    },
    /// `DROP INDEX CONCURRENTLY IF EXISTS`: outside any transaction.
    DropIndex {
        /// The index.
        index: QualifiedName,
        /// The table it is on.
        table: TableName,
        /// The statement.
        statement: Sql,
    },
    /// The backfill of existing rows.
    Fill(Fill),
    /// Proofs, each counted over the whole table in bounded pieces. Any violation stops the run and names the rows.
    Verify {
        /// What must hold.
        proofs: Vec<Check>,
    },
    /// Waits until no snapshot older than the end of the fill is left.
    AwaitSnapshots,
}

/// A table and the lock mode asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLock {
    /// The table.
    pub table: TableName,
    /// The mode.
    pub mode: LockMode,
}

/// A backfill in place. Expressions name the table's columns bare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// The table.
    pub table: TableName,
    /// What each row that needs it is given.
    pub assignments: Vec<FillAssignment>,
    /// True for a row that still needs work, false once it has been filled; never NULL.
    pub pending: Sql,
    /// The user's UPDATE triggers.
    pub user_triggers: UserTriggers,
    /// Columns that name a row to people.
    pub key: Vec<Ident>,
}

/// One column and its value in a fill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FillAssignment {
    /// The column.
    pub column: Ident,
    /// The value.
    pub value: Sql,
}

/// What the user's own triggers see of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserTriggers {
    /// The table has none that an update would fire.
    None,
    /// Kept silent by `session_replication_role = replica`.
    Silenced,
    /// They fire; the operator accepted that.
    Fire,
}

/// A statement about rows that must hold, checked in bounded pieces over the table's blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The table.
    pub table: TableName,
    /// What must hold, in words: `every value of orders.ref casts to uuid`.
    pub claim: String,
    /// True for a row that breaks it; may itself raise an error for such a row (a cast), which counts as a violation.
    pub violation: Sql,
    /// Columns that name a row to people.
    pub key: Vec<Ident>,
    /// What the operator can do about violations.
    pub advice: String,
}

/// One relation that a step locks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The relation.
    pub relation: QualifiedName,
    /// The mode.
    pub mode: LockMode,
    /// Why, where it is not the step's own target: `referencing table`, `index of the primary key` …
    pub why: String,
    /// For how long.
    pub held: Held,
}

/// PostgreSQL's table lock modes, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// `ACCESS SHARE`
    AccessShare,
    /// `ROW SHARE`
    RowShare,
    /// `ROW EXCLUSIVE`
    RowExclusive,
    /// `SHARE UPDATE EXCLUSIVE`
    ShareUpdateExclusive,
    /// `SHARE`
    Share,
    /// `SHARE ROW EXCLUSIVE`
    ShareRowExclusive,
    /// `EXCLUSIVE`
    Exclusive,
    /// `ACCESS EXCLUSIVE`
    AccessExclusive,
}

impl LockMode {
    /// The mode as SQL and in reports.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// Whether it makes SELECT wait.
    #[must_use]
    pub fn blocks_reads(self) -> bool {
        self == Self::AccessExclusive
    }

    /// Whether it makes INSERT, UPDATE and DELETE wait.
    #[must_use]
    pub fn blocks_writes(self) -> bool {
        self >= Self::Share
    }
}

/// How long a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// For a change of the catalogue: some milliseconds.
    Moment,
    /// For one chunk.
    Chunk,
    /// While rows are read or an index is built.
    Work,
}

/// How a step asks for its locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// No lock that anybody would notice.
    Free,
    /// A lock that conflicts with reads or writes: look first, ask only when the way is clear, within the lock budget; else
    /// step aside and try again.
    Brief,
    /// A lock that lets reads and writes through: may be waited for without a short timeout (index builds, VALIDATE).
    Patient,
}

/// What a step costs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "class")]
pub enum Cost {
    /// Catalogue rows only.
    Catalogue,
    /// Reads the table once.
    Scan {
        /// Bytes read.
        bytes: u64,
    },
    /// Builds an index: reads the table twice.
    IndexBuild {
        /// Bytes read.
        bytes: u64,
    },
    /// Writes rows.
    Rows {
        /// Rows at most.
        rows: u64,
        /// Bytes of the heap.
        bytes: u64,
    },
    /// Waits for others.
    Wait,
}

/// How to know whether a step has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Probe {
    /// The ledger's record commits with the effect.
    Ledger,
    /// A query that returns one text: `applied`, `absent` or `partial`.
    Query {
        /// The query.
        query: Sql,
    },
}

/// How to take a step back. Undo statements can be run at any stage, also of a step that was only begun (`IF EXISTS`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Undo {
    /// Nothing to take back.
    Nothing,
    /// Statements; those of all steps run in one transaction, later steps' first, after `lock_first` of all of them.
    Statements {
        /// Tables to lock, in this order.
        lock_first: Vec<TableLock>,
        /// The statements.
        statements: Vec<Sql>,
    },
    /// `DROP INDEX CONCURRENTLY IF EXISTS`, outside any transaction, before the others' statements.
    DropIndex {
        /// The index.
        index: QualifiedName,
        /// The table it is on.
        table: TableName,
        /// The statement.
        statement: Sql,
    },
    /// The way back is closed.
    Impossible {
        /// Why, and what to do instead.
        why: String,
    },
}

/// Something the operator must know before the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The word for `--accept`, where the run needs the operator's word; `None` for a mere notice.
    pub hazard: Option<Hazard>,
    /// Whether it was accepted.
    pub accepted: bool,
    /// What was found.
    pub what: String,
    /// Where: a statement, a function, a table.
    pub place: String,
    /// What follows from it.
    pub why: String,
    /// What to do.
    pub advice: String,
}

/// A hazard that can be accepted by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    /// The column moves to the end of the table: listless INSERT and COPY put values into the wrong columns.
    ColumnOrder,
    /// Statements that expand `*` are prepared, or depend on the number of columns.
    StarStatements,
    /// Functions, columns or views use the table's row type.
    RowType,
    /// Logical subscribers stop on the next change.
    Subscribers,
    /// An identity's sequence gets a new identity: `currval` and `lastval()` of earlier sessions fail once.
    IdentitySequence,
    /// The user's triggers fire for every row of the fill.
    UserTriggers,
    /// Roles with column grants only: `SELECT *` needs the new column too.
    ColumnGrants,
}

impl Hazard {
    /// Every hazard.
    pub const ALL: [Self; 7] = [
        Self::ColumnOrder,
        Self::StarStatements,
        Self::RowType,
        Self::Subscribers,
        Self::IdentitySequence,
        Self::UserTriggers,
        Self::ColumnGrants,
    ];

    /// The word for `--accept`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ColumnOrder => "column-order",
            Self::StarStatements => "star-statements",
            Self::RowType => "row-type",
            Self::Subscribers => "subscribers",
            Self::IdentitySequence => "identity-sequence",
            Self::UserTriggers => "user-triggers",
            Self::ColumnGrants => "column-grants",
        }
    }
}
