//! What hangs on a table: foreign keys, triggers, views, grants, generated columns, checks.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

const PARENTS: &str = "CREATE TABLE parents (id int PRIMARY KEY, name varchar(20));
    INSERT INTO parents VALUES (0, 'a'), (1, 'b'), (2, 'c');";

fn app() -> App {
    App::new("t").auto_increment("id").writes("c", "{v}").writes("d", "CONCAT('d', {v})")
}

fn widen(name: &str, app: App, given: &str) -> MyCase {
    MyCase::new(name, app, "ALTER TABLE t MODIFY c bigint").given(given)
}

async fn foreign_key_to_a_parent(flavor: Flavor) {
    widen(
        "child",
        app().writes("p", "NULLIF({v} % 4, 3)"),
        &format!(
            "{PARENTS} CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p int,
             FOREIGN KEY (p) REFERENCES parents (id), CONSTRAINT named FOREIGN KEY (p) REFERENCES parents (id))"
        ),
    )
    .run(flavor)
    .await;
}

async fn foreign_key_from_a_child(flavor: Flavor) {
    widen(
        "parent",
        app().keeps_keys().keeps_rows(),
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40));
         CREATE TABLE order_lines (id int PRIMARY KEY, t_id int, CONSTRAINT line_of FOREIGN KEY (t_id) REFERENCES t (id))",
    )
    .given_loaded("INSERT INTO order_lines SELECT id, id FROM t")
    .run(flavor)
    .await;
}

async fn child_that_a_cascade_changes(flavor: Flavor) {
    widen(
        "cascade",
        app().writes("p", "{v} % 3"),
        &format!(
            "{PARENTS} CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p int,
             CONSTRAINT goes_with FOREIGN KEY (p) REFERENCES parents (id) ON DELETE CASCADE)"
        ),
    )
    .refused(&["goes_with", "cascade"])
    .run(flavor)
    .await;
}

async fn trigger_of_the_user(flavor: Flavor) {
    widen(
        "user_trigger",
        app(),
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), changes int NOT NULL DEFAULT 0);
         CREATE TRIGGER counts BEFORE UPDATE ON t FOR EACH ROW SET NEW.changes = OLD.changes + 1",
    )
    .run(flavor)
    .await;
}

async fn triggers_that_log(flavor: Flavor) {
    widen(
        "log_triggers",
        app(),
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40));
         CREATE TABLE log (t_id int, what varchar(60));
         CREATE TRIGGER t_insert AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id, CONCAT('new ', NEW.c));
         CREATE TRIGGER t_update AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (OLD.id, CONCAT('now ', NEW.id, NEW.d));
         CREATE TRIGGER t_delete AFTER DELETE ON t FOR EACH ROW INSERT INTO log VALUES (OLD.id, 'gone')",
    )
    .run(flavor)
    .await;
}

/// It means something else where `||` and `\"` mean something else.
async fn trigger_of_another_sql_mode(flavor: Flavor) {
    widen(
        "sql_mode_trigger",
        app(),
        "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO,ANSI_QUOTES,PIPES_AS_CONCAT';
         CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), \"both\" varchar(90));
         CREATE TRIGGER joins BEFORE INSERT ON t FOR EACH ROW SET NEW.\"both\" = NEW.c || ':' || NEW.d;
         SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO'",
    )
    .run(flavor)
    .await;
}

/// Whoever deletes a row locks the gap of `works_for` where those below it would be. Rows 1247 to 1250 stay, and keep such gaps
/// away from where others insert: without them the application would meet deadlocks of its own making.
async fn foreign_key_to_itself(flavor: Flavor) {
    widen(
        "self_reference",
        app().writes("boss", "IF({v} % 2, 1249, NULL)").keeps_keys(),
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), boss int,
             CONSTRAINT works_for FOREIGN KEY (boss) REFERENCES t (id) ON DELETE RESTRICT)",
    )
    .given_loaded("UPDATE t SET boss = id WHERE id IN (1248, 1250)")
    .run(flavor)
    .await;
}

async fn view_on_it(flavor: Flavor) {
    widen(
        "view",
        app(),
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40));
         CREATE SQL SECURITY INVOKER VIEW seen AS SELECT id, c + 1 AS more FROM t WHERE d <> ''",
    )
    .run(flavor)
    .await;
}

async fn grants_on_it(flavor: Flavor) {
    widen(
        "grants",
        app(),
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40));
         GRANT SELECT, UPDATE (c) ON t TO 'reader'@'%' WITH GRANT OPTION",
    )
    .run(flavor)
    .await;
}

async fn generated_columns_and_checks_over_it(flavor: Flavor) {
    let case = widen(
        "generated",
        app(),
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int CHECK (c >= 0), d varchar(40),
             twice bigint GENERATED ALWAYS AS (c * 2) STORED, half bigint GENERATED ALWAYS AS (c DIV 2) VIRTUAL,
             CONSTRAINT not_all CHECK (c <> 0 OR d <> ''), KEY half (half))",
    );
    // MySQL gives no constraint another name without copying the table.
    if flavor == Flavor::MySql {
        case.clone().refused(&["not_all", "--accept check-names"]).run(flavor).await;
        case.options(&["--accept", "check-names"])
            .renamed(&[("t_chk_1", "t_chk_2"), ("not_all", "t_chk_1")])
            .run(flavor)
            .await;
    } else {
        case.run(flavor).await;
    }
}

async fn foreign_key_that_goes(flavor: Flavor) {
    let case = |name: &str, ddl: &str| {
        let given = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p int,
            CONSTRAINT named FOREIGN KEY (p) REFERENCES parents (id) ON DELETE CASCADE)";
        MyCase::new(name, app().writes("p", "NULLIF({v} % 4, 3)"), ddl).given(&format!("{PARENTS} {given}"))
    };
    case("drop_key", "ALTER TABLE t DROP FOREIGN KEY named").run(flavor).await;
    // Whose changes its triggers would not have seen.
    case("drop_key_and_copy", "ALTER TABLE t DROP FOREIGN KEY named, MODIFY c bigint")
        .refused(&["named", "when", "parents changes"])
        .run(flavor)
        .await;
    let constraint = case("drop_constraint", "ALTER TABLE t DROP CONSTRAINT named");
    match flavor {
        Flavor::MySql => constraint,
        Flavor::MariaDb => constraint.refused(&["named", "write DROP FOREIGN KEY"]),
    }
    .run(flavor)
    .await;
}

mysql_matrix!(
    foreign_key_to_a_parent,
    foreign_key_from_a_child,
    child_that_a_cascade_changes,
    foreign_key_to_itself,
    foreign_key_that_goes,
    trigger_of_the_user,
    triggers_that_log,
    trigger_of_another_sql_mode,
    view_on_it,
    grants_on_it,
    generated_columns_and_checks_over_it,
);
