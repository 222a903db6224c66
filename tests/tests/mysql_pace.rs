//! A fill that heeds how a server of MySQL or MariaDB is: it waits, says why, and goes on when it may. Each on a server of its
//! own, as it is the whole server that is busy.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::process::Child;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use shoofly_sandbox::Options;
use shoofly_tests::mysql::stage::{signal, wait};
use shoofly_tests::mysql::{App, Stage, connect};
use shoofly_tests::{Flavor, My, mysql_matrix, until};

/// Where the program's events go.
const SAID: &str = "said";
const REST: &str = "the server has come to rest: on with it";

/// A table of which a change takes some seconds even on a fast machine, as the rate is limited.
async fn stage(flavor: Flavor, name: &str) -> Stage {
    let my = tokio::task::spawn_blocking(move || My::own(flavor, &Options::default())).await.unwrap();
    let given = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int)";
    let app = App::new("t").auto_increment("id").writes("c", "{v}");
    let stage = Stage::set(&my, name, &[given, &app.load(20_000)], "ALTER TABLE t MODIFY c bigint").await;
    stage.shoofly.write("shoofly.toml", "[fill]\nthreads-running = 6\n");
    stage
}

/// With an order for a point of failure, or `""`.
fn begin(stage: &Stage, order: &str) -> Child {
    let said = File::create(stage.shoofly.folder().join(SAID)).unwrap();
    let mut command = stage.shoofly.command(&["up", "--rate", "5000", "--pace", "full", "--format", "json"]);
    if !order.is_empty() {
        stage.shoofly.write("trace", "");
        command.env("SHOOFLY_FAIL", order).env("SHOOFLY_FAIL_TRACE", stage.shoofly.folder().join("trace"));
    }
    command.stdout(said).spawn().unwrap()
}

fn said(stage: &Stage) -> String {
    fs::read_to_string(stage.shoofly.folder().join(SAID)).unwrap()
}

async fn hears(stage: &Stage, words: &str) {
    until(&format!("{words:?} is said"), async || said(stage).contains(words)).await;
}

/// Somebody's connection at work, until it is ended.
async fn busy(stage: &Stage, sql: &'static str) -> u32 {
    let mut conn = connect(&stage.live.url()).await.unwrap();
    let id = conn.id();
    tokio::spawn(async move { conn.query_drop(sql).await.ok() });
    let works = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id} AND COMMAND = 'Query'");
    until(&format!("{sql} runs"), async || stage.live.text(&works).await == "1").await;
    id
}

async fn end(stage: &Stage, connection: u32) {
    stage.live.run(&format!("KILL CONNECTION {connection}")).await;
}

async fn copies(stage: &Stage) {
    let there = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shoofly' AND TABLE_NAME = 'lane'";
    until("the ledger is there", async || stage.live.text(there).await == "1").await;
    let rows = "SELECT COALESCE(SUM(rows_done), 0) > 0 FROM shoofly.lane";
    until("rows are copied", async || stage.live.text(rows).await == "1").await;
}

async fn assert_done(stage: Stage, child: Child) {
    let ended = wait(child).await;
    assert_eq!(ended.code, Some(0), "{}{}", said(&stage), ended.err);
    stage.assert_complete().await;
    stage.drop().await;
}

async fn a_busy_server_is_left_alone(flavor: Flavor) {
    const BUSY: &str = "paused: sessions that run at once (Threads_running): 10; the limit is 6";
    let stage = stage(flavor, "busy").await;
    let mut sleepers = Vec::new();
    for _ in 0..10 {
        sleepers.push(busy(&stage, "SELECT SLEEP(600)").await);
    }
    // It can be ended while it waits.
    let child = begin(&stage, "");
    hears(&stage, BUSY).await;
    let asked = Instant::now();
    signal(&child, "INT");
    assert_eq!(wait(child).await.code, Some(8), "{}", said(&stage));
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    // And it goes on when it may: not before.
    let mut child = begin(&stage, "");
    hears(&stage, BUSY).await;
    hears(&stage, "(for 10 s so far)").await;
    assert!(child.try_wait().unwrap().is_none(), "{}", said(&stage));
    assert!(!said(&stage).contains(REST), "{}", said(&stage));
    for sleeper in sleepers {
        end(&stage, sleeper).await;
    }
    hears(&stage, REST).await;
    assert_done(stage, child).await;
}

async fn a_queue_for_the_table_is_not_made_longer(flavor: Flavor) {
    let stage = stage(flavor, "queue").await;
    let child = begin(&stage, "");
    copies(&stage).await;
    let mut holder = connect(&stage.live.url()).await.unwrap();
    holder.query_drop("BEGIN").await.unwrap();
    holder.query_drop("SELECT * FROM t LIMIT 1").await.unwrap();
    let waiter = busy(&stage, "ALTER TABLE t COMMENT 'never'").await;
    hears(&stage, "paused: sessions that wait for a metadata lock on").await;
    end(&stage, waiter).await;
    holder.disconnect().await.unwrap();
    hears(&stage, REST).await;
    assert_done(stage, child).await;
}

async fn who_waits_for_our_rows_makes_chunks_shorter(flavor: Flavor) {
    const UPDATE: &str = "UPDATE t SET c = 7 WHERE id = 1";
    let stage = stage(flavor, "rows").await;
    // The first chunk holds its rows for so long.
    let child = begin(&stage, "chunk.written=sleep(10000)");
    stage.reached("chunk.written", 1).await;
    busy(&stage, UPDATE).await;
    hears(&stage, "shorter chunks: transactions that wait for rows of ours: 1; the limit is 10").await;
    stage.mirror.run(UPDATE).await;
    assert_done(stage, child).await;
}

mysql_matrix!(
    a_busy_server_is_left_alone,
    a_queue_for_the_table_is_not_made_longer,
    who_waits_for_our_rows_makes_chunks_shorter,
);
