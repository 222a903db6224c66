//! Walking a table by its key: places as literals, ranges between two places, the next place.
//!
//! A place is a list of literals, one for each column of the key, made by the server itself so that it comes back exactly.

use serde::{Deserialize, Serialize};

use crate::schema::mysql::{Column, TablePath};
use crate::sql;
use crate::sql::mysql::name::Name;
use crate::text::{AsSql, List, Sql};

/// A place in a key: SQL literals, in key order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(pub Vec<String>);

/// A column of a key, and how its values are written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    name: Name,
    written: Written,
}

/// How a value becomes a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Written {
    /// As it prints.
    Plain,
    /// As it prints, in quotes: dates and times, in UTC.
    Quoted,
    /// Its number: `ENUM`, `SET`, `BIT`, `YEAR`. They are ordered by it too.
    Number,
    /// Its bytes.
    Bytes,
    /// Its bytes, with their character set and collation.
    Text { charset: String, collation: String },
}

impl KeyColumn {
    /// How this column's values are written; `None` for a type that cannot name a row exactly (floating point, JSON, spatial).
    #[must_use]
    pub fn of(column: &Column) -> Option<Self> {
        let written = match column.data_type.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" => Written::Plain,
            "date" | "datetime" | "timestamp" | "time" | "uuid" | "inet4" | "inet6" => Written::Quoted,
            "enum" | "set" | "bit" => Written::Number,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Written::Bytes,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
                Written::Text { charset: column.charset.clone()?, collation: column.collation.clone()? }
            }
            _ => return None,
        };
        Some(Self { name: column.name.clone(), written })
    }

    /// The column.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// An expression whose text [`KeyColumn::literal`] turns into a literal.
    fn shown(&self, of: &str) -> Sql {
        let column = sql!("{of}{c}", of = Sql::raw(of), c = self.name);
        match self.written {
            Written::Plain | Written::Quoted => sql!("CAST({c} AS CHAR)", c = column),
            Written::Number => sql!("CAST({c} + 0 AS CHAR)", c = column),
            Written::Bytes | Written::Text { .. } => sql!("HEX({c})", c = column),
        }
    }

    /// What the server showed, as a literal that equals the value.
    fn literal(&self, shown: &str) -> String {
        match &self.written {
            Written::Plain | Written::Number => shown.to_owned(),
            Written::Quoted => super::literal::Text(shown).as_sql(),
            Written::Bytes => format!("X'{shown}'"),
            Written::Text { charset, collation } => format!("_{charset} X'{shown}' COLLATE {collation}"),
        }
    }
}

/// The key's values of a row, to be read by [`place`]; `of` is the table's alias with its point, or empty.
#[must_use]
pub fn shown(key: &[KeyColumn], of: &str) -> Sql {
    let columns: Vec<Sql> = key.iter().map(|column| column.shown(of)).collect();
    Sql::join(&columns, ", ")
}

/// The place that [`shown`] showed; `None` where the row has too few columns or one is NULL.
#[must_use]
pub fn place(key: &[KeyColumn], row: &[Option<String>]) -> Option<Place> {
    let literals = key.iter().enumerate().map(|(at, column)| Some(column.literal(row.get(at)?.as_deref()?)));
    literals.collect::<Option<Vec<String>>>().map(Place)
}

/// Rows after `from` (from the beginning without one) up to and including `to` (to the end without one).
///
/// Ranges that share the first columns of the key are told apart, so that the server finds each by the index.
#[must_use]
pub fn between(key: &[KeyColumn], of: &str, from: Option<&Place>, to: Option<&Place>) -> Sql {
    let names: Vec<String> = key.iter().map(|column| format!("{of}{}", column.name.as_sql())).collect();
    let (from, to) = (from.map(|place| place.0.as_slice()), to.map(|place| place.0.as_slice()));
    Sql::raw(span(&names, from, to))
}

fn span(names: &[String], from: Option<&[String]>, to: Option<&[String]>) -> String {
    let Some((first, rest)) = names.split_first() else { return "TRUE".to_owned() };
    match (from, to) {
        (None, None) => "TRUE".to_owned(),
        (Some([low, lows @ ..]), Some([high, highs @ ..])) if low == high => match rest.is_empty() {
            // Nothing lies between a place and itself.
            true => "FALSE".to_owned(),
            false => format!("({first} = {low} AND {})", span(rest, Some(lows), Some(highs))),
        },
        (from, to) => {
            let mut parts = Vec::new();
            let low = from.and_then(<[String]>::split_first);
            let high = to.and_then(<[String]>::split_first);
            if let Some((low, lows)) = low.filter(|_| !rest.is_empty()) {
                parts.push(format!("({first} = {low} AND {})", span(rest, Some(lows), None)));
            }
            let above = low.map(|(low, _)| format!("{first} > {low}"));
            let sign = if rest.is_empty() { "<=" } else { "<" };
            let below = high.map(|(high, _)| format!("{first} {sign} {high}"));
            let both: Vec<String> = above.into_iter().chain(below).collect();
            parts.push(format!("({})", both.join(" AND ")));
            if let Some((high, highs)) = high.filter(|_| !rest.is_empty()) {
                parts.push(format!("({first} = {high} AND {})", span(rest, None, Some(highs))));
            }
            if parts.len() == 1 { parts.remove(0) } else { format!("({})", parts.join(" OR ")) }
        }
    }
}

/// This one place.
#[must_use]
pub fn at(key: &[KeyColumn], of: &str, place: &Place) -> Sql {
    let each: Vec<String> =
        key.iter().zip(&place.0).map(|(column, literal)| format!("{of}{} = {literal}", column.name.as_sql())).collect();
    Sql::raw(format!("({})", each.join(" AND ")))
}

/// The place of the row that is `rows` rows after `from`, up to `to`: none where there are fewer.
///
/// Lock: none; `SHARED_READ` on the table for the statement.
#[must_use]
pub fn ahead(
    (table, index): (&TablePath, &Name),
    key: &[KeyColumn],
    from: Option<&Place>,
    to: Option<&Place>,
    rows: u64,
) -> Sql {
    let names: Vec<Name> = key.iter().map(|column| column.name.clone()).collect();
    sql!(
        "SELECT {shown} FROM {t} FORCE INDEX ({index}) WHERE {range} ORDER BY {names} LIMIT 1 OFFSET {skip}",
        shown = shown(key, ""),
        t = table,
        index = index,
        range = between(key, "", from, to),
        names = List(&names),
        skip = rows.saturating_sub(1),
    )
}

/// How many rows there are after `from` up to `to`.
///
/// Lock: as [`ahead`].
#[must_use]
pub fn count((table, index): (&TablePath, &Name), key: &[KeyColumn], from: Option<&Place>, to: Option<&Place>) -> Sql {
    let range = between(key, "", from, to);
    sql!("SELECT COUNT(*) FROM {t} FORCE INDEX ({index}) WHERE {range}", t = table, index = index, range = range)
}

/// The last place of all, and none where the table is empty.
///
/// Lock: as [`ahead`].
#[must_use]
pub fn last(table: &TablePath, index: &Name, key: &[KeyColumn]) -> Sql {
    let names: Vec<String> = key.iter().map(|column| format!("{} DESC", column.name.as_sql())).collect();
    sql!(
        "SELECT {shown} FROM {t} FORCE INDEX ({index}) ORDER BY {names} LIMIT 1",
        shown = shown(key, ""),
        t = table,
        index = index,
        names = Sql::raw(names.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(names: &[&str]) -> Vec<KeyColumn> {
        let column = |name: &&str| KeyColumn { name: name.parse().unwrap(), written: Written::Plain };
        names.iter().map(column).collect()
    }

    fn place(literals: &[&str]) -> Place {
        Place(literals.iter().map(|literal| (*literal).to_owned()).collect())
    }

    #[test]
    fn a_range_excludes_its_begin_and_includes_its_end() {
        let made = between(&key(&["a"]), "t.", Some(&place(&["1"])), Some(&place(&["9"])));
        assert_eq!(made.as_str(), "(t.`a` > 1 AND t.`a` <= 9)");
        assert_eq!(between(&key(&["a"]), "", None, None).as_str(), "TRUE");
        assert_eq!(between(&key(&["a"]), "", None, Some(&place(&["9"]))).as_str(), "(`a` <= 9)");
    }

    #[test]
    fn ranges_of_several_columns_are_cut_where_the_first_ones_change() {
        let key = key(&["a", "b"]);
        let made = between(&key, "", Some(&place(&["1", "5"])), Some(&place(&["3", "7"])));
        assert_eq!(made.as_str(), "((`a` = 1 AND (`b` > 5)) OR (`a` > 1 AND `a` < 3) OR (`a` = 3 AND (`b` <= 7)))");
        let same = between(&key, "", Some(&place(&["1", "5"])), Some(&place(&["1", "7"])));
        assert_eq!(same.as_str(), "(`a` = 1 AND (`b` > 5 AND `b` <= 7))");
        let open = between(&key, "", Some(&place(&["1", "5"])), None);
        assert_eq!(open.as_str(), "((`a` = 1 AND (`b` > 5)) OR (`a` > 1))");
    }
}
