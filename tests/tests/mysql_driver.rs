//! The driver of MySQL and MariaDB: sessions that are set up the same everywhere, and errors by what a caller does about them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "mysql_driver/catalogue.rs"]
mod catalogue;

use shoofly_engine::dialect::mysql::files;
use shoofly_engine::driver::mysql::{Session, Target};
use shoofly_engine::error::{DbError, DbErrorKind, Error};
use shoofly_engine::schema::mysql::TablePath;
use shoofly_engine::sql::mysql::mode::Product;
use shoofly_sandbox::Options;
use shoofly_tests::{Flavor, My, mysql_matrix, until};

/// The certificate of an authority that has signed nothing.
const STRANGER: &str = "-----BEGIN CERTIFICATE-----
MIIBfTCCASOgAwIBAgIUBK6NuCh9hVu/bdS73+PLhSOsgCswCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIc3RyYW5nZXIwIBcNMjYxMTIxMTM0NTM2WhgPMjEyNjEwMjgx
MzQ1MzZaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAE22VBMw/Lgmr3CJPng2ECkdihGd3xlDHTZWZps0U3dMwDYOYu3Xsy49zg
QRPNd8jDCa9zoBnQEVTr3xzIMOyoGaNTMFEwHQYDVR0OBBYEFDNBHSLXEYp/df8k
mBoieX5tk6ouMB8GA1UdIwQYMBaAFDNBHSLXEYp/df8kmBoieX5tk6ouMA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAOq3eCjRggmhMZN5gimILq84
Z4Wq0sEl4mXymUAMmy2KAiA0Nqb8O8FLEBQxi454+2/87bBQLOk3RdoMxAtK5FOw
sg==
-----END CERTIFICATE-----";

/// A session in an empty database of that name.
async fn inside(my: &My, database: &str) -> Session {
    let outside = session(&my.url("")).await;
    outside.execute(&format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}")).await.unwrap();
    session(&my.url(database)).await
}

async fn session(url: &str) -> Session {
    Session::connect(&Target::parse(url).unwrap(), "test").await.unwrap()
}

/// The first field of the first row.
async fn ask(session: &Session, sql: &str) -> String {
    session.rows(sql).await.unwrap().swap_remove(0).swap_remove(0).unwrap_or_default()
}

fn kind<T: std::fmt::Debug>(result: Result<T, DbError>) -> DbErrorKind {
    result.unwrap_err().kind
}

async fn hygiene_is_in_force_whatever_the_globals_say(flavor: Flavor) {
    let my = tokio::task::spawn_blocking(move || My::own(flavor, &Options::default())).await.unwrap();
    let (read_only, limit) = match flavor {
        Flavor::MariaDb => ("tx_read_only", "max_statement_time"),
        Flavor::MySql => ("transaction_read_only", "max_execution_time"),
    };
    let globals = [
        ("sql_mode", "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,NO_ZERO_IN_DATE'"),
        ("autocommit", "0"),
        ("time_zone", "'+05:00'"),
        ("lock_wait_timeout", "77"),
        ("innodb_lock_wait_timeout", "77"),
        ("character_set_server", "latin1"),
        ("wait_timeout", "5"),
        ("sql_safe_updates", "1"),
        ("foreign_key_checks", "0"),
        (limit, "7"),
        (read_only, "1"),
    ];
    let before = session(&my.url("")).await;
    before.execute("SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE").await.unwrap();
    for (name, value) in globals {
        before.execute(&format!("SET GLOBAL {name} = {value}")).await.unwrap();
    }
    let session = session(&my.url("")).await;
    let isolation = read_only.replace("read_only", "isolation");
    let look = format!(
        "SELECT @@sql_mode, @@autocommit, @@time_zone, @@{isolation}, @@{read_only}, @@lock_wait_timeout, @@innodb_lock_wait_timeout, \
         @@foreign_key_checks, @@sql_safe_updates, @@character_set_client, @@character_set_results, \
         @@wait_timeout > 100000, @@{limit} + 0, @@group_concat_max_len > 1000000, @@sql_log_bin"
    );
    let row: Vec<String> = session.rows(&look).await.unwrap().swap_remove(0).into_iter().flatten().collect();
    // Dates of zeros are as good to us as they are to the server.
    let mode =
        "STRICT_TRANS_TABLES NO_ZERO_IN_DATE ERROR_FOR_DIVISION_BY_ZERO NO_ENGINE_SUBSTITUTION NO_AUTO_VALUE_ON_ZERO";
    assert_eq!(row[0].split(',').count(), 5, "{}", row[0]);
    assert!(mode.split_whitespace().all(|word| row[0].split(',').any(|found| found == word)), "{}", row[0]);
    let rest = ["1", "+00:00", "READ-COMMITTED", "0", "1", "1", "1", "0", "utf8mb4", "utf8mb4", "1", "1", "1"];
    assert_eq!(row[1..12], rest[..11]);
    assert_eq!(row[12].parse::<f64>().unwrap(), 0.0);
    assert_eq!(row[13..], rest[11..]);
    let local = self::session(&my.server().socket_url("")).await;
    assert_eq!(ask(&local, "SELECT CURRENT_USER()").await, "root@localhost");
    drop((before, session, local));
    tokio::task::spawn_blocking(move || drop(my)).await.unwrap();
}

async fn encryption_is_what_was_asked_for(flavor: Flavor) {
    let my = My::shared(flavor);
    let connected = async |mode: &str| {
        let target = Target::parse(&my.url(&format!("?{mode}"))).unwrap();
        match Session::connect(&target, "test").await {
            Ok(_) => Ok(()),
            Err(Error::Connect { source, .. }) => Err(source.kind),
            Err(other) => panic!("{other}"),
        }
    };
    // The test's server of MariaDB has no certificate; that of MySQL has made its own, which nobody has signed.
    let has_tls = flavor == Flavor::MySql;
    assert!(connected("ssl-mode=disabled").await.is_ok());
    assert!(connected("ssl-mode=preferred").await.is_ok());
    assert_eq!(connected("ssl-mode=required").await.is_ok(), has_tls);
    let stranger = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(stranger.path(), STRANGER).unwrap();
    for checked in ["verify-ca", "verify-identity"] {
        let mode = format!("ssl-mode={checked}&ssl-ca={}", stranger.path().display());
        assert_eq!(connected(&mode).await, Err(DbErrorKind::Authentication), "{checked}");
    }
}

async fn knows_the_server_and_itself(flavor: Flavor) {
    let my = My::shared(flavor);
    let session = session(&my.url("mysql")).await;
    let product = if flavor == Flavor::MariaDb { Product::MariaDb } else { Product::MySql };
    assert_eq!(session.product(), product);
    let text = ask(&session, "SELECT VERSION()").await;
    let version = session.version();
    let numbers = format!("{}.{}.{}", version / 10_000, version / 100 % 100, version % 100);
    assert!(text.starts_with(&numbers), "{text} {numbers}");
    assert_eq!(session.id().to_string(), ask(&session, "SELECT CONNECTION_ID()").await);
    assert!(session.target().display().ends_with("/mysql") && !session.is_closed());
    assert_eq!(ask(&session, "SELECT DATABASE()").await, "mysql");
    if flavor == Flavor::MySql {
        let purpose = "SELECT ATTR_VALUE FROM performance_schema.session_connect_attrs \
             WHERE PROCESSLIST_ID = CONNECTION_ID() AND ATTR_NAME = 'program_name'";
        let plain = self::session(&my.url("?ssl-mode=disabled")).await;
        assert_eq!(ask(&plain, purpose).await, "shoofly test");
        let cipher = "SELECT VARIABLE_VALUE FROM performance_schema.session_status WHERE VARIABLE_NAME = 'Ssl_cipher'";
        assert!(ask(&plain, cipher).await.is_empty() && !ask(&session, cipher).await.is_empty());
    }
}

async fn a_batch_ends_at_its_error(flavor: Flavor) {
    let my = My::shared(flavor);
    let session = inside(&my, "driver_batch").await;
    let error = session
        .execute("CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (1), (2); INSERT INTO t VALUES (1); DELETE FROM t")
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (DbErrorKind::Constraint, Some("1062, 23000")));
    assert_eq!(ask(&session, "SELECT COUNT(*) FROM t").await, "2");
    assert_eq!(session.execute("SELECT n FROM t; UPDATE t SET n = n + 10").await.unwrap(), 2);
    assert_eq!(session.affected("UPDATE t SET n = n WHERE n > ?", (11,).into()).await.unwrap(), 0);
    assert_eq!(session.affected("DELETE FROM t WHERE n > ?", (11,).into()).await.unwrap(), 1);
    let rows = session.rows("SELECT 1; SELECT n, NULL, 'é' FROM t ORDER BY n; SET @done = 1").await.unwrap();
    assert_eq!(rows[0], [Some("11".to_owned()), None, Some("é".to_owned())]);
    let (n, name): (i64, Option<String>) = mysql_async::from_row(
        session.exec("SELECT ? + 1, ?", (41, None::<String>).into()).await.unwrap().swap_remove(0),
    );
    assert_eq!((n, name), (42, None));
}

async fn locks_are_waited_for_a_second(flavor: Flavor) {
    let my = My::shared(flavor);
    let (one, other) = (inside(&my, "driver_locks").await, session(&my.url("driver_locks")).await);
    one.execute("CREATE TABLE t (n int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0), (2, 0)").await.unwrap();
    one.execute("BEGIN; UPDATE t SET v = 1 WHERE n = 1").await.unwrap();
    let row = other.execute("UPDATE t SET v = 2 WHERE n = 1").await.unwrap_err();
    assert_eq!((row.kind, row.code.as_deref()), (DbErrorKind::LockTimeout, Some("1205, HY000")));
    assert_eq!(kind(other.execute("ALTER TABLE t ADD COLUMN w int").await), DbErrorKind::LockTimeout);
    assert_eq!(kind(other.rows("SELECT * FROM t FOR UPDATE NOWAIT").await), DbErrorKind::LockTimeout);
    one.execute("ROLLBACK").await.unwrap();
    other.execute("ALTER TABLE t ADD COLUMN w int").await.unwrap();
}

async fn a_deadlock_is_told_from_a_timeout(flavor: Flavor) {
    let my = My::shared(flavor);
    let one = std::sync::Arc::new(inside(&my, "driver_deadlock").await);
    let other = session(&my.url("driver_deadlock")).await;
    one.execute("CREATE TABLE t (n int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0), (2, 0)").await.unwrap();
    for session in [&*one, &other] {
        session.execute("SET innodb_lock_wait_timeout = 50").await.unwrap();
    }
    one.execute("BEGIN; UPDATE t SET v = 1 WHERE n = 1").await.unwrap();
    other.execute("BEGIN; UPDATE t SET v = 2 WHERE n = 2").await.unwrap();
    let waiting = tokio::spawn({
        let one = one.clone();
        async move { one.execute("UPDATE t SET v = 1 WHERE n = 2").await }
    });
    let watch = session(&my.url("")).await;
    let look =
        format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {} AND info LIKE 'UPDATE%'", one.id());
    until("the first waits", async || ask(&watch, &look).await == "1").await;
    let closing = other.execute("UPDATE t SET v = 2 WHERE n = 1").await;
    let results = [waiting.await.unwrap(), closing];
    let lost: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!((lost[0].kind, lost[0].code.as_deref()), (DbErrorKind::Deadlock, Some("1213, 40001")));
}

async fn what_was_killed_says_so(flavor: Flavor) {
    let my = My::shared(flavor);
    let target = Target::parse(&my.url("")).unwrap();
    let victim = std::sync::Arc::new(inside(&my, "driver_killed").await);
    let watch = session(&my.url("")).await;
    let rows = vec!["(1)"; 1000].join(", ");
    victim.execute(&format!("CREATE TABLE t (n int); INSERT INTO t VALUES {rows}")).await.unwrap();
    let endless = "SELECT SUM(a.n + b.n + c.n + d.n) FROM t a, t b, t c, t d";
    let begin = || {
        let victim = victim.clone();
        tokio::spawn(async move { victim.rows(endless).await })
    };
    let look =
        format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {} AND info IS NOT NULL", victim.id());
    let runs = async || until("it runs", async || ask(&watch, &look).await == "1").await;
    let running = begin();
    runs().await;
    Session::kill_query(&target, victim.id()).await.unwrap();
    assert_eq!(kind(running.await.unwrap()), DbErrorKind::Cancelled);
    assert_eq!(ask(&victim, "SELECT 1").await, "1");
    let running = begin();
    runs().await;
    Session::kill_connection(&target, victim.id()).await.unwrap();
    let ended = kind(running.await.unwrap());
    assert!(matches!(ended, DbErrorKind::Cancelled | DbErrorKind::ConnectionLost), "{ended:?}");
    // MySQL may answer the statement before it ends the session.
    assert_eq!(kind(victim.rows("SELECT 1").await), DbErrorKind::ConnectionLost);
    assert!(victim.is_closed());
    // One that was idle, and one that is gone.
    let idle = session(&my.url("")).await;
    Session::kill_connection(&target, idle.id()).await.unwrap();
    assert_eq!(kind(idle.rows("SELECT 1").await), DbErrorKind::ConnectionLost);
    assert!(idle.is_closed());
    let gone = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {}", idle.id());
    until("it is gone", async || ask(&watch, &gone).await == "0").await;
    Session::kill_query(&target, idle.id()).await.unwrap();
}

async fn an_answer_not_waited_for_is_nobody_elses(flavor: Flavor) {
    let my = My::shared(flavor);
    let victim = session(&my.url("")).await;
    let slow =
        tokio::time::timeout(std::time::Duration::from_millis(50), victim.rows("SELECT SLEEP(1), 'stale'")).await;
    assert!(slow.is_err() && victim.is_closed());
    assert_eq!(kind(victim.rows("SELECT 'fresh'").await), DbErrorKind::ConnectionLost);
}

async fn refusals_are_told_apart(flavor: Flavor) {
    let my = My::shared(flavor);
    let url = my.url("");
    let place = url.split_once('@').unwrap().1.to_owned();
    let refused = async |url: &str| match Session::connect(&Target::parse(url).unwrap(), "test").await {
        Err(Error::Connect { source, .. }) => source.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&format!("mysql://root:wrong@{place}")).await, DbErrorKind::Authentication);
    assert_eq!(refused(&my.url("driver_nowhere")).await, DbErrorKind::Authentication);
    assert_eq!(refused("mysql://root@127.0.0.1:1/").await, DbErrorKind::ConnectionLost);
    let session = inside(&my, "driver_refusals").await;
    session.execute("CREATE TABLE t (n int PRIMARY KEY, s varchar(3) NOT NULL, CHECK (n < 10))").await.unwrap();
    for (sql, expected) in [
        ("SELECT * FROM nowhere", DbErrorKind::Missing),
        ("SELECT m FROM t", DbErrorKind::Missing),
        ("DROP TABLE nowhere", DbErrorKind::Missing),
        ("CREATE TABLE t (n int)", DbErrorKind::NameTaken),
        ("ALTER TABLE t ADD COLUMN n int", DbErrorKind::NameTaken),
        ("INSERT INTO t VALUES (1, NULL)", DbErrorKind::Constraint),
        ("INSERT INTO t VALUES (11, '')", DbErrorKind::Constraint),
        ("INSERT INTO t VALUES (1, 'long')", DbErrorKind::Data),
        ("INSERT INTO t (n) VALUES (1)", DbErrorKind::Data),
        ("INSERT INTO t VALUES ('x', '')", DbErrorKind::Data),
        ("INSERT INTO t VALUES (1)", DbErrorKind::Statement),
        ("SELEC 1", DbErrorKind::Statement),
        ("ALTER TABLE t MODIFY n bigint, ALGORITHM = INSTANT", DbErrorKind::Statement),
        ("START TRANSACTION READ ONLY; DELETE FROM t", DbErrorKind::ReadOnly),
        (
            "CREATE TABLE p (n int PRIMARY KEY); CREATE TABLE a (n int, CONSTRAINT f FOREIGN KEY (n) REFERENCES p (n)); \
          CREATE TABLE b (n int, CONSTRAINT f FOREIGN KEY (n) REFERENCES p (n))",
            DbErrorKind::NameTaken,
        ),
    ] {
        let error = session.execute(sql).await.unwrap_err();
        assert_eq!(error.kind, expected, "{sql}: {error}");
        session.execute("ROLLBACK").await.unwrap();
    }
    session.execute("INSERT IGNORE INTO t VALUES (1, 'long'); ").await.unwrap();
    let warnings = session.warnings().await.unwrap();
    assert!(warnings.len() == 1 && warnings[0].starts_with("1265: "), "{warnings:?}");
}

/// What the page cleaner writes is counted: sooner or later it writes whatever was changed.
async fn the_page_cleaner_is_seen(outside: &Session, name: &str) {
    let threads = outside.rows(files::CLEANERS).await.unwrap();
    let threads: Vec<String> = threads.into_iter().flatten().flatten().collect();
    assert!(!threads.is_empty());
    let written = files::written(&[], &threads);
    let count = async || -> u64 {
        let rows = outside.rows(written.as_str()).await.unwrap();
        assert_eq!(rows[0][0].as_deref(), Some("0"), "no file, no writes");
        rows[0][1].as_deref().unwrap().parse().unwrap()
    };
    let before = count().await;
    outside.execute(&format!("INSERT INTO `{name}`.t VALUES (5), (6)")).await.unwrap();
    until("the page cleaner writes", async || count().await > before).await;
}

/// Whatever is written to a table's file is counted, by the name that the file has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_to_the_files_of_tables_are_seen() {
    let my = tokio::task::spawn_blocking(|| My::shared(Flavor::MySql)).await.unwrap();
    let name = format!("files-of${}", std::process::id());
    let outside = session(&my.url("")).await;
    let create = format!(
        "CREATE DATABASE `{name}`; USE `{name}`; CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE `a b#1` (id int); \
         CREATE TABLE p (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3; CREATE TABLE t_2 (id int)"
    );
    outside.execute(&create).await.unwrap();
    let path = |table: &str| TablePath::new(name.parse().unwrap(), table.parse().unwrap());
    for (tables, wanted) in [(vec!["t"], 1), (vec!["a b#1"], 1), (vec!["p"], 3), (vec!["t", "p", "none", "größe"], 4)]
    {
        let tables: Vec<TablePath> = tables.into_iter().map(path).collect();
        let found = outside.rows(files::of(&tables).unwrap().as_str()).await.unwrap();
        let found: Vec<String> = found.into_iter().flatten().flatten().collect();
        assert_eq!(found.len(), wanted, "{found:?}");
        let written = files::written(&found, &[]);
        let before: u64 = ask(&outside, written.as_str()).await.parse().unwrap();
        let first = format!("`{name}`.`{}`", tables[0].name.as_str());
        outside.execute(&format!("INSERT INTO {first} VALUES (1), (2), (3), (4)")).await.unwrap();
        outside.execute(&format!("FLUSH TABLES {first} FOR EXPORT; UNLOCK TABLES")).await.unwrap();
        let after: u64 = ask(&outside, written.as_str()).await.parse().unwrap();
        assert!(after > before, "{first}: {before}, {after}");
        outside.execute(&format!("DELETE FROM {first}")).await.unwrap();
    }
    assert!(files::of(&[path("größe")]).is_none());
    the_page_cleaner_is_seen(&outside, &name).await;
    outside.execute(&format!("DROP DATABASE `{name}`")).await.unwrap();
}

mysql_matrix!(
    hygiene_is_in_force_whatever_the_globals_say,
    encryption_is_what_was_asked_for,
    knows_the_server_and_itself,
    a_batch_ends_at_its_error,
    locks_are_waited_for_a_second,
    a_deadlock_is_told_from_a_timeout,
    what_was_killed_says_so,
    an_answer_not_waited_for_is_nobody_elses,
    refusals_are_told_apart,
);
