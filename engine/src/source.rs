//! Migration files and folders → statements with positions → operations.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::facts::Needs;
use crate::op::Operation;

/// One migration: the user's intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    /// Name: the file's name without its ending; for a statement of the command line, made from its text.
    pub name: String,
    /// The file; `None` for a statement of the command line.
    pub path: Option<PathBuf>,
    /// SHA-256 of the statements and directives, hex; comments and white space between statements do not count.
    pub checksum: String,
    /// What to do.
    pub up: Script,
    /// How to take it back after `complete`.
    pub down: Option<Script>,
}

/// Statements in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// The statements; an `ALTER TABLE` with several clauses is one statement with several operations.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// As written, without directives and the final semicolon.
    pub sql: String,
    /// `file:line` of its first character.
    pub place: String,
    /// What it asks for.
    pub operations: Vec<Operation>,
}

impl Script {
    /// What must be asked of the server before this can be planned.
    #[must_use]
    pub fn needs(&self) -> Needs {
        Needs::default()
    }
}
