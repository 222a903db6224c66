//! Filling a shadow table, comparing it, and putting it in the table's place.

use super::key::{self, KeyColumn, Place};
use super::trigger::{as_after, value};
use super::{compare, lock, shape};
use crate::plan::shadow::{Copied, Shadow};
use crate::schema::mysql::{Column, TablePath};
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::text::{AsSql, Sql};

mod partners;

pub use partners::{Partners, room_to_hash};

/// The time zone of our sessions, as SQL.
pub(super) const OUR_ZONE: &str = "'+00:00'";

/// A shadow and how its key is walked: what its statements are written with.
#[derive(Debug, Clone)]
pub struct Pair {
    shadow: Shadow,
    walk: Vec<KeyColumn>,
    /// The key by the new table's names, where both tables have the same order.
    walk_after: Option<Vec<KeyColumn>>,
}

impl Pair {
    /// `None` where the key has a type whose values cannot be written down exactly.
    #[must_use]
    pub fn of(shadow: &Shadow) -> Option<Self> {
        let walk = shadow.key.iter().map(|pair| KeyColumn::of(&pair.before)).collect::<Option<Vec<_>>>()?;
        let walk_after = match shadow.key.iter().all(one_order) {
            true => Some(shadow.key.iter().map(|pair| KeyColumn::of(&pair.after)).collect::<Option<Vec<_>>>()?),
            false => None,
        };
        Some(Self { shadow: shadow.clone(), walk, walk_after })
    }

    /// The key to walk the table by.
    #[must_use]
    pub fn walk(&self) -> &[KeyColumn] {
        &self.walk
    }

    /// The plan's data.
    #[must_use]
    pub fn shadow(&self) -> &Shadow {
        &self.shadow
    }

    /// Copies the rows of a range; rows that are there already stay as they are. A duplicate of another key is error 1242. MySQL
    /// leaves out rows that somebody has locked; MariaDB does not wait for them but fails at once (error 1205), as
    /// [`by_rows`](super::by_rows) can do it.
    ///
    /// As the new table's pages split, the lock of whoever writes to a row there becomes one of the gap before it
    /// (`lock_update_split_right`). To wait for that with rows locked is a deadlock as soon as he writes one of those.
    ///
    /// Lock: shared row locks until the transaction's end, none of them waited for.
    #[must_use]
    pub fn copy(&self, from: Option<&Place>, to: Option<&Place>) -> Sql {
        self.copied(from, to, &on_duplicate(&self.shadow))
    }

    /// The same where the new table has none of the rows yet, a little faster: one that is there is error 1062.
    ///
    /// Lock: as [`Pair::copy`].
    #[must_use]
    pub fn copy_new(&self, from: Option<&Place>, to: Option<&Place>) -> Sql {
        self.copied(from, to, &Sql::raw(""))
    }

    fn copied(&self, from: Option<&Place>, to: Option<&Place>, twice: &Sql) -> Sql {
        match self.shadow.product {
            Product::MySql => self.insert(&self.sharing(from, to), twice),
            Product::MariaDb => {
                let rows = self.shared(&key::between(&self.walk, "t.", from, to));
                lock::unwaited(self.shadow.product, &self.insert(&rows, twice))
            }
        }
    }

    /// Copies one row, waiting for whoever has locked it for as long as `innodb_lock_wait_timeout` says.
    ///
    /// Lock: a shared row lock until the transaction's end.
    #[must_use]
    pub fn copy_one(&self, place: &Place) -> Sql {
        self.insert(&self.sharing_one(place), &on_duplicate(&self.shadow))
    }

    /// `FROM t …`: the rows of a range that nobody has locked.
    pub(super) fn sharing(&self, from: Option<&Place>, to: Option<&Place>) -> Sql {
        self.sharing_these(&key::between(&self.walk, "t.", from, to))
    }

    /// `FROM t …`: one row.
    pub(super) fn sharing_one(&self, place: &Place) -> Sql {
        self.shared(&key::at(&self.walk, "t.", place))
    }

    /// `FROM t …`: the rows that meet a condition and that nobody has locked.
    pub(super) fn sharing_these(&self, condition: &Sql) -> Sql {
        sql!("{rows} SKIP LOCKED", rows = self.shared(condition))
    }

    fn shared(&self, range: &Sql) -> Sql {
        let lock = match self.shadow.product {
            Product::MySql => "FOR SHARE",
            Product::MariaDb => "LOCK IN SHARE MODE",
        };
        sql!(
            "FROM {t} AS t FORCE INDEX ({index}) WHERE {range} {lock}",
            t = self.shadow.table,
            index = self.shadow.key_index,
            range = range,
            lock = Sql::raw(lock),
        )
    }

    fn insert(&self, rows: &Sql, twice: &Sql) -> Sql {
        let values: Vec<Sql> =
            self.shadow.columns.iter().map(|pair| value(&self.shadow, pair, "t.", OUR_ZONE)).collect();
        sql!(
            "{into} SELECT {values} {rows} {twice}",
            into = into(&self.shadow),
            values = Sql::join(&values, ", "),
            rows = rows,
            twice = twice,
        )
    }

    /// The rows of a range that have no partner yet, by their keys: somebody had them locked.
    ///
    /// Lock: none.
    #[must_use]
    pub fn missing(&self, from: Option<&Place>, to: Option<&Place>) -> Sql {
        sql!(
            "SELECT {shown} FROM {t} AS a FORCE INDEX ({index}) LEFT JOIN {shadow} AS b ON {on} WHERE {range} AND {none}",
            shown = key::shown(&self.walk, "a."),
            t = self.shadow.table,
            index = self.shadow.key_index,
            shadow = self.shadow.shadow,
            on = self.on(),
            range = key::between(&self.walk, "a.", from, to),
            none = self.no_partner(),
        )
    }

    /// Some rows of a range that differ, by their keys.
    ///
    /// Lock: none.
    #[must_use]
    pub fn differing(&self, from: Option<&Place>, to: Option<&Place>, limit: usize) -> Sql {
        sql!(
            "SELECT {name} {found} LIMIT {limit}",
            name = self.named("a.", |pair| &pair.before),
            found = self.found_differing(from, to),
            limit = limit,
        )
    }

    /// All of them, by their keys, for [`key::place`].
    ///
    /// Lock: none.
    #[must_use]
    pub fn places_differing(&self, from: Option<&Place>, to: Option<&Place>) -> Sql {
        sql!("SELECT {shown} {found}", shown = key::shown(&self.walk, "a."), found = self.found_differing(from, to))
    }

    fn found_differing(&self, from: Option<&Place>, to: Option<&Place>) -> Sql {
        sql!(
            "FROM {t} AS a FORCE INDEX ({index}) LEFT JOIN {s} AS b ON {on} WHERE {range} AND ({differs})",
            t = self.shadow.table,
            index = self.shadow.key_index,
            s = self.shadow.shadow,
            on = self.on(),
            range = key::between(&self.walk, "a.", from, to),
            differs = self.differs(),
        )
    }

    /// The first row of a range, by its key.
    ///
    /// Lock: none.
    #[must_use]
    pub fn named_between(&self, from: Option<&Place>, to: &Place) -> Sql {
        sql!(
            "SELECT {name} FROM {t} AS a FORCE INDEX ({index}) WHERE {range} LIMIT 1",
            name = self.named("a.", |pair| &pair.before),
            t = self.shadow.table,
            index = self.shadow.key_index,
            range = key::between(&self.walk, "a.", from, Some(to)),
        )
    }

    /// Rows of the new table that the old one does not have, by their keys.
    ///
    /// Lock: none.
    #[must_use]
    pub fn ghosts(&self, limit: usize) -> Sql {
        sql!(
            "SELECT {name} {ghosts} LIMIT {limit}",
            name = self.named("b.", |pair| &pair.after),
            ghosts = self.only_after(),
            limit = limit,
        )
    }

    /// `FROM … WHERE …`: the rows `b` of the new table that the old one does not have.
    pub(super) fn only_after(&self) -> Sql {
        let none = self.shadow.key.first().map(|key| sql!("a.{k} IS NULL", k = key.before.name));
        sql!(
            "FROM {s} AS b LEFT JOIN {t} AS a ON {on} WHERE {none}",
            s = self.shadow.shadow,
            t = self.shadow.table,
            on = self.on(),
            none = none.unwrap_or_else(|| Sql::raw("FALSE")),
        )
    }

    /// Whether ranges of both tables can be counted side by side.
    #[must_use]
    pub fn counts_side_by_side(&self) -> bool {
        self.walk_after.is_some()
    }

    /// Which row `b` of the new table a row `a` is.
    pub(super) fn on(&self) -> Sql {
        let each: Vec<Sql> = self
            .shadow
            .key
            .iter()
            .map(|pair| {
                let value = sql!("a.{k}", k = pair.before.name);
                sql!("b.{k} = {value}", k = pair.after.name, value = as_after(&value, pair))
            })
            .collect();
        Sql::join(&each, " AND ")
    }

    /// Key columns are never NULL but for a row that was not found.
    fn no_partner(&self) -> Sql {
        self.shadow.key.first().map_or_else(|| Sql::raw("FALSE"), |key| sql!("b.{k} IS NULL", k = key.after.name))
    }

    fn differs(&self) -> Sql {
        let same: Vec<Sql> =
            self.shadow.columns.iter().map(|pair| sql!("({same})", same = compare::same(&self.shadow, pair))).collect();
        sql!("{none} OR NOT ({same})", none = self.no_partner(), same = Sql::join(&same, " AND "))
    }

    /// A row's key for people: `id = 7, w = 2`.
    fn named(&self, of: &str, side: impl Fn(&Copied) -> &Column) -> Sql {
        let parts: Vec<Sql> = self
            .shadow
            .key
            .iter()
            .map(|pair| {
                let column = side(pair);
                sql!(
                    "{label}, COALESCE(CAST({of}{k} AS CHAR), 'NULL')",
                    label = super::literal::Text(&format!("{} = ", column.name.as_str())),
                    of = Sql::raw(of),
                    k = column.name
                )
            })
            .collect();
        sql!("CONCAT({parts})", parts = Sql::join(&parts, ", ', ', "))
    }
}

/// `INSERT INTO shadow (…)`
pub(super) fn into(shadow: &Shadow) -> Sql {
    let to: Vec<String> = shadow.columns.iter().map(|column| column.after.name.as_sql()).collect();
    sql!("INSERT INTO {shadow} ({to})", shadow = shadow.shadow, to = Sql::raw(to.join(", ")))
}

/// A row that is there already stays as it is; another one with the same unique value is error 1242.
pub(super) fn on_duplicate(shadow: &Shadow) -> Sql {
    let name = &shadow.shadow.name;
    let same: Vec<Sql> =
        shadow.key.iter().map(|key| sql!("{s}.{k} <=> VALUES({k})", s = name, k = key.after.name)).collect();
    let first = shadow.key.first().map(|key| key.after.name.as_sql()).unwrap_or_default();
    sql!(
        "ON DUPLICATE KEY UPDATE {k} = IF({same}, {name}.{k}, (SELECT 1 UNION SELECT 2))",
        k = Sql::raw(first),
        same = Sql::join(&same, " AND "),
        name = name,
    )
}

/// 1 where both tables have as many rows at this moment.
///
/// Lock: none.
#[must_use]
pub fn as_many(shadow: &Shadow) -> Sql {
    sql!("SELECT (SELECT COUNT(*) FROM {t}) = (SELECT COUNT(*) FROM {s})", t = shadow.table, s = shadow.shadow)
}

/// Whether values have the same order on both sides. Integers of any size have one, as far as both types can hold a value.
fn one_order(pair: &Copied) -> bool {
    let (before, after) = (&pair.before, &pair.after);
    let one_type = before.column_type == after.column_type && before.collation == after.collation;
    one_type || (is_integer(before) && is_integer(after))
}

fn is_integer(column: &Column) -> bool {
    matches!(column.data_type.as_str(), "tinyint" | "smallint" | "mediumint" | "int" | "bigint")
}

/// The new table takes the old one's name.
///
/// Lock: `EXCLUSIVE` (metadata) on both, asked for in the order of their names.
#[must_use]
pub fn swap(shadow: &Shadow) -> Sql {
    sql!("RENAME TABLE {t} TO {old}, {s} TO {t}", t = shadow.table, old = shadow.old, s = shadow.shadow)
}

/// Both tables change names, and both names are there all the time: so triggers find what they write to before and after.
///
/// Lock: `EXCLUSIVE` (metadata) on both and on a third name, asked for in the order of their names.
#[must_use]
pub fn exchange(shadow: &Shadow) -> Sql {
    sql!("RENAME TABLE {t} TO {old}, {s} TO {t}, {old} TO {s}", t = shadow.table, old = shadow.old, s = shadow.shadow)
}

/// Whether the new shape has the table's name, told by where the triggers of the way back are: `applied` where `there`, `absent`
/// where they are on the other table, else `partial`.
///
/// Lock: none.
#[must_use]
pub fn exchanged(back: &Shadow, there: &TablePath) -> Sql {
    let [_, _, inserted] = super::trigger::names(back);
    let other = if *there == back.table { &back.shadow } else { &back.table };
    let text = |name: &TablePath| super::literal::Text(name.name.as_str()).as_sql();
    sql!(
        "SELECT CASE (SELECT EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {d} \
         AND TRIGGER_NAME = {n}) WHEN {there} THEN 'applied' WHEN {other} THEN 'absent' ELSE 'partial' END",
        d = super::literal::Text(inserted.database.as_str()),
        n = super::literal::Text(inserted.name.as_str()),
        there = Sql::raw(text(there)),
        other = Sql::raw(text(other)),
    )
}

/// Whether the swap has happened: `applied` or `absent`; `partial` where the tables are none that the run has made.
///
/// Lock: none.
#[must_use]
pub fn swapped(shadow: &Shadow) -> Sql {
    sql!(
        "SELECT CASE WHEN {old} AND NOT {s} THEN 'applied' WHEN {s} AND NOT {old} THEN 'absent' ELSE 'partial' END",
        old = shape::exists(&shadow.old),
        s = shape::exists(&shadow.shadow),
    )
}
