//! Whether a value and what has become of it are the same: by bytes where the type stays, by the server's own conversion where
//! it changes.

use super::literal::Text;
use super::shadow::OUR_ZONE;
use super::trigger::{converted, may_lose};
use crate::plan::shadow::{Copied, Shadow, Way};
use crate::schema::mysql::Column;
use crate::sql;
use crate::text::Sql;

/// Whether the new column (its table aliased `b`) is what the old one (aliased `a`) becomes. Never NULL.
#[must_use]
pub fn same(shadow: &Shadow, pair: &Copied) -> Sql {
    let becomes = becomes(&shadow.zone, pair, ["a.", "b."]);
    if shadow.way == Way::Forth || !may_lose(pair) {
        return becomes;
    }
    // What was not written since the swap is still what the new table was made from.
    let other = Copied { before: pair.after.clone(), after: pair.before.clone() };
    sql!("({becomes}) OR ({came})", becomes = becomes, came = self::becomes(&shadow.zone, &other, ["b.", "a."]))
}

/// Whether the column after is what that before becomes, by what stands before their names: the aliases of their tables, or
/// nothing. `zone` is that of dates which become timestamps, or the other way round. Never NULL.
#[must_use]
pub fn becomes(zone: &str, pair: &Copied, [from, to]: [&str; 2]) -> Sql {
    let (before, after) = (&pair.before, &pair.after);
    let plain = sql!("{from}{c}", from = Sql::raw(from), c = before.name);
    let (a, b) = (converted(zone, pair, plain, OUR_ZONE), sql!("{to}{c}", to = Sql::raw(to), c = after.name));
    let bytes = |a: Sql, b: Sql| sql!("CAST({a} AS BINARY) <=> CAST({b} AS BINARY)", a = a, b = b);
    let plain = |a: Sql, b: Sql| sql!("{a} <=> {b}", a = a, b = b);
    // What is read from such a column has no blanks at its end.
    let a = match (family(before), after.data_type.as_str()) {
        (Family::Text, "char") if before.data_type != "char" => sql!("TRIM(TRAILING ' ' FROM {a})", a = a),
        _ => a,
    };
    match (family(before), family(after)) {
        // One side of bytes makes the comparison one of bytes.
        (Family::Text, Family::Text) if before.charset == after.charset => {
            sql!("{a} <=> CAST({b} AS BINARY)", a = a, b = b)
        }
        (Family::Text, Family::Text) => bytes(in_charset(&a, after), b),
        // Bytes of a fixed number are filled up with zeros.
        (Family::Bytes | Family::Text, Family::Bytes) if after.data_type == "binary" => {
            sql!("CAST({a} AS {t}) <=> {b}", a = a, t = sized("BINARY", after), b = b)
        }
        (Family::Bytes | Family::Text, Family::Bytes) | (Family::Bytes, Family::Text) => bytes(a, b),
        (Family::Listed, Family::Listed) if before.data_type == "set" && after.data_type == "set" => {
            same_members(before, &a, &b)
        }
        (Family::Listed, Family::Listed | Family::Text) | (Family::Text, Family::Listed) => {
            let a = sql!("CAST({a} AS CHAR CHARACTER SET utf8mb4)", a = a);
            let b = sql!("CAST({b} AS CHAR CHARACTER SET utf8mb4)", b = b);
            bytes(a, b)
        }
        (Family::Bits, Family::Bits) => sql!("{a} + 0 <=> {b} + 0", a = a, b = b),
        (Family::Spatial, Family::Spatial) => sql!("HEX({a}) <=> HEX({b})", a = a, b = b),
        (Family::Json, Family::Json) => plain(a, b),
        (_, Family::Json) => sql!("CAST({a} AS JSON) <=> {b}", a = a, b = b),
        (_, Family::Text) => {
            let a = sql!("CAST({a} AS CHAR CHARACTER SET utf8mb4)", a = a);
            let b = sql!("CAST({b} AS CHAR CHARACTER SET utf8mb4)", b = b);
            bytes(a, b)
        }
        (before_family, family) if before_family == family && before.column_type == after.column_type => plain(a, b),
        // A time zone that the server does not know makes NULL of everything: that is no conversion.
        (Family::Temporal, Family::Temporal) if before.data_type != after.data_type => sql!(
            "CAST({a} AS {t}) <=> {b} AND ({plain} IS NULL) = ({b} IS NULL)",
            a = a,
            t = cast(after).unwrap_or_else(|| Sql::raw("CHAR")),
            b = b,
            plain = sql!("{from}{c}", from = Sql::raw(from), c = before.name),
        ),
        (_, Family::Exact | Family::Float | Family::Temporal) => match cast(after) {
            Some(as_type) => sql!("CAST({a} AS {t}) <=> {b}", a = a, t = as_type, b = b),
            None => plain(a, b),
        },
        _ => plain(a, b),
    }
}

/// Whether [`becomes`] tells a value that the new column does not take, once NULL or its type's empty value stands there
/// instead. A `CAST` forgives more than an assignment does: of a text that is no number it makes 0.
#[must_use]
pub fn is_exact(before: &Column, after: &Column) -> bool {
    use Family::{Bits, Bytes, Exact, Float, Json, Listed, Temporal, Text};
    let number = |family: Family| matches!(family, Exact | Float | Bits);
    match (family(before), family(after)) {
        _ if before.data_type == after.data_type => true,
        (_, Text | Bytes) | (Text | Listed, Listed) | (Listed | Temporal, Exact) | (Text, Json) => true,
        // A time becomes one of the day on which it is written.
        (Temporal, Temporal) => before.data_type != "time",
        (from, to) => number(from) && number(to),
    }
}

/// Whether what does not fit may be cut off with a mere warning, which the server takes for an error all the same: texts, and
/// members that a list does not have. Between numbers and dates the same warning says that digits were rounded.
#[must_use]
pub fn may_cut_off(before: &Column, after: &Column) -> bool {
    [before, after].iter().any(|column| matches!(family(column), Family::Text | Family::Bytes | Family::Listed))
}

/// `value` in a column's character set, so that its bytes can be compared with the column's.
fn in_charset(value: &Sql, column: &Column) -> Sql {
    match &column.charset {
        Some(charset) => sql!("CONVERT({value} USING {charset})", value = value, charset = Sql::raw(charset.clone())),
        None => value.clone(),
    }
}

/// What kinds of types compare alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Exact,
    Float,
    Temporal,
    Text,
    Bytes,
    Listed,
    Bits,
    Json,
    Spatial,
    Other,
}

fn family(column: &Column) -> Family {
    match column.data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" => Family::Exact,
        "float" | "double" => Family::Float,
        "date" | "time" | "datetime" | "timestamp" => Family::Temporal,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Family::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Family::Bytes,
        "enum" | "set" => Family::Listed,
        "bit" => Family::Bits,
        "json" => Family::Json,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => Family::Spatial,
        _ => Family::Other,
    }
}

/// Two sets hold the same members, whatever their order.
fn same_members(before: &Column, a: &Sql, b: &Sql) -> Sql {
    let mut each = vec![sql!("({a} IS NULL) = ({b} IS NULL)", a = a, b = b)];
    for member in members(&before.column_type) {
        each.push(sql!(
            "COALESCE(FIND_IN_SET({m}, {a}) > 0, FALSE) = COALESCE(FIND_IN_SET({m}, {b}) > 0, FALSE)",
            m = Text(&member),
            a = a,
            b = b,
        ));
    }
    // No member besides: both have the same number of commas.
    each.push(sql!("BIT_COUNT({a} + 0) <=> BIT_COUNT({b} + 0)", a = a, b = b));
    Sql::join(&each, " AND ")
}

/// The members of `enum('a','it''s')`.
pub(super) fn members(column_type: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    let mut chars = column_type.chars().peekable();
    while let Some(char) = chars.next() {
        match (&mut open, char) {
            (Some(member), '\'') if chars.peek() == Some(&'\'') => {
                chars.next();
                member.push('\'');
            }
            (Some(_), '\'') => found.extend(open.take()),
            (Some(member), other) => member.push(other),
            (None, '\'') => open = Some(String::new()),
            (None, _) => {}
        }
    }
    found
}

/// A type's word with the size that the column has.
pub(super) fn sized(word: &str, column: &Column) -> Sql {
    let bracket = column.column_type.find('(').map(|at| &column.column_type[at..]);
    let size = bracket.and_then(|text| text.split(')').next()).map(|text| format!("{text})")).unwrap_or_default();
    Sql::raw(format!("{word}{size}"))
}

/// The type for `CAST`, which knows fewer types than columns have. Rounding is that of an assignment.
pub(super) fn cast(column: &Column) -> Option<Sql> {
    let unsigned = column.column_type.contains("unsigned");
    match column.data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" if unsigned => Some(Sql::raw("UNSIGNED")),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Some(Sql::raw("SIGNED")),
        "decimal" => Some(sized("DECIMAL", column)),
        "datetime" | "timestamp" => Some(sized("DATETIME", column)),
        "time" => Some(sized("TIME", column)),
        "date" => Some(Sql::raw("DATE")),
        "float" if !column.column_type.contains('(') => Some(Sql::raw("FLOAT")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_with_their_quotes() {
        assert_eq!(members("set('a','it''s','')"), ["a", "it's", ""]);
    }
}
