//! Rows that the new shape does not take.

use shoofly_tests::mysql::stage::{Stage, wait};
use shoofly_tests::{Flavor, My, mysql_matrix};

use crate::{assert_completed, assert_rolled_back, stage, write};

const NARROW: &str = "ALTER TABLE t MODIFY d varchar(6)";

async fn a_duplicate_for_a_new_unique_key(flavor: Flavor) {
    let stage = stage(flavor, "duplicate", "ALTER TABLE t MODIFY c bigint, ADD UNIQUE KEY t_c (c)").await;
    write(&stage, "UPDATE t SET c = 77 WHERE id IN (7, 1500)").await;
    stage.expect(1, &["start"], &["77", "t_c"]).await;
    // The same again says the same; corrected, it goes on.
    stage.expect(1, &["start"], &["77", "t_c"]).await;
    assert_rolled_back(stage).await;
}

/// Built by the server by itself, on the table.
async fn a_duplicate_for_a_unique_key_in_place(flavor: Flavor) {
    let stage = stage(flavor, "duplicate_online", "CREATE UNIQUE INDEX t_cd ON t (c, d(3))").await;
    write(&stage, "UPDATE t SET c = 77, d = CONCAT('abc', id) WHERE id IN (7, 1500)").await;
    write(&stage, "UPDATE t SET c = NULL WHERE id IN (8, 9)").await;
    stage.expect(1, &["up"], &["t_cd", "c = 77, d = abc (2 rows)"]).await;
    write(&stage, "UPDATE t SET d = 'abd' WHERE id = 1500").await;
    assert_completed(stage).await;
}

async fn a_corrected_duplicate_is_gone_on_from(flavor: Flavor) {
    let stage = stage(flavor, "corrected", "ALTER TABLE t MODIFY c bigint, ADD UNIQUE KEY t_c (c)").await;
    write(&stage, "UPDATE t SET c = 77 WHERE id IN (7, 1500)").await;
    stage.expect(1, &["start"], &["77", "t_c"]).await;
    write(&stage, "UPDATE t SET c = 78 WHERE id = 1500").await;
    assert_completed(stage).await;
}

async fn a_value_that_does_not_fit(flavor: Flavor) {
    let stage = stage(flavor, "narrow", NARROW).await;
    write(&stage, "UPDATE t SET d = 'too long' WHERE id = 1234").await;
    stage.expect(1, &["start"], &["id = 1234"]).await;
    assert_rolled_back(stage).await;
}

/// The application's statement succeeds: it is we who fail.
async fn a_value_that_does_not_fit_any_more(flavor: Flavor) {
    let stage = stage(flavor, "narrow_later", NARROW).await;
    let child = stage.begin(&["start"], "step.before:build.1=sleep(1500)");
    stage.reached("step.before:build.1", 1).await;
    write(&stage, "UPDATE t SET d = 'too long' WHERE id = 1234").await;
    write(&stage, "INSERT INTO t (id, d) VALUES (1000000, 'too long')").await;
    wait(child).await.assert(1, &["id = 1234", "id = 1000000"]);
    stage.expect(1, &["start"], &["id = 1234"]).await;
    assert_rolled_back(stage).await;
}

async fn a_value_that_does_not_fit_when_ready(flavor: Flavor) {
    let stage = stage(flavor, "narrow_ready", NARROW).await;
    stage.finish("start").await;
    write(&stage, "UPDATE t SET d = 'too long' WHERE id = 1234").await;
    stage.expect(1, &["complete"], &["id = 1234"]).await;
    assert_rolled_back(stage).await;
}

/// Written when everything has been proved, while the swap waits for its turn.
async fn a_value_that_does_not_fit_at_the_last_moment(flavor: Flavor) {
    let stage = stage(flavor, "narrow_last", NARROW).await;
    stage.finish("start").await;
    let child = stage.begin(&["complete"], "swap.before=sleep(1500)");
    stage.reached("swap.before", 1).await;
    write(&stage, "UPDATE t SET d = 'too long' WHERE id = 1234").await;
    wait(child).await.assert(1, &["id = 1234"]);
    assert_rolled_back(stage).await;
}

/// The server says of both with one number that they were cut off: a rounded value is taken, a member that is gone is not.
async fn a_member_that_goes_beside_a_number_that_is_rounded(flavor: Flavor) {
    let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
    let given = "CREATE TABLE t (id int PRIMARY KEY, n decimal(12,4), e enum('a', 'b', 'c'));
        INSERT INTO t VALUES (1, 1.0005, 'a'), (2, 1.005, 'b'), (3, 1.0, 'a')";
    let ddl = "ALTER TABLE t MODIFY n decimal(10,2), MODIFY e enum('a', 'b')";
    let stage = Stage::set(&my, "rounded_member", &[given], ddl).await;
    stage.finish("start").await;
    write(&stage, "SELECT 1; UPDATE t SET n = 2.125; INSERT INTO t VALUES (4, 2.345, 'a')").await;
    stage.finish("start").await;
    write(&stage, "SELECT 1; UPDATE t SET n = 3.125, e = ELT(id, 'b', 'c', 'a', 'a')").await;
    let said = stage.expect(1, &["complete"], &["id = 2", "'e'", "1265"]).await;
    assert!(!said.err.contains("id = 1"), "{}", said.err);
    assert_rolled_back(stage).await;
}

mysql_matrix!(
    a_duplicate_for_a_new_unique_key,
    a_duplicate_for_a_unique_key_in_place,
    a_corrected_duplicate_is_gone_on_from,
    a_value_that_does_not_fit,
    a_value_that_does_not_fit_any_more,
    a_value_that_does_not_fit_when_ready,
    a_value_that_does_not_fit_at_the_last_moment,
    a_member_that_goes_beside_a_number_that_is_rounded,
);
