//! `ALTER TABLE … ADD COLUMN`.

use serde::{Deserialize, Serialize};

use super::Expr;
use crate::name::{Ident, WrittenName};

/// Adds a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddColumn {
    /// The table.
    pub table: WrittenName,
    /// The new column.
    pub column: Ident,
    /// `IF NOT EXISTS` was written.
    pub if_not_exists: bool,
    /// Its type, as written.
    pub type_sql: String,
    /// `COLLATE`, as written: what follows the keyword.
    pub collation: Option<String>,
    /// `DEFAULT` expression.
    pub default: Option<Expr>,
    /// `NOT NULL` was written.
    pub not_null: bool,
    /// Directive `up`: the value for rows that exist and for writers that do not know the column.
    pub up: Option<Expr>,
    /// Clauses that need more than a column (`UNIQUE`, `REFERENCES`, `GENERATED` …), as written: refused with advice.
    pub other_clauses: Vec<String>,
}
