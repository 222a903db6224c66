//! Columns that go, get another name, default or nullability.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

const GIVEN: &str = "CREATE TABLE t (
    id int AUTO_INCREMENT PRIMARY KEY, c int DEFAULT 5, d varchar(40) NOT NULL DEFAULT 'none', e int, KEY e_c (e, c))";

fn app() -> App {
    App::new("t").auto_increment("id").writes("c", "{v}").writes("d", "CONCAT('d', {v})").writes("e", "{v} % 9")
}

/// The application without column `c`.
fn without_c() -> App {
    App::new("t").auto_increment("id").writes("d", "CONCAT('d', {v})").writes("e", "{v} % 9")
}

fn case(name: &str, ddl: &str) -> MyCase {
    MyCase::new(name, app(), ddl).given(GIVEN)
}

async fn drop(flavor: Flavor) {
    case("drop_column", "ALTER TABLE t DROP COLUMN c").app_across(without_c()).run(flavor).await;
}

async fn rename(flavor: Flavor) {
    case("rename_column", "ALTER TABLE t RENAME COLUMN c TO n")
        .app_across(without_c())
        .app_after(without_c().writes("n", "{v}"))
        .run(flavor)
        .await;
}

async fn change_name_and_type(flavor: Flavor) {
    case("change_column", "ALTER TABLE t CHANGE c n bigint NOT NULL DEFAULT 5 AFTER e")
        .app_across(without_c())
        .app_after(without_c().writes("n", "{v} + 9000000000"))
        .run(flavor)
        .await;
}

async fn move_to_another_place(flavor: Flavor) {
    case("move_column", "ALTER TABLE t MODIFY e int FIRST").run(flavor).await;
}

async fn set_default(flavor: Flavor) {
    case("set_default", "ALTER TABLE t ALTER COLUMN c SET DEFAULT 8").run(flavor).await;
}

async fn drop_default(flavor: Flavor) {
    case("drop_default", "ALTER TABLE t ALTER COLUMN d DROP DEFAULT").run(flavor).await;
}

async fn null_to_not_null(flavor: Flavor) {
    case("not_null", "ALTER TABLE t MODIFY c int NOT NULL DEFAULT 5").run(flavor).await;
}

async fn not_null_to_null(flavor: Flavor) {
    case("null", "ALTER TABLE t MODIFY d varchar(40) NULL DEFAULT 'none'")
        .app_after(app().writes("d", "NULLIF('x', 'x')"))
        .run(flavor)
        .await;
}

async fn comment(flavor: Flavor) {
    case("column_comment", "ALTER TABLE t MODIFY c int DEFAULT 5 COMMENT 'it''s a count'").run(flavor).await;
}

async fn drop_of_no_index(flavor: Flavor) {
    case("drop_unindexed", "ALTER TABLE t DROP COLUMN f")
        .given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), e int, f int DEFAULT 6)")
        .run(flavor)
        .await;
}

async fn drop_generated(flavor: Flavor) {
    for (name, kind) in [("drop_virtual", "VIRTUAL"), ("drop_stored", "STORED")] {
        case(name, "ALTER TABLE t DROP COLUMN g")
            .given(&format!(
                "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), e int,
                 g bigint GENERATED ALWAYS AS (c * 2) {kind}, h bigint GENERATED ALWAYS AS (c * 3) {kind})"
            ))
            .run(flavor)
            .await;
    }
}

async fn drop_and_add(flavor: Flavor) {
    case("drop_and_add", "ALTER TABLE t DROP COLUMN c, ADD COLUMN n int DEFAULT 4 FIRST")
        .app_across(without_c())
        .app_after(without_c().writes("n", "{v}"))
        .run(flavor)
        .await;
}

/// It is another column, though it has the same name.
async fn drop_and_add_under_one_name(flavor: Flavor) {
    for (name, more) in [("same_name", ""), ("same_name_copied", ", MODIFY e bigint")] {
        case(name, &format!("ALTER TABLE t DROP COLUMN c, ADD COLUMN c varchar(20) DEFAULT 'new'{more}"))
            .app_across(without_c())
            .app_after(without_c().writes("c", "CONCAT('c', {v})"))
            .run(flavor)
            .await;
    }
}

async fn names_that_are_exchanged(flavor: Flavor) {
    let app = App::new("t").auto_increment("id").writes("d", "CONCAT('d', {v})");
    for (name, more) in [("swapped_names", ""), ("swapped_names_copied", ", MODIFY d varchar(400)")] {
        case(name, &format!("ALTER TABLE t RENAME COLUMN c TO e, RENAME COLUMN e TO c{more}"))
            .app_across(app.clone())
            .app_after(app.clone().writes("c", "{v}").writes("e", "{v} % 7"))
            .run(flavor)
            .await;
    }
}

async fn move_behind_another(flavor: Flavor) {
    case("move_behind", "ALTER TABLE t MODIFY c int DEFAULT 5 AFTER e").run(flavor).await;
}

async fn invisible(flavor: Flavor) {
    case("invisible", "ALTER TABLE t MODIFY c int DEFAULT 5 INVISIBLE").run(flavor).await;
    // What is not in `*` is copied all the same.
    case("visible", "ALTER TABLE t MODIFY c bigint DEFAULT 5")
        .given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int DEFAULT 5 INVISIBLE, d varchar(40), e int INVISIBLE)")
        .run(flavor)
        .await;
    if flavor == Flavor::MySql {
        case("set_invisible", "ALTER TABLE t ALTER COLUMN c SET INVISIBLE").run(flavor).await;
    }
}

mysql_matrix!(
    drop,
    rename,
    change_name_and_type,
    move_to_another_place,
    set_default,
    drop_default,
    null_to_not_null,
    not_null_to_null,
    comment,
    drop_of_no_index,
    drop_generated,
    drop_and_add,
    drop_and_add_under_one_name,
    names_that_are_exchanged,
    move_behind_another,
    invisible,
);
