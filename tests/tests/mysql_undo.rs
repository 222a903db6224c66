//! Old tables that are kept: on MySQL and MariaDB a swap can be taken back for a time, with every write that was made since.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use mysql_async::prelude::Queryable;
use shoofly_tests::mysql::stage::{Stage, signal, wait};
use shoofly_tests::mysql::writers::Rows;
use shoofly_tests::mysql::{App, MyWriters, connect};
use shoofly_tests::{Flavor, My, mysql_matrix};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

const ROWS: u32 = 600;
/// A copy, with a foreign key, a key of its own that is unique, a new index and a column that can hold less than before.
const DDL: &str = "ALTER TABLE t MODIFY c bigint, MODIFY d varchar(40), ADD KEY t_c (c);";

fn app() -> App {
    App::new("t")
        .auto_increment("id")
        .writes("c", "{v}")
        .writes("d", "CONCAT('d', {v})")
        .writes("p", "{v} % 10")
        .unique("u", "{v}")
}

async fn shared(flavor: Flavor) -> My {
    tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap()
}

async fn stage(my: &My, name: &str) -> Stage {
    let given = "CREATE TABLE p (id int PRIMARY KEY);
        INSERT INTO p VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
        CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(20), p int, u int, UNIQUE KEY (u), KEY t_p (p),
            CONSTRAINT t_p FOREIGN KEY (p) REFERENCES p (id), FOREIGN KEY (p) REFERENCES p (id))";
    Stage::set(my, name, &[given, &app().load(ROWS)], DDL).await
}

fn writers(stage: &Stage) -> MyWriters {
    MyWriters::start(&app(), &stage.live, &stage.mirror, Rows::loaded(ROWS))
}

/// A small table at rest, and a change of it.
async fn still(flavor: Flavor, name: &str, given: &str, ddl: &str) -> Stage {
    Stage::set(&shared(flavor).await, name, &[given], ddl).await
}

async fn there_and_back_and_there_again(flavor: Flavor) {
    let stage = stage(&shared(flavor).await, "undo").await;
    let work = writers(&stage);
    stage.finish("start").await;
    work.progress(20).await;
    let said = stage.run(&["complete", "--keep-old"]).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    work.progress(40).await;
    let said = stage.run(&["status"]).await;
    for words in ["switched", "drops the old table", "goes back to it", "1 migration applied"] {
        assert!(said.out.contains(words), "{words:?} is missing from\n{}", said.out);
    }
    stage.finish("complete --keep-old").await;
    stage.finish("up").await;
    work.progress(40).await;
    stage.finish("rollback").await;
    work.progress(20).await;
    let (_, rows) = work.stop().await;
    stage.assert_as_before().await;

    let work = MyWriters::start(&app(), &stage.live, &stage.mirror, rows);
    stage.finish("up --keep-old").await;
    work.progress(40).await;
    stage.finish("complete").await;
    work.progress(20).await;
    work.stop().await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// Every point of failure that a verb passes, in order, where these have been done before.
async fn points(my: &My, before: &[&str], verb: &str) -> Vec<String> {
    let stage = stage(my, "undo_points").await;
    for before in before {
        stage.finish(before).await;
    }
    let points = stage.points(verb).await;
    stage.drop().await;
    points
}

/// What was under way, and what comes after the crash.
#[derive(Debug, Clone, Copy)]
struct Crash {
    before: &'static [&'static str],
    verb: &'static str,
    then: &'static [&'static str],
    ends: Ends,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Before,
    Complete,
}

async fn die_at(my: My, point: String, crash: Crash) {
    let stage = stage(&my, "undo_die").await;
    let work = writers(&stage);
    for before in crash.before {
        stage.finish(before).await;
    }
    work.progress(10).await;
    stage.die(crash.verb, &point).await;
    for verb in crash.then {
        work.progress(10).await;
        stage.finish(verb).await;
    }
    work.progress(10).await;
    work.stop().await;
    match crash.ends {
        Ends::Before => stage.assert_as_before().await,
        Ends::Complete => stage.assert_complete().await,
    }
    stage.drop().await;
}

/// Dies once at each point, and goes on in each of these ways in turn; which of them comes first differs from product to product.
async fn die_everywhere(flavor: Flavor, at_least: usize, ways: &[Crash]) {
    let my = shared(flavor).await;
    let points = points(&my, ways[0].before, ways[0].verb).await;
    assert!(points.len() >= at_least, "{points:#?}");
    let side_by_side = Arc::new(Semaphore::new(3));
    let (local, mut runs) = (LocalSet::new(), JoinSet::new());
    let first = usize::from(flavor == Flavor::MariaDb);
    for (number, point) in points.into_iter().enumerate() {
        let (side_by_side, my) = (Arc::clone(&side_by_side), my.clone());
        let crash = ways[(number + first) % ways.len()];
        let run = async move {
            let _permit = side_by_side.acquire().await.unwrap();
            let died = tokio::task::spawn_local(die_at(my, point.clone(), crash)).await;
            died.map_err(|error| format!("{point}, then {:?}: {error}", crash.then))
        };
        runs.spawn_local_on(run, &local);
    }
    let ended = local.run_until(runs.join_all()).await;
    let failed: Vec<String> = ended.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

async fn killed_at_every_point_of_the_switch(flavor: Flavor) {
    let crash = |then, ends| Crash { before: &["start"], verb: "complete --keep-old", then, ends };
    let ways = [
        crash(&["complete --keep-old", "rollback"], Ends::Before),
        crash(&["rollback"], Ends::Before),
        crash(&["complete"], Ends::Complete),
    ];
    die_everywhere(flavor, 15, &ways).await;
}

async fn killed_at_every_point_of_the_way_back(flavor: Flavor) {
    let way =
        Crash { before: &["start", "complete --keep-old"], verb: "rollback", then: &["rollback"], ends: Ends::Before };
    die_everywhere(flavor, 10, &[way]).await;
}

async fn killed_at_every_point_of_the_end(flavor: Flavor) {
    let way = Crash { before: &["up --keep-old"], verb: "complete", then: &["complete"], ends: Ends::Complete };
    die_everywhere(flavor, 10, &[way]).await;
}

/// Applications that lock tables themselves are no exception, whatever stands between the two tables at that moment.
async fn tables_can_be_locked_at_every_moment(flavor: Flavor) {
    let stage = stage(&shared(flavor).await, "undo_lock").await;
    stage.finish("start").await;
    let mut number = 10_000;
    for point in ["swap.before", "swap.after"] {
        let child = stage.begin_until(&["complete", "--keep-old"], point).await;
        for db in [&stage.live, &stage.mirror] {
            let mut conn = connect(&db.url()).await.unwrap();
            let write = format!(
                "LOCK TABLES t WRITE; INSERT INTO t (id, u) VALUES ({number}, -{number}); UPDATE t SET c = 1 WHERE id = {number};
                 DELETE FROM t WHERE id = 3; UPDATE t SET id = {number} + 1 WHERE id = {number}; UNLOCK TABLES"
            );
            conn.query_drop(write).await.unwrap();
            conn.disconnect().await.unwrap();
        }
        number += 10;
        signal(&child, "KILL");
        wait(child).await;
    }
    stage.finish("rollback").await;
    stage.assert_as_before().await;
    stage.drop().await;
}

async fn a_row_that_the_old_shape_does_not_take(flavor: Flavor) {
    let given = "CREATE TABLE t (id int PRIMARY KEY, c int, u int, UNIQUE KEY u (u)); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)";
    let stage = still(flavor, "undo_rows", given, "ALTER TABLE t MODIFY c bigint, DROP KEY u").await;
    stage.finish("up --keep-old").await;
    stage.live.run("INSERT INTO t VALUES (3, 5000000000, 3), (4, 4, 1)").await;
    let texts = ["id = 3", "id = 4", "Out of range", "unique key", "_conflict`", "shoofly complete"];
    stage.expect(1, &["rollback"], &texts).await;
    // Neither is lost, and no other row has given way.
    assert_eq!(stage.live.text("SELECT GROUP_CONCAT(id, c, u ORDER BY id) FROM t").await, "111,222,350000000003,441");
    stage.live.run("UPDATE t SET c = 3 WHERE id = 3; UPDATE t SET u = 4 WHERE id = 4").await;
    stage.live.run(&format!("DELETE FROM shoofly.`{}.t_shoofly_conflict`", stage.live.name())).await;
    stage.finish("rollback").await;
    stage.mirror.run("INSERT INTO t VALUES (3, 3, 3), (4, 4, 4)").await;
    stage.assert_as_before().await;
    stage.drop().await;
}

async fn what_was_changed_behind_the_triggers(flavor: Flavor) {
    let given = "CREATE TABLE t (id int PRIMARY KEY, c int); INSERT INTO t VALUES (1, 1), (2, 2)";
    let stage = still(flavor, "undo_behind", given, "ALTER TABLE t MODIFY c bigint").await;
    stage.finish("up --keep-old").await;
    stage.live.run("ALTER TABLE t ADD KEY mine (c)").await;
    stage.expect(4, &["rollback"], &["changed since it took its place"]).await;
    stage.live.run("ALTER TABLE t DROP KEY mine").await;
    stage.live.run("UPDATE t_shoofly SET c = 7 WHERE id = 2").await;
    stage.expect(1, &["rollback"], &["id = 2", "t_shoofly"]).await;
    // The new shape is none the worse for it.
    stage.finish("complete").await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// What the new shape holds less of comes back whole, where nobody has written it.
async fn what_was_not_written_is_what_it_was(flavor: Flavor) {
    let given = "CREATE TABLE t (id int PRIMARY KEY, n decimal(10,4), gone varchar(10) DEFAULT 'x', c int);
        INSERT INTO t VALUES (1, 1.2345, 'one', 1), (2, 2.3456, 'two', 2), (3, 3.4567, 'three', 3)";
    let stage = still(flavor, "undo_less", given, "ALTER TABLE t MODIFY n decimal(10,2), DROP COLUMN gone").await;
    stage.finish("up --keep-old").await;
    stage
        .live
        .run("UPDATE t SET c = 7 WHERE id = 1; UPDATE t SET n = 9.87 WHERE id = 2; UPDATE t SET id = 5 WHERE id = 3")
        .await;
    stage.live.run("INSERT INTO t VALUES (6, 6.5, 6)").await;
    stage.finish("rollback").await;
    let wanted =
        "UPDATE t SET c = 7 WHERE id = 1; UPDATE t SET n = 9.87 WHERE id = 2; UPDATE t SET id = 5 WHERE id = 3;
        INSERT INTO t (id, n, c) VALUES (6, 6.5, 6)";
    stage.mirror.run(wanted).await;
    stage.assert_as_before().await;
    stage.drop().await;
}

/// What the old shape holds less of comes back as it would be had the server changed the table back.
async fn what_the_old_shape_rounds_is_rounded(flavor: Flavor) {
    let given = "CREATE TABLE t (id int PRIMARY KEY, n decimal(10,2), d date);
        INSERT INTO t VALUES (1, 1.25, '2024-01-01'), (2, 2.25, '2024-01-02'), (3, 3.25, '2024-01-03')";
    let ddl = "ALTER TABLE t MODIFY n decimal(10,4), MODIFY d datetime";
    let stage = still(flavor, "undo_round", given, ddl).await;
    stage.finish("up --keep-old").await;
    let written = "SELECT 1; UPDATE t SET n = 1.005 WHERE id = 1; UPDATE t SET n = 2.345, id = 5 WHERE id = 2;
        UPDATE t SET d = '2024-02-03 23:59:59' WHERE id = 3; INSERT INTO t VALUES (6, 6.5551, '2024-02-06 06:06:06')";
    stage.live.run(written).await;
    stage.finish("rollback").await;
    let wanted = "UPDATE t SET n = 1.01 WHERE id = 1; UPDATE t SET n = 2.35, id = 5 WHERE id = 2;
        UPDATE t SET d = '2024-02-03' WHERE id = 3; INSERT INTO t VALUES (6, 6.56, '2024-02-06')";
    stage.mirror.run(wanted).await;
    stage.assert_as_before().await;
    stage.drop().await;
}

/// Nothing has been touched where the old table cannot be kept.
async fn what_cannot_be_kept_is_refused_before(flavor: Flavor) {
    let table = "CREATE TABLE t (id int PRIMARY KEY, c int, n int NOT NULL)";
    let copy = "ALTER TABLE t MODIFY c bigint";
    let cases = [
        (table.to_owned(), "ALTER TABLE t ADD COLUMN e int", "no old table"),
        (format!("{table}; CREATE TRIGGER mine BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 1"), copy, "trigger mine"),
        (format!("{table}; CREATE TABLE k (t int, CONSTRAINT k_t FOREIGN KEY (t) REFERENCES t (id))"), copy, "k_t"),
        (table.to_owned(), "ALTER TABLE t MODIFY c bigint, DROP COLUMN n", "the column n"),
        (table.to_owned(), "ALTER TABLE t MODIFY c bigint, DROP PRIMARY KEY, ADD PRIMARY KEY (n)", "unique key"),
        (
            format!("{table}; CREATE TABLE s (id int PRIMARY KEY)"),
            "ALTER TABLE t MODIFY c bigint; ALTER TABLE s ADD COLUMN e int",
            "copy no table",
        ),
    ];
    for (given, ddl, words) in cases {
        let stage = still(flavor, "undo_refused", &given, ddl).await;
        stage.expect(7, &["up", "--keep-old"], &[words]).await;
        let runs = stage.run(&["status"]).await;
        assert!(runs.out.contains("pending"), "{}{}", runs.out, runs.err);
        stage.finish("start").await;
        stage.expect(7, &["complete", "--keep-old"], &[words]).await;
        stage.finish("rollback").await;
        stage.assert_as_before().await;
        stage.drop().await;
    }
}

async fn the_file_keeps_what_can_be_kept(flavor: Flavor) {
    let given = "CREATE TABLE t (id int PRIMARY KEY, c int); INSERT INTO t VALUES (1, 1), (2, 2)";
    let stage = still(flavor, "undo_file", given, "ALTER TABLE t ADD COLUMN e int").await;
    stage.shoofly.write("shoofly.toml", "keep-old = true\n");
    stage.expect(0, &["up"], &[]).await;
    stage.expect(0, &["alter", "ALTER TABLE t MODIFY c bigint"], &[]).await;
    let again = stage.expect(0, &["alter", "ALTER TABLE t MODIFY c bigint"], &[]).await;
    assert!(again.out.contains("switched"), "{}", again.out);
    stage.expect(7, &["alter", "ALTER TABLE t ADD COLUMN f int"], &["is active", "switched"]).await;
    stage.expect(0, &["rollback"], &[]).await;
    stage.assert_complete().await;
    stage.drop().await;
}

mysql_matrix!(
    there_and_back_and_there_again,
    killed_at_every_point_of_the_switch,
    killed_at_every_point_of_the_way_back,
    killed_at_every_point_of_the_end,
    tables_can_be_locked_at_every_moment,
    a_row_that_the_old_shape_does_not_take,
    what_was_changed_behind_the_triggers,
    what_was_not_written_is_what_it_was,
    what_the_old_shape_rounds_is_rounded,
    what_cannot_be_kept_is_refused_before,
    the_file_keeps_what_can_be_kept,
);
