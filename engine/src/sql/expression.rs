//! What reading an expression gives, whatever the dialect: columns, and reasons why it cannot be used.

use std::ops::Range;

/// A column named in an expression; `N` is a name as the dialect has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRef<N> {
    /// The bytes of the whole reference, its qualifier included.
    pub range: Range<usize>,
    /// The bytes of the column's own name.
    pub name_range: Range<usize>,
    /// The table or alias before it (`NEW`, in a trigger), where written.
    pub qualifier: Option<String>,
    /// The column. On PostgreSQL a bare table name (the whole row) looks the same: only the catalogue can tell.
    pub name: N,
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
    /// A parameter (`$1`, `?`).
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

/// `text` with each range replaced. Ranges come in order and do not overlap; where two bytes that come to stand side by side
/// would grow together (`grows`), a blank goes between.
pub(in crate::sql) fn splice(
    text: &str,
    edits: impl IntoIterator<Item = (Range<usize>, String)>,
    grows: fn(u8, u8) -> bool,
) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut push = |next: &str| {
        if let (Some(before), Some(after)) = (made.bytes().last(), next.bytes().next())
            && grows(before, after)
        {
            made.push(' ');
        }
        made.push_str(next);
    };
    let mut at = 0;
    for (range, replacement) in edits {
        push(text.get(at..range.start).unwrap_or_default());
        push(&replacement);
        at = range.end;
    }
    push(text.get(at..).unwrap_or_default());
    made
}
