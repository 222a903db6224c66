//! Is everything as it should be? Read from the server without the engine's help.

use super::DDL;
use super::database::Database;
use crate::command::demo::checks::{Check, Keys};

/// Objects of ours that would be left in the user's tables, and tables of ours that are not the ledger's.
const LEFTOVERS: &str = "
SELECT CONCAT_WS(' ', TABLE_TYPE, TABLE_SCHEMA, TABLE_NAME) FROM information_schema.TABLES
WHERE TABLE_SCHEMA <> 'shoofly' AND TABLE_NAME LIKE '%shoofly%'
   OR TABLE_SCHEMA = 'shoofly'
      AND TABLE_NAME NOT IN ('run', 'run_table', 'step', 'lane', 'deferred', 'event')
UNION ALL SELECT CONCAT('column ', TABLE_NAME, '.', COLUMN_NAME) FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME LIKE '%shoofly%'
UNION ALL SELECT CONCAT('trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS
WHERE TRIGGER_SCHEMA = DATABASE() AND (TRIGGER_NAME LIKE '%shoofly%' OR ACTION_STATEMENT LIKE '%shoofly%')
UNION ALL SELECT CONCAT('constraint ', CONSTRAINT_NAME) FROM information_schema.TABLE_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = DATABASE() AND CONSTRAINT_NAME LIKE '%shoofly%'
UNION ALL SELECT CONCAT('index ', INDEX_NAME) FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME LIKE '%shoofly%'
UNION ALL SELECT CONCAT_WS(' ', ROUTINE_TYPE, ROUTINE_NAME) FROM information_schema.ROUTINES
WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_NAME LIKE '%shoofly%'";

/// What `SHOW CREATE TABLE` does not say.
const BESIDE: &str = "
SELECT CONCAT_WS(' ', 'table', TABLE_NAME, TABLE_TYPE, ENGINE, ROW_FORMAT, TABLE_COLLATION, CREATE_OPTIONS)
FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
UNION ALL SELECT CONCAT_WS(' ', 'trigger', TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, EVENT_OBJECT_TABLE, ACTION_STATEMENT)
FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()
UNION ALL SELECT CONCAT_WS(' ', 'foreign key', CONSTRAINT_NAME, TABLE_NAME, REFERENCED_TABLE_NAME, UPDATE_RULE, DELETE_RULE)
FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()";

/// Everything.
pub(super) async fn all(app: &mut Database, idle: &mut Database, accounts: u64) -> anyhow::Result<Vec<Check>> {
    Ok(vec![
        books(app).await?,
        keys(app, accounts).await?,
        history(app).await?,
        counter(app, accounts).await?,
        catalogue(app, idle).await?,
        Check::nothing_left(app.lines(LEFTOVERS).await?),
    ])
}

async fn books(app: &mut Database) -> anyhow::Result<Check> {
    let sums: [Option<i64>; 4] = app
        .numbers(
            "SELECT (SELECT SUM(abalance) FROM accounts), (SELECT SUM(delta) FROM history),
                    (SELECT SUM(tbalance) FROM tellers), (SELECT SUM(bbalance) FROM branches)",
        )
        .await?;
    Ok(Check::books(&sums))
}

async fn keys(app: &mut Database, accounts: u64) -> anyhow::Result<Check> {
    let [rows, distinct, least, most] =
        app.numbers("SELECT COUNT(*), COUNT(DISTINCT aid), MIN(aid), MAX(aid) FROM accounts").await?;
    let [data_type] = app
        .row(
            "SELECT DATA_TYPE FROM information_schema.COLUMNS
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'accounts' AND COLUMN_NAME = 'aid'",
        )
        .await?;
    let (rows, distinct) = (rows.unwrap_or(0), distinct.unwrap_or(0));
    Check::keys(&Keys { rows, distinct, least, most, data_type: data_type.unwrap_or_default() }, accounts)
}

/// Each account's balance is the sum of its entries.
async fn history(app: &mut Database) -> anyhow::Result<Check> {
    let wrong = app
        .lines(
            "SELECT CONCAT('account ', b.aid, ': entries of ', b.delta, ', balance ', COALESCE(a.abalance, 'none'))
             FROM (SELECT aid, SUM(delta) AS delta FROM history GROUP BY aid) AS b
             LEFT JOIN accounts AS a ON a.aid = b.aid WHERE NOT (a.abalance <=> b.delta) ORDER BY b.aid LIMIT 10",
        )
        .await?;
    Ok(Check::new("the balance of every account is the sum of its entries in history", wrong))
}

/// A new account gets the next number.
async fn counter(app: &mut Database, accounts: u64) -> anyhow::Result<Check> {
    app.run("START TRANSACTION").await?;
    app.run("INSERT INTO accounts (bid, filler) VALUES (1, '')").await?;
    let [given] = app.numbers("SELECT LAST_INSERT_ID()").await?;
    app.run("ROLLBACK").await?;
    let against = (given != Some(i64::try_from(accounts)? + 1)).then(|| format!("it gets {given:?}"));
    Ok(Check::unless("a new account gets the next number", against))
}

/// The plain statement, given in an idle copy, must leave the same catalogue.
async fn catalogue(app: &mut Database, idle: &mut Database) -> anyhow::Result<Check> {
    idle.run(DDL).await?;
    let (found, wanted) = (lines(app).await?, lines(idle).await?);
    let claim = "the catalogue is what the plain statement makes of an idle copy, the order of columns included";
    Ok(Check::catalogue(claim, &found, &wanted))
}

async fn lines(database: &mut Database) -> anyhow::Result<Vec<String>> {
    let mut lines = database.lines(BESIDE).await?;
    for table in database.lines("SHOW TABLES").await? {
        let [_, created] = database.row(&format!("SHOW CREATE TABLE `{table}`")).await?;
        let created = created.unwrap_or_default();
        // The place of a line is the place of a column.
        lines.extend(
            created.lines().enumerate().map(|(at, line)| format!("{table} {at:02}: {}", without_counter(line))),
        );
    }
    Ok(lines)
}

/// A line of `SHOW CREATE TABLE` without the counter, which is larger where there are more rows.
fn without_counter(line: &str) -> String {
    let options = line.strip_prefix(") ").unwrap_or_default();
    let counter = options.split(' ').find(|option| option.starts_with("AUTO_INCREMENT="));
    counter.map_or_else(|| line.to_owned(), |counter| line.replacen(&format!(" {counter}"), "", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_counter_is_left_out() {
        let line = ") ENGINE=InnoDB AUTO_INCREMENT=100001 DEFAULT CHARSET=utf8mb4";
        assert_eq!(without_counter(line), ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4");
        assert_eq!(without_counter("  `c` int COMMENT 'AUTO_INCREMENT=1'"), "  `c` int COMMENT 'AUTO_INCREMENT=1'");
    }
}
