//! The command line, from the outside: verbs, exit codes, streams.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

use shoofly_tests::binary::Said;
use shoofly_tests::{Binary, Database, Pg, catalogue, matrix, until};

const GIVEN: &str = "
    CREATE TABLE orders (id int PRIMARY KEY, ref text, note text);
    INSERT INTO orders SELECT i, i FROM generate_series(1, 500) i";

const WIDEN: &str = "ALTER TABLE orders ALTER COLUMN id TYPE bigint";

async fn stage(major: u32, name: &str) -> (Database, Binary) {
    let db = Database::create(&Pg::shared(major), name).await;
    db.run(GIVEN).await;
    let binary = Binary::new(&db.url());
    (db, binary)
}

async fn folder_up_and_down(major: u32) {
    let (db, shoofly) = stage(major, "cli_folder").await;
    let before = db.catalogue().await;
    shoofly.expect(0, &["init"]);
    assert!(shoofly.folder().join("shoofly.toml").is_file() && shoofly.folder().join("migrations").is_dir());
    let made = shoofly.expect(0, &["new", "Widen orders.id"]);
    assert!(shoofly.folder().join(made.out.trim()).is_file(), "{}", made.out);
    std::fs::remove_file(shoofly.folder().join(made.out.trim())).unwrap();
    shoofly.write(
        "migrations/20260101000000_widen.sql",
        "-- migrate:up\nALTER TABLE orders ALTER COLUMN id TYPE bigint;\n-- migrate:down\nALTER TABLE orders ALTER COLUMN id TYPE int;\n",
    );
    shoofly.write(
        "migrations/20260102000000_status.sql",
        "-- migrate:up\nALTER TABLE orders ADD COLUMN status text DEFAULT 'new';\nCREATE INDEX orders_status ON orders (status);\n-- migrate:down\nDROP INDEX orders_status;\nALTER TABLE orders DROP COLUMN status;\n",
    );
    let status = shoofly.expect(3, &["status", "--exit-code"]);
    assert!(
        status.out.contains("20260101000000_widen") && status.out.contains("20260102000000_status"),
        "{}",
        status.out
    );
    // Not accepted yet: nothing happens.
    let refused = shoofly.expect(7, &["up"]);
    assert!(refused.err.contains("column-order"), "{}", refused.err);
    catalogue::assert_equal("after the refusal", &before, &db.catalogue().await);

    shoofly.expect(0, &["up", "1", "--accept", "column-order"]);
    assert_eq!(db.text("SELECT pg_typeof(id) FROM orders LIMIT 1").await, "bigint");
    shoofly.expect(0, &["up", "--accept", "column-order"]);
    let again = shoofly.expect(0, &["up"]);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
    shoofly.expect(0, &["status", "--exit-code"]);
    let history = shoofly.expect(0, &["history"]);
    assert!(history.out.contains("20260102000000_status") && history.out.contains("complete"), "{}", history.out);

    shoofly.expect(0, &["down", "2", "--accept", "column-order"]);
    catalogue::assert_equal("after down", &before, &db.catalogue().await);
    shoofly.expect(3, &["status", "--exit-code"]);
    // What has been reverted can be applied again, and an applied file must not change.
    shoofly.expect(0, &["up", "1", "--accept", "column-order"]);
    shoofly.write("migrations/20260101000000_widen.sql", "ALTER TABLE orders ALTER COLUMN id TYPE numeric;");
    let edited = shoofly.expect(4, &["up"]);
    assert!(edited.err.contains("20260101000000_widen"), "{}", edited.err);
    db.drop().await;
}

async fn start_complete_and_rollback(major: u32) {
    let (db, shoofly) = stage(major, "cli_phases").await;
    let before = db.catalogue().await;
    shoofly.write("migrations/1_widen.sql", WIDEN);
    shoofly.expect(0, &["start", "--accept", "column-order"]);
    let status = shoofly.expect(3, &["status", "--exit-code"]);
    assert!(status.out.contains("ready"), "{}", status.out);
    let again = shoofly.expect(0, &["start", "--accept", "column-order"]);
    assert!(!again.out.is_empty() || !again.err.is_empty());
    shoofly.expect(0, &["rollback"]);
    catalogue::assert_equal("after rollback", &before, &db.catalogue().await);
    shoofly.expect(0, &["start", "1_widen", "--accept", "column-order"]);
    shoofly.expect(0, &["complete", "1_widen"]);
    shoofly.expect(0, &["complete", "1_widen"]);
    assert_eq!(db.text("SELECT pg_typeof(id) FROM orders LIMIT 1").await, "bigint");
    let late = shoofly.run(&["rollback", "1_widen"]);
    assert!(late.code != Some(0) || late.out.contains("nothing"), "{}{}", late.out, late.err);
    db.drop().await;
}

async fn alter_again_has_nothing_to_do(major: u32) {
    let (db, shoofly) = stage(major, "cli_alter").await;
    shoofly.expect(0, &["alter", WIDEN, "--accept", "column-order"]);
    let again = shoofly.expect(0, &["alter", WIDEN, "--accept", "column-order"]);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
    db.assert_nothing_left("after alter").await;
    db.drop().await;
}

async fn reading_writes_nothing(major: u32) {
    let (db, shoofly) = stage(major, "cli_reading").await;
    // Whatever would write fails.
    db.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$")
        .await;
    shoofly.write("migrations/1_widen.sql", WIDEN);
    let plan = shoofly.expect(7, &["plan"]);
    for word in ["expand", "backfill", "contract", "ACCESS EXCLUSIVE", "column-order"] {
        assert!(plan.out.contains(word) || plan.err.contains(word), "{word} is missing:\n{}{}", plan.out, plan.err);
    }
    shoofly.expect(0, &["plan", "--accept", "column-order"]);
    shoofly.expect(0, &["plan", "-o", "plan.json", "--accept", "column-order"]);
    let written = std::fs::read_to_string(shoofly.folder().join("plan.json")).unwrap();
    let plan: shoofly_engine::Plan = serde_json::from_str(&written).unwrap();
    assert!(plan.steps().count() > 4);
    shoofly.expect(0, &["plan", "--sql", "ALTER TABLE orders ADD COLUMN c int"]);
    shoofly.expect(0, &["status"]);
    shoofly.expect(0, &["history"]);
    assert_eq!(db.text("SELECT to_regnamespace('shoofly') IS NULL").await, "t");
    db.drop().await;
}

async fn exit_codes(major: u32) {
    let (db, shoofly) = stage(major, "cli_exits").await;
    let usage = shoofly.expect(2, &["alter"]);
    assert!(usage.out.is_empty(), "{}", usage.out);
    shoofly.expect(2, &["--no-such-flag"]);
    shoofly.expect(2, &["alter", WIDEN, "--accept", "anything"]);
    shoofly.expect(2, &["status", "--url", "postgres://nobody@127.0.0.1:1/nowhere"]);
    shoofly.expect(2, &["status", "--url", "mysql://nobody@127.0.0.1:1/nowhere"]);
    let syntax = shoofly.expect(2, &["alter", "ALTER TABLE orders ADD COLUMN"]);
    assert!(syntax.out.is_empty() && !syntax.err.is_empty(), "{}", syntax.out);
    shoofly.expect(7, &["alter", WIDEN]);
    shoofly.expect(7, &["alter", "ALTER TABLE nowhere ADD COLUMN c int"]);
    let holder = db.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE").await.unwrap();
    let blocked = ["alter", WIDEN, "--accept", "column-order", "--give-up-after", "1s"];
    let locked = tokio::task::block_in_place(|| shoofly.run(&blocked));
    assert_eq!(locked.code, Some(6), "{}{}", locked.out, locked.err);
    holder.batch_execute("COMMIT").await.unwrap();
    shoofly.expect(0, &["rollback"]);
    db.drop().await;
}

async fn a_signal_stops_and_the_same_command_goes_on(major: u32) {
    let (db, shoofly) = stage(major, "cli_signal").await;
    let holder = db.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    let alter = ["alter", WIDEN, "--accept", "column-order"];
    let child = shoofly.command(&alter).spawn().unwrap();
    until("the run has begun", async || {
        db.text(
            "SELECT to_regclass('shoofly.run') IS NOT NULL OR count(*) > 0 FROM pg_tables WHERE schemaname = 'shoofly'",
        )
        .await
            == "t"
    })
    .await;
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).stdin(Stdio::null()).status().unwrap().success());
    let said = Said::from(tokio::task::block_in_place(|| child.wait_with_output()).unwrap());
    assert_eq!(said.code, Some(8), "{}{}", said.out, said.err);
    holder.batch_execute("COMMIT").await.unwrap();
    shoofly.expect(0, &alter);
    assert_eq!(db.text("SELECT pg_typeof(id) FROM orders LIMIT 1").await, "bigint");
    db.drop().await;
}

async fn json_for_programs(major: u32) {
    let (db, shoofly) = stage(major, "cli_json").await;
    let said = shoofly.expect(0, &["alter", WIDEN, "--accept", "column-order", "--format", "json"]);
    let lines: Vec<serde_json::Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(lines.iter().any(|line| line["event"] == "run-ended"), "{}", said.out);
    let history = shoofly.expect(0, &["history", "--format", "json"]);
    let runs: serde_json::Value = serde_json::from_str(&history.out).unwrap();
    assert_eq!(runs[0]["state"], "complete", "{}", history.out);
    let refused = shoofly.expect(7, &["alter", "ALTER TABLE nowhere ADD COLUMN c int", "--format", "json"]);
    assert!(refused.out.contains("nowhere") || refused.err.contains("nowhere"));
    db.drop().await;
}

matrix!(
    folder_up_and_down,
    start_complete_and_rollback,
    alter_again_has_nothing_to_do,
    reading_writes_nothing,
    exit_codes,
    a_signal_stops_and_the_same_command_goes_on,
    json_for_programs,
);
