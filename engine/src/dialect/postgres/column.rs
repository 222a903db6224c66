//! Statements about columns.

use crate::name::{Ident, QualifiedName, TableName};
use crate::schema::{Column, Grant};
use crate::sql;
use crate::text::{List, Literal, Sql};

/// Lock: `ACCESS EXCLUSIVE`; catalogue only (no default).
pub(crate) fn add(table: &TableName, column: &Ident, type_sql: &Sql) -> Sql {
    sql!("ALTER TABLE {table} ADD COLUMN {column} {type_sql}", table = table, column = column, type_sql = type_sql)
}

/// Lock: `ACCESS EXCLUSIVE`, on its indexes too; for a foreign key on the other table as well.
pub(crate) fn drop(table: &TableName, column: &Ident) -> Sql {
    sql!("ALTER TABLE {table} DROP COLUMN {column}", table = table, column = column)
}

/// Lock: `ACCESS EXCLUSIVE`, on its indexes too. Without `CASCADE`: a dependent that nobody expects must stop it.
pub(crate) fn drop_if_exists(table: &TableName, column: &Ident) -> Sql {
    sql!("ALTER TABLE {table} DROP COLUMN IF EXISTS {column}", table = table, column = column)
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only.
pub(crate) fn rename(table: &TableName, from: &Ident, to: &Ident) -> Sql {
    sql!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}", table = table, from = from, to = to)
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only where the planner has made sure of it.
pub(crate) fn alter_type(table: &TableName, column: &Ident, type_sql: &Sql) -> Sql {
    sql!(
        "ALTER TABLE {table} ALTER COLUMN {column} TYPE {type_sql}",
        table = table,
        column = column,
        type_sql = type_sql
    )
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only.
pub(crate) fn set_default(table: &TableName, column: &Ident, default: &Sql) -> Sql {
    sql!(
        "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}",
        table = table,
        column = column,
        default = default
    )
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only.
pub(crate) fn drop_default(table: &TableName, column: &Ident) -> Sql {
    sql!("ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT", table = table, column = column)
}

/// Lock: `ACCESS EXCLUSIVE`; no scan where a valid `CHECK (… IS NOT NULL)` proves it.
pub(crate) fn set_not_null(table: &TableName, column: &Ident) -> Sql {
    sql!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL", table = table, column = column)
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only.
pub(crate) fn drop_not_null(table: &TableName, column: &Ident) -> Sql {
    sql!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL", table = table, column = column)
}

/// Lock: `SHARE UPDATE EXCLUSIVE`.
pub(crate) fn set_statistics(table: &TableName, column: &Ident, target: i32) -> Sql {
    sql!(
        "ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {target}",
        table = table,
        column = column,
        target = target
    )
}

/// Lock: `SHARE UPDATE EXCLUSIVE`. `options` are `name=value` as the catalogue has them.
pub(crate) fn set_options(table: &TableName, column: &Ident, options: &[String]) -> Sql {
    let options = Sql::raw(options.join(", "));
    sql!("ALTER TABLE {table} ALTER COLUMN {column} SET ({options})", table = table, column = column, options = options)
}

/// Lock: `SHARE UPDATE EXCLUSIVE`.
pub(crate) fn comment(table: &TableName, column: &Ident, text: &str) -> Sql {
    sql!("COMMENT ON COLUMN {table}.{column} IS {text}", table = table, column = column, text = Literal(text))
}

/// Lock: none before 18, `ACCESS SHARE` there.
pub(crate) fn grant(table: &TableName, column: &Ident, grant: &Grant) -> Sql {
    sql!(
        "GRANT {privilege} ({column}) ON TABLE {table} TO {role}{option}",
        privilege = Sql::raw(&grant.privilege),
        column = column,
        table = table,
        role = role(&grant.grantee),
        option = grant_option(grant)
    )
}

/// A grantee: a role's name, or the keyword for everybody.
pub(crate) fn role(name: &str) -> Sql {
    if name == "PUBLIC" { Sql::raw(name) } else { Sql::raw(format!("\"{}\"", name.replace('"', "\"\""))) }
}

/// ` WITH GRANT OPTION`, where it was granted.
pub(crate) fn grant_option(grant: &Grant) -> Sql {
    Sql::raw(if grant.grantable { " WITH GRANT OPTION" } else { "" })
}

/// A type with its `COLLATE` clause.
pub(crate) fn typed(type_sql: &str, collation: Option<&str>) -> Sql {
    match collation {
        Some(collation) => Sql::raw(format!("{type_sql} COLLATE {collation}")),
        None => Sql::raw(type_sql),
    }
}

/// What a copy of `old` under another name needs beside its type, as plain DDL would keep it: statistics target, options,
/// grants, comment.
///
/// Lock: `ACCESS EXCLUSIVE` of the `ADD COLUMN` before it covers them all.
pub(crate) fn carried(table: &TableName, old: &Column, new: &Ident) -> Vec<Sql> {
    let mut made = Vec::new();
    made.extend(old.statistics_target.map(|target| set_statistics(table, new, target)));
    if !old.options.is_empty() {
        made.push(set_options(table, new, &old.options));
    }
    made.extend(old.grants.iter().map(|one| grant(table, new, one)));
    made.extend(old.comment.as_deref().map(|text| comment(table, new, text)));
    made
}

/// Lock: `SHARE UPDATE EXCLUSIVE`. Reads a sample; without `columns` also what expression indexes need.
pub(crate) fn analyze(table: &TableName, columns: &[Ident]) -> Sql {
    match columns {
        [] => sql!("ANALYZE {table}", table = table),
        columns => sql!("ANALYZE {table} ({columns})", table = table, columns = List(columns)),
    }
}

/// Lock: none before 18, `ACCESS SHARE` there.
pub(crate) fn grant_sequence(sequence: &QualifiedName, grant: &Grant) -> Sql {
    sql!(
        "GRANT {privilege} ON SEQUENCE {sequence} TO {role}{option}",
        privilege = Sql::raw(&grant.privilege),
        sequence = sequence,
        role = role(&grant.grantee),
        option = grant_option(grant)
    )
}
