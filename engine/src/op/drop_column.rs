//! `ALTER TABLE … DROP COLUMN`.

use serde::{Deserialize, Serialize};

use super::Expr;
use crate::name::{Ident, WrittenName};

/// Drops a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropColumn {
    /// The table.
    pub table: WrittenName,
    /// The column to drop.
    pub column: Ident,
    /// `IF EXISTS` was written.
    pub if_exists: bool,
    /// `CASCADE` was written.
    pub cascade: bool,
    /// Directive `down`: the value that writers which no longer name the column leave in it until `complete`.
    pub down: Option<Expr>,
}
