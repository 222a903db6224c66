//! `ALTER TABLE` of MySQL and MariaDB: one statement, kept as its clauses.

use serde::{Deserialize, Serialize};

use crate::name::{Ident, WrittenName};

/// Changes a table, clause by clause. `CREATE INDEX` and `DROP INDEX` are clauses too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlterTable {
    /// The table.
    pub table: WrittenName,
    /// The clauses in order, as written: `ADD c int`, `DROP INDEX i`.
    pub clauses: Vec<String>,
    /// The columns that the clauses name as their targets, each once.
    pub columns: Vec<Ident>,
}
