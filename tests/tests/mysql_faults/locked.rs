//! Tables and rows that somebody holds.

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use shoofly_tests::mysql::stage::{Stage, wait};
use shoofly_tests::{Flavor, mysql_matrix};

use crate::{WIDEN, assert_completed, leave, somebody, stage};

const BRIEFLY: [&str; 2] = ["--give-up-after", "2s"];

/// What says who is in the way, where the server tells it.
fn names(flavor: Flavor, conn: &Conn) -> Vec<String> {
    let mut texts = vec!["t".to_owned()];
    if flavor == Flavor::MySql {
        texts.push(format!("pid {} (root", conn.id()));
    }
    texts
}

async fn gives_up(stage: &Stage, verb: &str, names: &[String]) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.expect(6, &[verb, BRIEFLY[0], BRIEFLY[1]], &names).await;
}

/// Before anything is begun, before the triggers, and before the swap.
async fn a_locked_table_is_waited_for(flavor: Flavor) {
    let stage = stage(flavor, "locked", WIDEN).await;
    let locker = somebody(&stage, "LOCK TABLES t WRITE").await;
    gives_up(&stage, "start", &["t".to_owned()]).await;
    leave(locker).await;
    let reader = somebody(&stage, "BEGIN; SELECT * FROM t LIMIT 1").await;
    gives_up(&stage, "start", &names(flavor, &reader)).await;
    leave(reader).await;
    stage.finish("start").await;
    for sql in ["LOCK TABLES t WRITE", "BEGIN; SELECT * FROM t LIMIT 1"] {
        let holder = somebody(&stage, sql).await;
        // Whoever has locked the table may also keep it from being compared once more.
        gives_up(&stage, "complete", &["t".to_owned()]).await;
        leave(holder).await;
    }
    stage.finish("complete").await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// A run that waits goes on as soon as it can.
async fn a_released_table_is_taken_at_once(flavor: Flavor) {
    let stage = stage(flavor, "released", WIDEN).await;
    let holder = somebody(&stage, "BEGIN; UPDATE t SET c = 1 WHERE id = 1").await;
    stage.mirror.run("UPDATE t SET c = 1 WHERE id = 1").await;
    let child = stage.begin(&["up"], "");
    stage.reached("shadow.before:expand.2", 1).await;
    let mut holder = holder;
    holder.query_drop("COMMIT").await.unwrap();
    wait(child).await.assert(0, &[]);
    leave(holder).await;
    assert_completed(stage).await;
}

/// Rows that a forgotten transaction holds are left for later, and then waited for.
async fn locked_rows_are_deferred(flavor: Flavor) {
    let stage = stage(flavor, "locked_rows", WIDEN).await;
    let child = stage.begin(&["up", BRIEFLY[0], BRIEFLY[1]], "chunk.before=sleep(1500)");
    stage.reached("chunk.before", 1).await;
    let mut holder = somebody(&stage, "BEGIN; UPDATE t SET c = 5 WHERE id = 5").await;
    let names = ["t".to_owned(), format!("pid {} (root", holder.id())];
    wait(child).await.assert(6, &[&names[0], &names[1]]);
    let deferred = format!(
        "SELECT COUNT(*) FROM shoofly.deferred d JOIN shoofly.run_table r ON r.run = d.run WHERE r.table_schema = '{}'",
        stage.live.name()
    );
    assert_eq!(stage.live.text(&deferred).await, "1");
    // The next one waits for it, and does not wait in vain.
    let child = stage.begin(&["up"], "");
    stage.reached("deferred.before", 2).await;
    holder.query_drop("COMMIT").await.unwrap();
    stage.mirror.run("UPDATE t SET c = 5 WHERE id = 5").await;
    wait(child).await.assert(0, &[]);
    leave(holder).await;
    assert_completed(stage).await;
}

mysql_matrix!(a_locked_table_is_waited_for, a_released_table_is_taken_at_once, locked_rows_are_deferred);
