//! Character sets and collations.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

fn convert(name: &str, from: &str, ddl: &str, value: &str) -> MyCase {
    let app = App::new("t").auto_increment("id").writes("c", value).writes("n", "{v}");
    MyCase::new(name, app, ddl).given(&format!(
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c varchar(40) NOT NULL, n int, x text, KEY c (c)) {from}"
    ))
}

async fn latin1_to_utf8mb4(flavor: Flavor) {
    convert(
        "latin1",
        "CHARACTER SET latin1",
        "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
        "CONCAT('héllo € ', {v})",
    )
    .run(flavor)
    .await;
}

async fn utf8mb3_to_utf8mb4(flavor: Flavor) {
    convert(
        "utf8mb3",
        "CHARACTER SET utf8mb3",
        "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        "CONCAT('日本 ', {v})",
    )
    .run(flavor)
    .await;
}

async fn one_column(flavor: Flavor) {
    convert(
        "one_column",
        "CHARACTER SET latin1",
        "ALTER TABLE t MODIFY c varchar(40) CHARACTER SET utf8mb4 NOT NULL",
        "CONCAT('ß', {v})",
    )
    .run(flavor)
    .await;
}

async fn collation_of_a_column(flavor: Flavor) {
    convert(
        "collation",
        "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "ALTER TABLE t MODIFY c varchar(40) COLLATE utf8mb4_bin NOT NULL",
        "CONCAT(IF({v} % 2, 'a', 'A'), {v})",
    )
    .run(flavor)
    .await;
}

async fn of_the_table_alone(flavor: Flavor) {
    convert("default_only", "CHARACTER SET latin1", "ALTER TABLE t DEFAULT CHARACTER SET utf8mb4", "CONCAT('c', {v})")
        .run(flavor)
        .await;
}

async fn collation_of_a_column_of_no_index(flavor: Flavor) {
    convert(
        "collation_unindexed",
        "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "ALTER TABLE t MODIFY c varchar(40) COLLATE utf8mb4_bin NOT NULL",
        "CONCAT(IF({v} % 2, 'a', 'A'), {v})",
    )
    .given(
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c varchar(40) NOT NULL, n int)
         CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    )
    .run(flavor)
    .await;
}

mysql_matrix!(
    latin1_to_utf8mb4,
    utf8mb3_to_utf8mb4,
    one_column,
    collation_of_a_column,
    collation_of_a_column_of_no_index,
    of_the_table_alone,
);
