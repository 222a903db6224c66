//! Indexes of all kinds.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

const GIVEN: &str = "CREATE TABLE t (
    id int AUTO_INCREMENT PRIMARY KEY, c int NOT NULL, d varchar(80), u int, p point NOT NULL,
    KEY old (d(10)), UNIQUE KEY old_unique (u, id))";

fn case(name: &str, ddl: &str) -> MyCase {
    let app = App::new("t")
        .auto_increment("id")
        .writes("c", "{v}")
        .writes("d", "CONCAT('word ', {v}, ' and ', {v} % 11)")
        .writes("p", "POINT({v}, {v} % 90)")
        .unique("u", "{v}");
    MyCase::new(name, app, ddl).given(GIVEN)
}

async fn add(flavor: Flavor) {
    case("add_index", "ALTER TABLE t ADD KEY c (c)").run(flavor).await;
}

async fn create(flavor: Flavor) {
    case("create_index", "CREATE INDEX c_d ON t (c DESC, d(7)) COMMENT 'both'").run(flavor).await;
}

async fn unique(flavor: Flavor) {
    case("unique_index", "ALTER TABLE t ADD UNIQUE KEY one_each (u)").run(flavor).await;
}

async fn composite(flavor: Flavor) {
    case("composite_index", "ALTER TABLE t ADD KEY d_c_u (d, c, u)").run(flavor).await;
}

async fn fulltext(flavor: Flavor) {
    case("fulltext_index", "ALTER TABLE t ADD FULLTEXT KEY words (d)").run(flavor).await;
}

async fn spatial(flavor: Flavor) {
    case("spatial_index", "ALTER TABLE t ADD SPATIAL KEY place (p)").run(flavor).await;
}

async fn without_a_name(flavor: Flavor) {
    case("unnamed_index", "ALTER TABLE t ADD KEY (d), ADD UNIQUE (u)").run(flavor).await;
}

async fn drop(flavor: Flavor) {
    case("drop_index", "DROP INDEX old ON t").run(flavor).await;
}

async fn rename(flavor: Flavor) {
    case("rename_index", "ALTER TABLE t RENAME KEY old TO young").run(flavor).await;
}

async fn replace(flavor: Flavor) {
    case("replace_index", "ALTER TABLE t DROP KEY old, ADD KEY old (d(20), c)").run(flavor).await;
}

async fn visibility(flavor: Flavor) {
    let (word, back) = match flavor {
        Flavor::MySql => ("INVISIBLE", "VISIBLE"),
        Flavor::MariaDb => ("IGNORED", "NOT IGNORED"),
    };
    case("index_hidden", &format!("ALTER TABLE t ALTER INDEX old {word}")).run(flavor).await;
    // A copy has what it had.
    case("index_shown", &format!("ALTER TABLE t ALTER INDEX old {back}, MODIFY c bigint NOT NULL"))
        .given(&GIVEN.replace("KEY old (d(10))", &format!("KEY old (d(10)) {word}, KEY other (c) {word}")))
        .run(flavor)
        .await;
}

async fn of_an_expression(flavor: Flavor) {
    let add = case("functional_index", "ALTER TABLE t ADD KEY half ((c DIV 2), d)");
    if flavor == Flavor::MariaDb {
        add.rows(100).refused(&["the server refuses the statement"]).run(flavor).await;
        return;
    }
    add.run(flavor).await;
    case("functional_copied", "ALTER TABLE t MODIFY d varchar(400), DROP KEY old")
        .given(&GIVEN.replace("KEY old (", "KEY half ((c DIV 2), d), UNIQUE KEY whole ((u + 0), id), KEY old ("))
        .run(flavor)
        .await;
}

async fn another_fulltext(flavor: Flavor) {
    case("second_fulltext", "ALTER TABLE t ADD FULLTEXT KEY more (e)")
        .given(&GIVEN.replace("u int", "e text, u int, FULLTEXT KEY words (d)"))
        .run(flavor)
        .await;
}

async fn spatial_column(flavor: Flavor) {
    case("spatial_column", "ALTER TABLE t MODIFY p geometry NOT NULL FIRST").run(flavor).await;
}

mysql_matrix!(
    add,
    create,
    unique,
    composite,
    fulltext,
    another_fulltext,
    spatial,
    spatial_column,
    of_an_expression,
    without_a_name,
    drop,
    rename,
    replace,
    visibility,
);
