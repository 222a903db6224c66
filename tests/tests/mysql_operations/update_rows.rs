//! `UPDATE … SET` as a backfill.

use shoofly_tests::binary::Said;
use shoofly_tests::mysql::{App, MyCase, MyDatabase};
use shoofly_tests::{Binary, Flavor, My, mysql_matrix};

const GIVEN: &str = "CREATE TABLE t (id int PRIMARY KEY, d varchar(40) NOT NULL, code varchar(40), size int, v int,
    changes int NOT NULL DEFAULT 0, KEY code (code))";

/// The version of the application that does not know the new columns.
fn app() -> App {
    App::new("t").key("id", "{n}").writes("d", "CONCAT('d', {v})").writes("v", "{v}")
}

/// The version that fills them itself.
fn next() -> App {
    App::new("t")
        .key("id", "{n}")
        .inserts("d", "CONCAT('d', {v})")
        .inserts("code", "UPPER(CONCAT('d', {v}))")
        .inserts("size", "CHAR_LENGTH(CONCAT('d', {v}))")
        .writes("v", "{v}")
}

const BOTH: &str = "UPDATE t SET code = UPPER(d), size = CHAR_LENGTH(d)";

async fn of_every_row(flavor: Flavor) {
    MyCase::new("update_every", app(), BOTH)
        .given(GIVEN)
        .app_across(next())
        .filled(&["code", "size"])
        .check_ready("SELECT COUNT(*) = 0 FROM t WHERE NOT (CAST(code AS BINARY) <=> CAST(UPPER(d) AS BINARY) AND size <=> CHAR_LENGTH(d))")
        .rows(10_000)
        .run(flavor)
        .await;
}

async fn at_once(flavor: Flavor) {
    MyCase::new("update_alter", next(), BOTH).given(GIVEN).filled(&["code", "size"]).by_alter().run(flavor).await;
}

async fn of_rows_that_match(flavor: Flavor) {
    let across = next().inserts("v", "{v}").writes("changes", "{v} % 7");
    MyCase::new("update_some", app().inserts("v", "{v}"), "UPDATE t SET code = UPPER(d) WHERE t.v % 3 = 0 -- some")
        .given(GIVEN)
        .app_across(across)
        .filled(&["code"])
        .check_ready("SELECT COUNT(*) = 0 FROM t WHERE CASE WHEN v % 3 = 0 THEN code IS NULL ELSE code IS NOT NULL END")
        .run(flavor)
        .await;
}

async fn where_there_is_none(flavor: Flavor) {
    let app = |state: &str| App::new("t").key("id", "{n}").writes("code", state).writes("v", "{v}");
    MyCase::new(
        "update_null",
        app("NULLIF(CONCAT('s', {v} % 4), 's0')"),
        "UPDATE t SET code = 'new' WHERE code IS NULL",
    )
    .given("CREATE TABLE t (id int PRIMARY KEY, code varchar(40), v int)")
    .app_across(app("CONCAT('s', {v} % 4)"))
    .filled(&["code"])
    .check_ready("SELECT COUNT(*) = COUNT(code) AND SUM(code = 'new') > 0 FROM t")
    .run(flavor)
    .await;
}

async fn random_where_there_is_none(flavor: Flavor) {
    MyCase::new("update_random", app(), "UPDATE t SET code = UUID() WHERE code IS NULL")
        .given(GIVEN)
        .app_across(next())
        .filled(&["code"])
        .not_compared(&["code"])
        .check_ready("SELECT COUNT(*) = COUNT(code) FROM t")
        .run(flavor)
        .await;
}

async fn text_of_another_charset(flavor: Flavor) {
    let app = || App::new("t").key("k", "CONCAT('é', {n})").key("w", "{n} % 3");
    MyCase::new(
        "update_charset",
        app().writes("d", "CONCAT('É', {v} % 100, ' ')").writes("v", "{v}"),
        "UPDATE t SET code = LOWER(d)",
    )
    .given(
        "CREATE TABLE t (w int, k varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, d varchar(40) CHARACTER SET utf8mb4,
         code varchar(40) CHARACTER SET latin1 COLLATE latin1_general_ci, v int, PRIMARY KEY (k, w))",
    )
    // Equal to the value as the collation has it, and not byte for byte.
    .given_loaded("UPDATE t SET code = UPPER(d)")
    .app_across(
        app()
            .inserts("d", "CONCAT('É', {v} % 100, ' ')")
            .inserts("code", "LOWER(CONCAT('É', {v} % 100, ' '))")
            .writes("v", "{v}"),
    )
    .filled(&["code"])
    .check_ready("SELECT COUNT(*) = 0 FROM t WHERE CONVERT(code USING utf8mb4) COLLATE utf8mb4_bin <> LOWER(d) OR code IS NULL")
    .run(flavor)
    .await;
}

/// Values that are rounded, padded and converted as they are stored, and NULLs.
async fn values_of_all_kinds(flavor: Flavor) {
    let columns = [
        ("price", "v * 1.005"),
        ("small", "v / 7"),
        ("ratio", "v / 3E0"),
        ("about", "v / 3E0"),
        ("odd", "v % 2 = 1"),
        ("kind", "IF(v % 2, 'ODD', 'even')"),
        ("hash", "UNHEX(SHA2(v, 256))"),
        ("day", "DATE_ADD('2024-01-01', INTERVAL v % 1000 DAY)"),
        ("moment", "'2024-01-01 00:00:00.123456' + INTERVAL v SECOND"),
        ("flags", "v % 4"),
        ("fixed", "CONCAT(v, '  ')"),
        ("words", "CONCAT_WS(' ', 'it''s', v, NULL)"),
    ];
    let list: Vec<String> = columns.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let names = columns.map(|(name, _)| name);
    let app = App::new("t").key("id", "{n}").writes("v", "NULLIF({v} % 1000, 5)").writes("w", "{v}");
    // Whoever writes it while the change is completed, writes it nowhere else.
    let across = App::new("t").key("id", "{n}").writes("w", "{v}").only_updates();
    MyCase::new("update_kinds", app, &format!("UPDATE t SET {}", list.join(", ")))
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, v int, w int, price decimal(12,2), small int, ratio double, about float,
             odd tinyint(1), kind enum('even', 'odd') COLLATE utf8mb4_general_ci, hash binary(40), day date,
             moment datetime(3), flags bit(2), fixed char(12), words text)",
        )
        .app_across(across)
        .filled(&names)
        .run(flavor)
        .await;
}

async fn under_triggers_of_the_user(flavor: Flavor) {
    MyCase::new("update_triggers", app(), BOTH)
        .given(&format!(
            "{GIVEN}; CREATE TRIGGER tidy BEFORE INSERT ON t FOR EACH ROW SET NEW.d = CONCAT(NEW.d, '!');
             CREATE TRIGGER tidy_too BEFORE UPDATE ON t FOR EACH ROW SET NEW.changes = NEW.v % 5"
        ))
        .options(&["--accept", "user-triggers"])
        .app_across(
            next().inserts("code", "UPPER(CONCAT('d', {v}, '!'))").inserts("size", "1 + CHAR_LENGTH(CONCAT('d', {v}))"),
        )
        .filled(&["code", "size", "changes"])
        .not_compared(&["changes"])
        .run(flavor)
        .await;
}

/// A table whose rows nobody writes, and the program on it.
async fn at_rest(flavor: Flavor, name: &str, given: &str) -> (MyDatabase, Binary) {
    let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
    let db = MyDatabase::create(&my, name).await;
    db.run(given).await;
    let binary = Binary::new(&db.url());
    (db, binary)
}

async fn run(binary: &Binary, arguments: &[&str]) -> Said {
    let mut command = binary.command(arguments);
    tokio::task::spawn_blocking(move || Said::from(command.output().unwrap())).await.unwrap()
}

/// A value that does not fit fails no statement of the application's; the change does not complete without it.
async fn a_value_that_fails(flavor: Flavor) {
    let given = "CREATE TABLE t (id int PRIMARY KEY, d varchar(40), code varchar(3), n int NOT NULL DEFAULT 7);
        INSERT INTO t VALUES (1, 'abc', NULL, 1), (2, NULL, 'x', 2)";
    let (db, binary) = at_rest(flavor, "update_fails", given).await;
    binary.write("migrations/1_code.sql", "UPDATE t SET code = UPPER(d);\n");
    let said = run(&binary, &["start", "1_code"]).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    db.run("INSERT INTO t (id, d) VALUES (3, 'too long'); UPDATE t SET d = 'long too' WHERE id = 1").await;
    assert_eq!(
        db.text("SELECT GROUP_CONCAT(id, ':', d, ':', IFNULL(code, '-') ORDER BY id) FROM t").await,
        "1:long too:ABC,3:too long:-"
    );
    let said = run(&binary, &["complete", "1_code"]).await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("2 rows break it: id = 1; id = 3"), "{}", said.err);
    db.run("UPDATE t SET d = LEFT(d, 3)").await;
    let said = run(&binary, &["complete", "1_code"]).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(
        db.text("SELECT GROUP_CONCAT(id, ':', code ORDER BY id) FROM t WHERE code IS NOT NULL").await,
        "1:LON,3:TOO"
    );
    db.assert_nothing_left("after complete").await;
    db.drop().await;
}

/// Nor does one that is cut off, which is another kind of error; a number that is rounded is none.
async fn a_value_that_is_cut_off(flavor: Flavor) {
    let given = "CREATE TABLE t (id int PRIMARY KEY, d varchar(40), x decimal(12,4), code varchar(3), price decimal(10,2), n int);
        INSERT INTO t (id, d, x) VALUES (1, '1', 1.5)";
    let (db, binary) = at_rest(flavor, "update_cut", given).await;
    binary.write("migrations/1_cut.sql", "UPDATE t SET code = d, price = x, n = d;\n");
    let said = run(&binary, &["start", "1_cut"]).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    db.run("INSERT INTO t (id, d, x) VALUES (2, 'too long', 1), (3, '12', 1.2399), (4, '12a', 1)").await;
    assert_eq!(
        db.text("SELECT GROUP_CONCAT(id, ':', code, ':', price, ':', n ORDER BY id) FROM t").await,
        "1:1:1.50:1,3:12:1.24:12"
    );
    let said = run(&binary, &["complete", "1_cut"]).await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("2 rows break it: id = 2; id = 4"), "{}", said.err);
    db.run("UPDATE t SET d = '7' WHERE id IN (2, 4)").await;
    let said = run(&binary, &["complete", "1_cut"]).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(
        db.text("SELECT GROUP_CONCAT(id, ':', code, ':', n ORDER BY id) FROM t").await,
        "1:1:1,2:7:7,3:12:12,4:7:7"
    );
    db.assert_nothing_left("after complete").await;
    db.drop().await;
}

/// Rows that do not allow it are named before anything is touched; a fill that stops at one can be rolled back.
async fn rows_that_do_not_allow_it(flavor: Flavor) {
    let given = "CREATE TABLE t (id int PRIMARY KEY, d varchar(40), code varchar(3), n int NOT NULL,
        kind enum('x', 'abc'), raw varbinary(3));
        INSERT INTO t VALUES (1, 'abc', NULL, 1, NULL, NULL), (2, NULL, 'x', 2, NULL, NULL), (3, 'abcd', NULL, 3, NULL, NULL)";
    let (db, binary) = at_rest(flavor, "update_unfit", given).await;
    let refused: [(&'static [&'static str], &str); 4] = [
        (&["alter", "UPDATE t SET code = d"], "one row breaks it: id = 3"),
        (&["alter", "UPDATE t SET n = n + 1"], "3 rows break it: id = 1; id = 2; id = 3"),
        (&["alter", "UPDATE t SET n = n * 2 WHERE n > 1"], "a second time"),
        (&["alter", "UPDATE t SET n = CHAR_LENGTH(d)"], "one row breaks it: id = 2"),
    ];
    for (arguments, text) in refused {
        let said = run(&binary, arguments).await;
        assert_eq!(said.code, Some(1), "{arguments:?} {}{}", said.out, said.err);
        assert!(said.err.contains(text), "{arguments:?} {}", said.err);
        db.assert_nothing_left("after it was refused").await;
    }
    binary.write("migrations/1_kind.sql", "UPDATE t SET kind = d;\n");
    binary.write("migrations/2_raw.sql", "UPDATE t SET raw = d;\n");
    let stopped: [[&'static [&'static str]; 2]; 2] =
        [[&["start", "1_kind"], &["rollback", "1_kind"]], [&["start", "2_raw"], &["rollback", "2_raw"]]];
    for [start, rollback] in stopped {
        let said = run(&binary, start).await;
        assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
        assert!(said.err.contains("row id = 3"), "{}", said.err);
        let said = run(&binary, rollback).await;
        assert_eq!(said.code, Some(0), "{}", said.err);
        db.assert_nothing_left("after rollback").await;
    }
    // What may be repeated may read itself.
    let said = run(&binary, &["alter", "UPDATE t SET code = UPPER(code), n = 9"]).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(db.text("SELECT GROUP_CONCAT(code, n) FROM t WHERE code = 'X'").await, "X9");
    db.drop().await;
}

/// Statements and what is said of them.
const REFUSED: [(&str, &[&str]); 24] = [
    ("UPDATE t SET g = 1", &["generated column"]),
    ("UPDATE t SET id = 1", &["the server counts it", "primary"]),
    ("UPDATE t SET u = 1", &["unique key u"]),
    ("UPDATE t SET p = 1", &["foreign key fk"]),
    ("UPDATE t SET c = 1", &["check"]),
    ("UPDATE t SET a = g", &["generated column"]),
    ("UPDATE t SET a = id", &["no number yet"]),
    ("UPDATE t SET a = 1 WHERE q = 1", &["foreign key goes_with"]),
    ("UPDATE t SET d = NOW()", &["another value each time: now()"]),
    ("UPDATE t SET d = CURRENT_DATE", &["another value each time"]),
    ("UPDATE t SET a = RAND() * 10", &["another value each time"]),
    ("UPDATE t SET d = UUID() WHERE a IS NULL", &["another value each time"]),
    ("UPDATE t SET a = UNIX_TIMESTAMP(d)", &["time zone"]),
    ("UPDATE t SET a = own_function(b)", &["own_function", "not known"]),
    ("UPDATE t SET a = other.f(b)", &["other.f()", "not known"]),
    ("UPDATE t SET a = LAST_INSERT_ID()", &["last_insert_id"]),
    ("UPDATE t SET a = b, b = a", &["the value of a is computed from b", "the value of b is computed from a"]),
    ("UPDATE t SET a = 1, A = 2", &["set twice"]),
    ("UPDATE t SET a = missing", &["does not have"]),
    ("UPDATE t SET missing = 1", &["has no column missing"]),
    ("UPDATE t SET at = d", &["at is a timestamp"]),
    ("UPDATE t SET a = 1 WHERE at < '2024-01-01'", &["reads at, a timestamp"]),
    ("UPDATE t SET a = 1 WHERE changed > 1", &["changes with every update"]),
    ("UPDATE t SET shape = NULL", &["geometry"]),
];

async fn what_is_refused(flavor: Flavor) {
    let given = "CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents VALUES (0), (1), (2);
        CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int, b int, c int CHECK (c > -1), u int UNIQUE, p int, q int,
        g int GENERATED ALWAYS AS (a + 1), d varchar(40), at timestamp NULL, shape geometry,
        changed datetime NULL ON UPDATE CURRENT_TIMESTAMP,
        CONSTRAINT fk FOREIGN KEY (p) REFERENCES parents (id),
        CONSTRAINT goes_with FOREIGN KEY (q) REFERENCES parents (id) ON UPDATE CASCADE)";
    let (db, binary) = at_rest(flavor, "update_refused", given).await;
    let before = db.catalogue().await;
    for (number, (ddl, texts)) in REFUSED.into_iter().enumerate() {
        let name = format!("{number}_refused");
        binary.write(&format!("migrations/{name}.sql"), ddl);
        let said = run(&binary, &["start", &name]).await;
        assert_eq!(said.code, Some(7), "{ddl}: {}{}", said.out, said.err);
        for text in texts {
            assert!(said.err.to_lowercase().contains(text), "{ddl}: {text:?} is missing from:\n{}", said.err);
        }
    }
    shoofly_tests::catalogue::assert_equal("after the refusals", &before, &db.catalogue().await);
    db.drop().await;
    let without = [
        ("update_no_key", "CREATE TABLE t (id int, a int)", "no primary key"),
        ("update_myisam", "CREATE TABLE t (id int PRIMARY KEY, a int) ENGINE = MyISAM", "myisam"),
        (
            "update_audited",
            "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE log (id int);
             CREATE TRIGGER audit AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
            "user-triggers",
        ),
    ];
    for (name, given, text) in without {
        let app = App::new("t").key("id", "{n}").writes("a", "{v}");
        MyCase::new(name, app, "UPDATE t SET a = 1").given(given).rows(10).refused(&[text]).run(flavor).await;
    }
}

mysql_matrix!(
    of_every_row,
    at_once,
    of_rows_that_match,
    where_there_is_none,
    random_where_there_is_none,
    text_of_another_charset,
    values_of_all_kinds,
    under_triggers_of_the_user,
    a_value_that_fails,
    a_value_that_is_cut_off,
    rows_that_do_not_allow_it,
    what_is_refused,
);
