//! One statement → operations.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

use super::tree;
use crate::op::Operation;
use crate::sql::Flaw;

mod alter_table;
mod index;
mod update;

/// What can be written, for messages.
pub const SUPPORTED: &str = "supported are ALTER TABLE with ADD COLUMN, DROP COLUMN, ALTER COLUMN … TYPE, SET or DROP NOT \
    NULL, SET or DROP DEFAULT; CREATE INDEX; DROP INDEX; UPDATE … SET … [WHERE …]";

/// What `sql`, one statement without directives, asks for.
///
/// # Errors
/// Everything in it that was not understood or is not supported, by its place in `sql`.
pub fn read_statement(sql: &str) -> Result<Vec<Operation>, Vec<Flaw>> {
    let root = tree::parse(sql)?;
    let mut statements = root.children().filter(|node| ast::Stmt::can_cast(node.kind()));
    let Some(statement) = statements.next() else {
        return Err(vec![Flaw::new(0..sql.len(), "there is no statement", SUPPORTED)]);
    };
    if let Some(second) = statements.next() {
        let range = tree::span(&second);
        return Err(vec![Flaw::new(range, "a second statement starts here", "separate statements with a semicolon")]);
    }
    let reader = Reader { sql };
    if let Some(alter) = ast::AlterTable::cast(statement.clone()) {
        reader.alter_table(&alter)
    } else if let Some(create) = ast::CreateIndex::cast(statement.clone()) {
        reader.create_index(&create).map(|op| vec![op])
    } else if let Some(drop) = ast::DropIndex::cast(statement.clone()) {
        reader.drop_index(&drop)
    } else if let Some(update) = ast::Update::cast(statement.clone()) {
        reader.update(&update).map(|op| vec![op])
    } else {
        let what = format!("{} is not supported", spoken(&statement));
        Err(vec![Flaw::new(first_words(sql, &statement), what, advice(&statement))])
    }
}

/// What to do about a statement that is not supported.
fn advice(statement: &SyntaxNode) -> String {
    let first = statement.first_token().map(|token| token.text().to_ascii_lowercase()).unwrap_or_default();
    match first.as_str() {
        "begin" | "start" | "commit" | "end" | "rollback" => {
            "leave it away: shoofly makes its own transactions".to_owned()
        }
        "set" => "leave it away: shoofly sets its own timeouts".to_owned(),
        _ => format!("run it with another tool; {SUPPORTED}"),
    }
}

/// A statement's text while its tree is read.
struct Reader<'a> {
    sql: &'a str,
}

impl Reader<'_> {
    fn text(&self, node: &SyntaxNode) -> String {
        tree::text_of(self.sql, node)
    }

    /// A part that the grammar demands; a tree without errors has it.
    fn part<N>(&self, part: Option<N>) -> Result<N, Flaw> {
        part.ok_or_else(|| Flaw::new(0..self.sql.len(), "shoofly's parser lost a part of this statement", SUPPORTED))
    }
}

/// A node's kind as SQL: `RENAME_COLUMN` → `RENAME COLUMN`.
fn spoken(node: &SyntaxNode) -> String {
    format!("{:?}", node.kind()).replace('_', " ")
}

/// The range of a statement's first line, at most: a caret under a whole statement helps nobody.
fn first_words(sql: &str, node: &SyntaxNode) -> std::ops::Range<usize> {
    let range = tree::span(node);
    let line = sql.get(range.clone()).and_then(|text| text.find(['\n', '\r']));
    range.start..line.map_or(range.end, |length| range.start + length)
}

#[cfg(test)]
mod tests;
