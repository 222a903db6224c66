//! One statement, read: what it names, and the bytes of its parts.
//!
//! Nothing is judged here. Which words are reserved, whether a type exists and what a clause costs is for the server and
//! the planner; a clause that is not known is kept as it stands.

use std::ops::Range;

use super::cursor::{Cursor, Source};
use super::mode::Mode;
use super::name::{Name, WrittenName};
use crate::sql::Flaw;

mod alter_table;
mod clause;
mod index;
mod option;
mod split;
mod table;
mod update;

pub use alter_table::AlterTable;
pub use clause::{
    AddColumn, AddForeignKey, AddIndex, Clause, ClauseKind, Enforcement, PartitionClause, Position, Visibility,
};
pub use index::{CreateIndex, DropIndex, IndexKind, KeyPart};
pub use table::{CreateTable, DropTable, RenameTable, Truncate};
pub use update::{Assignment, Update, UpdateTarget};

/// A statement. All ranges are bytes of the text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented where its data is")]
pub enum Statement {
    AlterTable(AlterTable),
    CreateIndex(CreateIndex),
    DropIndex(DropIndex),
    RenameTable(RenameTable),
    Update(Update),
    CreateTable(CreateTable),
    DropTable(DropTable),
    Truncate(Truncate),
    Other(Other),
}

/// A statement of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its first word in upper case, or its first character.
    pub word: String,
    /// The bytes of that word.
    pub range: Range<usize>,
}

/// How long a statement waits for its lock, where it says so itself (MariaDB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// `WAIT n`, in seconds.
    Seconds(u64),
    /// `NOWAIT`.
    Not,
}

/// A table, and where its name stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRef {
    /// Its name.
    pub name: WrittenName,
    /// The bytes of the name, that of the database included.
    pub range: Range<usize>,
}

/// Reads `sql`, one statement, with or without a semicolon at its end.
///
/// # Errors
/// Everything in it that cannot be read, by its place in `sql`.
pub fn read_statement(sql: &str, mode: Mode) -> Result<Statement, Vec<Flaw>> {
    let source = Source::new(sql, mode)?;
    let mut cursor = Cursor::new(&source);
    while cursor.end > 0 && source.tokens[cursor.end - 1].is_mark(b';') {
        cursor.end -= 1;
    }
    if cursor.is_done() {
        return Err(vec![Flaw::new(0..sql.len(), "there is no statement", "write one")]);
    }
    let start = cursor.clone();
    match known(&mut cursor) {
        None => {
            let word = start.source.text(0).to_uppercase();
            Ok(Statement::Other(Other { word, range: source.rough(0..1) }))
        }
        Some(read) => {
            let Some(second) = second_statement(&start) else { return read };
            // What the reader stumbled over behind the semicolon is no flaw of its own.
            let mut flaws = read.err().unwrap_or_default();
            flaws.retain(|flaw| flaw.range.start < second.range.start);
            flaws.push(second);
            Err(flaws)
        }
    }
}

/// Reads a statement of a kind that is known here; `None` for another one.
fn known(cursor: &mut Cursor<'_, '_>) -> Option<Result<Statement, Vec<Flaw>>> {
    let words: Vec<String> = (0..6).map(|at| cursor.source.text(at).to_ascii_lowercase()).collect();
    let has = |at: usize, any: &[&str]| words.get(at).is_some_and(|word| any.contains(&word.as_str()));
    // Words that may stand between the verb and what it is about.
    let about =
        (1..6).find(|at| !has(*at, &["online", "offline", "ignore", "or", "replace", "temporary"])).unwrap_or(1);
    let one = |read: Result<Statement, Flaw>| Some(read.map_err(|flaw| vec![flaw]));
    match words[0].as_str() {
        "alter" if has(about, &["table"]) => Some(alter_table::read(cursor).map(Statement::AlterTable)),
        "create" if has(about, &["index", "unique", "fulltext", "spatial", "vector"]) => {
            one(index::create(cursor).map(Statement::CreateIndex))
        }
        "create" if has(about, &["table"]) => one(table::create(cursor).map(Statement::CreateTable)),
        "drop" if has(about, &["index"]) => one(index::drop(cursor).map(Statement::DropIndex)),
        "drop" if has(about, &["table", "tables"]) => one(table::drop(cursor).map(Statement::DropTable)),
        "rename" if has(1, &["table", "tables"]) => one(table::rename(cursor).map(Statement::RenameTable)),
        "truncate" => one(table::truncate(cursor).map(Statement::Truncate)),
        "update" => Some(update::read(cursor).map(Statement::Update)),
        _ => None,
    }
}

/// A semicolon with something behind it.
fn second_statement(cursor: &Cursor<'_, '_>) -> Option<Flaw> {
    let tokens = cursor.source.tokens.get(..cursor.end)?;
    let end = tokens.iter().position(|token| token.is_mark(b';'))?;
    let range = cursor.source.rough(end + 1..cursor.end);
    Some(Flaw::new(range, "a second statement starts here", "separate the statements, and read one at a time"))
}

impl Cursor<'_, '_> {
    fn table(&mut self, what: &str) -> Result<TableRef, Flaw> {
        let start = self.at;
        let name = self.written_name(what)?;
        Ok(TableRef { name, range: self.source.rough(start..self.at) })
    }

    /// `WAIT n` or `NOWAIT`.
    fn wait(&mut self) -> Result<Option<Wait>, Flaw> {
        if self.eat(&["nowait"]) {
            return Ok(Some(Wait::Not));
        }
        if !self.is_word(0, "wait") || self.peek(1).is_none() {
            return Ok(None);
        }
        self.at += 1;
        let seconds = self.source.text(self.at).parse().map_err(|_| self.expected("a number of seconds"))?;
        self.at += 1;
        Ok(Some(Wait::Seconds(seconds)))
    }

    fn if_exists(&mut self) -> bool {
        self.eat(&["if", "exists"])
    }

    fn if_not_exists(&mut self) -> bool {
        self.eat(&["if", "not", "exists"])
    }

    fn names(&mut self, group: Range<usize>) -> Result<Vec<Name>, Flaw> {
        let mut inner = self.within(group);
        let parts = inner.list("a name")?;
        parts.into_iter().map(|part| self.within(part).only_name()).collect()
    }

    /// A name and nothing else.
    fn only_name(mut self) -> Result<Name, Flaw> {
        let name = self.name("a name")?;
        self.finished()?;
        Ok(name)
    }

    /// # Errors
    /// Something is left.
    fn finished(&self) -> Result<(), Flaw> {
        match self.peek(0) {
            None => Ok(()),
            Some(_) => {
                let rest = self.source.rough(self.at..self.end);
                let text = self.source.text(self.at);
                Err(Flaw::new(
                    rest,
                    format!("`{text}` is not expected here"),
                    "end the statement before it, or remove it",
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests;
