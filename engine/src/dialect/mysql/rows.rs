//! An `UPDATE` that holds for every row: its triggers, and the statements of its fill.
//!
//! The triggers run before the row is written and give it its values. Whatever goes wrong inside leaves the row as the
//! application wrote it, and is noted in the ledger.

use super::key::{self, KeyColumn, Place};
use super::literal::Text;
use super::{check, conflict, names};
use crate::plan::rows::Rows;
use crate::schema::mysql::{Column, TablePath};
use crate::sql;
use crate::sql::mysql::name::Name;
use crate::text::{AsSql, Sql};

/// What the triggers do, with columns written as those of the new row.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which rows they are for; all without one.
    pub condition: Option<Sql>,
    /// Values, in the order of [`Rows::set`].
    pub values: Vec<Sql>,
}

/// Names of both triggers: for rows that are inserted, for rows that are changed.
#[must_use]
pub fn names(table: &TablePath) -> [TablePath; 2] {
    ["_shoofly_rins", "_shoofly_rupd"]
        .map(|suffix| TablePath::new(table.database.clone(), names::derived(&table.name, suffix)))
}

/// Makes both triggers. The server runs them after those of the same moment that are there already, so that they see what these
/// have made of the row.
///
/// Lock: `EXCLUSIVE` (metadata) on the table for each; under `LOCK TABLES t WRITE` it is there already.
#[must_use]
pub fn create(rows: &Rows, rule: &Rule) -> Vec<Sql> {
    with_body(rows, &body(rows, rule))
}

/// Both triggers with what they do.
pub(super) fn with_body(rows: &Rows, body: &Sql) -> Vec<Sql> {
    let trigger = |(name, event): (TablePath, &str)| {
        sql!(
            "CREATE TRIGGER {name} BEFORE {event} ON {t} FOR EACH ROW {body}",
            name = name,
            event = Sql::raw(event),
            t = rows.table,
            body = body
        )
    };
    names(&rows.table).into_iter().zip(["INSERT", "UPDATE"]).map(trigger).collect()
}

/// Drops both triggers, those that exist.
///
/// Lock: as [`create`].
#[must_use]
pub fn drop(table: &TablePath) -> Vec<Sql> {
    names(table).iter().map(|name| sql!("DROP TRIGGER IF EXISTS {name}", name = name)).collect()
}

/// Values come into variables of the columns' own types first: there an error is caught, in the row it would not always be.
///
/// A value that is cut off is error 1265, which is no `SQLEXCEPTION`, and so is a mere note that a number was rounded: the
/// variable is empty after the error, and has the rounded number after the note.
fn body(rows: &Rows, rule: &Rule) -> Sql {
    let variable = |at: usize| Sql::raw(format!("shoofly_{}", at + 1));
    let each = || rows.set.iter().enumerate();
    let declared: Vec<Sql> =
        each().map(|(at, set)| sql!("DECLARE {v} {t};", v = variable(at), t = declared_type(&set.column))).collect();
    let computed: Vec<Sql> = rule
        .values
        .iter()
        .enumerate()
        .zip(&rows.set)
        .map(|((at, value), set)| {
            sql!(
                "SET shoofly_cut = 0; SET {v} = {value}; IF shoofly_cut AND {v} IS NULL THEN \
                 SIGNAL SQLSTATE '22001' SET MYSQL_ERRNO = 1406, MESSAGE_TEXT = {text}; END IF;",
                v = variable(at),
                value = value,
                text = Text(&format!("The value does not fit {}", set.column.name.as_str())),
            )
        })
        .collect();
    let mut fits = vec![Sql::raw("shoofly_failed = 0")];
    fits.extend(
        each().filter(|(_, set)| !set.column.nullable).map(|(at, _)| sql!("{v} IS NOT NULL", v = variable(at))),
    );
    let given: Vec<Sql> =
        each().map(|(at, set)| sql!("NEW.{c} = {v}", c = set.column.name, v = variable(at))).collect();
    let work = sql!(
        "{computed} IF {fits} THEN SET {given}; END IF;",
        computed = Sql::join(&computed, " "),
        fits = Sql::join(&fits, " AND "),
        given = Sql::join(&given, ", "),
    );
    let work = match &rule.condition {
        Some(condition) => sql!("IF {c} THEN {work} END IF;", c = condition, work = work),
        None => work,
    };
    let declared = sql!("DECLARE shoofly_cut INT DEFAULT 0; {declared}", declared = Sql::join(&declared, " "));
    let work = sql!("DECLARE CONTINUE HANDLER FOR 1265 SET shoofly_cut = 1; {work}", work = work);
    noting(rows, "SQLEXCEPTION", &declared, &work)
}

/// A block that goes on after an error of the kinds that are `caught`: it is noted in the ledger, and `shoofly_failed` is 1.
pub(super) fn noting(rows: &Rows, caught: &str, declared: &Sql, work: &Sql) -> Sql {
    let key: Vec<Name> = rows.key.iter().map(|column| column.name.clone()).collect();
    sql!(
        "BEGIN DECLARE shoofly_number INT; DECLARE shoofly_text TEXT; DECLARE shoofly_failed INT DEFAULT 0; {declared} \
         DECLARE CONTINUE HANDLER FOR {caught} BEGIN \
         GET DIAGNOSTICS CONDITION 1 shoofly_number = MYSQL_ERRNO, shoofly_text = MESSAGE_TEXT; SET shoofly_failed = 1; \
         {note} END; \
         {work} END",
        caught = Sql::raw(caught),
        declared = declared,
        note = conflict::note(&rows.table, &check::name(&key, "NEW.")),
        work = work,
    )
}

/// The column's type for a variable, or for another column.
pub(super) fn declared_type(column: &Column) -> Sql {
    let mut text = column.column_type.clone();
    if let (Some(charset), Some(collation)) = (&column.charset, &column.collation) {
        text = format!("{text} CHARACTER SET {charset} COLLATE {collation}");
    }
    Sql::raw(text)
}

/// The fill as one statement, as it would be if nobody else were there.
#[must_use]
pub fn whole(rows: &Rows) -> Sql {
    sql!("UPDATE {t} SET {set} WHERE {p}", t = rows.table, set = set(rows), p = rows.pending)
}

fn set(rows: &Rows) -> Sql {
    let given = rows.set.iter().map(|set| sql!("{c} = {v}", c = set.column.name, v = set.value));
    let kept = rows.kept.iter().map(|name| sql!("{c} = {c}", c = name));
    Sql::join(&given.chain(kept).collect::<Vec<_>>(), ", ")
}

/// A fill, and how its table's key is walked.
#[derive(Debug, Clone)]
pub struct Filled {
    rows: Rows,
    walk: Vec<KeyColumn>,
}

impl Filled {
    /// `None` where the key has a type whose values cannot be written down exactly.
    #[must_use]
    pub fn of(rows: &Rows) -> Option<Self> {
        let walk = rows.key.iter().map(KeyColumn::of).collect::<Option<Vec<_>>>()?;
        Some(Self { rows: rows.clone(), walk })
    }

    /// The key to walk the table by.
    #[must_use]
    pub fn walk(&self) -> &[KeyColumn] {
        &self.walk
    }

    /// The plan's data.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Locks the rows of a range that need work, those that nobody else has locked, and shows their keys.
    ///
    /// Lock: exclusive row locks until the transaction's end, none of them waited for.
    #[must_use]
    pub fn lock(&self, from: Option<&Place>, to: &Place) -> Sql {
        sql!("{found} FOR UPDATE SKIP LOCKED", found = self.pending(from, to))
    }

    /// The keys of the rows of a range that need work, as far as their writers have committed.
    ///
    /// Lock: none.
    #[must_use]
    pub fn pending(&self, from: Option<&Place>, to: &Place) -> Sql {
        sql!(
            "SELECT {shown} FROM {t} FORCE INDEX ({index}) WHERE {range} AND ({pending})",
            shown = key::shown(&self.walk, ""),
            t = self.rows.table,
            index = self.rows.key_index,
            range = key::between(&self.walk, "", from, Some(to)),
            pending = self.rows.pending,
        )
    }

    /// Gives these rows their values. They are locked already.
    ///
    /// Lock: exclusive row locks, held already.
    #[must_use]
    pub fn fill(&self, places: &[Place]) -> Sql {
        let found: Vec<Sql> = places.iter().map(|place| key::at(&self.walk, "", place)).collect();
        self.update(&Sql::join(&found, " OR "))
    }

    /// Gives one row its values if it still needs them, waiting for whoever has locked it for as long as
    /// `innodb_lock_wait_timeout` says.
    ///
    /// Lock: an exclusive row lock until the transaction's end.
    #[must_use]
    pub fn fill_one(&self, place: &Place) -> Sql {
        self.update(&sql!("{at} AND ({p})", at = key::at(&self.walk, "", place), p = self.rows.pending))
    }

    fn update(&self, found: &Sql) -> Sql {
        sql!(
            "UPDATE {t} FORCE INDEX ({index}) SET {set} WHERE {found}",
            t = self.rows.table,
            index = self.rows.key_index,
            set = set(&self.rows),
            found = found,
        )
    }

    /// The first row of a range that needs work, by its key.
    ///
    /// Lock: none.
    #[must_use]
    pub fn named_between(&self, from: Option<&Place>, to: &Place) -> Sql {
        let key: Vec<Name> = self.rows.key.iter().map(|column| column.name.clone()).collect();
        sql!(
            "SELECT {name} FROM {t} FORCE INDEX ({index}) WHERE {range} LIMIT 1",
            name = check::name(&key, ""),
            t = self.rows.table,
            index = self.rows.key_index,
            range = key::between(&self.walk, "", from, Some(to)),
        )
    }
}

/// A column of a stored row.
#[must_use]
pub fn bare(name: &Name) -> String {
    name.as_sql()
}

/// A column of the row that is about to be written.
#[must_use]
pub fn of_new_row(name: &Name) -> String {
    format!("NEW.{}", name.as_sql())
}
