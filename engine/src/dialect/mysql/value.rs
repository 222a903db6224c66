//! A value as a column would keep it, so that it can be compared with what the column holds.

use super::compare;
use crate::schema::mysql::Column;
use crate::sql;
use crate::text::Sql;

/// `value` converted as an assignment to the column converts it; `None` for a type that has no such expression (spatial values,
/// floating point numbers with a fixed number of digits).
#[must_use]
pub fn stored(column: &Column, value: &Sql) -> Option<Sql> {
    match column.data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "date" | "datetime" | "timestamp"
        | "time" | "float" => compare::cast(column).map(|as_type| sql!("CAST({v} AS {t})", v = value, t = as_type)),
        "double" if !column.column_type.contains('(') => Some(sql!("({v}) + 0E0", v = value)),
        "char" => in_charset(column, value).map(|text| sql!("TRIM(TRAILING ' ' FROM {text})", text = text)),
        "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => in_charset(column, value),
        "enum" | "set" => {
            let collation = Sql::raw(column.collation.clone()?);
            in_charset(column, value).map(|text| sql!("{text} COLLATE {c}", text = text, c = collation))
        }
        "binary" => {
            let size = column.column_type.find('(').map_or("", |at| &column.column_type[at..]);
            Some(sql!("CAST({v} AS BINARY{size})", v = value, size = Sql::raw(size)))
        }
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Some(sql!("CAST({v} AS BINARY)", v = value)),
        "bit" => Some(sql!("({v}) + 0", v = value)),
        "json" => Some(sql!("CAST({v} AS JSON)", v = value)),
        "year" | "uuid" | "inet4" | "inet6" => Some(sql!("({v})", v = value)),
        _ => None,
    }
}

fn in_charset(column: &Column, value: &Sql) -> Option<Sql> {
    let charset = Sql::raw(column.charset.clone()?);
    Some(sql!("CONVERT({v} USING {charset})", v = value, charset = charset))
}

/// Whether `held`, a value of the column, is another one than what `stored` gave: by bytes where the type has any, so that a
/// collation hides nothing. Never NULL.
#[must_use]
pub fn differs(column: &Column, held: &Sql, stored: &Sql) -> Sql {
    match column.data_type.as_str() {
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "binary" | "varbinary" | "tinyblob"
        | "blob" | "mediumblob" | "longblob" => {
            sql!("NOT (CAST({h} AS BINARY) <=> CAST({s} AS BINARY))", h = held, s = stored)
        }
        "bit" => sql!("NOT ({h} + 0 <=> {s})", h = held, s = stored),
        _ => sql!("NOT ({h} <=> {s})", h = held, s = stored),
    }
}

/// Whether `value` is more than the column can hold; `None` for types of which reading does not tell.
#[must_use]
pub fn too_large(column: &Column, value: &Sql) -> Option<Sql> {
    let unsigned = column.column_type.contains("unsigned");
    let bits = match column.data_type.as_str() {
        "char" | "varchar" => {
            let size = column.column_type.split(['(', ')']).nth(1)?.parse::<u32>().ok()?;
            let text = stored(column, value)?;
            return Some(sql!("CHAR_LENGTH({text}) > {size}", text = text, size = size));
        }
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        _ => return None,
    };
    let (least, most) =
        if unsigned { (0, (1_i64 << bits) - 1) } else { (-(1_i64 << (bits - 1)), (1_i64 << (bits - 1)) - 1) };
    Some(sql!("ROUND({v}) NOT BETWEEN {least} AND {most}", v = value, least = least, most = most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(data_type: &str, column_type: &str) -> Column {
        let text = column_type.starts_with("varchar").then(|| "latin1".to_owned());
        Column {
            name: "c".parse().unwrap(),
            column_type: column_type.to_owned(),
            data_type: data_type.to_owned(),
            nullable: true,
            default: None,
            charset: text.clone(),
            collation: text.map(|text| format!("{text}_bin")),
            auto_increment: false,
            generated: None,
            extra: String::new(),
            comment: String::new(),
        }
    }

    #[test]
    fn values_are_converted_as_assignments_do() {
        let value = Sql::raw("`a` / 3");
        let made = |data_type, column_type| {
            stored(&column(data_type, column_type), &value).map(|made| made.as_str().to_owned())
        };
        assert_eq!(made("decimal", "decimal(12,2) unsigned").unwrap(), "CAST(`a` / 3 AS DECIMAL(12,2))");
        assert_eq!(made("bigint", "bigint(20) unsigned").unwrap(), "CAST(`a` / 3 AS UNSIGNED)");
        assert_eq!(made("varchar", "varchar(20)").unwrap(), "CONVERT(`a` / 3 USING latin1)");
        assert_eq!(made("geometry", "geometry"), None);
        assert_eq!(made("float", "float(5,2)"), None);
    }

    #[test]
    fn bounds_are_those_of_the_type() {
        let value = Sql::raw("`a`");
        let made =
            |data_type, column_type| too_large(&column(data_type, column_type), &value).unwrap().as_str().to_owned();
        assert_eq!(made("tinyint", "tinyint(4)"), "ROUND(`a`) NOT BETWEEN -128 AND 127");
        assert_eq!(made("int", "int(10) unsigned"), "ROUND(`a`) NOT BETWEEN 0 AND 4294967295");
        assert_eq!(made("varchar", "varchar(20)"), "CHAR_LENGTH(CONVERT(`a` USING latin1)) > 20");
    }
}
