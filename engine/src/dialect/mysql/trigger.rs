//! The triggers that keep a shadow table in step.
//!
//! Made by a session whose `sql_mode` is strict and holds `NO_AUTO_VALUE_ON_ZERO`: the server keeps that mode with them.
//! Whatever goes wrong inside is noted in the ledger and does not fail the application's statement, but for a deadlock or a lock
//! that it waits for in vain: those fail the statement as a whole, and the table stays as it was.

use crate::plan::shadow::{Copied, Rivals, Shadow, Way};
use crate::schema::mysql::{Table, TablePath};
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::Name;
use crate::text::{AsSql, List, Sql};

use super::conflict;
use super::literal::Text;

mod carried;

pub use carried::{create_interim, settle};

/// Triggers end in these words: what a deletion, a change and an insertion of a row does.
const SUFFIXES: [&str; 3] = ["del", "upd", "ins"];

/// Not NULL while what is written to a new table is only a copy: then the user's triggers there do nothing.
pub const MIRRORING: &str = "@shoofly_mirroring";

/// Names of the three triggers, in the order in which they are made: a row that is inserted and deleted between two of them
/// must not stay.
#[must_use]
pub fn names(shadow: &Shadow) -> [TablePath; 3] {
    SUFFIXES.map(|suffix| {
        let way = match shadow.way {
            Way::Forth => "",
            Way::Back => "back_",
        };
        let name = super::names::derived(&shadow.table.name, &format!("_shoofly_{way}{suffix}"));
        TablePath::new(shadow.table.database.clone(), name)
    })
}

/// The table that the triggers are made on. Both tables change names with one another in a swap that keeps the old one, and those
/// of the way back are made before it.
#[must_use]
pub fn made_on(shadow: &Shadow) -> &TablePath {
    match shadow.way {
        Way::Forth => &shadow.table,
        Way::Back => &shadow.shadow,
    }
}

/// The table that they are on once both have changed names.
#[must_use]
pub fn found_on(shadow: &Shadow) -> &TablePath {
    match shadow.way {
        Way::Forth => &shadow.shadow,
        Way::Back => &shadow.table,
    }
}

/// Makes the three triggers.
///
/// Lock: `EXCLUSIVE` (metadata) on the table for each; under `LOCK TABLES t WRITE` it is there already.
#[must_use]
pub fn create(shadow: &Shadow) -> Vec<Sql> {
    let [deleted, updated, inserted] = names(shadow);
    let upsert = upsert(shadow, &assignments(shadow));
    let remove = remove(shadow);
    let moved = match (shadow.way, shadow.children.is_empty()) {
        (Way::Forth, true) => sql!(
            "IF NOT ({same}) THEN {remove} END IF; {upsert}",
            same = same_key(shadow),
            remove = remove,
            upsert = upsert
        ),
        // Rows of other tables follow the key: it has to move, not to go and come.
        (Way::Forth, false) => sql!(
            "IF {same} THEN {upsert} ELSE {shift} IF ROW_COUNT() = 0 THEN {upsert} END IF; END IF;",
            same = same_key(shadow),
            upsert = upsert,
            shift = shift(shadow, &assignments(shadow)),
        ),
        // The row is there. What only the old shape has stays as it is.
        (Way::Back, _) => sql!(
            "{shift} IF ROW_COUNT() = 0 THEN {upsert} END IF;",
            shift = shift(shadow, &changes(shadow)),
            upsert = self::upsert(shadow, &changes(shadow)),
        ),
    };
    vec![
        trigger(&deleted, "DELETE", shadow, "OLD", &remove),
        trigger(&updated, "UPDATE", shadow, "NEW", &moved),
        trigger(&inserted, "INSERT", shadow, "NEW", &upsert),
    ]
}

/// What makes MariaDB prepare every statement anew: the definition as it is, under a new number. There (10.11.19) a statement goes
/// on with the tables that it knew when it was prepared, if the table had a trigger by then: what a trigger that came later writes
/// to does not exist for it (error 1146).
///
/// It stands before them, under their lock: it changes nothing, and shows whether they can be made.
///
/// Lock: as [`create`].
#[must_use]
pub fn announce(product: Product, table: &Table) -> Option<Sql> {
    let announced = || {
        sql!("ALTER TABLE {t} COMMENT = {comment}, ALGORITHM = INSTANT", t = table.path, comment = Text(&table.comment))
    };
    (product == Product::MariaDb).then(announced)
}

/// Drops the three triggers, those that exist.
///
/// Lock: as [`create`].
#[must_use]
pub fn drop(shadow: &Shadow) -> Vec<Sql> {
    names(shadow).iter().map(|name| sql!("DROP TRIGGER IF EXISTS {name}", name = name)).collect()
}

/// MySQL counts error 1265, a value cut off, among the warnings, and fails the statement for it all the same. A mere note that
/// digits were rounded or a time of day left out has that number too: an error makes `ROW_COUNT()` -1, a note does not. Notes may
/// stand before the error. Exceptions are none of this: each is noted.
///
/// MariaDB says that it cannot read the counter where a transaction lost a deadlock over it, and has rolled the transaction back.
///
/// Both tables of a swap that keeps the old one have triggers for a moment, each of which writes to the table of the second name:
/// those of that table itself do nothing, as the server lets none change what fires it (error 1442).
const DEADLOCK: &str = "Deadlock found when trying to get lock; try restarting transaction";

fn trigger(name: &TablePath, event: &str, shadow: &Shadow, row: &str, body: &Sql) -> Sql {
    sql!(
        "CREATE TRIGGER {name} AFTER {event} ON {t} FOR EACH ROW BEGIN \
         DECLARE shoofly_rows BIGINT; DECLARE shoofly_last INT; DECLARE shoofly_number INT; DECLARE shoofly_text TEXT; \
         DECLARE EXIT HANDLER FOR 1020, 1205, 1213 RESIGNAL; \
         DECLARE EXIT HANDLER FOR 1467 SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = {deadlock}; \
         DECLARE CONTINUE HANDLER FOR 1442 BEGIN END; \
         DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN {why} {note} END; \
         DECLARE CONTINUE HANDLER FOR 1265 BEGIN {why} IF shoofly_rows = -1 THEN {note} END IF; END; \
         {flag}{body} {unflag}END",
        name = name,
        event = Sql::raw(event),
        t = made_on(shadow),
        deadlock = Text(DEADLOCK),
        why = Sql::raw(WHY),
        note = note(shadow, row),
        flag = Sql::raw(if shadow.triggers.is_empty() { String::new() } else { format!("SET {MIRRORING} = 1; ") }),
        body = body,
        unflag = Sql::raw(if shadow.triggers.is_empty() { String::new() } else { format!("SET {MIRRORING} = NULL; ") }),
    )
}

/// What has gone wrong, and whether it has: notes leave the counter as it is.
const WHY: &str = "GET DIAGNOSTICS shoofly_rows = ROW_COUNT, shoofly_last = NUMBER; \
     GET DIAGNOSTICS CONDITION shoofly_last shoofly_number = MYSQL_ERRNO, shoofly_text = MESSAGE_TEXT;";

/// Notes a row that the new table did not take.
fn note(shadow: &Shadow, row: &str) -> Sql {
    let key: Vec<Sql> = shadow
        .key
        .iter()
        .map(|key| {
            sql!(
                "{label}, COALESCE(CAST({row}.{k} AS CHAR), 'NULL')",
                label = Text(&format!("{} = ", key.before.name.as_str())),
                row = Sql::raw(row),
                k = key.before.name
            )
        })
        .collect();
    let named = match shadow.rivals {
        Rivals::None => "",
        Rivals::Some => NAMED,
    };
    let key = sql!("CONCAT({key})", key = Sql::join(&key, ", ', ', "));
    sql!("{named}{note}", named = Sql::raw(named), note = conflict::note(shadow.noted(), &key))
}

/// Whether an update leaves the key as it was, byte by byte.
fn same_key(shadow: &Shadow) -> Sql {
    Sql::join(&shadow.key.iter().map(unchanged).collect::<Vec<_>>(), " AND ")
}

/// Whether an update leaves a column as it was, byte by byte.
fn unchanged(pair: &Copied) -> Sql {
    match pair.before.charset {
        Some(_) => sql!("CAST(OLD.{c} AS BINARY) <=> CAST(NEW.{c} AS BINARY)", c = pair.before.name),
        None => sql!("OLD.{c} <=> NEW.{c}", c = pair.before.name),
    }
}

/// What error 1242 of [`mine`] means, to which MariaDB adds an unknown one.
const NAMED: &str = "IF shoofly_number IN (1242, 1105) THEN SET shoofly_number = 1062, \
     shoofly_text = 'Duplicate entry: another row has this value of a unique key'; END IF; ";

/// The row with its new key.
fn shift(shadow: &Shadow, set: &Sql) -> Sql {
    sql!(
        "UPDATE {shadow} SET {set} WHERE {found};",
        shadow = shadow.shadow,
        set = set,
        found = found(&shadow.key, "OLD."),
    )
}

fn assignments(shadow: &Shadow) -> Sql {
    let set: Vec<Sql> = shadow
        .columns
        .iter()
        .map(|pair| {
            sql!("{to} = {value}", to = pair.after.name, value = value(shadow, pair, "NEW.", "@@session.time_zone"))
        })
        .collect();
    Sql::join(&set, ", ")
}

/// The same for the way back: what has not changed stays what it was. The new shape may have less of it, as of a number with
/// fewer digits.
fn changes(shadow: &Shadow) -> Sql {
    let set: Vec<Sql> = shadow
        .columns
        .iter()
        .map(|pair| {
            let value = value(shadow, pair, "NEW.", "@@session.time_zone");
            if !may_lose(pair) {
                return sql!("{to} = {value}", to = pair.after.name, value = value);
            }
            let kept = sql!("{s}.{to}", s = shadow.shadow.name, to = pair.after.name);
            sql!(
                "{to} = IF({same}, {kept}, {value})",
                to = pair.after.name,
                same = unchanged(pair),
                kept = kept,
                value = value
            )
        })
        .collect();
    Sql::join(&set, ", ")
}

/// Whether one of both types may hold less of a value than the other one. Key columns are told apart by what they hold.
#[must_use]
pub fn may_lose(pair: &Copied) -> bool {
    let fractional =
        matches!(pair.before.data_type.as_str(), "decimal" | "float" | "double" | "time" | "datetime" | "timestamp");
    pair.before.data_type != pair.after.data_type || (fractional && pair.before.column_type != pair.after.column_type)
}

/// A column's value for the new table. Dates become timestamps, and the other way round, as they would in a session of the
/// server's own time zone, whatever that of the session at hand is.
#[must_use]
pub fn value(shadow: &Shadow, pair: &Copied, of: &str, session_zone: &str) -> Sql {
    converted(&shadow.zone, pair, sql!("{of}{c}", of = Sql::raw(of), c = pair.before.name), session_zone)
}

/// The same of the old column's value, wherever it stands.
pub(super) fn converted(zone: &str, pair: &Copied, plain: Sql, session_zone: &str) -> Sql {
    let (zone, session) = (Text(zone), Sql::raw(session_zone));
    let dated = |data_type: &str| matches!(data_type, "datetime" | "date");
    match (pair.before.data_type.as_str(), pair.after.data_type.as_str()) {
        (before, "timestamp") if dated(before) => {
            sql!("CONVERT_TZ({v}, {zone}, {session})", v = plain, zone = zone, session = session)
        }
        ("timestamp", after) if dated(after) => {
            sql!("CONVERT_TZ({v}, {session}, {zone})", v = plain, session = session, zone = zone)
        }
        _ => plain,
    }
}

/// The row as it is now, whether it was there before or not: an `UPDATE` of a row that is not there yet would lock the gap.
fn upsert(shadow: &Shadow, set: &Sql) -> Sql {
    let insert = insert(shadow, "NEW");
    match (shadow.rivals, shadow.key.first()) {
        (Rivals::Some, Some(first)) => sql!(
            "{insert} ON DUPLICATE KEY UPDATE {k} = {mine}, {set};",
            insert = insert,
            k = first.after.name,
            mine = mine(shadow, first),
            set = set
        ),
        _ => sql!("{insert} ON DUPLICATE KEY UPDATE {set};", insert = insert, set = set),
    }
}

/// The row's own key, else error 1242: a duplicate of another key must not take that row's place.
fn mine(shadow: &Shadow, first: &Copied) -> Sql {
    let same: Vec<Sql> = shadow
        .key
        .iter()
        .map(|key| {
            let value = value(shadow, key, "NEW.", "@@session.time_zone");
            sql!("{s}.{k} = {value}", s = shadow.shadow.name, k = key.after.name, value = as_after(&value, key))
        })
        .collect();
    sql!(
        "IF({same}, {s}.{k}, (SELECT 1 UNION SELECT 2))",
        same = Sql::join(&same, " AND "),
        s = shadow.shadow.name,
        k = first.after.name
    )
}

/// An `INSERT` inside a trigger leaves `ROW_COUNT()` on MariaDB as it was; `DO` makes it 0.
fn insert(shadow: &Shadow, row: &str) -> Sql {
    let of = format!("{row}.");
    let values: Vec<Sql> = shadow.columns.iter().map(|pair| value(shadow, pair, &of, "@@session.time_zone")).collect();
    sql!(
        "DO 0; INSERT INTO {shadow} ({columns}) VALUES ({values})",
        shadow = shadow.shadow,
        columns = to(&shadow.columns),
        values = Sql::join(&values, ", "),
    )
}

/// Takes the old row away. It is put there first: a `DELETE` of a row that is not there would lock the gap, in which another
/// transaction may want to insert.
fn remove(shadow: &Shadow) -> Sql {
    let first = shadow.key.first().map(|key| key.after.name.clone());
    let Some(first) = first else { return Sql::raw("") };
    sql!(
        "BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION, 1265 BEGIN END; \
         {insert} ON DUPLICATE KEY UPDATE {k} = {shadow}.{k}; END; \
         DELETE FROM {shadow} WHERE {found};",
        insert = insert(shadow, "OLD"),
        k = first,
        shadow = shadow.shadow,
        found = found(&shadow.key, "OLD."),
    )
}

/// The new table's key equals the old one's values, found by the new one's index.
fn found(key: &[Copied], of: &str) -> Sql {
    let each: Vec<Sql> = key
        .iter()
        .map(|pair| {
            let value = sql!("{of}{k}", of = Sql::raw(of), k = pair.before.name);
            sql!("{k} = {value}", k = pair.after.name, value = as_after(&value, pair))
        })
        .collect();
    Sql::join(&each, " AND ")
}

/// A value of the old key so that the comparison is the new column's own.
#[must_use]
pub fn as_after(value: &Sql, pair: &Copied) -> Sql {
    let same = pair.before.charset == pair.after.charset && pair.before.collation == pair.after.collation;
    if pair.after.data_type == "binary" && pair.before.column_type != pair.after.column_type {
        return sql!("CAST({value} AS {t})", value = value, t = super::compare::sized("BINARY", &pair.after));
    }
    match (&pair.after.charset, &pair.after.collation) {
        (Some(charset), Some(collation)) if !same => sql!(
            "CONVERT({value} USING {charset}) COLLATE {collation}",
            value = value,
            charset = Sql::raw(charset.clone()),
            collation = Sql::raw(collation.clone()),
        ),
        _ => value.clone(),
    }
}

fn to(columns: &[Copied]) -> Sql {
    let names: Vec<&Name> = columns.iter().map(|column| &column.after.name).collect();
    Sql::raw(List(&names).as_sql())
}
