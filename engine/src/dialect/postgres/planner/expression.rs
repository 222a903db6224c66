//! Texts of SQL as the planner needs them: which columns an expression reads, and the same text over other names.

use crate::name::{Ident, WrittenName};
use crate::sql::postgres::expr::{self, ExprError};
use crate::text::{AsSql, Sql};

/// Why a text cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable(pub(crate) String);

impl From<ExprError> for Unusable {
    fn from(error: ExprError) -> Self {
        Self(error.to_string())
    }
}

/// The columns that an expression over one row names, each once.
///
/// # Errors
/// What cannot be computed from one row alone, or cannot be read at all.
pub(crate) fn columns(text: &str) -> Result<Vec<Ident>, Unusable> {
    if let Some(unsuitable) = expr::unsuitable(text)? {
        return Err(Unusable(format!(
            "{text} contains {}, and is computed for one row at a time",
            unsuitable.describe()
        )));
    }
    let mut found: Vec<Ident> = Vec::new();
    for column in expr::column_refs(text)? {
        if !found.contains(&column.name) {
            found.push(column.name);
        }
    }
    Ok(found)
}

/// The expression in parentheses, each column written as `reach` says. A comment that it may end in ends with its line.
///
/// # Errors
/// As [`columns`].
pub(crate) fn rebound(text: &str, reach: &dyn Fn(&Ident) -> Sql) -> Result<Sql, Unusable> {
    let text = expr::rebind(text, |column| Some(reach(&column.name).as_str().to_owned()))?;
    let end = if text.contains("--") { "\n" } else { "" };
    Ok(Sql::raw(format!("({text}{end})")))
}

/// The functions that an expression calls.
///
/// # Errors
/// As [`columns`].
pub(crate) fn functions(text: &str) -> Result<Vec<WrittenName>, Unusable> {
    Ok(expr::functions_called(text)?)
}

/// The expression with one column renamed.
///
/// # Errors
/// As [`columns`].
pub(crate) fn renamed(text: &str, from: &Ident, to: &Ident) -> Result<Sql, Unusable> {
    Ok(Sql::raw(expr::rebind(text, |column| (column.name == *from).then(|| to.as_sql()))?))
}
