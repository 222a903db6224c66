//! What `plan` says of this moment: who holds or waits for locks on the tables, what cannot be seen, what to reckon with; and that
//! it says so without writing anything.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use std::fs::{self, File};

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serde_json::Value;
use shoofly_sandbox::Options;
use shoofly_tests::mysql::stage::wait;
use shoofly_tests::mysql::{MyDatabase, connect};
use shoofly_tests::{Binary, Database, Flavor, My, Pg, catalogue, matrix, mysql_matrix, until};

const ADD: &str = "ALTER TABLE t ADD COLUMN n int";
const WIDEN: &str = "ALTER TABLE t MODIFY c bigint";
const GIVEN: &str = "CREATE TABLE t (id int PRIMARY KEY, c int); INSERT INTO t VALUES (1, 1), (2, 2)";

/// A server whose metadata locks can be seen: MySQL's always can.
async fn seeing(flavor: Flavor) -> My {
    let start = move || match flavor {
        Flavor::MySql => My::shared(flavor),
        Flavor::MariaDb => {
            let options = Options::default()
                .with("performance-schema", "ON")
                .with("performance-schema-instrument", "wait/lock/metadata/sql/mdl=ON");
            My::own(flavor, &options)
        }
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

async fn shared(flavor: Flavor) -> My {
    tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap()
}

async fn database(my: &My, name: &str) -> MyDatabase {
    let db = MyDatabase::create(my, name).await;
    db.run(GIVEN).await;
    db
}

/// A connection of somebody's, where this has been done.
async fn somebody(db: &MyDatabase, sql: &str) -> Conn {
    let mut conn = connect(&db.url()).await.unwrap();
    conn.query_drop(sql).await.unwrap();
    conn
}

/// The page, and the same for programs.
fn plan(url: &str, sql: &str) -> (String, Value) {
    let shoofly = Binary::new(url);
    let page = tokio::task::block_in_place(|| shoofly.expect(0, &["plan", "--sql", sql])).out;
    let json = tokio::task::block_in_place(|| shoofly.expect(0, &["plan", "--sql", sql, "--format", "json"])).out;
    (page, serde_json::from_str(&json).unwrap())
}

#[track_caller]
fn assert_says(page: &str, texts: &[&str]) {
    // Lines are wrapped anywhere between words.
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in texts {
        assert!(flat.contains(text), "{text:?} is missing from:\n{page}");
    }
}

/// The session of that connection in a report for programs.
fn session(report: &Value, connection: u64) -> &Value {
    let sessions = report["now"]["sessions"].as_array().unwrap();
    sessions.iter().find(|session| session["connection"] == connection).unwrap_or_else(|| panic!("{report:#}"))
}

async fn holders_and_waiters_are_named(flavor: Flavor) {
    let my = seeing(flavor).await;
    let db = database(&my, "report_locks").await;
    let (page, report) = plan(&db.url(), ADD);
    assert_says(&page, &["locks now", &format!("no other session holds a lock on {}.t", db.name())]);
    assert_eq!((&report["now"]["sight"]["kind"], report["now"]["sessions"][0].is_null()), (&"locks".into(), true));

    let holder = somebody(&db, "BEGIN; SELECT * FROM t").await;
    let mut waiter = somebody(&db, "SET lock_wait_timeout = 60").await;
    let (holds, waits) = (u64::from(holder.id()), u64::from(waiter.id()));
    let altering = tokio::spawn(async move {
        waiter.query_drop("ALTER TABLE t ADD COLUMN waited_for int").await.unwrap();
        waiter.disconnect().await.unwrap();
    });
    until("somebody waits", async || {
        let waiting = format!(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {waits} AND STATE LIKE 'Waiting for table%'"
        );
        db.text(&waiting).await == "1"
    })
    .await;
    // The server shows transactions anew only where nobody has asked for them for a tenth of a second.
    until("the server shows the holder's transaction", async || {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let shown = format!("SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = {holds}");
        db.text(&shown).await == "1"
    })
    .await;
    let (page, report) = plan(&db.url(), ADD);
    assert_says(
        &page,
        &[
            &format!("session {holds} root@"),
            "idle, in a transaction for",
            &format!("holds SHARED_READ on {}.t", db.name()),
            &format!("session {waits} root@"),
            &format!("waits for EXCLUSIVE on {}.t", db.name()),
            "runs ALTER TABLE t ADD COLUMN waited_for int",
        ],
    );
    // MariaDB forgets what a session that is idle has run.
    assert_eq!(page.contains("last  SELECT * FROM t"), flavor == Flavor::MySql, "{page}");
    assert!(!page.contains("nobody is in the way"), "{page}");
    let held = &session(&report, holds)["locks"][0];
    assert_eq!((&held["mode"], &held["waited_for"]), (&"SHARED_READ".into(), &false.into()));
    assert!(session(&report, holds)["transaction_age"].is_number(), "{report:#}");
    let locks = session(&report, waits)["locks"].as_array().unwrap();
    assert!(locks.iter().any(|lock| lock["waited_for"] == true && lock["mode"] == "EXCLUSIVE"), "{locks:?}");

    holder.disconnect().await.unwrap();
    altering.await.unwrap();
    assert_says(&plan(&db.url(), ADD).0, &["nobody is in the way"]);
    db.drop().await;
}

/// A user with these rights and no others.
async fn user(db: &MyDatabase, name: &str, grants: &[&str]) -> (String, String) {
    let user = format!("{name}_{}", std::process::id());
    db.run(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'secret'")).await;
    for grant in grants {
        db.run(&format!("GRANT {} TO '{user}'@'%'", grant.replace("{db}", db.name()))).await;
    }
    let url = db.url();
    let (_, place) = url.split_once('@').unwrap();
    (format!("mysql://{user}:secret@{place}"), user)
}

/// MariaDB as it comes shows transactions only; and so it is where the user may not read more.
async fn what_cannot_be_seen_is_said(flavor: Flavor) {
    let db = database(&shared(flavor).await, "report_unseen").await;
    let holder = somebody(&db, "BEGIN; SELECT * FROM t").await;
    let holds = u64::from(holder.id());
    let (url, name) = user(&db, "unseen", &["SELECT ON `{db}`.*", "PROCESS ON *.*"]).await;
    let mut found = (String::new(), Value::Null);
    until("the transaction is old enough to be named", async || {
        found = plan(&url, ADD);
        found.0.contains(&format!("session {holds} "))
    })
    .await;
    let (page, report) = found;
    let why = match flavor {
        Flavor::MariaDb => ["performance_schema is off", "INSTALL SONAME 'metadata_lock_info'"],
        Flavor::MySql => ["the user may not read performance_schema", "GRANT SELECT ON performance_schema.*"],
    };
    assert_says(&page, &["cannot be seen", "older than a second", why[0], why[1]]);
    assert!(!page.contains("nobody is in the way"), "{page}");
    assert_eq!(report["now"]["sight"]["kind"], "transactions");
    assert!(session(&report, holds)["locks"].as_array().unwrap().is_empty(), "{report:#}");
    holder.disconnect().await.unwrap();
    db.run(&format!("REVOKE PROCESS ON *.* FROM '{name}'@'%'")).await;
    let (page, report) = plan(&url, ADD);
    assert_says(&page, &["cannot be seen", "may not see transactions of others", "GRANT PROCESS ON *.*"]);
    assert_eq!(report["now"]["sight"]["kind"], "nothing");
    db.run(&format!("DROP USER '{name}'@'%'")).await;
    db.drop().await;
}

/// Whoever may only read can have the whole report, and everything is as it was.
async fn a_report_writes_nothing(flavor: Flavor) {
    let my = seeing(flavor).await;
    let db = database(&my, "report_reads").await;
    let before = db.catalogue().await;
    let rights = ["SELECT ON `{db}`.*", "PROCESS ON *.*", "SELECT ON performance_schema.*"];
    let (url, name) = user(&db, "reads", &rights).await;
    assert_says(&plan(&url, ADD).0, &["nobody is in the way"]);
    catalogue::assert_equal("after the report", &before, &db.catalogue().await);
    assert_eq!(db.text("SELECT GROUP_CONCAT(id, ' ', c ORDER BY id) FROM t").await, "1 1,2 2");
    db.run(&format!("DROP USER '{name}'@'%'")).await;
    db.drop().await;
}

async fn costs_are_forecast(flavor: Flavor) {
    let my = shared(flavor).await;
    let db = database(&my, "report_costs").await;
    let (page, report) = plan(&db.url(), WIDEN);
    let second = format!("for a second {}.t", db.name());
    assert_says(
        &page,
        &["to reckon with", &second, "write the rows as well", "undo `rollback` takes it back", "no way back"],
    );
    let topics: Vec<&str> =
        report["forecast"].as_array().unwrap().iter().map(|one| one["topic"].as_str().unwrap()).collect();
    assert_eq!(topics, ["disk", "log", "replicas"]);
    let (page, _) = plan(&db.url(), "CREATE INDEX by_c ON t (c)");
    assert_says(&page, &["build the index once it is built here", "a stall of about as long as it takes here"]);
    for column in ["x", "y"] {
        db.run(&format!("ALTER TABLE t ADD COLUMN {column} int, ALGORITHM=INSTANT")).await;
    }
    let (page, _) = plan(&db.url(), ADD);
    assert_eq!(page.contains("has used 2 of its"), flavor == Flavor::MySql, "{page}");
    db.drop().await;
}

mysql_matrix!(holders_and_waiters_are_named, what_cannot_be_seen_is_said, a_report_writes_nothing, costs_are_forecast,);

async fn postgres_names_them_as_well(major: u32) {
    let db = Database::create(&Pg::shared(major), "report").await;
    db.run("CREATE TABLE t (id int PRIMARY KEY, c int)").await;
    // Whatever would write fails.
    db.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$")
        .await;
    let (page, report) = plan(&db.url(), ADD);
    assert_says(&page, &["nobody is in the way: no other session holds a lock on t or waits for one"]);
    assert_eq!(report["now"]["tables"][0]["table"]["name"], "t");

    let (holder, waiter) = (db.connect().await, db.connect().await);
    let pid = async |client| shoofly_tests::database::text(client, "SELECT pg_backend_pid()").await;
    let (holds, waits) = (pid(&holder).await, pid(&waiter).await);
    holder
        .batch_execute("SET application_name = 'reporting'; BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")
        .await
        .unwrap();
    let waiting = tokio::spawn(async move {
        waiter.batch_execute("BEGIN READ WRITE; LOCK TABLE t IN SHARE MODE; COMMIT").await.unwrap();
    });
    until("somebody waits", async || {
        db.text(&format!("SELECT count(*) FROM pg_locks WHERE pid = {waits} AND NOT granted")).await == "1"
    })
    .await;
    let (page, _) = plan(&db.url(), ADD);
    assert_says(
        &page,
        &[
            &format!("session {holds} postgres@127.0.0.1 (reporting), idle in transaction, in a transaction for"),
            "holds SHARE UPDATE EXCLUSIVE on t",
            &format!("session {waits} "),
            "waits for SHARE on t",
        ],
    );
    holder.batch_execute("COMMIT").await.unwrap();
    waiting.await.unwrap();
    assert_says(&plan(&db.url(), ADD).0, &["nobody is in the way"]);
    db.drop().await;
}

/// Sizes and definitions cannot be read then: a wait behind somebody who may never end is no answer.
async fn who_has_a_table_for_himself_alone_is_named(major: u32) {
    let db = Database::create(&Pg::shared(major), "report_alone").await;
    db.run("CREATE TABLE t (id int PRIMARY KEY, c int)").await;
    let shoofly = Binary::new(&db.url());
    let (reader, waiter) = (db.connect().await, db.connect().await);
    reader.batch_execute("SET application_name = 'forgotten'; BEGIN; SELECT * FROM t").await.unwrap();
    let pid = async |client| shoofly_tests::database::text(client, "SELECT pg_backend_pid()").await;
    let (reads, waits) = (pid(&reader).await, pid(&waiter).await);
    let waiting = tokio::spawn(async move {
        waiter.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").await.unwrap();
        waiter
    });
    until("somebody waits", async || {
        db.text(&format!("SELECT count(*) FROM pg_locks WHERE pid = {waits} AND NOT granted")).await == "1"
    })
    .await;
    let refused = || tokio::task::block_in_place(|| shoofly.expect(6, &["plan", "--sql", ADD]));
    refused().assert(6, &["could not take ACCESS SHARE on t", &format!("pid {reads} (postgres / forgotten")]);
    reader.batch_execute("COMMIT").await.unwrap();
    let holder = waiting.await.unwrap();
    refused().assert(6, &[&format!("pid {waits} "), "holds ACCESS EXCLUSIVE on public.t"]);
    // A verb that writes is more patient: it goes on when it may.
    let events = shoofly.folder().join("events");
    let mut start = shoofly.command(&["alter", ADD, "--format", "json"]);
    let start = start.stdout(File::create(&events).unwrap()).spawn().unwrap();
    let told = || fs::read_to_string(&events).unwrap();
    until("it waits and says so", async || told().contains("lock-waiting")).await;
    holder.batch_execute("COMMIT").await.unwrap();
    let said = wait(start).await;
    assert_eq!(said.code, Some(0), "{}{}", told(), said.err);
    db.drop().await;
}

matrix!(postgres_names_them_as_well, who_has_a_table_for_himself_alone_is_named);
