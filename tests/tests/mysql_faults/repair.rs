//! Rows of the new table that somebody has changed behind the triggers' back.

use mysql_async::prelude::Queryable;
use shoofly_tests::mysql::stage::Stage;
use shoofly_tests::{Flavor, mysql_matrix};

use crate::{assert_completed, leave, somebody, stage};

const CHANGE: &str = "ALTER TABLE t MODIFY c bigint, ADD UNIQUE KEY t_c (c)";

/// A value, a row that is missing, one too many, and two that have exchanged a unique value.
const MEDDLE: [&str; 5] = [
    "UPDATE t_shoofly SET d = 'other' WHERE id = 7",
    "DELETE FROM t_shoofly WHERE id = 1500",
    "INSERT INTO t_shoofly (id, c) SELECT -5, c FROM t WHERE id = 1500",
    "UPDATE t_shoofly SET c = -1 WHERE id = 20",
    "UPDATE t_shoofly AS s JOIN t ON t.id = 20 SET s.c = t.c WHERE s.id = 21",
];

async fn meddled_with(flavor: Flavor, name: &str) -> Stage {
    let stage = stage(flavor, name, CHANGE).await;
    stage.finish("start").await;
    for sql in MEDDLE {
        stage.live.run(sql).await;
    }
    stage
}

async fn rows_are_named_and_repaired(flavor: Flavor) {
    let stage = meddled_with(flavor, "repair").await;
    stage.expect(1, &["verify"], &["id = 7", "id = 1500", "id = 20", "id = 21", "id = -5", "--repair"]).await;
    stage.expect(0, &["verify", "--repair"], &[]).await;
    stage.expect(0, &["verify"], &[]).await;
    assert_completed(stage).await;
}

/// Whoever holds a row is waited for, and holds nobody up.
async fn rows_that_are_held_are_repaired_later(flavor: Flavor) {
    let stage = meddled_with(flavor, "repair_held").await;
    let mut holder = somebody(&stage, "BEGIN; UPDATE t SET d = 'held' WHERE id = 7").await;
    let child = stage.begin(&["verify", "--repair"], "repair.held=sleep(20)");
    stage.reached("repair.held", 2).await;
    // A row that the repair has no business with, and one that it had.
    holder.query_drop("UPDATE t SET d = 'held too' WHERE id IN (8, 1500); COMMIT").await.unwrap();
    leave(holder).await;
    stage.mirror.run("UPDATE t SET d = 'held' WHERE id = 7; UPDATE t SET d = 'held too' WHERE id IN (8, 1500)").await;
    shoofly_tests::mysql::stage::wait(child).await.assert(0, &[]);
    assert_completed(stage).await;
}

async fn what_has_ended_is_not_compared(flavor: Flavor) {
    let stage = stage(flavor, "verify_ended", CHANGE).await;
    stage.expect(2, &["verify"], &["no run is known"]).await;
    stage.finish("up").await;
    stage.expect(0, &["verify"], &[]).await;
    stage.assert_complete().await;
    stage.drop().await;
}

mysql_matrix!(rows_are_named_and_repaired, rows_that_are_held_are_repaired_later, what_has_ended_is_not_compared);
