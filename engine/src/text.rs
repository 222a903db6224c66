//! SQL text: the only way names and literals become part of a statement.

use serde::{Deserialize, Serialize};

use crate::name::{Ident, QualifiedName};

/// A piece of SQL: a statement, a clause or an expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sql(String);

impl Sql {
    /// Wraps text that already is SQL: a user's expression, a definition the server gave, a template's result.
    #[must_use]
    pub fn raw(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Several pieces with `separator` between them.
    #[must_use]
    pub fn join<'a>(pieces: impl IntoIterator<Item = &'a Sql>, separator: &str) -> Self {
        let pieces: Vec<&str> = pieces.into_iter().map(Sql::as_str).collect();
        Self(pieces.join(separator))
    }
}

/// How a value stands in a SQL text: identifiers quoted, literals as literals.
pub trait AsSql {
    /// The value's SQL.
    fn as_sql(&self) -> String;
}

impl AsSql for Ident {
    fn as_sql(&self) -> String {
        format!("\"{}\"", self.as_str().replace('"', "\"\""))
    }
}

impl AsSql for QualifiedName {
    fn as_sql(&self) -> String {
        format!("{}.{}", self.schema.as_sql(), self.name.as_sql())
    }
}

impl AsSql for Sql {
    fn as_sql(&self) -> String {
        self.0.clone()
    }
}

impl<T: AsSql> AsSql for &T {
    fn as_sql(&self) -> String {
        (*self).as_sql()
    }
}

/// A string literal.
#[derive(Debug, Clone, Copy)]
pub struct Literal<'a>(pub &'a str);

impl AsSql for Literal<'_> {
    fn as_sql(&self) -> String {
        if self.0.contains('\\') {
            format!("E'{}'", self.0.replace('\\', "\\\\").replace('\'', "''"))
        } else {
            format!("'{}'", self.0.replace('\'', "''"))
        }
    }
}

macro_rules! numbers_as_sql {
    ($($number:ty),*) => {$(
        impl AsSql for $number {
            fn as_sql(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
numbers_as_sql!(i16, i32, i64, u16, u32, u64, usize);

/// Columns, names or expressions as a comma-separated list.
#[derive(Debug, Clone, Copy)]
pub struct List<'a, T>(pub &'a [T]);

impl<T: AsSql> AsSql for List<'_, T> {
    fn as_sql(&self) -> String {
        let items: Vec<String> = self.0.iter().map(AsSql::as_sql).collect();
        items.join(", ")
    }
}

/// Builds an [`Sql`] from a template with named parts: `sql!("ALTER TABLE {t} DROP COLUMN {c}", t = table, c = column)`.
///
/// Every part goes through [`AsSql`], and a part that is not listed does not compile.
#[macro_export]
macro_rules! sql {
    ($template:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::text::Sql::raw(format!(concat!($template) $(, $name = $crate::text::AsSql::as_sql(&$value))*))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_names_and_literals() {
        let column: Ident = "Odd \"name\"".parse().unwrap();
        let made = sql!("SELECT {c} = {v}", c = column, v = Literal("it's a \\"));
        assert_eq!(made.as_str(), r#"SELECT "Odd ""name""" = E'it''s a \\'"#);
    }
}
