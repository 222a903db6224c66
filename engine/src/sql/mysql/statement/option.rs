//! Table options, of which several may stand beside each other.

use std::ops::Range;

use super::clause::ClauseKind;
use crate::sql::Flaw;
use crate::sql::mysql::cursor::Cursor;

/// Options that may be written without `=`. Any other word needs one, as the attributes of MariaDB's engines do.
const OPTIONS: [&str; 30] = [
    "autoextend_size",
    "auto_increment",
    "avg_row_length",
    "checksum",
    "comment",
    "compression",
    "connection",
    "delay_key_write",
    "encryption",
    "engine",
    "engine_attribute",
    "insert_method",
    "key_block_size",
    "max_rows",
    "min_rows",
    "pack_keys",
    "page_checksum",
    "password",
    "row_format",
    "secondary_engine",
    "secondary_engine_attribute",
    "sequence",
    "stats_auto_recalc",
    "stats_persistent",
    "stats_sample_pages",
    "storage",
    "table_checksum",
    "tablespace",
    "transactional",
    "union",
];

/// Cuts a clause that is a row of table options into one range of tokens for each. Whatever follows the last that is
/// known stays together, and so does a clause of another kind.
pub(super) fn apart(clause: &Cursor<'_, '_>) -> Vec<Range<usize>> {
    let mut cursor = clause.clone();
    let mut made = Vec::new();
    while !cursor.is_done() {
        let start = cursor.at;
        if read(&mut cursor).is_err() {
            made.push(start..cursor.end);
            return made;
        }
        made.push(start..cursor.at);
    }
    made
}

/// One option, `DEFAULT` and `=` being optional. Nothing is taken where there is none.
pub(super) fn read(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    let mut ahead = cursor.clone();
    let name = name(&mut ahead).ok_or_else(|| cursor.expected("an option"))?;
    let _optional = ahead.eat_equals();
    let start = ahead.at;
    if ahead.is_mark(0, b'(') {
        ahead.group("a value")?;
    } else if ahead.peek(0).is_some_and(|token| !token.is_mark(b',')) {
        ahead.at += 1;
    } else {
        return Err(ahead.expected("a value"));
    }
    let value = ahead.source.span(start..ahead.at)?;
    cursor.at = ahead.at;
    Ok(ClauseKind::TableOption { name, value })
}

fn name(cursor: &mut Cursor<'_, '_>) -> Option<String> {
    let start = cursor.at;
    let _optional = cursor.eat(&["default"]);
    if cursor.eat(&["character", "set"]) || cursor.eat(&["char", "set"]) || cursor.eat(&["charset"]) {
        return Some("CHARACTER SET".to_owned());
    }
    if cursor.eat(&["collate"]) {
        return Some("COLLATE".to_owned());
    }
    if cursor.at > start {
        return None;
    }
    if let Some(kind) = cursor.eat_any(&["data", "index"]) {
        return cursor.eat(&["directory"]).then(|| format!("{} DIRECTORY", kind.to_uppercase()));
    }
    let token = cursor.peek(0).filter(|_| cursor.is_name(0) && !cursor.is_any(0, &["algorithm", "lock"]))?;
    let assigned = cursor.peek(1).is_some_and(|next| next.text(cursor.source.sql) == "=");
    let named = assigned || cursor.is_any(0, &OPTIONS);
    cursor.at += 1;
    named.then(|| token.text(cursor.source.sql).trim_matches('`').to_uppercase())
}
