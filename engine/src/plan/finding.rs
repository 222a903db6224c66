//! What the operator must know before the start, and the hazards that need a word of acceptance.

use serde::{Deserialize, Serialize};

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
    /// A deferrable key is checked at once between the building of its new index and the swap.
    DeferredKeys,
    /// MariaDB's `innodb_snapshot_isolation`: transactions that began before a row was copied fail when they write it.
    SnapshotIsolation,
    /// MySQL: CHECK constraints of a table that is copied get the names that the server gives.
    CheckNames,
}

impl Hazard {
    /// Every hazard.
    pub const ALL: [Self; 10] = [
        Self::ColumnOrder,
        Self::StarStatements,
        Self::RowType,
        Self::Subscribers,
        Self::IdentitySequence,
        Self::UserTriggers,
        Self::ColumnGrants,
        Self::DeferredKeys,
        Self::SnapshotIsolation,
        Self::CheckNames,
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
            Self::DeferredKeys => "deferred-keys",
            Self::SnapshotIsolation => "snapshot-isolation",
            Self::CheckNames => "check-names",
        }
    }
}
