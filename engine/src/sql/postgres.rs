//! PostgreSQL SQL, read with a lossless parser.
//!
//! The parser's types stay in this module: outside, a statement is a list of [`crate::op::Operation`]s, an expression
//! is text, and a name in it is a range of bytes.

pub mod census;
pub mod definition;
pub mod expr;
pub(crate) mod script;
pub mod statement;
pub mod token;
pub(crate) mod tree;

pub use census::{StatementShape, TableUse, Usage, classify, classify_function};
pub use definition::{
    Side, index_definition_columns, rename_column_in_constraint, rename_column_in_index, rename_column_in_statistics,
};
pub use expr::{ColumnRef, ExprError, column_refs, functions_called, rebind};
pub use statement::read_statement;

#[cfg(test)]
mod tests;
