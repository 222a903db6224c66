//! What stands in an expression: columns, functions, and what a trigger or a fill cannot carry.
//!
//! Everything works on ranges of the text as written, so that an expression changes in the bytes of the names and nowhere
//! else. Words such as `DATE`, `DAY` or `STATUS` may be columns and syntax; which of them they are is told by whether a
//! value is to come where they stand.

use std::ops::Range;

use super::cursor::Source;
use super::keyword::is_aggregate;
use super::mode::Mode;
use super::name::{Name, WrittenName};
use super::token::is_word;

mod walk;

use walk::Found;

/// A column named in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRef {
    /// The bytes of the whole reference, its qualifier included.
    pub range: Range<usize>,
    /// The bytes of the column's own name.
    pub name_range: Range<usize>,
    /// The table or alias before it (`NEW`, in a trigger), where written.
    pub qualifier: Option<String>,
    /// The column.
    pub name: Name,
}

/// Why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// It is no expression, or none that is known here.
    #[error("{0:?} is not an expression that shoofly understands ({1})")]
    Syntax(String, String),
    /// A subquery brings names of its own.
    #[error("{0:?} contains a subquery; write it as a function")]
    Subquery(String),
    /// `t.*` names every column.
    #[error("{0:?} names every column of a row; name the columns")]
    WholeRow(String),
    /// A window looks at other rows.
    #[error("{0:?} contains a window function; a row's value is computed from that row alone")]
    Window(String),
}

/// What an expression that is evaluated for one row alone cannot contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsuitable {
    /// A subquery.
    Subquery,
    /// An aggregate, by name.
    Aggregate(String),
    /// A window function.
    Window,
    /// A parameter (`?`).
    Parameter,
    /// A variable of the user or the server, which each session may have another value of.
    Variable(String),
}

impl Unsuitable {
    /// It, for a message.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Subquery => "a subquery".to_owned(),
            Self::Aggregate(name) => format!("the aggregate {name}()"),
            Self::Window => "a window function".to_owned(),
            Self::Parameter => "a parameter".to_owned(),
            Self::Variable(name) => format!("the variable {name}"),
        }
    }
}

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
    Ok(splice(expr, edits))
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

/// `text` with each range replaced. Ranges come in order and do not overlap; where a replacement would grow together
/// with what stands beside it, a blank goes between.
fn splice(text: &str, edits: impl IntoIterator<Item = (Range<usize>, String)>) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut at = 0;
    for (range, replacement) in edits {
        push_apart(&mut made, text.get(at..range.start).unwrap_or_default());
        push_apart(&mut made, &replacement);
        at = range.end;
    }
    push_apart(&mut made, text.get(at..).unwrap_or_default());
    made
}

fn push_apart(made: &mut String, next: &str) {
    if let (Some(before), Some(after)) = (made.bytes().last(), next.bytes().next()) {
        let quote = |byte| matches!(byte, b'`' | b'"' | b'\'');
        let sign = |byte| b"+-*/<>=~!%^&|:@.".contains(&byte);
        let grow = (is_word(before) && (is_word(after) || quote(after)))
            || (is_word(before) && after == b'.')
            || (before == b'.' && is_word(after))
            || (sign(before) && sign(after))
            || (quote(before) && before == after);
        if grow {
            made.push(' ');
        }
    }
    made.push_str(next);
}

#[cfg(test)]
mod tests;
