//! `ALTER TABLE … ALTER COLUMN … SET DEFAULT` and `DROP DEFAULT`.

use serde::{Deserialize, Serialize};

use super::Expr;
use crate::name::{Ident, WrittenName};

/// Gives a column a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetDefault {
    /// The table.
    pub table: WrittenName,
    /// The column.
    pub column: Ident,
    /// The default.
    pub default: Expr,
}

/// Takes a column's default away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropDefault {
    /// The table.
    pub table: WrittenName,
    /// The column.
    pub column: Ident,
}
