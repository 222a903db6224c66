//! The catalogue of a MySQL or MariaDB server as a value: what a change of a table must know, and must carry.
//!
//! What a table is made of is said by the server itself (`SHOW CREATE TABLE`); here stands what plans are made from.

use serde::{Deserialize, Serialize};

use crate::name::QualifiedName;
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::Name;
use crate::text::AsSql;

/// A table's full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TablePath {
    /// The database.
    pub database: Name,
    /// The table.
    pub name: Name,
}

impl AsSql for TablePath {
    fn as_sql(&self) -> String {
        format!("{}.{}", self.database.as_sql(), self.name.as_sql())
    }
}

impl TablePath {
    /// Puts both together.
    #[must_use]
    pub fn new(database: Name, name: Name) -> Self {
        Self { database, name }
    }

    /// The name as everybody writes it: in events, errors and the ledger.
    #[must_use]
    pub fn qualified(&self) -> QualifiedName {
        QualifiedName::new(self.database.clone().into(), self.name.clone().into())
    }

    /// `database.table`, for messages.
    #[must_use]
    pub fn display(&self) -> String {
        format!("{}.{}", self.database.as_str(), self.name.as_str())
    }
}

/// What the planner knows of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The server and the session's rights.
    pub server: Server,
    /// The tables that the migration names, as far as they exist; and those that hold foreign keys to them or that they refer to.
    pub tables: Vec<Table>,
}

impl Catalogue {
    /// The table of that name.
    #[must_use]
    pub fn table(&self, path: &TablePath) -> Option<&Table> {
        self.tables.iter().find(|table| table.path == *path)
    }
}

/// A server and what the session may do there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Whose it is.
    pub product: Product,
    /// `major * 10000 + minor * 100 + patch`: `90704`, `101119`.
    pub version: u32,
    /// `@@version`, for people.
    pub version_text: String,
    /// The session's database, where the URL names one.
    pub database: Option<Name>,
    /// `CURRENT_USER()`.
    pub user: String,
    /// The server's `@@global.sql_mode`.
    pub sql_mode: String,
    /// Whether it takes no writes (`read_only`, `super_read_only`).
    pub read_only: bool,
    /// The time zone of sessions that set none (`@@global.time_zone`): `SYSTEM`, `+02:00`, a name.
    pub time_zone: String,
    /// `lower_case_table_names`.
    pub lower_case_table_names: u8,
    /// Whether `performance_schema.metadata_locks` can be read and its instrument is on.
    pub sees_metadata_locks: bool,
    /// Whether transactions of others can be seen (`information_schema.innodb_trx`, the right PROCESS).
    pub sees_transactions: bool,
    /// MariaDB's `innodb_snapshot_isolation`; off where there is none.
    pub snapshot_isolation: bool,
    /// Whether the binary log is on and its format is not ROW.
    pub statement_binlog: bool,
    /// Whether triggers may be made: the log is off, or `log_bin_trust_function_creators`, or the user has SUPER or the like.
    pub may_make_triggers: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name, as the server has it.
    pub path: TablePath,
    /// `BASE TABLE`, `VIEW`, `SEQUENCE`, `SYSTEM VERSIONED` … in upper case.
    pub kind: String,
    /// `InnoDB`; none for a view.
    pub engine: Option<String>,
    /// `Dynamic`, `Compressed` …
    pub row_format: Option<String>,
    /// The default collation.
    pub collation: Option<String>,
    /// The comment.
    pub comment: String,
    /// What `SHOW CREATE TABLE` says, whole.
    pub create_sql: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Indexes: the primary key first, then by name.
    pub indexes: Vec<Index>,
    /// Foreign keys that it holds.
    pub foreign_keys: Vec<ForeignKey>,
    /// Foreign keys of any table, this one included, that refer to it.
    pub referenced_by: Vec<ForeignKey>,
    /// Names of its CHECK constraints.
    pub checks: Vec<Name>,
    /// Its triggers.
    pub triggers: Vec<Trigger>,
    /// Partitions, as `information_schema.partitions` names them; empty for a table that is not partitioned.
    pub partitions: Vec<String>,
    /// The next AUTO_INCREMENT, where it has one.
    pub auto_increment: Option<u64>,
    /// The server's estimate.
    pub estimated_rows: u64,
    /// Bytes of rows (`DATA_LENGTH`).
    pub data_bytes: u64,
    /// Bytes of secondary indexes (`INDEX_LENGTH`).
    pub index_bytes: u64,
    /// Row versions used by INSTANT changes (MySQL 8.0.29 and later, with the right to see them).
    pub row_versions: Option<u32>,
    /// Views that read the table, `database.view`.
    pub views: Vec<String>,
}

impl Table {
    /// The column of that name; case does not count.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.same_as(name))
    }

    /// Whether a part of an index may be NULL.
    #[must_use]
    pub fn has_nullable(&self, index: &Index) -> bool {
        let mut columns = index.parts.iter().filter_map(|part| self.column(part.column.as_ref()?.as_str()));
        columns.any(|column| column.nullable)
    }

    /// The primary key, else a unique index over NOT NULL columns, whole ones: what names a row.
    #[must_use]
    pub fn identity(&self) -> Option<&Index> {
        let whole = |part: &IndexPart| {
            let column = part.column.as_ref().filter(|_| part.prefix.is_none());
            column.and_then(|name| self.column(name.as_str())).is_some_and(|column| !column.nullable)
        };
        let names_rows = |index: &&Index| index.unique && index.kind == "BTREE" && index.parts.iter().all(whole);
        let primary = self.indexes.iter().filter(|index| index.is_primary());
        primary.chain(self.indexes.iter()).find(names_rows)
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// `COLUMN_TYPE`: `bigint(20) unsigned`, `enum('a','b')` …
    pub column_type: String,
    /// `DATA_TYPE`: `bigint`, `enum` …
    pub data_type: String,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// `COLUMN_DEFAULT` as the server prints it; the two products print differently.
    pub default: Option<String>,
    /// Its character set.
    pub charset: Option<String>,
    /// Its collation.
    pub collation: Option<String>,
    /// Whether it counts by itself.
    pub auto_increment: bool,
    /// How it is generated, where it is.
    pub generated: Option<Generated>,
    /// `EXTRA`, whole.
    pub extra: String,
    /// The comment.
    pub comment: String,
}

/// How a column is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generated {
    /// When it is read.
    Virtual,
    /// When the row is written.
    Stored,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Its name; `PRIMARY` for the primary key.
    pub name: Name,
    /// Whether it is unique.
    pub unique: bool,
    /// `BTREE`, `FULLTEXT`, `SPATIAL`, `HASH` … in upper case.
    pub kind: String,
    /// What it is made of, in order.
    pub parts: Vec<IndexPart>,
}

impl Index {
    /// Whether it is the primary key.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.name.as_str() == "PRIMARY"
    }
}

/// A part of an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexPart {
    /// The column; none for an expression.
    pub column: Option<Name>,
    /// Characters or bytes of it, where not the whole.
    pub prefix: Option<u64>,
    /// Whether it is descending.
    pub descending: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its name.
    pub name: Name,
    /// The table that holds it.
    pub table: TablePath,
    /// Its columns there.
    pub columns: Vec<Name>,
    /// The table that it refers to.
    pub referenced: TablePath,
    /// The columns there.
    pub referenced_columns: Vec<Name>,
    /// `CASCADE`, `RESTRICT`, `NO ACTION`, `SET NULL`, `SET DEFAULT`
    pub on_update: String,
    /// Likewise.
    pub on_delete: String,
}

impl ForeignKey {
    /// Whether the server itself changes rows of the table that holds it: no trigger fires for those.
    #[must_use]
    pub fn cascades(&self) -> bool {
        [&self.on_update, &self.on_delete]
            .into_iter()
            .any(|rule| matches!(rule.as_str(), "CASCADE" | "SET NULL" | "SET DEFAULT"))
    }
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its name.
    pub name: Name,
    /// `BEFORE` or `AFTER`
    pub timing: String,
    /// `INSERT`, `UPDATE` or `DELETE`
    pub event: String,
    /// `SHOW CREATE TRIGGER`'s statement.
    pub create_sql: String,
    /// The `sql_mode` that it was made under.
    pub sql_mode: String,
    /// What it does: one statement, often a block.
    pub body: String,
    /// `user@host`, with whose rights it does it.
    pub definer: String,
    /// `character_set_client` that it was made under.
    pub charset: String,
    /// `collation_connection` that it was made under.
    pub collation: String,
}
