//! Statements about constraints.

use crate::name::{Ident, TableName};
use crate::schema::ForeignKey;
use crate::sql;
use crate::text::{List, Literal, Sql};

/// When a unique constraint is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// At once.
    Immediate,
    /// `DEFERRABLE`.
    Deferrable,
    /// `DEFERRABLE INITIALLY DEFERRED`.
    Deferred,
}

impl Timing {
    pub(crate) fn of(deferrable: bool, deferred: bool) -> Self {
        match (deferrable, deferred) {
            (false, _) => Self::Immediate,
            (true, false) => Self::Deferrable,
            (true, true) => Self::Deferred,
        }
    }

    fn clause(self) -> Sql {
        Sql::raw(match self {
            Self::Immediate => "",
            Self::Deferrable => " DEFERRABLE",
            Self::Deferred => " DEFERRABLE INITIALLY DEFERRED",
        })
    }
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only. New and changed rows are held to it at once.
pub(crate) fn add_check_not_valid(table: &TableName, name: &Ident, expression: &Sql, inherit: Inherit) -> Sql {
    sql!(
        "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({expression}){inherit} NOT VALID",
        table = table,
        name = name,
        expression = expression,
        inherit = Sql::raw(match inherit {
            Inherit::Yes => "",
            Inherit::No => " NO INHERIT",
        })
    )
}

/// Whether children get a check too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inherit {
    /// They do.
    Yes,
    /// `NO INHERIT`.
    No,
}

/// The expression that forbids NULL.
pub(crate) fn is_not_null(column: &Ident) -> Sql {
    sql!("{column} IS NOT NULL", column = column)
}

/// Lock: `SHARE UPDATE EXCLUSIVE`; of a foreign key's other table `ROW SHARE`. Reads the table once.
pub(crate) fn validate(table: &TableName, name: &Ident) -> Sql {
    sql!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}", table = table, name = name)
}

/// Lock: `ACCESS EXCLUSIVE`, on the index of a key and on the other table of a foreign key too.
pub(crate) fn drop(table: &TableName, name: &Ident) -> Sql {
    sql!("ALTER TABLE {table} DROP CONSTRAINT {name}", table = table, name = name)
}

/// Lock: as [`drop`].
pub(crate) fn drop_if_exists(table: &TableName, name: &Ident) -> Sql {
    sql!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}", table = table, name = name)
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only.
pub(crate) fn rename(table: &TableName, from: &Ident, to: &Ident) -> Sql {
    sql!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}", table = table, from = from, to = to)
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only where the columns are NOT NULL already. Renames the index.
pub(crate) fn primary_key_using(table: &TableName, name: &Ident, index: &Ident, timing: Timing) -> Sql {
    sql!(
        "ALTER TABLE {table} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {index}{timing}",
        table = table,
        name = name,
        index = index,
        timing = timing.clause()
    )
}

/// Lock: `ACCESS EXCLUSIVE`; catalogue only. Renames the index.
pub(crate) fn unique_using(table: &TableName, name: &Ident, index: &Ident, timing: Timing) -> Sql {
    sql!(
        "ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {index}{timing}",
        table = table,
        name = name,
        index = index,
        timing = timing.clause()
    )
}

/// A NOT NULL constraint under a name of its own: PostgreSQL 18 and later.
///
/// Lock: `ACCESS EXCLUSIVE`; no scan where a valid `CHECK (… IS NOT NULL)` proves it.
pub(crate) fn not_null_named(table: &TableName, name: &Ident, column: &Ident, inherit: Inherit) -> Sql {
    sql!(
        "ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {column}{inherit}",
        table = table,
        name = name,
        column = column,
        inherit = Sql::raw(match inherit {
            Inherit::Yes => "",
            Inherit::No => " NO INHERIT",
        })
    )
}

/// A foreign key as described by `key`, not yet proved for the rows that exist.
///
/// Lock: `SHARE ROW EXCLUSIVE` on both tables; catalogue only. New and changed rows are held to it at once.
pub(crate) fn add_foreign_key_not_valid(key: &ForeignKey) -> Sql {
    sql!(
        "ALTER TABLE {from} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {to} ({keys}){options} NOT VALID",
        from = key.from,
        name = key.name,
        columns = List(&key.from_columns),
        to = key.to,
        keys = List(&key.to_columns),
        options = foreign_key_options(key)
    )
}

fn foreign_key_options(key: &ForeignKey) -> Sql {
    let mut text = String::new();
    if key.match_full {
        text.push_str(" MATCH FULL");
    }
    if key.on_update != "NO ACTION" {
        text.push_str(" ON UPDATE ");
        text.push_str(&key.on_update);
    }
    if key.on_delete != "NO ACTION" {
        text.push_str(" ON DELETE ");
        text.push_str(&key.on_delete);
    }
    if !key.on_delete_columns.is_empty() {
        text.push_str(sql!(" ({columns})", columns = List(&key.on_delete_columns)).as_str());
    }
    text.push_str(Timing::of(key.deferrable, key.deferred).clause().as_str());
    Sql::raw(text)
}

/// Lock: `ACCESS SHARE` on the table.
pub(crate) fn comment(table: &TableName, name: &Ident, text: &str) -> Sql {
    sql!("COMMENT ON CONSTRAINT {name} ON {table} IS {text}", name = name, table = table, text = Literal(text))
}
