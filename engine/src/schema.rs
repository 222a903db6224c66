//! The catalogue as a value: everything attached to a table that a faithful change must carry.
//!
//! Read from a server by `driver`, never changed in place; two of them can be compared ([`Table::fingerprint`]).
//! Definitions that the server can print (`pg_get_indexdef` and its kin) are kept as the server's text.

use serde::{Deserialize, Serialize};

use crate::name::{Ident, QualifiedName, TableName};

mod attached;
mod compare;
pub mod mysql;

pub use attached::{
    Constraint, ConstraintKind, Dependent, ExtendedStatistics, ForeignKey, Grant, Index, Policy, Publication,
    ReplicaIdentity, RowSecurity, Trigger,
};
pub use compare::diff;

/// What the planner knows of a database: the server and the tables that the migration touches, with their neighbours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The server and the rights of the role that is connected.
    pub server: Server,
    /// The tables named by the migration, and the tables that reference them or are referenced by them.
    pub tables: Vec<Table>,
}

impl Catalogue {
    /// The table of that name, where it was read.
    #[must_use]
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }
}

/// Facts of the server and of the connected role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// `server_version_num`, e.g. `150018`.
    pub version: u32,
    /// Name of the database.
    pub database: String,
    /// Name of the connected role.
    pub role: String,
    /// Whether the role is a superuser.
    pub superuser: bool,
    /// Whether the server is a standby (`pg_is_in_recovery`).
    pub standby: bool,
    /// Whether the role may set `session_replication_role` (superuser, or `GRANT SET` on 15 and later).
    pub may_silence_triggers: bool,
    /// `deadlock_timeout` in milliseconds.
    pub deadlock_timeout_ms: u64,
    /// Bytes in a block (`block_size`).
    pub block_size: u32,
    /// Whether `wal_level` is `logical`.
    pub logical_wal: bool,
}

impl Server {
    /// The major version, e.g. 15.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.version / 10_000
    }
}

/// What kind of relation a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableKind {
    /// An ordinary table with rows of its own.
    Ordinary,
    /// A partitioned parent without rows of its own.
    Partitioned,
    /// A foreign table.
    Foreign,
    /// A view, materialised view or anything else that holds no rows we could change.
    Other,
}

/// One table and everything attached to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Qualified name.
    pub name: TableName,
    /// Kind of relation.
    pub kind: TableKind,
    /// Owner's role name.
    pub owner: String,
    /// Whether the connected role is (a member of) the owner: without it no DDL is possible.
    pub owned_by_us: bool,
    /// Whether the connected role may create an index in the table's schema (`CREATE` on the schema).
    pub schema_open_to_us: bool,
    /// Whether the table is `UNLOGGED`.
    pub unlogged: bool,
    /// The partition key (`pg_get_partkeydef`) of a partitioned parent.
    pub partition_key: Option<String>,
    /// Parents by inheritance or partitioning.
    pub parents: Vec<TableName>,
    /// Children by inheritance or partitioning.
    pub children: Vec<TableName>,
    /// The composite type of a typed table (`CREATE TABLE … OF`).
    pub of_type: Option<String>,
    /// Live columns in order of their number.
    pub columns: Vec<Column>,
    /// Indexes, those of constraints included.
    pub indexes: Vec<Index>,
    /// Constraints on this table, foreign keys that it holds included.
    pub constraints: Vec<Constraint>,
    /// Foreign keys of other tables (or of this one) that point here.
    pub referenced_by: Vec<ForeignKey>,
    /// The user's row and statement triggers (internal ones of constraints excluded).
    pub triggers: Vec<Trigger>,
    /// Views, rules, functions and the like that depend on the table or a column of it.
    pub dependents: Vec<Dependent>,
    /// Row security.
    pub row_security: RowSecurity,
    /// Row security policies.
    pub policies: Vec<Policy>,
    /// Grants on the whole table (`relacl` exploded), sorted.
    pub grants: Vec<Grant>,
    /// Comment on the table.
    pub comment: Option<String>,
    /// Extended statistics objects.
    pub statistics: Vec<ExtendedStatistics>,
    /// Publications that the table is part of.
    pub publications: Vec<Publication>,
    /// Replica identity.
    pub replica_identity: ReplicaIdentity,
    /// `reloptions` of the table and its toast table, sorted.
    pub options: Vec<String>,
    /// Tablespace, where not the default.
    pub tablespace: Option<String>,
    /// Access method, normally `heap`.
    pub access_method: Option<String>,
    /// Places where the table's row type is used: columns of other tables, arguments and results of functions.
    pub row_type_uses: Vec<String>,
    /// Blocks of the heap now (`pg_relation_size / block_size`).
    pub blocks: u64,
    /// Bytes of heap, indexes and toast together.
    pub total_bytes: u64,
    /// Rows, as the planner estimates them (`reltuples`; 0 where never analysed).
    pub estimated_rows: u64,
}

impl Table {
    /// The live column of that name.
    #[must_use]
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// The last live column: a change of any other column by a dual column moves it to the end.
    #[must_use]
    pub fn last_column(&self) -> Option<&Column> {
        self.columns.last()
    }

    /// The primary key's columns in key order; else those of some unique, immediate, whole index on NOT NULL columns.
    ///
    /// Used to name rows to people. Empty where the table has no such key.
    #[must_use]
    pub fn key_columns(&self) -> Vec<Ident> {
        let primary =
            self.constraints.iter().find(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }));
        if let Some(primary) = primary {
            return primary.columns.clone();
        }
        let not_null = |name: &Ident| self.column(name).is_some_and(|column| column.not_null);
        self.indexes
            .iter()
            .find(|index| {
                index.unique
                    && index.valid
                    && index.immediate
                    && index.predicate.is_none()
                    && !index.has_expressions
                    && index.key_columns.iter().all(not_null)
            })
            .map(|index| index.key_columns.clone())
            .unwrap_or_default()
    }
}

/// One live column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// `attnum`.
    pub number: i16,
    /// Name.
    pub name: Ident,
    /// Type with modifier, as `format_type` prints it (safe to put into SQL when the search path is empty).
    pub type_sql: String,
    /// `atttypid`.
    pub type_oid: u32,
    /// Collation, where not the type's default.
    pub collation: Option<QualifiedName>,
    /// NOT NULL.
    pub not_null: bool,
    /// Default expression as the server prints it.
    pub default: Option<String>,
    /// Identity, with its sequence.
    pub identity: Option<Identity>,
    /// Sequences `OWNED BY` this column (serial), identity's own excluded.
    pub owned_sequences: Vec<Sequence>,
    /// Expression of a generated column.
    pub generated: Option<Generated>,
    /// `attstattarget` where set.
    pub statistics_target: Option<i32>,
    /// `attstorage` where it differs from the type's (`plain`, `external`, `extended`, `main`).
    pub storage: Option<String>,
    /// `attcompression` where set (`pglz`, `lz4`).
    pub compression: Option<String>,
    /// `attoptions` (`n_distinct=…`), sorted.
    pub options: Vec<String>,
    /// Grants on the column, sorted.
    pub grants: Vec<Grant>,
    /// Comment.
    pub comment: Option<String>,
}

/// How an identity column fills itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// `GENERATED ALWAYS` (else `BY DEFAULT`).
    pub always: bool,
    /// The identity's sequence.
    pub sequence: Sequence,
}

/// A sequence's definition. Its position is no part of it: it is read at the moment it is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Name.
    pub name: QualifiedName,
    /// Data type.
    pub type_sql: String,
    /// `START WITH`.
    pub start: i64,
    /// `INCREMENT BY`.
    pub increment: i64,
    /// `MINVALUE`.
    pub min: i64,
    /// `MAXVALUE`.
    pub max: i64,
    /// `CACHE`.
    pub cache: i64,
    /// `CYCLE`.
    pub cycle: bool,
    /// Comment.
    pub comment: Option<String>,
    /// Grants, sorted.
    pub grants: Vec<Grant>,
}

/// A generated column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    /// The expression.
    pub expression: String,
    /// `STORED` (else `VIRTUAL`, 18 and later).
    pub stored: bool,
}
