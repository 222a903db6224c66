//! Indexes that are built while others use the table.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use shoofly_tests::mysql::stage::wait;
use shoofly_tests::{Flavor, My, mysql_matrix};
use tokio_util::sync::CancellationToken;

use crate::{GIVEN, WIDEN, app, assert_completed, leave, somebody};
use shoofly_tests::mysql::Stage;

/// Holds the table for some milliseconds again and again; nothing is changed.
async fn use_again_and_again(stage: &Stage, id: u32, stop: CancellationToken) -> tokio::task::JoinHandle<u32> {
    let mut conn = somebody(stage, "SET autocommit = 1").await;
    tokio::spawn(async move {
        let mut times = 0;
        while !stop.is_cancelled() {
            conn.query_drop(format!("BEGIN; UPDATE t SET c = c WHERE id = {id}")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(4)).await;
            conn.query_drop("COMMIT").await.unwrap();
            times += 1;
        }
        leave(conn).await;
        times
    })
}

/// A build asks for the table once more at its end. Were it given up whenever somebody has it then, it would be done again and
/// again on a table that somebody has all the time.
async fn a_build_on_a_busy_table_comes_to_its_end(flavor: Flavor) {
    let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
    let given = [GIVEN, &app().load(20_000), "CREATE UNIQUE INDEX e ON t (d, id)"];
    let stage = Stage::set(&my, "building", &given, WIDEN).await;
    let child = stage.begin(&["start"], "shadow.before:build.1=sleep(1000)");
    stage.reached("shadow.before:build.1", 1).await;
    let stop = CancellationToken::new();
    let mut users = Vec::new();
    for id in 1..=6 {
        users.push(use_again_and_again(&stage, id, stop.clone()).await);
    }
    stage.reached("shadow.after:build.1", 1).await;
    stop.cancel();
    for user in users {
        assert!(user.await.unwrap() > 50, "the table was not busy");
    }
    wait(child).await.assert(0, &[]);
    assert_completed(stage).await;
}

mysql_matrix!(a_build_on_a_busy_table_comes_to_its_end);
