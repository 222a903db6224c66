//! The server's codes, classified once.

use tokio_postgres::error::SqlState;

use crate::driver::shorten;
use crate::error::{DbError, DbErrorKind, Error};

/// Classifies an error of the driver; `statement` is what was being run (shortened here).
#[must_use]
pub fn classify(error: &tokio_postgres::Error, statement: &str) -> DbError {
    let statement = shorten(statement);
    let Some(db) = error.as_db_error() else {
        return DbError {
            kind: if lost(error) { DbErrorKind::ConnectionLost } else { DbErrorKind::Other },
            code: None,
            message: chain(error),
            detail: String::new(),
            statement,
        };
    };
    let detail = [db.detail(), db.hint().map(|_| ""), db.hint(), db.where_()]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty());
    DbError {
        kind: kind_of(db.code()),
        code: Some(db.code().code().to_owned()),
        message: db.message().to_owned(),
        detail: detail.collect::<Vec<_>>().join("\n    "),
        statement,
    }
}

impl DbError {
    /// Wraps it with what was being done, as a fragment after "could not".
    #[must_use]
    pub fn doing(self, doing: impl Into<String>) -> Error {
        Error::Database { doing: doing.into(), source: self }
    }
}

fn kind_of(code: &SqlState) -> DbErrorKind {
    let text = code.code();
    match text {
        "55P03" => DbErrorKind::LockTimeout,
        "40P01" | "40001" => DbErrorKind::Deadlock,
        "57P01" | "57P02" | "57P05" | "25P03" => DbErrorKind::ConnectionLost,
        "57P03" | "53300" | "57P04" => DbErrorKind::Unavailable,
        "3D000" => DbErrorKind::Authentication,
        "42501" => DbErrorKind::Privilege,
        "42P01" | "42703" | "42883" | "42704" | "3F000" => DbErrorKind::Missing,
        "42P07" => DbErrorKind::NameTaken,
        "57014" => DbErrorKind::Cancelled,
        "25006" => DbErrorKind::ReadOnly,
        _ => match text.get(..2) {
            Some("08") => DbErrorKind::ConnectionLost,
            Some("28") => DbErrorKind::Authentication,
            Some("23") => DbErrorKind::Constraint,
            Some("22") => DbErrorKind::Data,
            Some("53") => DbErrorKind::Resources,
            Some("42") => DbErrorKind::Statement,
            _ => DbErrorKind::Other,
        },
    }
}

fn lost(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<std::io::Error>() {
            return true;
        }
        source = inner.source();
    }
    error.is_closed()
}

fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_code() {
        for (code, kind) in [
            ("55P03", DbErrorKind::LockTimeout),
            ("40P01", DbErrorKind::Deadlock),
            ("57P01", DbErrorKind::ConnectionLost),
            ("08006", DbErrorKind::ConnectionLost),
            ("28P01", DbErrorKind::Authentication),
            ("23505", DbErrorKind::Constraint),
            ("22P02", DbErrorKind::Data),
            ("42601", DbErrorKind::Statement),
            ("XX000", DbErrorKind::Other),
        ] {
            assert_eq!(kind_of(&SqlState::from_code(code)), kind, "{code}");
        }
    }
}
