//! Statements about indexes.

use super::dollar_quoted;
use crate::name::{Ident, QualifiedName, TableName};
use crate::sql;
use crate::text::{AsSql, Literal, Sql};

/// Whether equal keys are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uniqueness {
    /// `UNIQUE`.
    Unique,
    /// Not.
    Plain,
}

/// `definition` is what follows the table's name.
///
/// Lock: `SHARE UPDATE EXCLUSIVE`; waits for older writers and snapshots. Reads the table twice.
pub(crate) fn create_concurrently(table: &TableName, name: &Ident, uniqueness: Uniqueness, definition: &Sql) -> Sql {
    sql!(
        "CREATE{unique} INDEX CONCURRENTLY {name} ON {table} {definition}",
        unique = Sql::raw(match uniqueness {
            Uniqueness::Unique => " UNIQUE",
            Uniqueness::Plain => "",
        }),
        name = name,
        table = table,
        definition = definition
    )
}

/// Lock: `SHARE UPDATE EXCLUSIVE` on the table; waits for everybody who uses the index.
pub(crate) fn drop_concurrently(index: &QualifiedName) -> Sql {
    sql!("DROP INDEX CONCURRENTLY IF EXISTS {index}", index = index)
}

/// Lock: `SHARE UPDATE EXCLUSIVE` on the index.
pub(crate) fn rename(index: &QualifiedName, to: &Ident) -> Sql {
    sql!("ALTER INDEX {index} RENAME TO {to}", index = index, to = to)
}

/// An index's own name for a column; nothing but the catalogue shows it.
///
/// Lock: `ACCESS EXCLUSIVE` on the index.
pub(crate) fn rename_column(index: &QualifiedName, from: &Ident, to: &Ident) -> Sql {
    sql!("ALTER TABLE {index} RENAME COLUMN {from} TO {to}", index = index, from = from, to = to)
}

/// An index's own names for all its columns. The server makes up those of expressions, often from the name of a column in
/// them, so what they are called now is asked of the server.
///
/// Lock: `ACCESS EXCLUSIVE` on the index.
pub(crate) fn name_columns(index: &QualifiedName, names: &[Ident]) -> Sql {
    let names: Vec<Sql> = names.iter().map(|name| sql!("{name}", name = Literal(name.as_str()))).collect();
    let body = sql!(
        "DECLARE\n    stale record;\nBEGIN\n    FOR stale IN\n        SELECT a.attname AS name, wanted.name AS wanted\n        \
         FROM unnest(ARRAY[{names}]) WITH ORDINALITY AS wanted (name, number)\n        \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = {index}::pg_catalog.regclass AND a.attnum = wanted.number\n        \
         WHERE a.attname <> wanted.name\n    LOOP\n        \
         EXECUTE pg_catalog.format({rename}, stale.name, stale.wanted);\n    END LOOP;\nEND",
        names = Sql::join(&names, ", "),
        index = Literal(&index.as_sql()),
        rename = Literal(&format!("ALTER TABLE {} RENAME COLUMN %I TO %I", index.as_sql().replace('%', "%%"))),
    );
    sql!("DO {body}", body = dollar_quoted(body.as_str()))
}

/// Lock: `SHARE UPDATE EXCLUSIVE` on the index.
pub(crate) fn comment(index: &QualifiedName, text: &str) -> Sql {
    sql!("COMMENT ON INDEX {index} IS {text}", index = index, text = Literal(text))
}

/// Lock: `SHARE UPDATE EXCLUSIVE` on the table.
pub(crate) fn cluster_on(table: &TableName, index: &Ident) -> Sql {
    sql!("ALTER TABLE {table} CLUSTER ON {index}", table = table, index = index)
}

/// Lock: `ACCESS EXCLUSIVE` on the table.
pub(crate) fn replica_identity(table: &TableName, index: &Ident) -> Sql {
    sql!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {index}", table = table, index = index)
}

/// One text: `applied` for a valid index of `table`, `partial` for an invalid one, else `absent`.
pub(crate) fn built(index: &QualifiedName, table: &TableName) -> Sql {
    sql!(
        "SELECT coalesce((SELECT CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'applied' ELSE 'partial' END \
         FROM pg_catalog.pg_index i WHERE i.indexrelid = pg_catalog.to_regclass({index}) \
         AND i.indrelid = pg_catalog.to_regclass({table})), 'absent')",
        index = Literal(&index.as_sql()),
        table = Literal(&table.as_sql())
    )
}

/// One text: `applied` where the index is gone, `partial` where a drop was begun, else `absent`.
pub(crate) fn dropped(index: &QualifiedName) -> Sql {
    sql!(
        "SELECT coalesce((SELECT CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'absent' ELSE 'partial' END \
         FROM pg_catalog.pg_index i WHERE i.indexrelid = pg_catalog.to_regclass({index})), 'applied')",
        index = Literal(&index.as_sql())
    )
}
