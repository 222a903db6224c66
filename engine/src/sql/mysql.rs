//! The SQL of MySQL and MariaDB, read by a lexer and readers of our own that keep every byte.
//!
//! A text is cut into statements ([`split_script`]), a statement is read into what it names ([`read_statement`]), and the
//! columns in an expression are found and rebound ([`column_refs`], [`rebind`]). What is not known is kept as it stands.

pub mod expr;
pub mod mode;
pub mod name;
pub mod script;
pub mod statement;
pub mod token;

mod cursor;
mod keyword;

pub use expr::{ColumnRef, ExprError, Unsuitable, column_refs, functions_called, rebind, unsuitable};
pub use mode::{Backslash, DoubleQuotes, Mode, Product, Server};
pub use name::{Name, NameError, WrittenName};
pub use script::{Piece, split_script};
pub use statement::{Clause, ClauseKind, Statement, read_statement};

#[cfg(test)]
mod tests;
