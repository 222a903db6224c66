//! Which SQL a migration is written in, and everything about reading it that differs.

use super::expression::{ExprError, Unsuitable};
use super::mysql::Mode;
use super::scrap::Scanner;
use super::{Flaw, mysql, postgres};
use crate::error::{Error, Problem};
use crate::op::Operation;

/// The SQL that a migration is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    PostgreSql,
    /// MySQL and MariaDB. A file is read as a server out of the box reads it, with every version comment taken as code.
    MySql,
}

impl Dialect {
    /// The dialect of the database that `url` names, by its scheme.
    ///
    /// # Errors
    /// [`Error::Usage`] for another scheme, or none. Nothing of the URL is repeated.
    pub fn of_url(url: &str) -> Result<Self, Error> {
        match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => Ok(Self::PostgreSql),
            Some("mysql" | "mariadb") => Ok(Self::MySql),
            _ => Err(Error::Usage(vec![Problem {
                what: "the URL does not begin with postgres:// or mysql://".to_owned(),
                place: "--url / DATABASE_URL".to_owned(),
                why: "its beginning says which kind of database it is, and how migrations are read".to_owned(),
                advice: "write it as postgres://role:password@host:5432/database or \
                         mysql://user:password@host:3306/database (mariadb:// is the same)"
                    .to_owned(),
            }])),
        }
    }

    /// What cuts `text` into statements.
    pub(crate) fn scanner(self, text: &str) -> Scanner<'_> {
        match self {
            Self::PostgreSql => Scanner::PostgreSql(postgres::script::Scanner::new(text)),
            Self::MySql => Scanner::MySql(mysql::script::Scanner::new(text, Mode::default())),
        }
    }

    /// What `sql`, one statement without directives, asks for.
    ///
    /// # Errors
    /// Everything in it that was not understood or is not supported, by its place in `sql`.
    pub(crate) fn read_statement(self, sql: &str) -> Result<Vec<Operation>, Vec<Flaw>> {
        match self {
            Self::PostgreSql => postgres::read_statement(sql),
            Self::MySql => mysql::read_operations(sql),
        }
    }

    /// What can be written, for messages.
    pub(crate) fn supported(self) -> &'static str {
        match self {
            Self::PostgreSql => postgres::statement::SUPPORTED,
            Self::MySql => mysql::operation::SUPPORTED,
        }
    }

    /// `sql` without what means nothing: equal for texts that mean the same to a lexer.
    pub(crate) fn normalised(self, sql: &str) -> String {
        match self {
            Self::PostgreSql => postgres::token::normalised(sql),
            Self::MySql => mysql::token::normalised(sql, Mode::default()),
        }
    }

    /// The first thing in `expr` that cannot be evaluated for one row alone.
    ///
    /// # Errors
    /// The text is no expression.
    pub(crate) fn unsuitable(self, expr: &str) -> Result<Option<Unsuitable>, ExprError> {
        match self {
            Self::PostgreSql => postgres::expr::unsuitable(expr),
            Self::MySql => mysql::unsuitable(expr, Mode::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_says_which() {
        for (url, expected) in [
            ("postgres://a:b@h/d", Dialect::PostgreSql),
            ("postgresql:///d?host=/run", Dialect::PostgreSql),
            ("mysql://a:b@h/d", Dialect::MySql),
            ("mariadb://h/d", Dialect::MySql),
        ] {
            assert_eq!(Dialect::of_url(url).unwrap(), expected, "{url}");
        }
        for url in ["", "nonsense", "oracle://a:s3cret@h/d", "a:s3cret@h/d", "s3cret://x", "host=h password=s3cret"] {
            let Err(error @ Error::Usage(_)) = Dialect::of_url(url) else { panic!("{url}") };
            let said = error.to_string();
            assert!(said.contains("postgres://") && said.contains("mysql://") && !said.contains("s3cret"), "{said}");
        }
    }
}
