//! `ALTER TABLE … ALTER COLUMN … TYPE`.

use serde::{Deserialize, Serialize};

use super::Expr;
use crate::name::{Ident, WrittenName};

/// Changes a column's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlterColumnType {
    /// The table.
    pub table: WrittenName,
    /// The column.
    pub column: Ident,
    /// The new type, as written.
    pub type_sql: String,
    /// `COLLATE`, as written: what follows the keyword.
    pub collation: Option<String>,
    /// `USING` expression, or directive `up`; without it the server's assignment cast.
    pub using: Option<Expr>,
    /// Directive `down`: the old value from the new one, for the way back.
    pub down: Option<Expr>,
}
