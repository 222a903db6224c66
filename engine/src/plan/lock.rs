//! Locks: which relation, how strongly, for how long, and how they are asked for.

use serde::{Deserialize, Serialize};

use crate::name::{QualifiedName, TableName};

/// A table and the lock mode asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLock {
    /// The table.
    pub table: TableName,
    /// The mode.
    pub mode: LockMode,
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

/// Lock modes of tables, weakest first: PostgreSQL's, then the metadata locks of MySQL and MariaDB.
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
    /// `SHARED_READ`: readers of rows hold it to the end of their transaction.
    SharedRead,
    /// `SHARED_WRITE`: writers of rows hold it to the end of their transaction.
    SharedWrite,
    /// `SHARED_UPGRADABLE`: a change that lets readers and writers through.
    SharedUpgradable,
    /// `EXCLUSIVE`: nobody else.
    MetadataExclusive,
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
            Self::SharedRead => "SHARED_READ",
            Self::SharedWrite => "SHARED_WRITE",
            Self::SharedUpgradable => "SHARED_UPGRADABLE",
            Self::MetadataExclusive => "EXCLUSIVE (metadata)",
        }
    }

    /// Whether it makes SELECT wait.
    #[must_use]
    pub fn blocks_reads(self) -> bool {
        matches!(self, Self::AccessExclusive | Self::MetadataExclusive)
    }

    /// Whether it makes INSERT, UPDATE and DELETE wait.
    #[must_use]
    pub fn blocks_writes(self) -> bool {
        match self {
            Self::Share
            | Self::ShareRowExclusive
            | Self::Exclusive
            | Self::AccessExclusive
            | Self::MetadataExclusive => true,
            Self::AccessShare
            | Self::RowShare
            | Self::RowExclusive
            | Self::ShareUpdateExclusive
            | Self::SharedRead
            | Self::SharedWrite
            | Self::SharedUpgradable => false,
        }
    }
}

/// How long a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
