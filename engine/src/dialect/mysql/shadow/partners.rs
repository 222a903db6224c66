//! Comparing a range of both tables in one statement, and how its rows find their partners.

use super::{Pair, Place, is_integer};
use crate::dialect::mysql::key;
use crate::schema::mysql::Column;
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::text::Sql;

/// MySQL that hashes the rows of an outer join. An older one would run through all of them for each row.
const HASHES_OUTER: u32 = 80_020;

/// Bytes that a row may take for MariaDB to gather a range of them: it keeps each as wide as it may become.
const MOST_GATHERED: u64 = 2_000;

/// What a session needs besides to compare with [`Partners::Hashed`]: room for the rows of a range. What does not fit, the server
/// keeps in files, or does in several turns.
#[must_use]
pub fn room_to_hash(product: Product) -> &'static str {
    match product {
        Product::MySql => "SET join_buffer_size = 16777216",
        Product::MariaDb => {
            "SET join_cache_level = 4, join_buffer_size = 33554432, join_buffer_space_limit = 67108864, \
             optimizer_switch = 'derived_with_keys=off'"
        }
    }
}

/// How the rows of a range find their partners in the new table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partners {
    /// One by one, by the new table's key.
    LookedUp,
    /// The range of the new table is read once and hashed: half the work.
    Hashed,
}

impl Pair {
    /// Rows before, rows after, and rows before that are missing or other ones after. One statement sees one moment, and
    /// the triggers write in the transaction of what they follow: so each row is either on both sides or on neither.
    ///
    /// Lock: none.
    #[must_use]
    pub fn compared(&self, from: Option<&Place>, to: Option<&Place>, partners: Partners) -> Sql {
        let range_after = self.walk_after.as_ref().map(|walk| key::between(walk, "b.", from, to));
        let after = range_after.as_ref().map_or_else(
            || Sql::raw("NULL"),
            |range| sql!("(SELECT COUNT(*) FROM {s} AS b WHERE {range})", s = self.shadow.shadow, range = range),
        );
        let (how, partners) = match (partners, &range_after) {
            (Partners::Hashed, Some(range)) => self.hashed(range),
            _ => (Sql::raw(""), sql!("{s} AS b ON {on}", s = self.shadow.shadow, on = self.on())),
        };
        sql!(
            "SELECT {how}COUNT(*), {after}, COUNT(IF({differs}, 1, NULL)) \
             FROM {t} AS a FORCE INDEX ({index}) LEFT JOIN {partners} WHERE {range}",
            how = how,
            t = self.shadow.table,
            index = self.shadow.key_index,
            range = key::between(&self.walk, "a.", from, to),
            after = after,
            partners = partners,
            differs = self.differs(),
        )
    }

    /// How a server of this version best finds partners.
    #[must_use]
    pub fn partners(&self, version: u32) -> Partners {
        let hashes = match self.shadow.product {
            Product::MySql => version >= HASHES_OUTER,
            Product::MariaDb => {
                self.shadow.columns.iter().map(|pair| widest(&pair.after)).sum::<u64>() <= MOST_GATHERED
            }
        };
        match hashes && self.shadow.key.iter().all(|pair| is_integer(&pair.before) && is_integer(&pair.after)) {
            true => Partners::Hashed,
            false => Partners::LookedUp,
        }
    }

    /// A hint, and the rows of a range with the condition of a join that no index serves.
    fn hashed(&self, range: &Sql) -> (Sql, Sql) {
        let s = &self.shadow.shadow;
        match self.shadow.product {
            Product::MySql => {
                let on = self.on_each(" + 0");
                (Sql::raw("/*+ BNL(b) */ "), sql!("{s} AS b ON {on} AND {range}", s = s, on = on, range = range))
            }
            // It hashes only what it would read as a whole. The limit keeps it from taking the inner query apart.
            Product::MariaDb => {
                let columns: Vec<Sql> =
                    self.shadow.columns.iter().map(|pair| sql!("b.{c}", c = pair.after.name)).collect();
                let gathered = sql!(
                    "(SELECT {columns} FROM {s} AS b WHERE {range} LIMIT 18446744073709551615) AS b ON {on}",
                    columns = Sql::join(&columns, ", "),
                    s = s,
                    range = range,
                    on = self.on_each(""),
                );
                (Sql::raw(""), gathered)
            }
        }
    }

    /// [`Pair::on`] for keys of integers, with something behind each side.
    fn on_each(&self, behind: &str) -> Sql {
        let behind = Sql::raw(behind);
        let each: Vec<Sql> = (self.shadow.key.iter())
            .map(|pair| {
                let (after, before) = (&pair.after.name, &pair.before.name);
                sql!("b.{after}{behind} = a.{before}{behind}", after = after, before = before, behind = behind)
            })
            .collect();
        Sql::join(&each, " AND ")
    }
}

/// Bytes of the longest value that a column takes, by its declaration; those of large objects do not matter here.
fn widest(column: &Column) -> u64 {
    let declared = column.column_type.split(['(', ')', ',']).nth(1).and_then(|size| size.trim().parse::<u64>().ok());
    match column.data_type.as_str() {
        "char" | "varchar" => declared.unwrap_or(1).saturating_mul(4),
        "binary" | "varbinary" => declared.unwrap_or(1),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float" | "double" | "bit" | "year"
        | "date" | "time" | "datetime" | "timestamp" | "enum" | "set" => 32,
        _ => MOST_GATHERED,
    }
}
