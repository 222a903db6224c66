//! `ALTER TABLE … ALTER COLUMN … SET NOT NULL` and `DROP NOT NULL`.

use serde::{Deserialize, Serialize};

use super::Expr;
use crate::name::{Ident, WrittenName};

/// Forbids NULL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetNotNull {
    /// The table.
    pub table: WrittenName,
    /// The column.
    pub column: Ident,
    /// Directive `up`: the value that takes a NULL's place, in rows that exist and in what is written until `complete`.
    pub up: Option<Expr>,
}

/// Allows NULL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropNotNull {
    /// The table.
    pub table: WrittenName,
    /// The column.
    pub column: Ident,
}
