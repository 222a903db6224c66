//! What befalls a run on MySQL and MariaDB besides crashes: tables and rows that somebody holds, rows that do not fit, others who
//! change things meanwhile, rights that are missing, connections that are ended.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use shoofly_tests::mysql::{App, Stage, connect};
use shoofly_tests::{Flavor, My};

mod mysql_faults {
    mod broken_off;
    mod building;
    mod dangling;
    mod dual_column;
    mod locked;
    mod meddling;
    mod named;
    mod prepared;
    mod quiet;
    mod repair;
    mod rights;
    mod unfit;
    mod zeros;
}

const WIDEN: &str = "ALTER TABLE t MODIFY c bigint";

fn app() -> App {
    App::new("t").auto_increment("id").writes("c", "{v}").writes("d", "CONCAT('d', {n})")
}

const GIVEN: &str = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(20))";

async fn stage_of(flavor: Flavor, name: &str, ddl: &str, rows: u32) -> Stage {
    let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
    stage_on(&my, name, ddl, rows).await
}

async fn stage_on(my: &My, name: &str, ddl: &str, rows: u32) -> Stage {
    Stage::set(my, name, &[GIVEN, &app().load(rows)], ddl).await
}

/// A stage with something beside its table.
async fn stage_beside(flavor: Flavor, name: &str, ddl: &str, beside: &[&str]) -> Stage {
    let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
    let load = app().load(2_000);
    let given: Vec<&str> = [GIVEN, &load].into_iter().chain(beside.iter().copied()).collect();
    Stage::set(&my, name, &given, ddl).await
}

async fn stage(flavor: Flavor, name: &str, ddl: &str) -> Stage {
    stage_of(flavor, name, ddl, 2_000).await
}

/// The application writes.
async fn write(stage: &Stage, sql: &str) {
    stage.live.run(sql).await;
    stage.mirror.run(sql).await;
}

/// A connection of somebody's, where this has been done.
async fn somebody(stage: &Stage, sql: &str) -> Conn {
    let mut conn = connect(&stage.live.url()).await.unwrap();
    conn.query_drop(sql).await.unwrap();
    conn
}

async fn leave(conn: Conn) {
    conn.disconnect().await.unwrap();
}

async fn assert_rolled_back(stage: Stage) {
    stage.finish("rollback").await;
    stage.assert_as_before().await;
    stage.drop().await;
}

async fn assert_completed(stage: Stage) {
    stage.finish("up").await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// Ends every session on the database but the tests' own; how many these were.
async fn end_sessions(stage: &Stage) -> usize {
    let sql = format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{}' AND ID <> CONNECTION_ID()",
        stage.live.name()
    );
    let sessions = stage.live.rows(&sql).await;
    for session in &sessions {
        // It may have ended by itself.
        let mut conn = connect(&stage.live.url()).await.unwrap();
        conn.query_drop(format!("KILL CONNECTION {}", session[0])).await.ok();
        leave(conn).await;
    }
    sessions.len()
}
