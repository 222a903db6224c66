//! A step: what it does, what it locks, what it costs, how to know that it has happened, how to take it back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rows::{Rows, RowsStage};
use super::shadow::{NativeAlter, Shadow, ShadowStage};
use super::{Guard, Lock, StepId, TableLock};
use crate::name::{Ident, QualifiedName, TableName};
use crate::text::Sql;

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
    /// A change that the server makes by itself and that commits by itself.
    Native(NativeAlter),
    /// One stage of a shadow table's life.
    Shadow {
        /// Which.
        stage: ShadowStage,
        /// What it is made of.
        shadow: Box<Shadow>,
        /// The stage's statements, where the rows do not decide what they are.
        statements: Vec<Sql>,
    },
    /// One stage of an `UPDATE` that holds for every row.
    Rows {
        /// Which.
        stage: RowsStage,
        /// What it is made of.
        rows: Box<Rows>,
        /// The stage's statements, where the rows do not decide what they are.
        statements: Vec<Sql>,
    },
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
    /// How long one chunk's transaction should take, where the migration says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<Duration>,
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
    /// The table is no longer what it was when the step was begun.
    Catalogue,
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
