//! Others who change things meanwhile.

use shoofly_tests::mysql::stage::{MIGRATION, Stage, wait};
use shoofly_tests::{Flavor, catalogue, mysql_matrix, until};

use crate::{WIDEN, assert_completed, assert_rolled_back, end_sessions, stage, stage_of, write};

/// What is done to a run that is ready, and how that is found.
async fn found(flavor: Flavor, name: &str, sql: &str, code: i32, texts: &[&str]) -> Stage {
    let stage = stage(flavor, name, WIDEN).await;
    stage.finish("start").await;
    stage.live.run(sql).await;
    stage.expect(code, &["complete"], texts).await;
    stage
}

async fn a_truncated_table(flavor: Flavor) {
    let stage = found(flavor, "truncated", "TRUNCATE t", 1, &["only the new table has", "id = 1"]).await;
    stage.mirror.run("TRUNCATE t").await;
    assert_rolled_back(stage).await;
}

async fn a_table_truncated_before_it_is_compared(flavor: Flavor) {
    let stage = stage(flavor, "truncated_early", WIDEN).await;
    let child = stage.begin(&["start"], "step.before:verify.1=sleep(1500)");
    stage.reached("step.before:verify.1", 1).await;
    write(&stage, "TRUNCATE t").await;
    wait(child).await.assert(1, &["only the new table has"]);
    assert_rolled_back(stage).await;
}

/// When the proof is too old to count as it is, and young enough not to be made anew.
async fn a_table_truncated_once_it_is_ready(flavor: Flavor) {
    let stage = stage(flavor, "truncated_late", WIDEN).await;
    let child = stage.begin(&["up"], "state.after:ready=sleep(6000)");
    stage.reached("state.after:ready", 1).await;
    write(&stage, "TRUNCATE t").await;
    wait(child).await.assert(1, &["only the new table has"]);
    assert_rolled_back(stage).await;
}

async fn a_row_changed_by_hand(flavor: Flavor) {
    let sql = "UPDATE t_shoofly SET c = c + 1 WHERE id = 321";
    assert_rolled_back(found(flavor, "changed", sql, 1, &["1 rows are missing or differ", "id = 321"]).await).await;
    let sql = "DELETE FROM t_shoofly WHERE id = 321";
    assert_rolled_back(found(flavor, "deleted", sql, 1, &["1 rows are missing or differ", "id = 321"]).await).await;
    let sql = "INSERT INTO t_shoofly (id) VALUES (999999)";
    assert_rolled_back(found(flavor, "invented", sql, 1, &["only the new table has", "id = 999999"]).await).await;
}

async fn a_dropped_trigger(flavor: Flavor) {
    for trigger in ["t_shoofly_ins", "t_shoofly_upd", "t_shoofly_del"] {
        let stage = found(flavor, "trigger", &format!("DROP TRIGGER {trigger}"), 4, &[trigger, "is gone"]).await;
        assert_rolled_back(stage).await;
    }
}

/// An attempt that died has left triggers that bring rows over, and none that takes them away again.
async fn triggers_that_an_attempt_has_left(flavor: Flavor) {
    let stage = stage(flavor, "left", WIDEN).await;
    stage.die("start", "mirror.made").await;
    stage.live.run("DROP TRIGGER t_shoofly_del").await;
    write(&stage, "UPDATE t SET c = c + 1 WHERE id = 77").await;
    write(&stage, "DELETE FROM t WHERE id = 77").await;
    stage.die("start", "mirror.dropped").await;
    stage.finish("start").await;
    assert_completed(stage).await;
}

async fn an_altered_table(flavor: Flavor) {
    let sql = "ALTER TABLE t ADD COLUMN later int";
    let stage = found(flavor, "altered", sql, 4, &["definition was changed"]).await;
    stage.finish("rollback").await;
    stage.mirror.run(sql).await;
    catalogue::assert_equal("after rollback", &stage.mirror.catalogue().await, &stage.live.catalogue().await);
    stage.drop().await;
}

/// What somebody else has done to the table is not what we were about to do.
async fn a_table_altered_after_a_crash(flavor: Flavor) {
    let ddl = "ALTER TABLE t ADD COLUMN ours int";
    let stage = stage(flavor, "altered_native", ddl).await;
    assert_eq!(wait(stage.begin(&["up"], "native.before:expand.1=abort")).await.code, None);
    write(&stage, "ALTER TABLE t ADD KEY theirs (c)").await;
    let said = stage.run(&["up"]).await;
    let ours =
        "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'ours'";
    match said.code {
        Some(0) => stage.assert_complete().await,
        Some(4) => assert_eq!(stage.live.text(ours).await, "0", "{}", said.err),
        code => panic!("{code:?} {}{}", said.out, said.err),
    }
    stage.drop().await;
}

async fn names_that_are_taken(flavor: Flavor) {
    for name in ["t_shoofly", "t_shoofly_old"] {
        let stage = stage(flavor, "taken", WIDEN).await;
        write(&stage, &format!("CREATE TABLE {name} (a int)")).await;
        let before = stage.live.catalogue().await;
        stage.expect(7, &["start"], &[name]).await;
        catalogue::assert_equal("after the refusal", &before, &stage.live.catalogue().await);
        stage.drop().await;
    }
}

async fn two_processes_do_it_once(flavor: Flavor) {
    let stage = stage_of(flavor, "two", WIDEN, 5_000).await;
    let one = stage.begin(&["up"], "");
    let other = stage.begin(&["up"], "");
    for said in [wait(one).await, wait(other).await] {
        let busy = said.code == Some(7) && said.err.contains("another run is in the way");
        assert!(said.code == Some(0) || busy, "{:?} {}{}", said.code, said.out, said.err);
    }
    assert_completed(stage).await;
}

/// Every connection of ours is ended by somebody, in the middle of the copy.
async fn connections_ended_in_the_copy(flavor: Flavor) {
    let stage = stage_of(flavor, "ended_copy", WIDEN, 10_000).await;
    let child = stage.begin(&["up"], "chunk.written:3=sleep(500)");
    stage.reached("chunk.written", 3).await;
    assert!(end_sessions(&stage).await >= 3, "two that hold the run and one that copies");
    wait(child).await.assert(0, &[]);
    assert_completed(stage).await;
}

/// Nobody can tell whether the statement took effect, but for asking the catalogue.
async fn connections_ended_in_a_statement(flavor: Flavor) {
    for point in ["native.before:build.1", "native.after:build.1"] {
        let stage = stage(flavor, "ended_ddl", "ALTER TABLE t ADD KEY t_c (c)").await;
        let child = stage.begin(&["up"], &format!("{point}=sleep(500)"));
        stage.reached(point, 1).await;
        assert!(end_sessions(&stage).await >= 2);
        wait(child).await.assert(0, &[]);
        assert_completed(stage).await;
    }
    let stage = stage_of(flavor, "ended_build", "ALTER TABLE t ADD KEY t_d (d, c)", 10_000).await;
    write(&stage, "INSERT INTO t (c, d) SELECT a.c, a.d FROM t a, (SELECT id FROM t LIMIT 20) b").await;
    let child = stage.begin(&["up"], "");
    let building = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%ALTER TABLE `{}`%KEY%' AND ID <> CONNECTION_ID()",
        stage.live.name()
    );
    until("the index is being built", async || stage.live.text(&building).await != "0").await;
    assert!(end_sessions(&stage).await >= 2);
    wait(child).await.assert(0, &[]);
    assert_completed(stage).await;
}

async fn connections_ended_before_the_swap(flavor: Flavor) {
    for point in ["swap.before", "swap.after"] {
        let stage = stage(flavor, "ended_swap", WIDEN).await;
        stage.finish("start").await;
        let child = stage.begin(&["complete", MIGRATION], &format!("{point}=sleep(500)"));
        stage.reached(point, 1).await;
        assert!(end_sessions(&stage).await >= 2);
        wait(child).await.assert(0, &[]);
        assert_completed(stage).await;
    }
}

mysql_matrix!(
    a_truncated_table,
    a_table_truncated_before_it_is_compared,
    a_table_truncated_once_it_is_ready,
    a_row_changed_by_hand,
    a_dropped_trigger,
    triggers_that_an_attempt_has_left,
    an_altered_table,
    a_table_altered_after_a_crash,
    names_that_are_taken,
    two_processes_do_it_once,
    connections_ended_in_the_copy,
    connections_ended_in_a_statement,
    connections_ended_before_the_swap,
);
