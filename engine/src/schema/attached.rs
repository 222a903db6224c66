//! What is attached to a table and has a name of its own.

use serde::{Deserialize, Serialize};

use crate::name::{Ident, QualifiedName, TableName};

/// One index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Name.
    pub name: QualifiedName,
    /// `pg_get_indexdef`: the whole `CREATE INDEX` with every option that it prints.
    pub definition: String,
    /// Access method (`btree`, `gin` …).
    pub method: String,
    /// Plain key columns in order (expressions are not among them).
    pub key_columns: Vec<Ident>,
    /// `INCLUDE` columns.
    pub include_columns: Vec<Ident>,
    /// The index's own names for its columns, expressions included, in order.
    pub column_names: Vec<Ident>,
    /// Every column that the index depends on, those in expressions and the predicate included.
    pub depends_on: Vec<Ident>,
    /// Whether some key is an expression.
    pub has_expressions: bool,
    /// Partial index's predicate.
    pub predicate: Option<String>,
    /// Unique.
    pub unique: bool,
    /// Checked at once (not deferrable).
    pub immediate: bool,
    /// `indisvalid and indisready`.
    pub valid: bool,
    /// `CLUSTER` marker (`indisclustered`).
    pub clustered: bool,
    /// Replica identity marker (`indisreplident`).
    pub replica_identity: bool,
    /// Constraint that the index belongs to.
    pub constraint: Option<Ident>,
    /// Storage parameters, sorted.
    pub options: Vec<String>,
    /// Tablespace, where not the default.
    pub tablespace: Option<String>,
    /// Per-column statistics targets of expression columns: (column number in the index, target).
    pub statistics_targets: Vec<(i16, i32)>,
    /// Comment.
    pub comment: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
}

/// One constraint of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    /// Name, unique within the table.
    pub name: Ident,
    /// Kind, with what is particular to it.
    pub kind: ConstraintKind,
    /// `pg_get_constraintdef`.
    pub definition: String,
    /// Columns in key order (CHECK: every column named).
    pub columns: Vec<Ident>,
    /// `convalidated`.
    pub validated: bool,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    pub deferred: bool,
    /// `NO INHERIT`.
    pub no_inherit: bool,
    /// Whether it came from a parent.
    pub inherited: bool,
    /// Comment.
    pub comment: Option<String>,
}

/// What a constraint is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConstraintKind {
    /// `PRIMARY KEY`, with its index.
    PrimaryKey {
        /// The index behind it.
        index: QualifiedName,
    },
    /// `UNIQUE`, with its index.
    Unique {
        /// The index behind it.
        index: QualifiedName,
    },
    /// `CHECK`.
    Check {
        /// The bare expression (`pg_get_expr(conbin, conrelid)`).
        expression: String,
    },
    /// `NOT NULL` as a constraint of its own (18 and later).
    NotNull,
    /// `FOREIGN KEY` held by this table.
    ForeignKey(ForeignKey),
    /// `EXCLUDE`.
    Exclusion,
    /// A constraint trigger.
    Trigger,
}

/// A foreign key, seen from either side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Constraint name (unique within the referencing table).
    pub name: Ident,
    /// The referencing table.
    pub from: TableName,
    /// Its columns, in key order.
    pub from_columns: Vec<Ident>,
    /// The referenced table.
    pub to: TableName,
    /// The referenced columns, in the same order.
    pub to_columns: Vec<Ident>,
    /// `MATCH FULL`.
    pub match_full: bool,
    /// `ON UPDATE` action as SQL (`NO ACTION`, `CASCADE` …).
    pub on_update: String,
    /// `ON DELETE` action as SQL.
    pub on_delete: String,
    /// Columns of `ON DELETE SET NULL (…)` / `SET DEFAULT (…)`, 15 and later.
    pub on_delete_columns: Vec<Ident>,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    pub deferred: bool,
    /// `convalidated`.
    pub validated: bool,
    /// Comment.
    pub comment: Option<String>,
    /// Whether the referencing table is partitioned (no NOT VALID before 18).
    pub from_partitioned: bool,
    /// Whether the referencing table belongs to a role that we are a member of.
    pub from_owned_by_us: bool,
}

/// A user's trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Name.
    pub name: Ident,
    /// `pg_get_triggerdef`.
    pub definition: String,
    /// `BEFORE`, `AFTER` or `INSTEAD OF`.
    pub timing: String,
    /// Fires for each row (else for each statement).
    pub for_each_row: bool,
    /// Fires on UPDATE.
    pub on_update: bool,
    /// Columns of `UPDATE OF`; empty where it fires on any update.
    pub update_of: Vec<Ident>,
    /// `tgenabled`: `O` origin, `D` disabled, `R` replica, `A` always.
    pub enabled: char,
    /// Comment.
    pub comment: Option<String>,
}

/// An object that depends on a table or on one of its columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dependent {
    /// What it is, in words: `view`, `materialized view`, `rule`, `function`, `policy`, `generated column`, `trigger`,
    /// `publication`, `primary-key-grouped view`.
    pub kind: String,
    /// The object, as `pg_describe_object` or its name has it.
    pub name: String,
    /// The column it depends on; `None` for the whole table.
    pub column: Option<Ident>,
    /// The constraint that it depends on (a view grouped by a primary key).
    pub constraint: Option<Ident>,
}

/// Row security switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSecurity {
    /// `ENABLE ROW LEVEL SECURITY`.
    pub enabled: bool,
    /// `FORCE ROW LEVEL SECURITY`.
    pub forced: bool,
}

/// A row security policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Name.
    pub name: Ident,
    /// Command, roles and expressions, as one comparable text.
    pub definition: String,
    /// Columns named in its expressions.
    pub columns: Vec<Ident>,
}

/// One privilege granted to one role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// Role name; `PUBLIC` where granted to everybody.
    pub grantee: String,
    /// Privilege (`SELECT`, `UPDATE` …).
    pub privilege: String,
    /// `WITH GRANT OPTION`.
    pub grantable: bool,
    /// Role that granted it.
    pub grantor: String,
}

/// An extended statistics object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtendedStatistics {
    /// Name.
    pub name: QualifiedName,
    /// `pg_get_statisticsobjdef`.
    pub definition: String,
    /// Columns it depends on.
    pub columns: Vec<Ident>,
    /// Statistics target, where set.
    pub target: Option<i32>,
    /// Comment.
    pub comment: Option<String>,
}

/// A publication that contains the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    /// Name.
    pub name: Ident,
    /// `FOR ALL TABLES` or `FOR TABLES IN SCHEMA`: not by naming this table.
    pub by_schema_or_all: bool,
    /// Column list, where given (15 and later).
    pub columns: Option<Vec<Ident>>,
    /// Row filter, where given (15 and later).
    pub row_filter: Option<String>,
    /// Logical slots of this database now: somebody may be subscribed.
    pub has_slots: bool,
}

/// How updates and deletes are identified to subscribers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplicaIdentity {
    /// The primary key.
    Default,
    /// The whole row.
    Full,
    /// Nothing.
    Nothing,
    /// A named index.
    Index(Ident),
}
