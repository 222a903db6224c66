//! The harness itself: what is right passes, and each kind of wrong is found.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use shoofly_tests::mysql::elder::Elder;
use shoofly_tests::mysql::{App, Means, MyCase, MyDatabase, Sabotage};
use shoofly_tests::{Flavor, My, mysql_matrix, until};
use tokio::runtime::Handle;

fn case(name: &str) -> MyCase {
    let app = App::new("t")
        .auto_increment("id")
        .writes("c", "{v}")
        .writes("d", "CONCAT('d', {v})")
        .writes("f", "{v} / 3")
        .unique("u", "{v}");
    MyCase::new(name, app, "ALTER TABLE t MODIFY c bigint, ADD KEY c (c)")
        .given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(20), u int UNIQUE, f float)")
        .rows(500)
}

/// The case with something wrong in it: what is said about that.
async fn wrong(flavor: Flavor, name: &str, sabotage: Sabotage) -> String {
    let case = case(name);
    let run = move || Handle::current().block_on(case.run_by(flavor, &Means::Plain(sabotage)));
    let panic = tokio::task::spawn_blocking(run).await.expect_err("nobody has noticed").into_panic();
    panic.downcast_ref::<String>().unwrap().clone()
}

/// Left alone, the application meets no deadlock on either server.
async fn right(flavor: Flavor) {
    let felt = case("right").work(500).run_by(flavor, &Means::Plain(Sabotage::default())).await;
    assert!(!felt.longest_statement.is_empty() && felt.longest.as_nanos() > 0);
    assert_eq!((felt.deadlocks, felt.stale), (0, 0));
}

async fn finds_wrong_rows(flavor: Flavor) {
    let sabotage = Sabotage { complete: "DELETE FROM t WHERE id > 0 ORDER BY id LIMIT 1", ..Sabotage::default() };
    let said = wrong(flavor, "row_lost", sabotage).await;
    assert!(said.contains("missing") || said.contains("0 rows instead of 1"), "{said}");
    let sabotage = Sabotage { rollback: "INSERT INTO t (id) VALUES (900000)", ..Sabotage::default() };
    let said = wrong(flavor, "row_invented", sabotage).await;
    assert!(said.contains("after rollback: rows of t are wrong") && said.contains("surplus"), "{said}");
    let sabotage =
        Sabotage { start: "UPDATE t SET f = f * 1.0001 WHERE f > 0 ORDER BY id LIMIT 1", ..Sabotage::default() };
    let said = wrong(flavor, "value_lost", sabotage).await;
    assert!(said.contains("when ready: rows of t are wrong"), "{said}");
}

async fn finds_a_wrong_catalogue(flavor: Flavor) {
    let sabotage = Sabotage { complete: "ALTER TABLE t DROP KEY c", ..Sabotage::default() };
    let said = wrong(flavor, "index_lost", sabotage).await;
    assert!(said.contains("after complete: the catalogue differs") && said.contains("KEY `c`"), "{said}");
    let sabotage = Sabotage { rollback: "ALTER TABLE t COMMENT 'new'", ..Sabotage::default() };
    let said = wrong(flavor, "comment_left", sabotage).await;
    assert!(said.contains("after rollback: the catalogue differs"), "{said}");
    let sabotage = Sabotage { complete: "GRANT SELECT (c) ON t TO 'reader'@'%'", ..Sabotage::default() };
    let said = wrong(flavor, "grant_made", sabotage).await;
    assert!(said.contains("after complete: the catalogue differs") && said.contains("grant SELECT on t c"), "{said}");
}

async fn finds_what_is_left(flavor: Flavor) {
    let sabotage = Sabotage { complete: "CREATE TABLE t_shoofly (id int)", ..Sabotage::default() };
    let said = wrong(flavor, "table_left", sabotage).await;
    assert!(said.contains("t_shoofly"), "{said}");
    let sabotage = Sabotage {
        rollback: "CREATE TRIGGER shoofly_t AFTER INSERT ON t FOR EACH ROW SET @x = 1",
        ..Sabotage::default()
    };
    let said = wrong(flavor, "trigger_left", sabotage).await;
    assert!(said.contains("shoofly_t"), "{said}");
}

async fn finds_a_failing_application(flavor: Flavor) {
    let sabotage = Sabotage { start: "ALTER TABLE t CHANGE d e varchar(20)", ..Sabotage::default() };
    let said = wrong(flavor, "column_gone", sabotage).await;
    assert!(said.contains("the application failed") && said.contains("Unknown column"), "{said}");
}

/// Whatever is written between the copy and the swap is lost. The copy reads without locks on rows, with which it would make
/// deadlocks with the writers; where the rename makes one, as any that waits may, nothing was lost yet, and it is done again.
async fn finds_what_a_copy_without_triggers_loses(flavor: Flavor) {
    let swap = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; INSERT INTO u SELECT * FROM t; DO SLEEP(0.2); \
                RENAME TABLE t TO s, u TO t; DROP TABLE s";
    let sabotage = Sabotage { start: "CREATE TABLE u LIKE t", meanwhile: swap, ..Sabotage::default() };
    let mut said = String::new();
    until("a copy without triggers comes to its end", async || {
        said = wrong(flavor, "naive_copy", sabotage).await;
        !said.contains("Deadlock found")
    })
    .await;
    assert!(said.contains("0 rows instead of 1") || said.contains("Duplicate entry"), "{said}");
}

/// A table that was filled after a reader's snapshot and took the other one's place has no rows for that reader. One that was
/// made after the snapshot, too, is refused to it, on both products: there the reader goes on.
async fn finds_a_swap_under_an_old_snapshot(flavor: Flavor) {
    let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
    let db = MyDatabase::create(&my, "old_snapshot").await;
    db.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)").await;
    let url = db.url();
    let reader = tokio::spawn(async move {
        let mut elder = Elder::open(&url, vec![1]).await.unwrap();
        let app = App::new("t").key("id", "{n}");
        loop {
            match elder.read(&app, flavor).await {
                Err(failure) if !failure.is_stale() => return failure.to_string(),
                _ => {}
            }
        }
    });
    until("a reader sees an empty table", async || {
        db.run("CREATE TABLE u LIKE t; DO SLEEP(0.01); INSERT INTO u SELECT * FROM t; RENAME TABLE t TO s, u TO t")
            .await;
        db.run("DROP TABLE s").await;
        reader.is_finished()
    })
    .await;
    let said = reader.await.unwrap();
    assert!(said.contains("0 rows instead of 1"), "{said}");
    db.drop().await;
}

mysql_matrix!(
    right,
    finds_wrong_rows,
    finds_a_wrong_catalogue,
    finds_what_is_left,
    finds_a_failing_application,
    finds_what_a_copy_without_triggers_loses,
    finds_a_swap_under_an_old_snapshot,
);
