//! Several changes of one table at once.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

fn app() -> App {
    App::new("t").auto_increment("id").writes("d", "CONCAT('d', {v})").unique("u", "{v}")
}

fn case(name: &str, ddl: &str) -> MyCase {
    MyCase::new(name, app(), ddl).given(
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int DEFAULT 1, d varchar(40), u int, old int,
         UNIQUE KEY u (u), KEY old (old))",
    )
}

async fn clauses_of_all_kinds(flavor: Flavor) {
    case(
        "clauses",
        "ALTER TABLE t ADD COLUMN n int NOT NULL DEFAULT 4 FIRST, MODIFY u bigint, DROP COLUMN old, RENAME KEY u TO one_each,
         ALTER COLUMN c SET DEFAULT 2, ADD KEY n_d (n, d), COMMENT 'new'",
    )
    // Whoever relies on the default gets the new one from then on.
    .app_across(app().writes("c", "{v}"))
    .run(flavor)
    .await;
}

async fn statements(flavor: Flavor) {
    case(
        "statements",
        "ALTER TABLE t ADD COLUMN n int;\nALTER TABLE t MODIFY d varchar(400);\nCREATE INDEX n ON t (n);\nALTER TABLE t DROP COLUMN old;\n",
    )
    .run(flavor)
    .await;
}

async fn wider_and_unique(flavor: Flavor) {
    case("wider_and_unique", "ALTER TABLE t MODIFY u bigint NOT NULL, DROP KEY u, ADD UNIQUE KEY again (u, d)")
        .run(flavor)
        .await;
}

mysql_matrix!(clauses_of_all_kinds, statements, wider_and_unique);
