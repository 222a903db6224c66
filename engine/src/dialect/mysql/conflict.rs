//! What triggers of ours could not write: a list for each table, in the ledger's database.
//!
//! A server that locks a table locks with it what its triggers write to, and so do the transactions of those who write to it. Were
//! there one list for all tables, runs that have nothing to do with one another would wait for each other's applications.

use super::{names, shape};
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::text::Sql;

/// The list of a table.
#[must_use]
pub fn list(of: &TablePath) -> TablePath {
    names::in_ledger_of(of, "_conflict")
}

/// Makes the list where it is missing: triggers of an earlier attempt may be writing to it.
///
/// Lock: none that anybody waits for.
#[must_use]
pub fn create(of: &TablePath) -> Sql {
    sql!(
        "CREATE TABLE IF NOT EXISTS {list} (\
         id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
         row_key VARCHAR(500) NOT NULL, \
         error_number INT NULL, \
         error_text TEXT NULL, \
         at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6))\
         ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        list = list(of),
    )
}

/// Drops the list.
///
/// Lock: `EXCLUSIVE` (metadata) on the list; nobody uses it once the triggers are gone.
#[must_use]
pub fn drop(of: &TablePath) -> Sql {
    shape::drop(&list(of))
}

/// Notes a row, inside a trigger that has `shoofly_number` and `shoofly_text`.
#[must_use]
pub fn note(of: &TablePath, row_key: &Sql) -> Sql {
    sql!(
        "INSERT INTO {list} (row_key, error_number, error_text) VALUES (LEFT({key}, 500), shoofly_number, shoofly_text);",
        list = list(of),
        key = row_key,
    )
}

/// Fails with error 1690 where the list has a line: ends a batch before it changes anything.
///
/// Lock: none.
#[must_use]
pub fn assert_none(of: &TablePath) -> Sql {
    sql!("SELECT EXP(1000 * (SELECT COUNT(*) FROM {list}))", list = list(of))
}
