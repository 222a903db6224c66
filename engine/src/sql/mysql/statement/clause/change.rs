//! `DROP …`, `MODIFY …`, `CHANGE …`, `ALTER …`, `RENAME …`

use super::{ClauseKind, Visibility, add, definition};
use crate::sql::Flaw;
use crate::sql::mysql::cursor::Cursor;

/// What follows `DROP`.
pub(super) fn drop(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    if cursor.eat(&["primary", "key"]) {
        return Ok(ClauseKind::DropPrimaryKey);
    }
    if cursor.eat_any(&["index", "key"]).is_some() {
        let if_exists = cursor.if_exists();
        return Ok(ClauseKind::DropIndex { name: cursor.name("the name of an index")?, if_exists });
    }
    if cursor.eat(&["foreign", "key"]) {
        let if_exists = cursor.if_exists();
        return Ok(ClauseKind::DropForeignKey { name: cursor.name("the name of a foreign key")?, if_exists });
    }
    if cursor.eat(&["constraint"]) {
        let if_exists = cursor.if_exists();
        return Ok(ClauseKind::DropConstraint { name: cursor.name("the name of a constraint")?, if_exists });
    }
    if cursor.eat(&["check"]) {
        return Ok(ClauseKind::DropCheck { name: cursor.name("the name of a check")? });
    }
    let _optional = cursor.eat(&["column"]);
    let if_exists = cursor.if_exists();
    let column = cursor.name("the name of a column")?;
    // Both words mean nothing.
    let _noise = cursor.eat_any(&["restrict", "cascade"]);
    Ok(ClauseKind::DropColumn { column, if_exists })
}

/// What follows `MODIFY`.
pub(super) fn modify(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    let _optional = cursor.eat(&["column"]);
    let if_exists = cursor.if_exists();
    let column = cursor.name("the name of a column")?;
    let (definition, position) = definition(cursor)?;
    Ok(ClauseKind::ModifyColumn { column, if_exists, definition, position })
}

/// What follows `CHANGE`.
pub(super) fn change(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    let _optional = cursor.eat(&["column"]);
    let if_exists = cursor.if_exists();
    let from = cursor.name("the name of a column")?;
    let to = cursor.name("the new name of the column")?;
    let (definition, position) = definition(cursor)?;
    Ok(ClauseKind::ChangeColumn { from, to, if_exists, definition, position })
}

/// What follows `ALTER`.
pub(super) fn alter(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    if cursor.eat_any(&["index", "key"]).is_some() {
        let if_exists = cursor.if_exists();
        let name = cursor.name("the name of an index")?;
        let visibility = visibility(cursor)?;
        return Ok(ClauseKind::SetIndexVisibility { name, if_exists, visibility });
    }
    if cursor.eat_any(&["check", "constraint"]).is_some() {
        let name = cursor.name("the name of a check")?;
        let enforcement = add::enforcement(cursor).ok_or_else(|| cursor.expected("ENFORCED or NOT ENFORCED"))?;
        return Ok(ClauseKind::AlterCheck { name, enforcement });
    }
    let _optional = cursor.eat(&["column"]);
    let if_exists = cursor.if_exists();
    let column = cursor.name("the name of a column")?;
    if cursor.eat(&["drop", "default"]) {
        return Ok(ClauseKind::DropDefault { column, if_exists });
    }
    if cursor.eat(&["set", "default"]) {
        if cursor.is_done() {
            return Err(cursor.expected("a value"));
        }
        let default = cursor.source.span(cursor.at..cursor.end)?;
        cursor.at = cursor.end;
        return Ok(ClauseKind::SetDefault { column, if_exists, default });
    }
    if !cursor.eat(&["set"]) {
        return Err(cursor.expected("SET or DROP DEFAULT"));
    }
    Ok(ClauseKind::SetColumnVisibility { column, visibility: visibility(cursor)? })
}

fn visibility(cursor: &mut Cursor<'_, '_>) -> Result<Visibility, Flaw> {
    if cursor.eat(&["not", "ignored"]) || cursor.eat(&["visible"]) {
        Ok(Visibility::Visible)
    } else if cursor.eat_any(&["ignored", "invisible"]).is_some() {
        Ok(Visibility::Invisible)
    } else {
        Err(cursor.expected("VISIBLE or INVISIBLE"))
    }
}

/// What follows `RENAME`.
pub(super) fn rename(cursor: &mut Cursor<'_, '_>) -> Result<ClauseKind, Flaw> {
    if let Some(word) = cursor.eat_any(&["column", "index", "key"]) {
        let if_exists = cursor.if_exists();
        let from = cursor.name("a name")?;
        if !cursor.eat(&["to"]) {
            return Err(cursor.expected("TO"));
        }
        let to = cursor.name("a name")?;
        return Ok(match word {
            "column" => ClauseKind::RenameColumn { from, to, if_exists },
            _ => ClauseKind::RenameIndex { from, to, if_exists },
        });
    }
    if cursor.eat_any(&["to", "as"]).is_none() {
        let _optional = cursor.eat_equals();
    }
    cursor.table("the new name of the table").map(ClauseKind::RenameTo)
}
