//! What stands in an expression: columns, functions, and what a trigger or a fill cannot carry.
//!
//! Everything works on ranges of the text as written, so that an expression changes in the bytes of the names and nowhere
//! else. Words such as `DATE`, `DAY` or `STATUS` may be columns and syntax; which of them they are is told by whether a
//! value is to come where they stand.

use super::cursor::Source;
use super::keyword::is_aggregate;
use super::mode::Mode;
use super::name::{Name, WrittenName};
use super::token::is_word;
use crate::sql::expression::splice;
pub use crate::sql::expression::{ExprError, Unsuitable};

mod walk;

use walk::Found;

/// A column named in an expression.
pub type ColumnRef = crate::sql::expression::ColumnRef<Name>;

/// The columns that `expr` names, in the order in which they stand.
///
/// # Errors
/// The text is no expression, or names cannot be told from each other in it (subqueries, `t.*`, windows).
pub fn column_refs(expr: &str, mode: Mode) -> Result<Vec<ColumnRef>, ExprError> {
    read(expr, mode).map(|found| found.columns)
}

/// `expr` with each column for which `to` has an answer replaced by it; every other byte stays.
///
/// # Errors
/// As [`column_refs`].
pub fn rebind(expr: &str, mode: Mode, to: impl Fn(&ColumnRef) -> Option<String>) -> Result<String, ExprError> {
    let edits = column_refs(expr, mode)?.into_iter().filter_map(|column| Some((column.range.clone(), to(&column)?)));
    // What stays as it is needs no blank beside it that was not there.
    let edits = edits.filter(|(range, to)| expr.get(range.clone()) != Some(to.as_str()));
    Ok(splice(expr, edits, grows))
}

/// The functions that `expr` calls, each once, in lower case. `CURRENT_DATE` and its like are among them.
///
/// # Errors
/// As [`column_refs`].
pub fn functions_called(expr: &str, mode: Mode) -> Result<Vec<WrittenName>, ExprError> {
    let mut names = Vec::new();
    for function in read(expr, mode)?.functions {
        if !names.contains(&function) {
            names.push(function);
        }
    }
    Ok(names)
}

/// The first thing in `expr` that cannot be evaluated for one row alone.
///
/// # Errors
/// The text is no expression.
pub fn unsuitable(expr: &str, mode: Mode) -> Result<Option<Unsuitable>, ExprError> {
    let found = match read(expr, mode) {
        Err(ExprError::Subquery(_)) => return Ok(Some(Unsuitable::Subquery)),
        Err(ExprError::Window(_)) => return Ok(Some(Unsuitable::Window)),
        other => other?,
    };
    let own = |name: &&WrittenName| name.database.is_none() && is_aggregate(name.name.as_str());
    if let Some(name) = found.functions.iter().find(own) {
        return Ok(Some(Unsuitable::Aggregate(name.display())));
    }
    if let Some(name) = found.variables.into_iter().next() {
        return Ok(Some(Unsuitable::Variable(name)));
    }
    Ok(found.parameter.then_some(Unsuitable::Parameter))
}

fn read(expr: &str, mode: Mode) -> Result<Found, ExprError> {
    let not = |why: String| ExprError::Syntax(expr.to_owned(), why);
    let source = Source::new(expr, mode)
        .map_err(|flaws| not(flaws.into_iter().next().map(|flaw| flaw.what).unwrap_or_default()))?;
    if source.tokens.is_empty() {
        return Err(not("it is empty".to_owned()));
    }
    walk::walk(&source)
}

/// Whether two bytes side by side would be one token.
fn grows(before: u8, after: u8) -> bool {
    let quote = |byte| matches!(byte, b'`' | b'"' | b'\'');
    let sign = |byte| b"+-*/<>=~!%^&|:@.".contains(&byte);
    (is_word(before) && (is_word(after) || quote(after)))
        || (is_word(before) && after == b'.')
        || (before == b'.' && is_word(after))
        || (sign(before) && sign(after))
        || (quote(before) && before == after)
}

#[cfg(test)]
mod tests;
