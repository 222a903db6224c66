//! `UPDATE … SET …`

use std::ops::Range;

use super::TableRef;
use crate::sql::Flaw;
use crate::sql::mysql::cursor::Cursor;
use crate::sql::mysql::name::Name;

/// `UPDATE [LOW_PRIORITY] [IGNORE] t [[AS] a] SET c = expr, … [WHERE …] [ORDER BY …] [LIMIT …]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Whether `IGNORE` is written: rows that cannot be changed are passed over.
    pub ignore: bool,
    /// What is changed.
    pub target: UpdateTarget,
    /// The assignments, in order: a later one sees what an earlier one has set.
    pub assignments: Vec<Assignment>,
    /// The expression behind `WHERE`.
    pub condition: Option<Range<usize>>,
    /// What stands behind `ORDER BY`.
    pub order_by: Option<Range<usize>>,
    /// What stands behind `LIMIT`.
    pub limit: Option<Range<usize>>,
    /// What stands behind `RETURNING` (MariaDB).
    pub returning: Option<Range<usize>>,
}

/// What an `UPDATE` changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateTarget {
    /// One table.
    Table {
        /// The table.
        table: TableRef,
        /// What its columns may be qualified with instead of its name.
        alias: Option<Name>,
    },
    /// Several tables, partitions of one, or something else: its bytes.
    Complex(Range<usize>),
}

/// `c = expr`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The table or alias before the column, where written.
    pub qualifier: Option<Name>,
    /// The column.
    pub column: Name,
    /// The bytes of the column, its qualifier included.
    pub target: Range<usize>,
    /// The bytes of the value, which may be `DEFAULT`.
    pub value: Range<usize>,
}

pub(super) fn read(cursor: &mut Cursor<'_, '_>) -> Result<Update, Vec<Flaw>> {
    let one = |flaw| vec![flaw];
    cursor.at += 1;
    let _noise = cursor.eat(&["low_priority"]);
    let ignore = cursor.eat(&["ignore"]);
    let target = target(cursor).map_err(one)?;
    if !cursor.eat(&["set"]) {
        return Err(one(cursor.expected("SET")));
    }
    let mut flaws = Vec::new();
    let start = cursor.at;
    cursor.skip_until(is_clause).map_err(one)?;
    let assignments = match cursor.within(start..cursor.at).list("a column and its value") {
        Ok(parts) => parts
            .into_iter()
            .filter_map(|part| assignment(&mut cursor.within(part)).map_err(|flaw| flaws.push(flaw)).ok())
            .collect(),
        Err(flaw) => return Err(one(flaw)),
    };
    let mut clauses = [None, None, None, None];
    for (clause, words) in clauses.iter_mut().zip(CLAUSES) {
        if cursor.eat(words) {
            match rest(cursor) {
                Ok(found) => *clause = Some(found),
                Err(flaw) => flaws.push(flaw),
            }
        }
    }
    flaws.extend(cursor.finished().err());
    let [condition, order_by, limit, returning] = clauses;
    let update = Update { ignore, target, assignments, condition, order_by, limit, returning };
    if flaws.is_empty() { Ok(update) } else { Err(flaws) }
}

/// What may follow the assignments, in this order.
const CLAUSES: [&[&str]; 4] = [&["where"], &["order", "by"], &["limit"], &["returning"]];

fn is_clause(cursor: &Cursor<'_, '_>) -> bool {
    CLAUSES.iter().any(|words| words.iter().enumerate().all(|(ahead, word)| cursor.is_word(ahead, word)))
}

fn rest(cursor: &mut Cursor<'_, '_>) -> Result<Range<usize>, Flaw> {
    let start = cursor.at;
    cursor.skip_until(is_clause)?;
    if cursor.at == start {
        return Err(cursor.expected("an expression"));
    }
    cursor.source.span(start..cursor.at)
}

fn target(cursor: &mut Cursor<'_, '_>) -> Result<UpdateTarget, Flaw> {
    let start = cursor.at;
    cursor.skip_until(|cursor| cursor.is_word(0, "set"))?;
    if cursor.at == start {
        return Err(cursor.expected("the name of a table"));
    }
    let mut inner = cursor.within(start..cursor.at);
    match table(&mut inner) {
        Ok(target) if inner.is_done() => Ok(target),
        _ => Ok(UpdateTarget::Complex(cursor.source.span(start..cursor.at)?)),
    }
}

fn table(cursor: &mut Cursor<'_, '_>) -> Result<UpdateTarget, Flaw> {
    let table = cursor.table("the name of a table")?;
    let marked = cursor.eat(&["as"]);
    let alias = if marked || !cursor.is_done() { Some(cursor.name("an alias")?) } else { None };
    Ok(UpdateTarget::Table { table, alias })
}

fn assignment(cursor: &mut Cursor<'_, '_>) -> Result<Assignment, Flaw> {
    let start = cursor.at;
    let mut parts = vec![cursor.name("a column")?];
    while cursor.eat_mark(b'.') {
        parts.push(cursor.name("a column")?);
    }
    let target = cursor.source.span(start..cursor.at)?;
    if !cursor.eat_equals() {
        return Err(cursor.expected("`=` and a value"));
    }
    if cursor.is_done() {
        return Err(cursor.expected("a value"));
    }
    let value = cursor.source.span(cursor.at..cursor.end)?;
    let column = parts.pop().ok_or_else(|| cursor.expected("a column"))?;
    Ok(Assignment { qualifier: parts.pop(), column, target, value })
}
