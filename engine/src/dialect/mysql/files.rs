//! The files of tables, as the server's own counters name them.

use super::literal::Text;
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::text::Sql;

/// The files of the tables and of their partitions, by name. Tables with letters in their names for which the server has codes of
/// its own are left out: nothing is known of them.
///
/// Lock: none.
#[must_use]
pub fn of(tables: &[TablePath]) -> Option<Sql> {
    let stems: Vec<Sql> = tables.iter().filter_map(stem).map(|stem| sql!("{stem}", stem = Text(&stem))).collect();
    if stems.is_empty() {
        return None;
    }
    Some(sql!(
        "SELECT FILE_NAME FROM performance_schema.file_summary_by_instance \
         WHERE SUBSTRING_INDEX(SUBSTRING_INDEX(SUBSTRING_INDEX(FILE_NAME, '/', -2), '.ibd', 1), '#', 1) IN ({stems})",
        stems = Sql::join(&stems, ", "),
    ))
}

/// The threads that are the server's page cleaner.
///
/// Lock: none.
pub const CLEANERS: &str =
    "SELECT THREAD_ID FROM performance_schema.threads WHERE NAME LIKE 'thread/innodb/page_flush%'";

/// How many statements all sessions have sent so far.
///
/// Lock: none.
pub const STATEMENTS: &str =
    "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Questions'";

/// How often the files were written and brought to disk so far, and how often these threads wrote to any file: two numbers that
/// grow.
///
/// Lock: none.
#[must_use]
pub fn written(files: &[String], threads: &[String]) -> Sql {
    let list = |values: &[String]| {
        let values: Vec<Sql> = values.iter().map(|value| sql!("{value}", value = Text(value))).collect();
        // In an empty list there is nothing.
        if values.is_empty() { sql!("NULL") } else { Sql::join(&values, ", ") }
    };
    sql!(
        "SELECT (SELECT COALESCE(SUM(COUNT_WRITE + COUNT_MISC), 0) FROM performance_schema.file_summary_by_instance \
         WHERE FILE_NAME IN ({files})), \
         (SELECT COALESCE(SUM(COUNT_STAR), 0) FROM performance_schema.events_waits_summary_by_thread_by_event_name \
         WHERE THREAD_ID IN ({threads}) AND EVENT_NAME LIKE 'wait/io/file/innodb/%')",
        files = list(files),
        threads = list(threads),
    )
}

/// `database/table` as it is in names of files: whatever is no letter, digit or `_` has four digits of its code.
fn stem(table: &TablePath) -> Option<String> {
    Some(format!("{}/{}", encoded(table.database.as_str())?, encoded(table.name.as_str())?))
}

fn encoded(name: &str) -> Option<String> {
    let encode = |char: char| match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => Some(char.to_string()),
        char if char.is_ascii() => Some(format!("@{:04x}", u32::from(char))),
        _ => None,
    };
    name.chars().map(encode).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn path(database: &str, name: &str) -> TablePath {
        TablePath::new(database.parse().unwrap(), name.parse().unwrap())
    }

    #[test]
    fn names_of_files() {
        assert_eq!(stem(&path("shop", "order_2")).unwrap(), "shop/order_2");
        assert_eq!(stem(&path("my shop", "a-b$")).unwrap(), "my@0020shop/a@002db@0024");
        assert_eq!(stem(&path("shop", "größe")), None);
        assert!(of(&[path("shop", "größe")]).is_none());
    }
}
