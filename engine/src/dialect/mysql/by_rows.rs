//! Copying on MariaDB where others are at work: rows that they hold are left out, and nothing is waited for.
//!
//! One statement that reads and inserts can do one of both only. With `SKIP LOCKED` it may have to wait for a gap of the new table
//! (see [`Pair::copy`]); told not to wait, it cannot leave rows out (10.11.19: error 1180 at its end). And with `innodb_autoinc_lock_mode` 1, its default, `INSERT … SELECT` into a table with an AUTO_INCREMENT column holds that
//! counter to its end, also where every number is given. Every insertion by a trigger has to wait for it meanwhile, while it has
//! rows locked: so transactions of the application meet deadlocks. `INSERT … VALUES` holds nothing. Hence a block of statements
//! that reads rows into variables and inserts some at a time; it takes about twice as long.

use super::key::Place;
use super::lock;
use super::shadow::{OUR_ZONE, Pair, into, on_duplicate};
use super::trigger::converted;
use crate::plan::shadow::Shadow;
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::text::Sql;

/// Values that one statement inserts at most.
const VALUES_AT_ONCE: usize = 160;
/// Rows that one statement inserts at most: with more it is hardly faster.
const ROWS_AT_ONCE: usize = 16;

/// Whether the server has such blocks.
#[must_use]
pub fn is_possible(shadow: &Shadow) -> bool {
    shadow.product == Product::MariaDb
}

/// Whether the new table has such a counter, on a server that may lock it.
#[must_use]
pub fn has_counter(shadow: &Shadow) -> bool {
    is_possible(shadow) && shadow.columns.iter().any(|pair| pair.after.auto_increment)
}

/// As [`Pair::copy`], without the rows that somebody has locked, and shows how many it has inserted.
///
/// Lock: as [`Pair::copy`].
#[must_use]
pub fn copy(pair: &Pair, from: Option<&Place>, to: Option<&Place>) -> Sql {
    block(pair.shadow(), &pair.sharing(from, to))
}

/// As [`Pair::copy_one`], and shows how many rows it has inserted.
///
/// Lock: as [`Pair::copy_one`].
#[must_use]
pub fn copy_one(pair: &Pair, place: &Place) -> Sql {
    block(pair.shadow(), &pair.sharing_one(place))
}

/// Variables have the types of the table's own columns, so that values are converted as those of a trigger's row are.
fn block(shadow: &Shadow, rows: &Sql) -> Sql {
    let most = (VALUES_AT_ONCE / shadow.columns.len().max(1)).clamp(1, ROWS_AT_ONCE);
    let numbers = || 1..=most;
    let columns: Vec<Sql> = shadow.columns.iter().map(|pair| sql!("t.{c}", c = pair.before.name)).collect();
    let declared: Vec<Sql> = numbers().flat_map(|n| declared(shadow, n)).collect();
    let fetched: Vec<Sql> = numbers()
        .map(|n| {
            sql!(
                "FETCH shoofly_cursor INTO {v}; IF shoofly_end THEN LEAVE shoofly_all; END IF; SET shoofly_held = {n};",
                v = Sql::join(&variables(shadow, n), ", "),
                n = n
            )
        })
        .collect();
    let left: Vec<Sql> = numbers()
        .map(|n| sql!("IF shoofly_held >= {n} THEN {insert} END IF;", n = n, insert = insert(shadow, &[n])))
        .collect();
    sql!(
        "BEGIN NOT ATOMIC \
         DECLARE shoofly_end, shoofly_held, shoofly_rows INT DEFAULT 0; {declared} \
         DECLARE shoofly_cursor CURSOR FOR SELECT {columns} {rows}; \
         DECLARE CONTINUE HANDLER FOR NOT FOUND SET shoofly_end = 1; \
         OPEN shoofly_cursor; \
         shoofly_all: LOOP {fetched} {insert} SET shoofly_held = 0; END LOOP; \
         CLOSE shoofly_cursor; {left} \
         SELECT shoofly_rows; END",
        declared = Sql::join(&declared, " "),
        columns = Sql::join(&columns, ", "),
        rows = rows,
        fetched = Sql::join(&fetched, " "),
        insert = insert(shadow, &numbers().collect::<Vec<_>>()),
        left = Sql::join(&left, " "),
    )
}

fn variables(shadow: &Shadow, row: usize) -> Vec<Sql> {
    (1..=shadow.columns.len()).map(|column| Sql::raw(format!("shoofly_{row}_{column}"))).collect()
}

fn declared(shadow: &Shadow, row: usize) -> Vec<Sql> {
    let columns = shadow.columns.iter().zip(variables(shadow, row));
    columns
        .map(|(pair, v)| sql!("DECLARE {v} TYPE OF {t}.{c};", v = v, t = shadow.table, c = pair.before.name))
        .collect()
}

fn insert(shadow: &Shadow, rows: &[usize]) -> Sql {
    let values = |row: &usize| {
        let columns = shadow.columns.iter().zip(variables(shadow, *row));
        let each: Vec<Sql> = columns.map(|(pair, v)| converted(&shadow.zone, pair, v, OUR_ZONE)).collect();
        sql!("({v})", v = Sql::join(&each, ", "))
    };
    let insert = sql!(
        "{into} VALUES {rows} {twice}",
        into = into(shadow),
        rows = Sql::join(&rows.iter().map(values).collect::<Vec<_>>(), ", "),
        twice = on_duplicate(shadow),
    );
    sql!("{insert}; SET shoofly_rows = shoofly_rows + ROW_COUNT();", insert = lock::unwaited(shadow.product, &insert))
}
