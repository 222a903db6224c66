//! `ADD …`

use super::{AddColumn, AddForeignKey, AddIndex, ClauseKind, Enforcement, definition};
use crate::sql::Flaw;
use crate::sql::mysql::cursor::Cursor;
use crate::sql::mysql::name::Name;
use crate::sql::mysql::statement::index::{self, IndexKind};

/// What follows `ADD`.
pub(super) fn read(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    // MariaDB's tables with a history; `SYSTEM` and `PERIOD` could be columns.
    let history = (cursor.is_word(0, "system") && cursor.is_word(1, "versioning"))
        || (cursor.is_word(0, "period") && cursor.is_word(1, "for"));
    if history {
        return Err(cursor.expected("a column, an index or a constraint"));
    }
    if !cursor.eat(&["column"])
        && let Some(element) = index_or_constraint(cursor)?
    {
        return Ok(element);
    }
    let if_not_exists = cursor.if_not_exists();
    if cursor.is_mark(0, b'(') {
        return list(cursor);
    }
    let column = cursor.name("the name of a column")?;
    let (definition, position) = definition(cursor)?;
    Ok(ClauseKind::AddColumn(AddColumn { column, if_not_exists, definition, position }))
}

/// `(element, element)`, each as it could stand behind `ADD`.
fn list(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    let mut inner = cursor.within(cursor.at..cursor.end);
    let group = inner.group("`(`")?;
    cursor.at = inner.at;
    let mut made = Vec::new();
    for part in cursor.within(group).list("a column")? {
        let mut element = cursor.within(part);
        if element.is_mark(0, b'(') {
            return Err(element.expected("a column"));
        }
        made.push(read(&mut element)?);
        element.finished()?;
    }
    Ok(ClauseKind::AddList(made))
}

fn index_or_constraint(cursor: &mut Cursor<'_, '_>) -> Result<Option<ClauseKind>, Flaw> {
    let mut constraint = None;
    let mut if_not_exists = false;
    let named = cursor.eat(&["constraint"]);
    if named {
        if_not_exists = cursor.if_not_exists();
        if !cursor.is_any(0, &["primary", "unique", "foreign", "check"]) {
            constraint = Some(cursor.name("the name of a constraint")?);
        }
    }
    if cursor.eat(&["foreign", "key"]) {
        return foreign_key(cursor, constraint, if_not_exists).map(Some);
    }
    if cursor.eat(&["check"]) {
        let group = cursor.group("`(`")?;
        let expression = cursor.source.span(group)?;
        let enforcement = enforcement(cursor).unwrap_or(Enforcement::Enforced);
        return Ok(Some(ClauseKind::AddCheck { name: constraint, if_not_exists, expression, enforcement }));
    }
    let Some(kind) = index::kind(cursor) else {
        return if named { Err(cursor.expected("a constraint")) } else { Ok(None) };
    };
    if_not_exists |= cursor.if_not_exists();
    let start = cursor.at;
    let own = if cursor.is_mark(0, b'(') || is_index_type(cursor) {
        None
    } else {
        Some(cursor.name("the name of an index")?)
    };
    // The name of a primary key is PRIMARY, whatever is written.
    let name = if kind == IndexKind::Primary { None } else { own.or(constraint) };
    let parts = index::parts(cursor)?;
    cursor.at = cursor.end;
    let definition = cursor.source.span(start..cursor.end)?;
    Ok(Some(ClauseKind::AddIndex(AddIndex { kind, name, if_not_exists, parts, definition })))
}

/// `USING btree` where an index's name could stand.
fn is_index_type(cursor: &Cursor<'_, '_>) -> bool {
    cursor.is_any(0, &["using", "type"]) && cursor.is_name(1)
}

fn foreign_key(
    cursor: &mut Cursor<'_, '_>,
    constraint: Option<Name>,
    mut if_not_exists: bool,
) -> Result<ClauseKind, Flaw> {
    if_not_exists |= cursor.if_not_exists();
    let own = if cursor.is_mark(0, b'(') { None } else { Some(cursor.name("the name of an index")?) };
    let group = cursor.group("the columns")?;
    let columns = cursor.names(group)?;
    if !cursor.eat(&["references"]) {
        return Err(cursor.expected("REFERENCES"));
    }
    let referenced = cursor.table("the name of a table")?;
    let group = cursor.group("the columns")?;
    let referenced_columns = cursor.names(group)?;
    let actions = cursor.source.span(cursor.at..cursor.end)?;
    cursor.at = cursor.end;
    let name = constraint.or(own);
    Ok(ClauseKind::AddForeignKey(AddForeignKey {
        name,
        if_not_exists,
        columns,
        referenced,
        referenced_columns,
        actions,
    }))
}

/// `[NOT] ENFORCED`
pub(super) fn enforcement(cursor: &mut Cursor<'_, '_>) -> Option<Enforcement> {
    if cursor.eat(&["not", "enforced"]) {
        return Some(Enforcement::NotEnforced);
    }
    cursor.eat(&["enforced"]).then_some(Enforcement::Enforced)
}
