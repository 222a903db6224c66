//! `ALTER TABLE`.

use super::clause::{self, Clause};
use super::{TableRef, Wait, split};
use crate::sql::Flaw;
use crate::sql::mysql::cursor::Cursor;

/// `ALTER [ONLINE] [IGNORE] TABLE [IF EXISTS] t [WAIT n | NOWAIT] clause, …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterTable {
    /// Whether `ONLINE` is written (MariaDB: `LOCK=NONE`).
    pub online: bool,
    /// Whether `IGNORE` is written (MariaDB).
    pub ignore: bool,
    /// Whether `IF EXISTS` is written (MariaDB).
    pub if_exists: bool,
    /// The table.
    pub table: TableRef,
    /// How long it waits for its lock.
    pub wait: Option<Wait>,
    /// What it asks for, in order. Their texts and what stands between them are the statement.
    pub clauses: Vec<Clause>,
}

pub(super) fn read(cursor: &mut Cursor<'_, '_>) -> Result<AlterTable, Vec<Flaw>> {
    let one = |flaw| vec![flaw];
    cursor.at += 1;
    let (mut online, mut ignore) = (false, false);
    while let Some(word) = cursor.eat_any(&["online", "offline", "ignore"]) {
        online |= word == "online";
        ignore |= word == "ignore";
    }
    if !cursor.eat(&["table"]) {
        return Err(one(cursor.expected("TABLE")));
    }
    let if_exists = cursor.if_exists();
    let table = cursor.table("the name of a table").map_err(one)?;
    let wait = cursor.wait().map_err(one)?;
    let mut flaws = Vec::new();
    let mut clauses = Vec::new();
    for range in split::clauses(cursor, &mut flaws) {
        match clause::read(&cursor.within(range)) {
            Ok(clause) => clauses.push(clause),
            Err(flaw) => flaws.push(flaw),
        }
    }
    if !flaws.is_empty() {
        return Err(flaws);
    }
    if clauses.is_empty() {
        return Err(one(cursor.expected("what to change")));
    }
    Ok(AlterTable { online, ignore, if_exists, table, wait, clauses })
}
