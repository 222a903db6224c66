//! What is done otherwise where nobody writes.

use shoofly_tests::mysql::stage::{Stage, wait};
use shoofly_tests::{Flavor, mysql_matrix};

use crate::{assert_completed, assert_rolled_back, leave, somebody, stage, write};

const CHANGE: &str = "ALTER TABLE t MODIFY c bigint, ADD UNIQUE KEY t_c (c)";

/// The copy takes longer than it takes to see that nobody writes.
const SLOWLY: [&str; 2] = ["--rate", "1500"];

fn slowly(verb: &str) -> [&str; 3] {
    [verb, SLOWLY[0], SLOWLY[1]]
}

fn passed(stage: &Stage, point: &str) -> bool {
    stage.passed().iter().any(|passed| passed == point)
}

async fn tables_are_compared_while_indexes_are_built(flavor: Flavor) {
    let stage = stage(flavor, "beside", CHANGE).await;
    wait(stage.begin(&slowly("up"), "")).await.assert(0, &[]);
    assert!(passed(&stage, "compare.beside") && !passed(&stage, "compare.whole"));
    assert_completed(stage).await;
}

/// Then they are compared afterwards.
async fn who_begins_to_write_is_made_way_for(flavor: Flavor) {
    let stage = stage(flavor, "beside_writes", CHANGE).await;
    let child = stage.begin(&slowly("up"), "compare.beside=sleep(1500)");
    stage.reached("compare.beside", 1).await;
    write(&stage, "UPDATE t SET c = -1 WHERE id = 5").await;
    wait(child).await.assert(0, &[]);
    assert!(passed(&stage, "compare.whole"));
    assert_completed(stage).await;
}

/// A build that waits for somebody else's lock in vain is alone from then on.
async fn a_build_that_was_given_up_has_no_company(flavor: Flavor) {
    let stage = stage(flavor, "beside_held", CHANGE).await;
    let child = stage.begin(&slowly("up"), "compare.beside=sleep(1500)");
    stage.reached("chunk.before", 2).await;
    let holder = somebody(&stage, "BEGIN; SELECT * FROM t_shoofly LIMIT 1").await;
    stage.reached("build.alone", 1).await;
    leave(holder).await;
    wait(child).await.assert(0, &[]);
    assert!(passed(&stage, "compare.whole"));
    assert_completed(stage).await;
}

/// It is the comparison's own step that says so.
async fn what_differs_is_named(flavor: Flavor) {
    let stage = stage(flavor, "beside_differs", CHANGE).await;
    let child = stage.begin(&slowly("start"), "compare.beside=sleep(1500)");
    stage.reached("compare.beside", 1).await;
    stage.live.run("DELETE FROM t_shoofly WHERE id = 1500").await;
    wait(child).await.assert(1, &["id = 1500"]);
    assert_rolled_back(stage).await;
}

async fn a_death_in_that_time_loses_nothing(flavor: Flavor) {
    let stage = stage(flavor, "beside_death", CHANGE).await;
    assert_eq!(wait(stage.begin(&slowly("up"), "compare.beside=abort")).await.code, None);
    assert_completed(stage).await;
}

/// Chunks that the new table should have nothing of, and has.
async fn rows_that_triggers_have_brought_are_no_duplicates(flavor: Flavor) {
    let stage = stage(flavor, "brought", CHANGE).await;
    let child = stage.begin(&slowly("up"), "shadow.before:backfill.1=sleep(500)");
    stage.reached("shadow.before:backfill.1", 1).await;
    write(&stage, "UPDATE t SET c = -id WHERE id IN (1500, 1900)").await;
    wait(child).await.assert(0, &[]);
    assert!(passed(&stage, "chunk.some-there"));
    assert_completed(stage).await;
}

mysql_matrix!(
    tables_are_compared_while_indexes_are_built,
    who_begins_to_write_is_made_way_for,
    a_build_that_was_given_up_has_no_company,
    what_differs_is_named,
    a_death_in_that_time_loses_nothing,
    rows_that_triggers_have_brought_are_no_duplicates,
);
