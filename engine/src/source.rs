//! Migration files and folders → statements with positions → operations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem};
use crate::op::Operation;
use crate::plan::{Direction, Hazard, Strategy};
use crate::sql::Dialect;

mod checksum;
mod cut;
mod directive;
mod folder;
mod needs;
mod read;
mod render;

pub use folder::{load_file, load_folder};

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

impl Migration {
    /// The statements that go one way.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is no way down.
    pub fn script(&self, direction: Direction) -> Result<&Script, Error> {
        match direction {
            Direction::Up => Ok(&self.up),
            Direction::Down => self.down.as_ref().ok_or_else(|| {
                Error::Refused(vec![Problem {
                    what: "the migration has no way back".to_owned(),
                    place: self.name.clone(),
                    why: "what was changed cannot be guessed back".to_owned(),
                    advice: "add a `-- migrate:down` section, or write a new migration".to_owned(),
                }])
            }),
        }
    }
}

/// Statements in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// The statements; an `ALTER TABLE` with several clauses is one statement with several operations.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// As written, without directives and the final semicolon.
    pub sql: String,
    /// `file:line` of its first character.
    pub place: String,
    /// What it asks for.
    pub operations: Vec<Operation>,
    /// What the directives above it say about the way there.
    #[serde(default)]
    pub options: Options,
}

/// Directives that concern how a statement is carried out, not what it means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// `strategy`: this one and no other.
    pub strategy: Option<Strategy>,
    /// `chunk`: how long one transaction of the backfill should take.
    pub chunk: Option<Duration>,
    /// `allow = blocking`: steps that block the application may be planned.
    pub allow_blocking: bool,
    /// `accept`: hazards that need not be asked about again.
    pub accept: BTreeSet<Hazard>,
}

/// Reads the text of one migration with its sections: `-- migrate:up` and `-- migrate:down`, goose's annotations, or
/// none, which is all `up`.
///
/// # Errors
/// [`Error::Syntax`] with every error of the text, rendered.
pub fn parse_text(dialect: Dialect, name: &str, path: Option<&Path>, text: &str) -> Result<Migration, Error> {
    let shown = path.map_or_else(|| name.to_owned(), |path| path.display().to_string());
    let sections = read::sections(dialect, &shown, text).map_err(Error::Syntax)?;
    Ok(Migration {
        name: name.to_owned(),
        path: path.map(Path::to_owned),
        checksum: checksum::of(&sections.parts),
        up: sections.up,
        down: sections.down,
    })
}

/// Reads one statement of the command line. Its name is made from it, so that the same statement, however it is laid
/// out, means the same migration.
///
/// # Errors
/// [`Error::Syntax`] with every error of the text, rendered.
pub fn parse_statement(dialect: Dialect, ddl: &str) -> Result<Migration, Error> {
    let sections = read::single(dialect, ddl).map_err(Error::Syntax)?;
    let checksum = checksum::of(&sections.parts);
    let operations =
        sections.up.statements.first().map(|statement| statement.operations.as_slice()).unwrap_or_default();
    let name = checksum::name_of(operations, &checksum);
    Ok(Migration { name, path: None, checksum, up: sections.up, down: None })
}

#[cfg(test)]
mod tests;
