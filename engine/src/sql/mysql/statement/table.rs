//! Statements about whole tables.

use std::ops::Range;

use super::{TableRef, Wait};
use crate::sql::Flaw;
use crate::sql::mysql::cursor::Cursor;

/// `CREATE [OR REPLACE] [TEMPORARY] TABLE [IF NOT EXISTS] t …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTable {
    /// Whether `OR REPLACE` is written (MariaDB).
    pub or_replace: bool,
    /// Whether it is a temporary table.
    pub temporary: bool,
    /// Whether `IF NOT EXISTS` is written.
    pub if_not_exists: bool,
    /// The table.
    pub table: TableRef,
    /// The table whose shape it takes: `LIKE u`.
    pub like: Option<TableRef>,
    /// Everything behind the name, byte for byte.
    pub definition: Range<usize>,
}

/// `DROP [TEMPORARY] TABLE [IF EXISTS] t, …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropTable {
    /// Whether `TEMPORARY` is written.
    pub temporary: bool,
    /// Whether `IF EXISTS` is written.
    pub if_exists: bool,
    /// The tables.
    pub tables: Vec<TableRef>,
    /// How long it waits for its lock.
    pub wait: Option<Wait>,
}

/// `RENAME TABLE a TO b, …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameTable {
    /// Whether `IF EXISTS` is written (MariaDB).
    pub if_exists: bool,
    /// From and to, in order.
    pub pairs: Vec<(TableRef, TableRef)>,
    /// How long it waits for its locks.
    pub wait: Option<Wait>,
}

/// `TRUNCATE [TABLE] t`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncate {
    /// The table.
    pub table: TableRef,
    /// How long it waits for its lock.
    pub wait: Option<Wait>,
}

const TABLE: &str = "the name of a table";

pub(super) fn create(cursor: &mut Cursor<'_, '_>) -> Result<CreateTable, Flaw> {
    cursor.at += 1;
    let or_replace = cursor.eat(&["or", "replace"]);
    let temporary = cursor.eat(&["temporary"]);
    if !cursor.eat(&["table"]) {
        return Err(cursor.expected("TABLE"));
    }
    let if_not_exists = cursor.if_not_exists();
    let table = cursor.table(TABLE)?;
    let start = cursor.at;
    let definition = cursor.source.span(start..cursor.end)?;
    if start == cursor.end {
        return Err(cursor.expected("columns, LIKE or a query"));
    }
    let mut inner = cursor.clone();
    let _optional = inner.eat_mark(b'(');
    let like = if inner.eat(&["like"]) { Some(inner.table(TABLE)?) } else { None };
    Ok(CreateTable { or_replace, temporary, if_not_exists, table, like, definition })
}

pub(super) fn drop(cursor: &mut Cursor<'_, '_>) -> Result<DropTable, Flaw> {
    cursor.at += 1;
    let temporary = cursor.eat(&["temporary"]);
    if cursor.eat_any(&["table", "tables"]).is_none() {
        return Err(cursor.expected("TABLE"));
    }
    let if_exists = cursor.if_exists();
    let mut tables = vec![cursor.table(TABLE)?];
    while cursor.eat_mark(b',') {
        tables.push(cursor.table(TABLE)?);
    }
    let wait = cursor.wait()?;
    // Both words mean nothing.
    let _noise = cursor.eat_any(&["restrict", "cascade"]);
    cursor.finished()?;
    Ok(DropTable { temporary, if_exists, tables, wait })
}

pub(super) fn rename(cursor: &mut Cursor<'_, '_>) -> Result<RenameTable, Flaw> {
    cursor.at += 2;
    let if_exists = cursor.if_exists();
    let mut pairs = Vec::new();
    let mut wait = None;
    loop {
        let from = cursor.table(TABLE)?;
        wait = cursor.wait()?.or(wait);
        if !cursor.eat(&["to"]) {
            return Err(cursor.expected("TO"));
        }
        pairs.push((from, cursor.table(TABLE)?));
        if !cursor.eat_mark(b',') {
            break;
        }
    }
    cursor.finished()?;
    Ok(RenameTable { if_exists, pairs, wait })
}

pub(super) fn truncate(cursor: &mut Cursor<'_, '_>) -> Result<Truncate, Flaw> {
    cursor.at += 1;
    let _optional = cursor.eat(&["table"]);
    let table = cursor.table(TABLE)?;
    let wait = cursor.wait()?;
    cursor.finished()?;
    Ok(Truncate { table, wait })
}
