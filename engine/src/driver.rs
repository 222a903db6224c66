//! Connections, transactions, error classes of each database. Knows sockets and no SQL of ours.

use crate::error::Error;

pub mod mysql;
pub mod postgres;

/// Where a database is, of whichever kind.
#[derive(Debug, Clone)]
pub enum Target {
    /// PostgreSQL.
    Postgres(postgres::Target),
    /// MySQL or MariaDB.
    MySql(mysql::Target),
}

impl Target {
    /// Reads a URL; its scheme tells the kind of database.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn parse(url: &str) -> Result<Self, Error> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("mysql" | "mariadb") => mysql::Target::parse(url).map(Self::MySql),
            _ => postgres::Target::parse(url).map(Self::Postgres),
        }
    }

    /// Host, port, database and user, without the password.
    #[must_use]
    pub fn display(&self) -> String {
        match self {
            Self::Postgres(target) => target.display(),
            Self::MySql(target) => target.display(),
        }
    }
}

/// Longest statement text that an error carries, in characters.
const STATEMENT_CHARS: usize = 400;

/// A statement on one line, as errors carry it.
fn shorten(statement: &str) -> String {
    let flat = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(STATEMENT_CHARS) {
        Some((cut, _)) => format!("{} …", &flat[..cut]),
        None => flat,
    }
}
