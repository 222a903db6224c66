//! Rows of the catalogue's queries, field by field; and the names that the queries are bound to.

use std::fmt::Display;
use std::str::FromStr;
use std::vec::IntoIter;

use mysql_async::Value;

use crate::driver::mysql::Session;
use crate::driver::shorten;
use crate::error::{DbError, DbErrorKind};
use crate::schema::mysql::TablePath;
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::Name;
use crate::text::AsSql;

/// The fields of a row, read from left to right.
pub(super) struct Fields(IntoIter<Option<String>>);

impl Fields {
    pub(super) fn of(row: Vec<Option<String>>) -> Self {
        Self(row.into_iter())
    }

    /// A field that may be NULL.
    pub(super) fn maybe(&mut self) -> Option<String> {
        self.0.next().flatten()
    }

    pub(super) fn text(&mut self) -> Result<String, DbError> {
        self.maybe().ok_or_else(|| misread(&"a field is NULL"))
    }

    pub(super) fn name(&mut self) -> Result<Name, DbError> {
        self.text()?.parse().map_err(|error| misread(&error))
    }

    pub(super) fn maybe_name(&mut self) -> Result<Option<Name>, DbError> {
        self.maybe().map(|text| text.parse().map_err(|error| misread(&error))).transpose()
    }

    pub(super) fn number<T: FromStr<Err: Display>>(&mut self) -> Result<Option<T>, DbError> {
        self.maybe().map(|text| text.parse().map_err(|error| misread(&error))).transpose()
    }
}

/// Runs a query of the catalogue.
///
/// # Errors
/// The server's. A table that is locked away for longer than the session's patience is one: MariaDB leaves it out of the
/// rows, or leaves its fields empty, and says so in a warning alone.
pub(super) async fn ask(session: &Session, sql: &str) -> Result<Vec<Fields>, DbError> {
    let rows = session.rows(sql).await?;
    if session.product() == Product::MariaDb {
        let late = session.warnings().await?.into_iter().find(|warning| warning.starts_with("1205: "));
        if let Some(message) = late {
            return Err(DbError {
                kind: DbErrorKind::LockTimeout,
                code: Some("1205, HY000".to_owned()),
                message: message.trim_start_matches("1205: ").to_owned(),
                detail: String::new(),
                statement: shorten(sql),
            });
        }
    }
    Ok(rows.into_iter().map(Fields::of).collect())
}

/// A query of one table: its names stand in the text as strings and, where `{quoted}` stands, as SQL within a string.
pub(super) fn bound(sql: &str, path: &TablePath) -> String {
    let string = |text: &str| Value::from(text).as_sql(false);
    // One pass: a name may look like a place for another.
    let parts = sql.split('{').enumerate().map(|(at, part)| match part.split_once('}') {
        Some(("database", rest)) if at > 0 => string(path.database.as_str()) + rest,
        Some(("table", rest)) if at > 0 => string(path.name.as_str()) + rest,
        Some(("quoted", rest)) if at > 0 => string(&path.as_sql()) + rest,
        _ => part.to_owned(),
    });
    parts.collect()
}

/// The field number `at` of `SHOW CREATE …`.
pub(super) async fn show_create(session: &Session, what: &str, path: &TablePath, at: usize) -> Result<String, DbError> {
    let rows = session.rows(&format!("SHOW CREATE {what} {}", path.as_sql())).await?;
    let field = rows.into_iter().next().and_then(|row| row.into_iter().nth(at)).flatten();
    field.ok_or_else(|| misread(&format!("{} has no text", path.display())))
}

pub(super) fn misread(error: &impl Display) -> DbError {
    DbError {
        kind: DbErrorKind::Other,
        code: None,
        message: format!("the catalogue holds something that this version of shoofly does not know: {error}"),
        detail: String::new(),
        statement: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        let path = TablePath::new("it's {table}".parse().unwrap(), "a\\`b".parse().unwrap());
        assert_eq!(
            bound("x = {database} AND y = {table} OR {quoted}", &path),
            r"x = 'it\'s {table}' AND y = 'a\\`b' OR '`it\'s {table}`.`a\\``b`'"
        );
    }
}
