//! Options of tables, and checks.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

fn case(name: &str, ddl: &str) -> MyCase {
    let app = App::new("t").key("id", "{n}").writes("c", "{v} % 1000").writes("d", "CONCAT('d', {v})");
    MyCase::new(name, app, ddl).given("CREATE TABLE t (id int PRIMARY KEY, c int, d varchar(40), KEY c (c))")
}

async fn rebuilt(flavor: Flavor) {
    case("rebuild_engine", "ALTER TABLE t ENGINE = InnoDB").run(flavor).await;
    case("rebuild_force", "ALTER TABLE t FORCE").run(flavor).await;
}

async fn row_format(flavor: Flavor) {
    case("row_format", "ALTER TABLE t ROW_FORMAT = COMPACT").run(flavor).await;
}

async fn comment(flavor: Flavor) {
    case("table_comment", "ALTER TABLE t COMMENT 'what it''s for, AUTO_INCREMENT=7'").run(flavor).await;
}

async fn check(flavor: Flavor) {
    let case = case("add_check", "ALTER TABLE t ADD CONSTRAINT small CHECK (c < 1000)");
    // MySQL copies the table for it, and gives no constraint another name afterwards.
    match flavor {
        Flavor::MySql => case.options(&["--accept", "check-names"]).renamed(&[("small", "t_chk_1")]),
        Flavor::MariaDb => case,
    }
    .run(flavor)
    .await;
}

async fn check_that_goes(flavor: Flavor) {
    case("drop_check", "ALTER TABLE t DROP CONSTRAINT small")
        .given("CREATE TABLE t (id int PRIMARY KEY, c int, d varchar(40), CONSTRAINT small CHECK (c < 1000))")
        .run(flavor)
        .await;
}

async fn names_of_all_kinds(flavor: Flavor) {
    for (name, table) in [("keyword", "order"), ("space", "Größe in m"), ("long", &"long".repeat(16))] {
        let app = App::new(table).key("primary", "{n}").writes("key", "{v} % 1000");
        MyCase::new(name, app, &format!("ALTER TABLE `{table}` MODIFY `key` bigint"))
            .given(&format!("CREATE TABLE `{table}` (`primary` int PRIMARY KEY, `key` int, KEY `index` (`key`))"))
            .run(flavor)
            .await;
    }
}

/// Indexes of their own page size, and rows that cannot get a column without being written anew.
async fn compressed(flavor: Flavor) {
    case("key_block_size", "ALTER TABLE t ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8").run(flavor).await;
    case("compressed", "ALTER TABLE t ADD COLUMN n int DEFAULT 3 AFTER c")
        .given("CREATE TABLE t (id int PRIMARY KEY, c int, d varchar(40)) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8")
        .run(flavor)
        .await;
}

async fn redundant(flavor: Flavor) {
    case("redundant", "ALTER TABLE t MODIFY c int NULL")
        .given("CREATE TABLE t (id int PRIMARY KEY, c int NOT NULL, d varchar(40)) ROW_FORMAT = REDUNDANT")
        .run(flavor)
        .await;
}

async fn statistics(flavor: Flavor) {
    case("statistics", "ALTER TABLE t STATS_PERSISTENT = 1 STATS_AUTO_RECALC = 0, STATS_SAMPLE_PAGES = 50")
        .run(flavor)
        .await;
}

/// A counter that is set, and goes on from there.
async fn counter(flavor: Flavor) {
    let counting = |name: &str, ddl: &str| {
        let app = App::new("t").auto_increment("id").writes("c", "{v} % 1000").writes("d", "CONCAT('d', {v})");
        MyCase::new(name, app, ddl)
            .given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40))")
            .check("SELECT MAX(id) > 9000000 FROM t")
    };
    counting("counter", "ALTER TABLE t AUTO_INCREMENT = 9000001").run(flavor).await;
    counting("counter_of_a_copy", "ALTER TABLE t MODIFY c bigint, AUTO_INCREMENT = 9000001").run(flavor).await;
}

async fn check_that_is_not_made(flavor: Flavor) {
    let case = case("check_not_enforced", "ALTER TABLE t ADD CONSTRAINT small CHECK (c < 10) NOT ENFORCED");
    match flavor {
        Flavor::MySql => case,
        Flavor::MariaDb => case.refused(&["the server refuses the statement", "ENFORCED"]),
    }
    .run(flavor)
    .await;
}

async fn what_is_no_change_of_a_table(flavor: Flavor) {
    for (name, ddl, texts) in [
        ("optimize", "OPTIMIZE TABLE t", ["OPTIMIZE is not supported", "FORCE"]),
        ("rename_table", "RENAME TABLE t TO u", ["RENAME TABLE is not supported", "another tool"]),
        ("rename_to", "ALTER TABLE t RENAME TO u", ["RENAME TO is not supported", "another tool"]),
        ("truncate_table", "TRUNCATE TABLE t", ["TRUNCATE is not supported", "another tool"]),
    ] {
        case(name, ddl).rows(100).not_supported(&texts).run(flavor).await;
    }
}

mysql_matrix!(
    rebuilt,
    row_format,
    comment,
    check,
    check_that_goes,
    check_that_is_not_made,
    compressed,
    redundant,
    statistics,
    counter,
    names_of_all_kinds,
    what_is_no_change_of_a_table,
);
