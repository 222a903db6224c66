//! What a file is cut by, whatever the dialect: where comments are, and where statements end.

use std::ops::Range;

use super::{Flaw, mysql, postgres};

/// A piece of a text. All of them together cover it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scrap {
    pub(crate) kind: ScrapKind,
    pub(crate) range: Range<usize>,
}

/// What a scrap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScrapKind {
    /// White space, or a comment that may go over several lines.
    Blank,
    /// A comment that the end of its line ends.
    LineComment,
    /// Part of a statement.
    Code,
    /// What ends a statement and does not belong to it: a semicolon, mostly.
    End,
}

/// Cuts a text into scraps, one after the other.
pub(crate) enum Scanner<'a> {
    /// As `psql` does.
    PostgreSql(postgres::script::Scanner<'a>),
    /// As the `mysql` client does.
    MySql(mysql::script::Scanner<'a>),
}

impl Scanner<'_> {
    /// The next scrap.
    pub(crate) fn scrap(&mut self) -> Option<Scrap> {
        match self {
            Self::PostgreSql(scanner) => scanner.scrap(),
            Self::MySql(scanner) => scanner.scrap(),
        }
    }

    /// The statement so far has ended, by something that the scanner knows nothing of.
    pub(crate) fn ended(&mut self) {
        match self {
            Self::PostgreSql(scanner) => scanner.ended(),
            Self::MySql(scanner) => scanner.ended(),
        }
    }

    /// What makes it unclear where statements end.
    pub(crate) fn into_flaws(self) -> Vec<Flaw> {
        match self {
            Self::PostgreSql(_) => Vec::new(),
            Self::MySql(scanner) => scanner.into_flaws(),
        }
    }
}
