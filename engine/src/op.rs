//! Operations: what the user wants changed, as plain data. One kind of change, one file.

use serde::{Deserialize, Serialize};

use crate::name::{Ident, WrittenName};

pub mod add_column;
pub mod alter_column_type;
pub mod alter_table;
pub mod column_default;
pub mod drop_column;
pub mod index;
pub mod not_null;
pub mod update_rows;

pub use add_column::AddColumn;
pub use alter_column_type::AlterColumnType;
pub use alter_table::AlterTable;
pub use column_default::{DropDefault, SetDefault};
pub use drop_column::DropColumn;
pub use index::{CreateIndex, DropIndex};
pub use not_null::{DropNotNull, SetNotNull};
pub use update_rows::{Assignment, UpdateRows};

/// An expression as the user wrote it, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expr(pub String);

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "each variant is documented where its data is")]
pub enum Operation {
    AddColumn(AddColumn),
    DropColumn(DropColumn),
    AlterColumnType(AlterColumnType),
    SetNotNull(SetNotNull),
    DropNotNull(DropNotNull),
    SetDefault(SetDefault),
    DropDefault(DropDefault),
    CreateIndex(CreateIndex),
    DropIndex(DropIndex),
    UpdateRows(UpdateRows),
    AlterTable(AlterTable),
}

impl Operation {
    /// The table that is changed; `None` where only the catalogue can tell (dropping an index by name).
    #[must_use]
    pub fn table(&self) -> Option<&WrittenName> {
        match self {
            Self::AddColumn(op) => Some(&op.table),
            Self::DropColumn(op) => Some(&op.table),
            Self::AlterColumnType(op) => Some(&op.table),
            Self::SetNotNull(op) => Some(&op.table),
            Self::DropNotNull(op) => Some(&op.table),
            Self::SetDefault(op) => Some(&op.table),
            Self::DropDefault(op) => Some(&op.table),
            Self::CreateIndex(op) => Some(&op.table),
            Self::DropIndex(_) => None,
            Self::UpdateRows(op) => Some(&op.table),
            Self::AlterTable(op) => Some(&op.table),
        }
    }

    /// The columns that the operation changes or names as its own target.
    #[must_use]
    pub fn columns(&self) -> Vec<&Ident> {
        match self {
            Self::AddColumn(op) => vec![&op.column],
            Self::DropColumn(op) => vec![&op.column],
            Self::AlterColumnType(op) => vec![&op.column],
            Self::SetNotNull(op) => vec![&op.column],
            Self::DropNotNull(op) => vec![&op.column],
            Self::SetDefault(op) => vec![&op.column],
            Self::DropDefault(op) => vec![&op.column],
            Self::CreateIndex(op) => op.columns.iter().collect(),
            Self::DropIndex(_) => Vec::new(),
            Self::UpdateRows(op) => op.assignments.iter().map(|assignment| &assignment.column).collect(),
            Self::AlterTable(op) => op.columns.iter().collect(),
        }
    }
}
