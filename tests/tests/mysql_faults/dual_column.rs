//! A column beside another one: rows that do not fit, and others who change it.

use shoofly_tests::mysql::stage::wait;
use shoofly_tests::{Flavor, mysql_matrix};

use crate::{assert_completed, assert_rolled_back, stage, write};

const NARROW: &str = "-- shoofly: strategy = dual-column\nALTER TABLE t MODIFY d varchar(6)";
const FULL: &str = "-- shoofly: strategy = dual-column\nALTER TABLE t MODIFY c int NOT NULL";

async fn a_value_that_does_not_fit(flavor: Flavor) {
    let stage = stage(flavor, "dual_narrow", NARROW).await;
    write(&stage, "UPDATE t SET d = 'too long' WHERE id = 1234").await;
    stage.expect(1, &["start"], &["id = 1234"]).await;
    write(&stage, "UPDATE t SET d = 'short' WHERE id = 1234").await;
    assert_completed(stage).await;
}

async fn a_null_that_is_there_and_one_that_comes(flavor: Flavor) {
    let stage = stage(flavor, "dual_nulls", FULL).await;
    write(&stage, "UPDATE t SET c = NULL WHERE id = 1234").await;
    stage.expect(1, &["start"], &["id = 1234"]).await;
    write(&stage, "UPDATE t SET c = 0 WHERE id = 1234").await;
    stage.finish("start").await;
    // The application's statements succeed: it is we who fail.
    write(&stage, "UPDATE t SET c = NULL WHERE id = 7").await;
    write(&stage, "INSERT INTO t (id, d) VALUES (1000000, 'new')").await;
    stage.expect(1, &["complete"], &["id = 7", "id = 1000000"]).await;
    write(&stage, "UPDATE t SET c = 8 WHERE id IN (7, 1000000)").await;
    assert_completed(stage).await;
}

/// Written when everything has been proved, while the exchange waits for its turn. Corrected, it stands in nobody's way.
async fn a_value_that_does_not_fit_at_the_last_moment(flavor: Flavor) {
    let stage = stage(flavor, "dual_last", NARROW).await;
    stage.finish("start").await;
    let child = stage.begin(&["complete"], "column.before=sleep(1500)");
    stage.reached("column.before", 1).await;
    write(&stage, "UPDATE t SET d = 'too long' WHERE id = 1234").await;
    wait(child).await.assert(1, &["id = 1234"]);
    stage.expect(1, &["complete"], &["id = 1234"]).await;
    write(&stage, "UPDATE t SET d = 'short' WHERE id = 1234").await;
    assert_completed(stage).await;
}

async fn a_value_that_does_not_fit_leaves_the_way_back_open(flavor: Flavor) {
    let stage = stage(flavor, "dual_back", NARROW).await;
    stage.finish("start").await;
    let child = stage.begin(&["complete"], "column.before=sleep(1500)");
    stage.reached("column.before", 1).await;
    write(&stage, "UPDATE t SET d = 'too long' WHERE id = 1234").await;
    wait(child).await.assert(1, &["id = 1234"]);
    assert_rolled_back(stage).await;
}

async fn a_column_that_somebody_changes(flavor: Flavor) {
    let stage = stage(flavor, "dual_changed", FULL).await;
    stage.finish("start").await;
    stage.live.run("ALTER TABLE t ALTER COLUMN c SET DEFAULT 9").await;
    stage.expect(4, &["complete"], &["changed by somebody else"]).await;
    stage.live.run("ALTER TABLE t ALTER COLUMN c SET DEFAULT NULL").await;
    assert_completed(stage).await;
}

async fn a_trigger_that_somebody_drops(flavor: Flavor) {
    let stage = stage(flavor, "dual_trigger", FULL).await;
    stage.finish("start").await;
    stage.live.run("DROP TRIGGER t_shoofly_rupd").await;
    stage.expect(4, &["complete"], &["t_shoofly_rupd", "is gone"]).await;
    assert_rolled_back(stage).await;
}

mysql_matrix!(
    a_value_that_does_not_fit,
    a_null_that_is_there_and_one_that_comes,
    a_value_that_does_not_fit_at_the_last_moment,
    a_value_that_does_not_fit_leaves_the_way_back_open,
    a_column_that_somebody_changes,
    a_trigger_that_somebody_drops,
);
