//! Indexes, and the statements that make and drop them.

use std::ops::Range;

use super::{TableRef, Wait};
use crate::sql::Flaw;
use crate::sql::mysql::cursor::Cursor;
use crate::sql::mysql::name::Name;

/// `CREATE [OR REPLACE] [UNIQUE | …] INDEX [IF NOT EXISTS] i [USING …] ON t [WAIT n | NOWAIT] (key parts) …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateIndex {
    /// Its kind; never [`IndexKind::Primary`].
    pub kind: IndexKind,
    /// Its name.
    pub name: Name,
    /// Whether `OR REPLACE` is written (MariaDB).
    pub or_replace: bool,
    /// Whether `IF NOT EXISTS` is written (MariaDB).
    pub if_not_exists: bool,
    /// `USING btree` before `ON`; empty without it.
    pub using: Range<usize>,
    /// The table.
    pub table: TableRef,
    /// How long it waits for its lock.
    pub wait: Option<Wait>,
    /// What it is made of.
    pub parts: Vec<KeyPart>,
    /// The key parts with their brackets and what follows, to the end or to `ALGORITHM` or `LOCK`.
    pub definition: Range<usize>,
    /// `ALGORITHM=…`, in upper case.
    pub algorithm: Option<String>,
    /// `LOCK=…`, in upper case.
    pub lock: Option<String>,
}

/// `DROP INDEX [IF EXISTS] i ON t …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropIndex {
    /// Its name; `PRIMARY` for the primary key.
    pub name: Name,
    /// Whether `IF EXISTS` is written (MariaDB).
    pub if_exists: bool,
    /// The table.
    pub table: TableRef,
    /// How long it waits for its lock.
    pub wait: Option<Wait>,
    /// `ALGORITHM=…`, in upper case.
    pub algorithm: Option<String>,
    /// `LOCK=…`, in upper case.
    pub lock: Option<String>,
}

/// What an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the statement")]
pub enum IndexKind {
    Plain,
    Unique,
    Primary,
    Fulltext,
    Spatial,
    Vector,
}

/// One part of a key, with its length and direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// Its bytes.
    pub range: Range<usize>,
    /// The column; `None` for an expression.
    pub column: Option<Name>,
}

pub(super) fn create(cursor: &mut Cursor<'_, '_>) -> Result<CreateIndex, Flaw> {
    cursor.at += 1;
    let or_replace = cursor.eat(&["or", "replace"]);
    let _noise = cursor.eat_any(&["online", "offline"]);
    let kind = kind(cursor).ok_or_else(|| cursor.expected("INDEX"))?;
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.name("the name of the index")?;
    let start = cursor.at;
    cursor.skip_until(|cursor| cursor.is_word(0, "on"))?;
    let using = cursor.source.span(start..cursor.at)?;
    let table = on_table(cursor)?;
    let wait = cursor.wait()?;
    let start = cursor.at;
    let parts = parts(cursor)?;
    cursor.skip_until(is_setting)?;
    let definition = cursor.source.span(start..cursor.at)?;
    let (algorithm, lock) = settings(cursor)?;
    cursor.finished()?;
    Ok(CreateIndex { kind, name, or_replace, if_not_exists, using, table, wait, parts, definition, algorithm, lock })
}

pub(super) fn drop(cursor: &mut Cursor<'_, '_>) -> Result<DropIndex, Flaw> {
    cursor.at += 1;
    let _noise = cursor.eat_any(&["online", "offline"]);
    if !cursor.eat(&["index"]) {
        return Err(cursor.expected("INDEX"));
    }
    let if_exists = cursor.if_exists();
    let name = cursor.name("the name of the index")?;
    let table = on_table(cursor)?;
    let wait = cursor.wait()?;
    let (algorithm, lock) = settings(cursor)?;
    cursor.finished()?;
    Ok(DropIndex { name, if_exists, table, wait, algorithm, lock })
}

fn on_table(cursor: &mut Cursor<'_, '_>) -> Result<TableRef, Flaw> {
    if !cursor.eat(&["on"]) {
        return Err(cursor.expected("ON and the name of a table"));
    }
    cursor.table("the name of a table")
}

/// `ALGORITHM` and `LOCK` where they end the options of an index.
fn is_setting(cursor: &Cursor<'_, '_>) -> bool {
    cursor.is_any(0, &["algorithm", "lock"])
}

fn settings(cursor: &mut Cursor<'_, '_>) -> Result<(Option<String>, Option<String>), Flaw> {
    let (mut algorithm, mut lock) = (None, None);
    while let Some(word) = cursor.eat_any(&["algorithm", "lock"]) {
        let _optional = cursor.eat_equals();
        let value = Some(cursor.name("a word")?.as_str().to_uppercase());
        if word == "lock" { lock = value } else { algorithm = value }
    }
    Ok((algorithm, lock))
}

/// `[UNIQUE | FULLTEXT | SPATIAL | VECTOR] [INDEX | KEY]`, `PRIMARY KEY`; nothing is taken where there is none.
pub(super) fn kind(cursor: &mut Cursor<'_, '_>) -> Option<IndexKind> {
    if cursor.eat(&["primary", "key"]) {
        return Some(IndexKind::Primary);
    }
    // `VECTOR` is no reserved word: alone it is a column.
    if cursor.is_word(0, "vector") && !cursor.is_any(1, &["index", "key"]) {
        return None;
    }
    let kind = match cursor.eat_any(&["unique", "fulltext", "spatial", "vector"]) {
        Some("unique") => IndexKind::Unique,
        Some("fulltext") => IndexKind::Fulltext,
        Some("spatial") => IndexKind::Spatial,
        Some(_) => IndexKind::Vector,
        None => return cursor.eat_any(&["index", "key"]).map(|_| IndexKind::Plain),
    };
    let _optional = cursor.eat_any(&["index", "key"]);
    Some(kind)
}

/// `[USING …] (part, part)`
pub(super) fn parts(cursor: &mut Cursor<'_, '_>) -> Result<Vec<KeyPart>, Flaw> {
    if cursor.eat_any(&["using", "type"]).is_some() {
        cursor.name("btree, hash or rtree")?;
    }
    let group = cursor.group("the columns in brackets")?;
    let parts = cursor.within(group).list("a column")?;
    parts
        .into_iter()
        .map(|part| {
            let range = cursor.source.span(part.clone())?;
            let mut inner = cursor.within(part);
            // A function is an expression only in brackets of its own, so that a name is a column.
            let column = if inner.is_mark(0, b'(') { None } else { Some(inner.name("a column")?) };
            Ok(KeyPart { range, column })
        })
        .collect()
}
