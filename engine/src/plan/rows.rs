//! An `UPDATE` that holds for every row, those that exist and those that are written meanwhile: what it is made of, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::schema::mysql::{Column, TablePath};
use crate::sql::mysql::name::Name;
use crate::text::Sql;

/// Rows that triggers and a fill give their values. Expressions name the table's columns bare, in backticks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// The table.
    pub table: TablePath,
    /// The columns that name a row, in key order.
    pub key: Vec<Column>,
    /// The index over them, to walk the table by.
    pub key_index: Name,
    /// What each row that needs it is given.
    pub set: Vec<SetColumn>,
    /// True for a row that still needs work, and not once it has been filled.
    pub pending: Sql,
    /// Columns that the server would change with the row (`ON UPDATE CURRENT_TIMESTAMP`), and that the fill leaves as they are.
    pub kept: Vec<Name>,
    /// The column whose place the one that is set takes in the end, as it was when the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Box<Column>>,
    /// How long one chunk's transaction should take, where the migration says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<Duration>,
}

/// One column and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetColumn {
    /// The column.
    pub column: Column,
    /// The value.
    pub value: Sql,
}

/// What is done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowsStage {
    /// Make the triggers that give rows their values as they are written.
    Follow,
    /// Give the rows that exist theirs.
    Fill,
    /// Drop the triggers.
    Clean,
    /// Drop the triggers and let the column that was filled take another one's place, in one moment.
    Replace,
}
