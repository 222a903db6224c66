//! A value or a condition of the statement: what it reads, what it calls, and its text with columns written anew.

use crate::sql::mysql::expr::{self, ColumnRef};
use crate::sql::mysql::name::WrittenName;
use crate::sql::mysql::{Mode, Name};
use crate::text::Sql;

/// An expression that was understood.
#[derive(Debug)]
pub(super) struct Expression {
    written: String,
    mode: Mode,
    /// What it is, for messages: `the value of c`.
    pub(super) role: String,
    pub(super) columns: Vec<ColumnRef>,
    pub(super) functions: Vec<WrittenName>,
}

impl Expression {
    /// Else what is wrong with it, and why.
    pub(super) fn read(written: &str, role: String, mode: Mode) -> Result<Self, (String, String)> {
        let cannot = |error: expr::ExprError| (format!("{role} cannot be used"), error.to_string());
        if let Some(unsuitable) = expr::unsuitable(written, mode).map_err(cannot)? {
            let why = "a backfill computes each row from its own columns".to_owned();
            return Err((format!("{role} contains {}", unsuitable.describe()), why));
        }
        let columns = expr::column_refs(written, mode).map_err(cannot)?;
        let functions = expr::functions_called(written, mode).map_err(cannot)?;
        Ok(Self { written: written.to_owned(), mode, role, columns, functions })
    }

    /// As it was written.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// Its text, each column written as `reach` says.
    pub(super) fn with(&self, reach: &dyn Fn(&Name) -> String) -> Sql {
        let made = expr::rebind(&self.written, self.mode, |column| Some(reach(&column.name)));
        // What could be read can be read again.
        let text = made.unwrap_or_else(|_| self.written.clone());
        // A comment at its end would hide what follows.
        let ends = if text.contains("--") || text.contains('#') { "\n" } else { "" };
        Sql::raw(format!("{text}{ends}"))
    }

    pub(super) fn reads(&self, name: &Name) -> bool {
        self.columns.iter().any(|column| column.name.same_as(name.as_str()))
    }

    /// Whether it is this column alone.
    pub(super) fn is_column(&self, name: &Name) -> bool {
        matches!(&self.columns[..], [only] if only.name.same_as(name.as_str()) && only.range.len() == self.written.trim().len())
    }

    /// Whether it is the call of a clock alone.
    pub(super) fn is_clock(&self) -> bool {
        let plain =
            |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '(' | ')') || char.is_ascii_whitespace();
        let known = |name: &WrittenName| {
            name.database.is_none() && crate::dialect::mysql::function::is_clock(name.name.as_str())
        };
        self.columns.is_empty()
            && matches!(&self.functions[..], [only] if known(only))
            && self.written.chars().all(plain)
    }

    /// Whether it is `c IS NULL` and nothing else.
    pub(super) fn is_null(&self, name: &Name) -> bool {
        let [only] = &self.columns[..] else { return false };
        let rest = self.written.get(only.range.end..).unwrap_or_default();
        let words: Vec<&str> = rest.split_whitespace().collect();
        let tests =
            matches!(words[..], [is, null] if is.eq_ignore_ascii_case("is") && null.eq_ignore_ascii_case("null"));
        let first = self.written.get(..only.range.start).is_some_and(|before| before.trim().is_empty());
        first && tests && only.name.same_as(name.as_str())
    }

    /// Whether each mention of the column only asks whether it is NULL.
    pub(super) fn only_asks_for_null(&self, name: &Name) -> bool {
        let mentions = self.columns.iter().filter(|column| column.name.same_as(name.as_str()));
        mentions.into_iter().all(|column| {
            let rest = self.written.get(column.range.end..).unwrap_or_default().trim_start();
            rest.get(..3).is_some_and(|word| word.trim_end().eq_ignore_ascii_case("is"))
        })
    }
}
