//! What a statement of the application does with tables, as far as one more column, or another order of columns, matters
//! to it.

use super::token::{TokenKind, significant};
use super::tree;
use crate::name::{Ident, WrittenName};

mod scan;
mod walk;

/// What a statement, or a function's body, does with tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementShape {
    /// Each table with each way in which it is used, once.
    pub uses: Vec<TableUse>,
}

/// One way in which a table is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUse {
    /// The table, as written.
    pub table: WrittenName,
    /// How.
    pub how: Usage,
}

/// How a table is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// It is named.
    Named,
    /// All its columns are read: `SELECT *`, `t.*`, `RETURNING *`, `TABLE t`, `COPY t TO` without a list.
    AllColumns,
    /// All its columns are read, and their number must fit something else: `INSERT … SELECT *`, `SELECT * … UNION`, a
    /// function's result.
    AllColumnsMustFit,
    /// `INSERT INTO t` without a list of columns.
    InsertWithoutColumns,
    /// `COPY t FROM` without a list of columns.
    CopyWithoutColumns,
    /// Its row type: `%ROWTYPE`, `SETOF t`, a variable or parameter of the type, `to_json(t)`.
    RowType,
}

impl StatementShape {
    /// Whether a table for which `means` holds is used in this way.
    pub fn has(&self, how: Usage, means: impl Fn(&WrittenName) -> bool) -> bool {
        self.uses.iter().any(|used| used.how == how && means(&used.table))
    }

    fn add(&mut self, table: &WrittenName, how: Usage) {
        let used = TableUse { table: table.clone(), how };
        if !self.uses.contains(&used) {
            self.uses.push(used);
        }
    }

    fn merge(&mut self, other: Self) {
        for used in other.uses {
            self.add(&used.table, used.how);
        }
    }
}

/// What the statement `text` does with tables; `None` where it names none. Normalised texts (`$1`) and truncated ones are
/// read too: what does not parse is read token by token, and then rather suspected than overlooked.
#[must_use]
pub fn classify(text: &str) -> Option<StatementShape> {
    let shape =
        tree::parse(text).map_or_else(|_| scan::statements(text, scan::Language::Sql), |root| walk::statements(&root));
    (!shape.uses.is_empty()).then_some(shape)
}

/// What a function does with tables: `signature` with its parameters' types, and its body. Strings in a PL/pgSQL body are
/// read as statements too, for they may be executed.
#[must_use]
pub fn classify_function(signature: &str, language: &str, body: &str) -> StatementShape {
    let mut shape = parameters(signature);
    match language {
        // What a function returns must fit what it is declared to return.
        "sql" => {
            for used in classify(body).unwrap_or_default().uses {
                let must_fit = used.how == Usage::AllColumns;
                shape.add(&used.table, if must_fit { Usage::AllColumnsMustFit } else { used.how });
            }
        }
        "plpgsql" => shape.merge(scan::statements(body, scan::Language::Procedural)),
        _ => shape.merge(scan::strings(body)),
    }
    shape
}

/// The types of a signature (`s.f(integer, s.t)`), any of which may be a table's.
fn parameters(signature: &str) -> StatementShape {
    let tokens = significant(signature);
    let mut shape = StatementShape::default();
    let Some(open) = tokens.iter().position(|token| token.is_mark(b'(')) else { return shape };
    let mut at = open + 1;
    while at < tokens.len() {
        match scan::name_at(signature, &tokens, at) {
            Some((table, next)) => {
                shape.add(&table, Usage::RowType);
                at = next;
            }
            None => at += 1,
        }
    }
    shape
}

/// The identifier that a token stands for.
fn ident_of(source: &str, token: &super::token::Token) -> Option<Ident> {
    let text = token.text(source);
    match token.kind {
        TokenKind::Word => text.to_ascii_lowercase().parse().ok(),
        TokenKind::QuotedName if text.starts_with('"') => {
            text.get(1..text.len() - 1)?.replace("\"\"", "\"").parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
