//! `UPDATE … SET c = f(…)` as a backfill.

use serde::{Deserialize, Serialize};

use super::Expr;
use crate::name::{Ident, WrittenName};

/// One `SET` item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The column that is set.
    pub column: Ident,
    /// Its value.
    pub value: Expr,
}

/// Gives every row that matches the value, now and for whatever is written until `complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateRows {
    /// The table.
    pub table: WrittenName,
    /// What is set.
    pub assignments: Vec<Assignment>,
    /// `WHERE`, as written.
    pub condition: Option<Expr>,
}
