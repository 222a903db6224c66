//! Rows that refer to nothing, where a foreign key is added.

use mysql_async::prelude::Queryable;
use shoofly_tests::catalogue::assert_equal;
use shoofly_tests::mysql::stage::{Stage, signal, wait};
use shoofly_tests::wait::until;
use shoofly_tests::{Flavor, mysql_matrix};

use crate::{assert_completed, assert_rolled_back, leave, somebody, stage_beside, write};

const ADD: &str = "ALTER TABLE t ADD CONSTRAINT t_c FOREIGN KEY (c) REFERENCES numbers (n)";

/// Every row of `t` has its number, but that of the last one.
async fn numbered(flavor: Flavor, name: &str) -> Stage {
    let numbers =
        "CREATE TABLE numbers (n int PRIMARY KEY); INSERT INTO numbers SELECT DISTINCT c FROM t WHERE id < 2000";
    stage_beside(flavor, name, ADD, &[numbers]).await
}

async fn are_named(flavor: Flavor) {
    let stage = numbered(flavor, "dangling").await;
    stage.expect(1, &["start"], &["one row breaks it: id = 2000", "every c of"]).await;
    write(&stage, "INSERT INTO numbers SELECT c FROM t WHERE id = 2000").await;
    assert_completed(stage).await;
}

/// The key is taken back then, with its index.
async fn written_before_the_key_are_found_behind_it(flavor: Flavor) {
    let stage = numbered(flavor, "dangling_late").await;
    write(&stage, "DELETE FROM t WHERE id = 2000").await;
    let child = stage.begin(&["up"], "native.before:contract.1=sleep(2000)");
    stage.reached("native.before:contract.1", 1).await;
    let mut writer = somebody(&stage, "INSERT INTO t (id, c) VALUES (3000, -1)").await;
    wait(child).await.assert(1, &["one row breaks it: id = 3000"]);
    // From here on there are no more.
    writer.query_drop("INSERT INTO t (id, c) VALUES (3001, -2)").await.unwrap_err();
    leave(writer).await;
    stage.mirror.run("INSERT INTO t (id, c) VALUES (3000, -1)").await;
    assert_rolled_back(stage).await;
}

/// What the server has done is told by the table.
async fn a_key_is_added_once(flavor: Flavor) {
    for (number, point) in ["native.before:contract.1", "native.after:contract.1"].iter().enumerate() {
        let stage = numbered(flavor, &format!("dangling_died_{number}")).await;
        write(&stage, "INSERT INTO numbers SELECT c FROM t WHERE id = 2000").await;
        stage.finish("start").await;
        stage.die("complete", point).await;
        assert_completed(stage).await;
    }
    let stage = numbered(flavor, "dangling_died_back").await;
    write(&stage, "INSERT INTO numbers SELECT c FROM t WHERE id = 2000").await;
    stage.finish("start").await;
    stage.die("complete", "native.after:contract.1").await;
    assert_rolled_back(stage).await;
}

/// Names of constraints are unique in a database, and what a change comes to is seen on copies in one that all runs share.
async fn keys_of_one_name_are_added_side_by_side(flavor: Flavor) {
    let stages = [numbered(flavor, "dangling_one").await, numbered(flavor, "dangling_other").await];
    for stage in &stages {
        write(stage, "INSERT INTO numbers SELECT c FROM t WHERE id = 2000").await;
        stage.finish("start").await;
        stage.die("complete", "native.after:contract.1").await;
    }
    let one = stages[0].begin_until(&["up"], "try.made").await;
    let other = stages[1].begin(&["up"], "");
    let waits = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = '{}' AND STATE = 'User lock'",
        stages[1].live.name()
    );
    until("the other one waits", async || stages[1].live.text(&waits).await == "1").await;
    signal(&one, "KILL");
    wait(one).await;
    wait(other).await.assert(0, &[]);
    for stage in stages {
        assert_completed(stage).await;
    }
}

/// The server leaves the database's name out where both tables are in one.
async fn a_key_to_a_table_named_with_its_database_is_added_once(flavor: Flavor) {
    let stage = numbered(flavor, "dangling_database").await;
    write(&stage, "INSERT INTO numbers SELECT c FROM t WHERE id = 2000").await;
    let add = ADD.replace("numbers", &format!("{}.numbers", stage.live.name()));
    let died = wait(stage.begin(&["alter", &add], "native.after:contract.1=abort")).await;
    assert_eq!(died.code, None, "{}", died.err);
    stage.expect(0, &["alter", &add], &[]).await;
    stage.mirror.run(ADD).await;
    let (live, mirror) = (stage.live.catalogue().await, stage.mirror.catalogue().await);
    assert_equal("in the end", &mirror, &live);
    stage.drop().await;
}

mysql_matrix!(
    are_named,
    written_before_the_key_are_found_behind_it,
    a_key_is_added_once,
    keys_of_one_name_are_added_side_by_side,
    a_key_to_a_table_named_with_its_database_is_added_once,
);
