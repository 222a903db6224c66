//! A column beside the one that changes, where the migration asks for it.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

/// The column that is filled, by the name of the one that it is made from.
const IN_STEP: &str = "SELECT COUNT(*) = 0 FROM t WHERE NOT (CAST(c_shoofly AS CHAR) <=> CAST(c AS CHAR))";

fn asked(clause: &str) -> String {
    format!("\n-- shoofly: strategy = dual-column\nALTER TABLE t {clause}")
}

fn app(value: &str) -> App {
    App::new("t").auto_increment("id").writes("c", value).writes("d", "CONCAT('d', {v})")
}

/// A table whose column `c` is `from` and becomes `to`, written with values that both hold.
fn change(name: &str, from: &str, to: &str, value: &str) -> MyCase {
    MyCase::new(name, app(value), &asked(&format!("MODIFY c {to}")))
        .given(&format!("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c {from}, d varchar(40), KEY d (d))"))
}

async fn int_to_bigint(flavor: Flavor) {
    change("dual_bigint", "int NOT NULL DEFAULT 7", "bigint NOT NULL DEFAULT 7 COMMENT 'it''s wide'", "{v} - 5000000")
        .check_ready(IN_STEP)
        .rows(10_000)
        .run(flavor)
        .await;
}

async fn by_one_command(flavor: Flavor) {
    change("dual_alter", "int", "bigint unsigned", "{v}").by_alter().run(flavor).await;
}

async fn varchar_to_text(flavor: Flavor) {
    change("dual_text", "varchar(200)", "mediumtext", "CONCAT('ä€😀 ', {v}, '  ')")
        .check_ready(IN_STEP)
        .run(flavor)
        .await;
    let case = change("dual_text_full", "varchar(200) NOT NULL", "text NOT NULL", "CONCAT('é', {v})");
    match flavor {
        // It has no default for such a column, which inserts need until there are triggers.
        Flavor::MySql => case.refused(&["no constant"]),
        Flavor::MariaDb => case,
    }
    .run(flavor)
    .await;
}

async fn another_charset(flavor: Flavor) {
    change(
        "dual_charset",
        "varchar(40) CHARACTER SET latin1 NOT NULL DEFAULT 'none'",
        "varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'none'",
        "CONCAT('É', {v} % 100)",
    )
    .run(flavor)
    .await;
    change(
        "dual_narrow_charset",
        "varchar(40) CHARACTER SET utf8mb4",
        "varchar(12) CHARACTER SET latin1",
        "CONCAT('ñ', {v})",
    )
    .run(flavor)
    .await;
}

async fn null_to_not_null(flavor: Flavor) {
    change("dual_not_null", "int DEFAULT 5", "int NOT NULL", "{v}").check_ready(IN_STEP).run(flavor).await;
}

async fn types_of_all_kinds(flavor: Flavor) {
    let cases = [
        (
            "dual_enum",
            "enum('a', 'b', 'c') NOT NULL",
            "enum('c', 'x', 'a', 'b') NOT NULL",
            "ELT(1 + {v} % 3, 'a', 'b', 'c')",
        ),
        ("dual_decimal", "decimal(20,6) NOT NULL", "decimal(12,2) NOT NULL DEFAULT 0.5", "{v} / 1024"),
        ("dual_datetime", "datetime(6)", "date", "TIMESTAMP('2024-01-01 10:00:00.5') + INTERVAL {v} % 5000000 SECOND"),
        ("dual_binary", "varbinary(8)", "binary(8) NOT NULL", "UNHEX(LPAD(HEX({v} % 65536 * 256), 8, '0'))"),
        ("dual_from_int", "int", "varchar(12) NOT NULL", "{v} - 5000000"),
    ];
    for (name, from, to, value) in cases {
        change(name, from, to, value).rows(1_000).run(flavor).await;
    }
}

/// A column that is first, one that moves, and values that the server puts there.
async fn places_and_defaults(flavor: Flavor) {
    let app = || App::new("t").auto_increment("id").writes("d", "CONCAT('d', {v})");
    let given = "CREATE TABLE t (c int NOT NULL DEFAULT 7, id int AUTO_INCREMENT PRIMARY KEY, d varchar(40), e int)";
    MyCase::new("dual_first", app(), &asked("MODIFY c bigint NOT NULL DEFAULT 7 COMMENT 'first'"))
        .given(given)
        .run(flavor)
        .await;
    MyCase::new("dual_moved", app(), &asked("MODIFY c bigint NOT NULL DEFAULT 7 AFTER d"))
        .given(given)
        .run(flavor)
        .await;
}

async fn another_name(flavor: Flavor) {
    let app = || App::new("t").auto_increment("id").writes("d", "CONCAT('d', {v})");
    MyCase::new("dual_rename", app().writes("c", "{v}"), &asked("CHANGE c n bigint"))
        .given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40))")
        .app_across(app())
        .app_after(app().writes("n", "{v} + 9000000000"))
        .run(flavor)
        .await;
}

/// Ours sees what theirs have made of a row.
async fn triggers_of_the_user(flavor: Flavor) {
    let case = |name: &str| {
        MyCase::new(name, app("{v}"), &asked("MODIFY c bigint NOT NULL")).given(
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), changes int NOT NULL DEFAULT 0);
             CREATE TABLE log (t_id int, what varchar(60));
             CREATE TRIGGER t_before BEFORE INSERT ON t FOR EACH ROW SET NEW.c = NEW.c * 2;
             CREATE TRIGGER t_counts BEFORE UPDATE ON t FOR EACH ROW SET NEW.changes = OLD.changes + 1, NEW.c = NEW.c + 1 - 1;
             CREATE TRIGGER t_insert AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id, CONCAT('new ', NEW.c));
             CREATE TRIGGER t_delete AFTER DELETE ON t FOR EACH ROW INSERT INTO log VALUES (OLD.id, 'gone')",
        )
    };
    case("dual_triggers_asked").refused(&["t_counts", "user-triggers"]).run(flavor).await;
    case("dual_triggers")
        .options(&["--accept", "user-triggers"])
        .filled(&["changes"])
        .not_compared(&["changes"])
        .check_ready(IN_STEP)
        .run(flavor)
        .await;
}

/// What does not keep it from changing.
async fn what_hangs_on_the_table(flavor: Flavor) {
    MyCase::new(
        "dual_attached",
        app("{v}").writes("p", "{v} % 3").keeps_keys().keeps_rows(),
        &asked("MODIFY c bigint"),
    )
    .given(
        "CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents VALUES (0), (1), (2);
             CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(40), p int, KEY p_d (p, d),
                 stamp timestamp NOT NULL DEFAULT '2024-01-01 00:00:00', CONSTRAINT some CHECK (d <> 'no'),
                 CONSTRAINT t_p FOREIGN KEY (p) REFERENCES parents (id) ON DELETE CASCADE);
             CREATE TABLE order_lines (id int PRIMARY KEY, t_id int, CONSTRAINT line_of FOREIGN KEY (t_id) REFERENCES t (id));
             CREATE SQL SECURITY INVOKER VIEW seen AS SELECT id, c + 1 AS more FROM t;
             GRANT SELECT, UPDATE (c) ON t TO 'reader'@'%'",
    )
    .given_loaded("INSERT INTO order_lines SELECT id, id FROM t")
    .run(flavor)
    .await;
}

async fn what_cannot_be_carried(flavor: Flavor) {
    let one = |column: &str| format!("id int AUTO_INCREMENT PRIMARY KEY, d varchar(40), c {column}");
    let cases: [(&str, String, &str, &[&str]); 14] = [
        (
            "key",
            "id int, c int DEFAULT 0, d varchar(40), PRIMARY KEY (id, c)".to_owned(),
            "MODIFY c bigint",
            &["primary key"],
        ),
        ("counted", one("int"), "MODIFY id bigint AUTO_INCREMENT", &["the server counts it", "primary key"]),
        ("index", one("int, UNIQUE KEY only_one (c)"), "MODIFY c bigint", &["index only_one", "shadow-table"]),
        ("part", one("varchar(9), KEY start (d, c(3))"), "MODIFY c text", &["index start"]),
        ("check", one("int, CONSTRAINT some CHECK (c > 0)"), "MODIFY c bigint", &["CHECK some"]),
        ("base", one("int, twice int GENERATED ALWAYS AS (c * 2) VIRTUAL"), "MODIFY c bigint", &["column twice"]),
        (
            "made",
            one("int GENERATED ALWAYS AS (1) STORED"),
            "MODIFY c bigint GENERATED ALWAYS AS (1) STORED",
            &["generated"],
        ),
        (
            "child",
            one("int, CONSTRAINT up FOREIGN KEY (c) REFERENCES p (id)"),
            "MODIFY c int NOT NULL",
            &["foreign key up"],
        ),
        ("clock", one("datetime DEFAULT CURRENT_TIMESTAMP"), "MODIFY c datetime(6)", &["default"]),
        ("zone", one("timestamp NULL"), "MODIFY c timestamp(6) NULL", &["time zone"]),
        ("number", one("varchar(20)"), "MODIFY c int", &["cannot be told"]),
        ("same", one("int"), "MODIFY c int DEFAULT 5", &["no row has to be written"]),
        ("several", one("int"), "MODIFY c bigint, ADD COLUMN e int", &["one column"]),
        ("other", one("int"), "ADD COLUMN e int", &["one column"]),
    ];
    for (name, columns, clause, texts) in cases {
        let app = App::new("t").key("id", "{n}").writes("d", "CONCAT('d', {v})");
        MyCase::new(&format!("dual_no_{name}"), app, &asked(clause))
            .given(&format!("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t ({columns})"))
            .rows(0)
            .refused(texts)
            .run(flavor)
            .await;
    }
}

mysql_matrix!(
    int_to_bigint,
    by_one_command,
    varchar_to_text,
    another_charset,
    null_to_not_null,
    types_of_all_kinds,
    places_and_defaults,
    another_name,
    triggers_of_the_user,
    what_hangs_on_the_table,
    what_cannot_be_carried,
);
