//! The SQL of MySQL and MariaDB, read by a lexer and readers of our own that keep every byte.
//!
//! A text is cut into statements, a statement is read into what it names ([`read_statement`]) and from that into operations
//! ([`read_operations`]), and the columns in an expression are found and rebound ([`column_refs`], [`rebind`]). What is not
//! known is kept as it stands.

pub mod expr;
pub mod mode;
pub mod name;
pub mod operation;
pub(crate) mod script;
pub mod statement;
pub mod token;

mod cursor;
mod keyword;

pub use expr::{ColumnRef, ExprError, Unsuitable, column_refs, functions_called, rebind, unsuitable};
pub use mode::{DoubleQuotes, Mode, Product, Server};
pub use name::{Name, NameError, WrittenName};
pub use operation::read_operations;
pub use statement::{Clause, ClauseKind, Statement, read_statement};

#[cfg(test)]
mod tests;
