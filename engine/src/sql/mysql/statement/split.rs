//! `ALTER TABLE` → clauses, as ranges of tokens.

use std::ops::Range;

use super::option;
use crate::sql::Flaw;
use crate::sql::mysql::cursor::Cursor;

/// Cuts what follows the table's name. Commas outside of brackets separate clauses, with four exceptions: table options
/// may stand beside each other without commas, `PARTITION BY` and `REMOVE PARTITIONING` may follow a clause without one,
/// and the lists of `ORDER BY` and of names of partitions have commas of their own.
pub(super) fn clauses(cursor: &mut Cursor<'_, '_>, flaws: &mut Vec<Flaw>) -> Vec<Range<usize>> {
    let mut made = Vec::new();
    while !cursor.is_done() {
        let start = cursor.at;
        if let Err(flaw) = cursor.skip_until(|cursor| ends(cursor, start)) {
            flaws.push(flaw);
            return made;
        }
        if cursor.at == start {
            flaws.push(cursor.expected("a clause"));
        } else {
            made.extend(option::apart(&cursor.within(start..cursor.at)));
        }
        if cursor.eat_mark(b',') && cursor.is_done() {
            flaws.push(cursor.expected("a clause"));
        }
    }
    made
}

/// Whether the clause that begins at `start` ends before the token that comes now.
fn ends(cursor: &Cursor<'_, '_>, start: usize) -> bool {
    let clause = cursor.within(start..cursor.end);
    if !cursor.is_mark(0, b',') {
        return is_trailing(cursor) && cursor.at > start;
    }
    let mut next = cursor.clone();
    next.at += 1;
    if is_partitioning(&clause) {
        return next.is_any(0, &["algorithm", "lock"]) && next.peek(1).is_some() && !next.is_mark(1, b',');
    }
    !(clause.is_word(0, "order") && clause.is_word(1, "by") && is_sort_key(next))
}

/// Verbs that `PARTITION` may follow.
const VERBS: [&str; 14] = [
    "add",
    "drop",
    "truncate",
    "coalesce",
    "reorganize",
    "exchange",
    "analyze",
    "check",
    "optimize",
    "rebuild",
    "repair",
    "discard",
    "import",
    "convert",
];

/// Whether a clause is about partitions.
pub(super) fn is_partitioning(clause: &Cursor<'_, '_>) -> bool {
    is_trailing(clause)
        || (clause.is_any(0, &VERBS) && clause.is_word(1, "partition"))
        || (clause.is_word(0, "convert") && clause.is_word(1, "table"))
}

/// What may follow a clause without a comma.
fn is_trailing(cursor: &Cursor<'_, '_>) -> bool {
    (cursor.is_word(0, "partition") && cursor.is_word(1, "by"))
        || (cursor.is_word(0, "remove") && cursor.is_word(1, "partitioning"))
}

/// A name, a direction, and then a comma or the end: no clause looks like that but these.
fn is_sort_key(mut next: Cursor<'_, '_>) -> bool {
    if !next.is_name(0) || next.is_any(0, &["force"]) {
        return false;
    }
    next.at += 1;
    while next.is_mark(0, b'.') && next.is_name(1) {
        next.at += 2;
    }
    let _direction = next.eat_any(&["asc", "desc"]);
    next.is_done() || next.is_mark(0, b',') || is_trailing(&next)
}
