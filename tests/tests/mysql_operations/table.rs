//! Options of tables, checks and partitions.

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
        Flavor::MySql => case.refused(&["small"]),
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

async fn partitioned(flavor: Flavor) {
    case("partition_hash", "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4").run(flavor).await;
    case(
        "partition_range",
        "ALTER TABLE t PARTITION BY RANGE (id)
         (PARTITION low VALUES LESS THAN (3000), PARTITION high VALUES LESS THAN MAXVALUE)",
    )
    .run(flavor)
    .await;
}

async fn partitions_that_go(flavor: Flavor) {
    case("unpartition", "ALTER TABLE t REMOVE PARTITIONING")
        .given("CREATE TABLE t (id int PRIMARY KEY, c int, d varchar(40)) PARTITION BY KEY (id) PARTITIONS 3")
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

async fn type_in_a_partitioned_table(flavor: Flavor) {
    case("partitioned_type", "ALTER TABLE t MODIFY c bigint")
        .given("CREATE TABLE t (id int PRIMARY KEY, c int, d varchar(40)) PARTITION BY HASH (id) PARTITIONS 3")
        .run(flavor)
        .await;
}

mysql_matrix!(
    rebuilt,
    row_format,
    comment,
    check,
    check_that_goes,
    partitioned,
    partitions_that_go,
    type_in_a_partitioned_table,
    names_of_all_kinds,
);
