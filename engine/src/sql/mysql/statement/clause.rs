//! One clause of `ALTER TABLE`, and what it names.

use std::ops::Range;

use super::index::{IndexKind, KeyPart};
use super::{TableRef, option, split};
use crate::sql::Flaw;
use crate::sql::mysql::cursor::{Cursor, name_of};
use crate::sql::mysql::name::Name;
use crate::sql::mysql::token::TokenKind;

mod add;
mod change;

/// A clause. All ranges are bytes of the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its bytes.
    pub range: Range<usize>,
    /// Its text, byte for byte.
    pub text: String,
    /// What it asks for.
    pub kind: ClauseKind,
}

/// What a clause asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what the clause names, in its own words")]
pub enum ClauseKind {
    /// `ADD [COLUMN] c …`
    AddColumn(AddColumn),
    /// `ADD [COLUMN] (…, …)`: several columns, indexes and constraints.
    AddList(Vec<ClauseKind>),
    /// `DROP [COLUMN] c`
    DropColumn { column: Name, if_exists: bool },
    /// `MODIFY [COLUMN] c …`
    ModifyColumn { column: Name, if_exists: bool, definition: Range<usize>, position: Option<Position> },
    /// `CHANGE [COLUMN] a b …`
    ChangeColumn { from: Name, to: Name, if_exists: bool, definition: Range<usize>, position: Option<Position> },
    /// `RENAME COLUMN a TO b`
    RenameColumn { from: Name, to: Name, if_exists: bool },
    /// `ALTER [COLUMN] c SET DEFAULT …`
    SetDefault { column: Name, if_exists: bool, default: Range<usize> },
    /// `ALTER [COLUMN] c DROP DEFAULT`
    DropDefault { column: Name, if_exists: bool },
    /// `ALTER [COLUMN] c SET VISIBLE`
    SetColumnVisibility { column: Name, visibility: Visibility },
    /// `ADD INDEX …`, `ADD [CONSTRAINT n] PRIMARY KEY …`, `ADD [CONSTRAINT n] UNIQUE …`
    AddIndex(AddIndex),
    /// `DROP INDEX i`
    DropIndex { name: Name, if_exists: bool },
    /// `DROP PRIMARY KEY`
    DropPrimaryKey,
    /// `RENAME INDEX a TO b`
    RenameIndex { from: Name, to: Name, if_exists: bool },
    /// `ALTER INDEX i INVISIBLE`; MariaDB's `IGNORED` is the same.
    SetIndexVisibility { name: Name, if_exists: bool, visibility: Visibility },
    /// `ADD [CONSTRAINT n] FOREIGN KEY …`
    AddForeignKey(AddForeignKey),
    /// `DROP FOREIGN KEY f`
    DropForeignKey { name: Name, if_exists: bool },
    /// `ADD [CONSTRAINT n] CHECK (…)`
    AddCheck { name: Option<Name>, if_not_exists: bool, expression: Range<usize>, enforcement: Enforcement },
    /// `DROP CHECK n`
    DropCheck { name: Name },
    /// `DROP CONSTRAINT n`, of any kind.
    DropConstraint { name: Name, if_exists: bool },
    /// `ALTER CHECK n ENFORCED`, `ALTER CONSTRAINT n NOT ENFORCED`
    AlterCheck { name: Name, enforcement: Enforcement },
    /// `CONVERT TO CHARACTER SET c [COLLATE d]`, as written.
    ConvertTo { charset: String, collation: Option<String> },
    /// `ENGINE=InnoDB`, `[DEFAULT] CHARACTER SET c`, `COMMENT '…'` …; the name in upper case and without `DEFAULT`.
    TableOption { name: String, value: Range<usize> },
    /// `ORDER BY a, b DESC`
    OrderBy { keys: Range<usize> },
    /// `FORCE`
    Force,
    /// `ENABLE KEYS`
    EnableKeys,
    /// `DISABLE KEYS`
    DisableKeys,
    /// `DISCARD TABLESPACE`
    DiscardTablespace,
    /// `IMPORT TABLESPACE`
    ImportTablespace,
    /// `RENAME [TO] t`
    RenameTo(TableRef),
    /// `ALGORITHM=…`, in upper case.
    Algorithm(String),
    /// `LOCK=…`, in upper case.
    Lock(String),
    /// `WITH VALIDATION`
    WithValidation,
    /// `WITHOUT VALIDATION`
    WithoutValidation,
    /// Anything about partitions.
    Partition(PartitionClause),
    /// Anything else.
    Other,
}

/// `ADD [COLUMN] [IF NOT EXISTS] c definition [FIRST | AFTER d]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddColumn {
    /// The column.
    pub column: Name,
    /// Whether `IF NOT EXISTS` is written (MariaDB).
    pub if_not_exists: bool,
    /// Type and attributes, without the position.
    pub definition: Range<usize>,
    /// Where it goes; at the end if nothing is said.
    pub position: Option<Position>,
}

/// `ADD [CONSTRAINT c] [UNIQUE | …] INDEX [IF NOT EXISTS] [n] [USING …] (key parts) …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddIndex {
    /// Its kind.
    pub kind: IndexKind,
    /// Its name: the one behind `INDEX`, else that of the constraint.
    pub name: Option<Name>,
    /// Whether `IF NOT EXISTS` is written (MariaDB).
    pub if_not_exists: bool,
    /// What it is made of.
    pub parts: Vec<KeyPart>,
    /// From the name, or where it would stand, to the end: `USING btree (a, b) INVISIBLE`.
    pub definition: Range<usize>,
}

/// `ADD [CONSTRAINT n] FOREIGN KEY [n] (…) REFERENCES t (…) …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddForeignKey {
    /// The name of the constraint, else that behind `FOREIGN KEY`.
    pub name: Option<Name>,
    /// Whether `IF NOT EXISTS` is written (MariaDB).
    pub if_not_exists: bool,
    /// The columns.
    pub columns: Vec<Name>,
    /// The table that they refer to.
    pub referenced: TableRef,
    /// The columns there.
    pub referenced_columns: Vec<Name>,
    /// `ON DELETE …`, `ON UPDATE …`, `MATCH …`; empty without them.
    pub actions: Range<usize>,
}

/// Where a column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// Before all others.
    First,
    /// Behind this one.
    After(Name),
}

/// Whether a column is part of `*`, or an index of plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// It is.
    Visible,
    /// It is not.
    Invisible,
}

/// Whether a check is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// It is.
    Enforced,
    /// It is not.
    NotEnforced,
}

/// A clause about partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionClause {
    /// Its words in upper case: `PARTITION BY`, `DROP PARTITION`, `REMOVE PARTITIONING` …
    pub verb: String,
    /// What follows them.
    pub rest: Range<usize>,
}

/// Reads the clause that fills `cursor`.
///
/// # Errors
/// It does not begin with a word, it holds a name that cannot be one, or a version comment is only partly in it. That it
/// is not known is no error.
pub(super) fn read(cursor: &Cursor<'_, '_>) -> Result<Clause, Flaw> {
    let source = cursor.source;
    if !cursor.is_name(0) {
        return Err(cursor.expected("a clause"));
    }
    if cursor.is_any(0, &["wait", "nowait"]) {
        let what = "the server wants to know before the first clause how long it may wait";
        return Err(Flaw::new(source.rough(cursor.at..cursor.end), what, "write it directly behind the table's name"));
    }
    let range = source.span(cursor.at..cursor.end)?;
    let names = source.tokens[cursor.at..cursor.end].iter().filter(|token| token.kind == TokenKind::QuotedName);
    for token in names {
        if let Err(error) = name_of(source.sql, token) {
            return Err(Flaw::new(token.range.clone(), error.to_string(), "use a name that the server accepts"));
        }
    }
    let text = source.sql.get(range.clone()).unwrap_or_default().to_owned();
    Ok(Clause { range, text, kind: kind(cursor) })
}

/// Whatever cannot be read to its end is another clause than was thought.
fn kind(clause: &Cursor<'_, '_>) -> ClauseKind {
    let mut cursor = clause.clone();
    let known = known(&mut cursor).and_then(|kind| cursor.finished().map(|()| kind));
    known.unwrap_or(ClauseKind::Other)
}

fn known(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    if split::is_partitioning(cursor) {
        return partition(cursor);
    }
    let words = ["add", "drop", "modify", "change", "alter", "rename", "convert", "order", "algorithm", "lock"];
    let start = cursor.clone();
    match cursor.eat_any(&words).unwrap_or_default() {
        "add" => add::read(cursor),
        "drop" => change::drop(cursor),
        "modify" => change::modify(cursor),
        "change" => change::change(cursor),
        "alter" => change::alter(cursor),
        "rename" => change::rename(cursor),
        "convert" => convert(cursor),
        "order" if cursor.eat(&["by"]) => {
            let keys = cursor.source.span(cursor.at..cursor.end)?;
            cursor.at = cursor.end;
            Ok(ClauseKind::OrderBy { keys })
        }
        "algorithm" => setting(cursor).map(ClauseKind::Algorithm),
        "lock" => setting(cursor).map(ClauseKind::Lock),
        _ => {
            *cursor = start;
            plain(cursor).map_or_else(|| option::read(cursor), Ok)
        }
    }
}

/// Clauses of words alone.
fn plain(cursor: &mut Cursor<'_, '_>) -> Option<ClauseKind> {
    let clauses: [(&[&str], ClauseKind); 7] = [
        (&["force"], ClauseKind::Force),
        (&["enable", "keys"], ClauseKind::EnableKeys),
        (&["disable", "keys"], ClauseKind::DisableKeys),
        (&["discard", "tablespace"], ClauseKind::DiscardTablespace),
        (&["import", "tablespace"], ClauseKind::ImportTablespace),
        (&["with", "validation"], ClauseKind::WithValidation),
        (&["without", "validation"], ClauseKind::WithoutValidation),
    ];
    clauses.into_iter().find_map(|(words, kind)| cursor.eat(words).then_some(kind))
}

/// `[=] word`
fn setting(cursor: &mut Cursor<'_, '_>) -> Result<String, Flaw> {
    let _optional = cursor.eat_equals();
    let name = cursor.name("a word")?;
    Ok(name.as_str().to_uppercase())
}

fn convert(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    let charset = cursor.eat(&["to", "character", "set"]) || cursor.eat(&["to", "charset"]);
    if !charset && !cursor.eat(&["to", "char", "set"]) {
        return Err(cursor.expected("TO CHARACTER SET"));
    }
    let _optional = cursor.eat_equals();
    let charset = word(cursor)?;
    let collation = if cursor.eat(&["collate"]) {
        let _optional = cursor.eat_equals();
        Some(word(cursor)?)
    } else {
        None
    };
    Ok(ClauseKind::ConvertTo { charset, collation })
}

/// A name or a string, as written.
fn word(cursor: &mut Cursor<'_, '_>) -> Result<String, Flaw> {
    let text = cursor.source.text(cursor.at).to_owned();
    if cursor.peek(0).is_none() {
        return Err(cursor.expected("a name"));
    }
    cursor.at += 1;
    Ok(text)
}

fn partition(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    let verb = format!("{} {}", cursor.source.text(cursor.at), cursor.source.text(cursor.at + 1)).to_uppercase();
    let rest = cursor.source.span(cursor.at + 2..cursor.end)?;
    cursor.at = cursor.end;
    Ok(ClauseKind::Partition(PartitionClause { verb, rest }))
}

/// What is left of a column's clause: its definition, and its position at the end.
fn definition(cursor: &mut Cursor<'_, '_>) -> Result<(Range<usize>, Option<Position>), Flaw> {
    let (start, end) = (cursor.at, cursor.end);
    let mut last = cursor.within(end.saturating_sub(1).max(start)..end);
    let mut before = cursor.within(end.saturating_sub(2).max(start)..end);
    // `AFTER first` names a column.
    let (stop, position) = if before.eat(&["after"]) && before.is_name(0) && before.peek(1).is_none() {
        (end - 2, Some(Position::After(before.name("a column")?)))
    } else if last.eat(&["first"]) {
        (end - 1, Some(Position::First))
    } else {
        (end, None)
    };
    if stop <= start {
        return Err(cursor.expected("a type"));
    }
    cursor.at = end;
    Ok((cursor.source.span(start..stop)?, position))
}
