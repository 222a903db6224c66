//! The catalogue as comparable text, read without the engine's help.

use super::{Flavor, MyDatabase};

/// Traces of a run that may never be found outside one.
const LEFTOVERS: &str = "
SELECT CONCAT('table ', TABLE_NAME) FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%shoofly%'
UNION ALL
SELECT CONCAT('column ', TABLE_NAME, '.', COLUMN_NAME) FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME LIKE '%shoofly%'
UNION ALL
SELECT CONCAT('trigger ', TRIGGER_NAME, ' on ', EVENT_OBJECT_TABLE) FROM information_schema.TRIGGERS
WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME LIKE '%shoofly%'
UNION ALL
SELECT CONCAT('constraint ', CONSTRAINT_NAME, ' on ', TABLE_NAME) FROM information_schema.TABLE_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = DATABASE() AND CONSTRAINT_NAME LIKE '%shoofly%'
UNION ALL
SELECT CONCAT('index ', INDEX_NAME, ' on ', TABLE_NAME) FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME LIKE '%shoofly%'
UNION ALL
SELECT CONCAT('routine ', ROUTINE_NAME) FROM information_schema.ROUTINES
WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_NAME LIKE '%shoofly%'
UNION ALL
SELECT CONCAT('event ', EVENT_NAME) FROM information_schema.EVENTS
WHERE EVENT_SCHEMA = DATABASE() AND EVENT_NAME LIKE '%shoofly%'";

/// What `SHOW CREATE TABLE` leaves out of a table.
const TABLES: &str =
    "SELECT CONCAT_WS(' ', 'table', TABLE_NAME, TABLE_TYPE, IFNULL(ENGINE, ''), IFNULL(ROW_FORMAT, ''),
    IFNULL(TABLE_COLLATION, ''), CREATE_OPTIONS, TABLE_COMMENT)
    FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()";

const TRIGGERS: &str = "SELECT CONCAT_WS(' ', 'trigger', TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION,
    EVENT_OBJECT_TABLE, ACTION_ORDER, DEFINER, SQL_MODE, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION,
    ACTION_STATEMENT) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()";

/// Keys that point out of the database's tables, and those that point to them from anywhere.
const FOREIGN_KEYS: &str = "SELECT CONCAT_WS(' ', 'foreign key', k.CONSTRAINT_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME,
    k.ORDINAL_POSITION, k.COLUMN_NAME, 'to', k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME,
    r.UPDATE_RULE, r.DELETE_RULE)
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
    ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
    WHERE k.REFERENCED_TABLE_NAME IS NOT NULL
    AND (k.CONSTRAINT_SCHEMA = DATABASE() OR k.REFERENCED_TABLE_SCHEMA = DATABASE())";

const GRANTS: &str = "SELECT CONCAT_WS(' ', 'grant', PRIVILEGE_TYPE, 'on', TABLE_NAME, 'to', GRANTEE, IS_GRANTABLE)
    FROM information_schema.TABLE_PRIVILEGES WHERE TABLE_SCHEMA = DATABASE()
    UNION ALL
    SELECT CONCAT_WS(' ', 'grant', PRIVILEGE_TYPE, 'on', TABLE_NAME, COLUMN_NAME, 'to', GRANTEE, IS_GRANTABLE)
    FROM information_schema.COLUMN_PRIVILEGES WHERE TABLE_SCHEMA = DATABASE()";

/// Every line of the user's catalogue, sorted; the database's own name is left out. Counters are not in it: they are
/// compared as numbers ([`next_value`]).
pub async fn lines(db: &MyDatabase) -> Vec<String> {
    let mut lines = Vec::new();
    for query in [TABLES, TRIGGERS, FOREIGN_KEYS, GRANTS] {
        lines.extend(db.rows(query).await.into_iter().flatten());
    }
    for table in db.tables().await {
        let created = db.rows(&format!("SHOW CREATE TABLE `{table}`")).await;
        // The place of a line is the place of a column.
        for (at, line) in without_counter(&created[0][1]).lines().enumerate() {
            lines.push(format!("table {table} {at:02}: {}", line.trim_end_matches(',')));
        }
    }
    let views = "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()";
    for view in db.rows(views).await.into_iter().flatten() {
        let created = db.rows(&format!("SHOW CREATE VIEW `{view}`")).await;
        lines.push(format!("view {}", created[0].join(" ")));
    }
    let mut lines: Vec<String> = lines.into_iter().map(|line| line.replace(db.name(), "{database}")).collect();
    lines.sort();
    lines
}

/// What a run has left behind and should not have.
pub async fn leftovers(db: &MyDatabase) -> Vec<String> {
    db.rows(LEFTOVERS).await.into_iter().flatten().collect()
}

/// The number that the server would give to the next row of `table`; 0 where it gives none.
///
/// # Panics
/// Where the server does not say.
pub async fn next_value(db: &MyDatabase, table: &str) -> u64 {
    if db.my().flavor() == Flavor::MySql {
        // Otherwise it answers with what it knew a day ago.
        db.run("SET SESSION information_schema_stats_expiry = 0").await;
    }
    let sql = format!(
        "SELECT IFNULL(AUTO_INCREMENT, 0) FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{table}'"
    );
    db.text(&sql).await.parse().unwrap()
}

/// `SHOW CREATE TABLE` without the counter among the table's options.
fn without_counter(created: &str) -> String {
    let clean = |line: &str| {
        let option = line.strip_prefix(") ").and_then(|options| options.find("AUTO_INCREMENT="));
        let Some(at) = option.map(|at| at + 2) else { return line.to_owned() };
        let rest = line[at..].split_once(' ').map_or("", |(_, rest)| rest);
        format!("{}{rest}", &line[..at])
    };
    created.lines().map(clean).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_only_the_counter_out() {
        let created = "CREATE TABLE `t` (\n  `a` int COMMENT 'AUTO_INCREMENT=1 x'\n) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4";
        let clean =
            "CREATE TABLE `t` (\n  `a` int COMMENT 'AUTO_INCREMENT=1 x'\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
        assert_eq!(without_counter(created), clean);
        assert_eq!(without_counter(clean), clean);
    }
}
