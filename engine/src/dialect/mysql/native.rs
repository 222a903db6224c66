//! Changes that the server makes by itself.

use super::literal::Text;
use crate::plan::shadow::{KeyedRows, NativeAlter};
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::sql::mysql::name::Name;
use crate::text::Sql;

/// MySQL with more row versions than 64.
const MORE_ROW_VERSIONS: u32 = 90_100;

/// How many row versions a table of MySQL may have.
#[must_use]
pub fn most_row_versions(version: u32) -> u32 {
    if version >= MORE_ROW_VERSIONS { 255 } else { 64 }
}

/// The change, with its algorithm and lock stated: where the server cannot do it that way, it refuses at once.
///
/// Lock: `EXCLUSIVE` (metadata) at the begin and at the end; `INPLACE` and `NOCOPY` let reads and writes through in between.
#[must_use]
pub fn alter(change: &NativeAlter) -> Sql {
    let alter =
        sql!("ALTER TABLE {t} {how}{c}", t = change.table, how = Sql::raw(change.how.sql()), c = change.clauses);
    match change.rows {
        KeyedRows::AsTheServerDoes => alter,
        KeyedRows::Unseen => {
            sql!("SET SESSION foreign_key_checks = 0; {alter}; SET SESSION foreign_key_checks = 1", alter = alter)
        }
    }
}

/// Drops a column that was added, if it is there.
///
/// Lock: `EXCLUSIVE` (metadata) for a moment.
#[must_use]
pub fn drop_column_if_there(table: &TablePath, column: &Name) -> Sql {
    let drop = sql!("ALTER TABLE {t} DROP COLUMN {c}, ALGORITHM=INSTANT", t = table, c = column);
    only_if(&column_is_there(table, column), &drop)
}

/// Gives a row where the table has the column.
///
/// Lock: none.
#[must_use]
pub fn column_is_there(table: &TablePath, column: &Name) -> Sql {
    sql!(
        "SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {d} AND TABLE_NAME = {t} AND COLUMN_NAME = {c}",
        d = Text(table.database.as_str()),
        t = Text(table.name.as_str()),
        c = Text(column.as_str()),
    )
}

/// Drops an index that was added, if it is there.
///
/// Lock: as [`drop_column_if_there`].
#[must_use]
pub fn drop_index_if_there(table: &TablePath, index: &Name) -> Sql {
    let there = sql!(
        "SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {d} AND TABLE_NAME = {t} AND INDEX_NAME = {i}",
        d = Text(table.database.as_str()),
        t = Text(table.name.as_str()),
        i = Text(index.as_str()),
    );
    let drop = sql!("ALTER TABLE {t} DROP INDEX {i}, ALGORITHM=INPLACE, LOCK=NONE", t = table, i = index);
    only_if(&there, &drop)
}

/// Drops a foreign key that was added, if it is there.
///
/// Lock: as [`drop_column_if_there`], and on the table that it refers to.
#[must_use]
pub fn drop_foreign_key_if_there(table: &TablePath, key: &Name) -> Sql {
    let there = sql!(
        "SELECT 1 FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = {d} AND TABLE_NAME = {t} \
         AND CONSTRAINT_NAME = {k} AND CONSTRAINT_TYPE = 'FOREIGN KEY'",
        d = Text(table.database.as_str()),
        t = Text(table.name.as_str()),
        k = Text(key.as_str()),
    );
    let drop = sql!("ALTER TABLE {t} DROP FOREIGN KEY {k}, ALGORITHM=INPLACE, LOCK=NONE", t = table, k = key);
    only_if(&there, &drop)
}

/// Neither product has a condition in `ALTER TABLE` that both know.
fn only_if(there: &Sql, statement: &Sql) -> Sql {
    sql!(
        "SET @shoofly_statement = IF(EXISTS ({there}), {statement}, 'DO 0'); PREPARE shoofly FROM @shoofly_statement; \
         EXECUTE shoofly; DEALLOCATE PREPARE shoofly",
        there = there,
        statement = Text(statement.as_str()),
    )
}
