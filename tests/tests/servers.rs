//! Private servers of MariaDB and MySQL: born, used, killed, brought back and buried.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use shoofly_sandbox::{Mode, Options, Server};
use shoofly_tests::mysql::connect;
use shoofly_tests::{Flavor, My, mysql_matrix, until};

/// Says to a child process of a test which server to start.
const CHILD: &str = "SHOOFLY_TEST_CHILD";

async fn text(conn: &mut Conn, sql: &str) -> String {
    conn.query_first::<String, _>(sql).await.unwrap().unwrap()
}

/// The same on a connection of its own.
async fn ask(url: &str, sql: &str) -> String {
    let mut conn = connect(url).await.unwrap();
    let answer = text(&mut conn, sql).await;
    conn.disconnect().await.unwrap();
    answer
}

fn runs(pid: u32) -> bool {
    Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

/// Does something with the server that takes its time.
async fn with(my: &My, work: fn(&Server)) {
    let my = my.clone();
    tokio::task::spawn_blocking(move || work(my.server())).await.unwrap();
}

async fn answers_whoever_has_the_password(flavor: Flavor) {
    let my = My::shared(flavor);
    let version = ask(&my.url(""), "SELECT VERSION()").await;
    assert_eq!(version.contains("MariaDB"), flavor == Flavor::MariaDb, "{version}");
    assert_eq!(ask(&my.url(""), "SELECT CURRENT_USER()").await, "root@127.0.0.1");
    assert_eq!(ask(&my.url("mysql"), "SELECT IF(@@log_bin, @@binlog_format, 'none')").await, "ROW");
    let (_, place) = my.url("").split_once('@').map(|(who, place)| (who.to_owned(), place.to_owned())).unwrap();
    for stranger in ["root", "root:wrong"] {
        let refused = connect(&format!("mysql://{stranger}@{place}")).await.unwrap_err().to_string();
        assert!(refused.contains("Access denied"), "{refused}");
    }
}

async fn comes_back_with_what_was_committed(flavor: Flavor) {
    let options = Options::default().with("max-connections", "17");
    let my = tokio::task::spawn_blocking(move || My::own(flavor, &options)).await.unwrap();
    let url = my.url("");
    assert_eq!(ask(&url, "SELECT CONCAT(@@max_connections, ' ', @@innodb_flush_log_at_trx_commit)").await, "17 1");
    assert_eq!(ask(&my.server().socket_url(""), "SELECT CURRENT_USER()").await, "root@localhost");
    let mut conn = connect(&url).await.unwrap();
    conn.query_drop("CREATE DATABASE app").await.unwrap();
    conn.query_drop("CREATE TABLE app.t (n int PRIMARY KEY)").await.unwrap();
    conn.query_drop("INSERT INTO app.t VALUES (1)").await.unwrap();
    let mut open = connect(&url).await.unwrap();
    open.query_drop("START TRANSACTION").await.unwrap();
    open.query_drop("INSERT INTO app.t VALUES (100)").await.unwrap();
    let crashes: [fn(&Server); 3] = [
        |server| server.kill().unwrap(),
        |server| server.stop(Mode::Immediate).unwrap(),
        |server| server.stop(Mode::Fast).unwrap(),
    ];
    for (before, crash) in crashes.into_iter().enumerate() {
        assert_eq!(
            ask(&my.url("app"), "SELECT GROUP_CONCAT(n ORDER BY n) FROM t").await,
            ["1", "1,2", "1,2,3"][before]
        );
        let next = before + 2;
        let mut conn = connect(&url).await.unwrap();
        conn.query_drop(format!("INSERT INTO app.t VALUES ({next})")).await.unwrap();
        let pid = my.server().pid().unwrap();
        with(&my, crash).await;
        assert!(!runs(pid) && TcpStream::connect(("127.0.0.1", my.server().port())).is_err());
        with(&my, |server| server.restart().unwrap()).await;
    }
    assert_eq!(my.url(""), url);
    assert_eq!(ask(&my.url("app"), "SELECT COUNT(*) FROM t").await, "4");
    drop((conn, open));
    let (folder, pid, port) = (my.server().folder().to_owned(), my.server().pid().unwrap(), my.server().port());
    tokio::task::spawn_blocking(move || drop(my)).await.unwrap();
    assert!(!folder.exists() && !runs(pid) && TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// A server that another process of ours has started, by its folder and its pid; and that process.
fn started_elsewhere(test: &str) -> (std::process::Child, PathBuf, u32) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let place = lines.find_map(|line| Some(line.unwrap().split_once("server=")?.1.to_owned()));
    let (pid, folder) = place.as_deref().and_then(|place| place.split_once(' ')).expect("the child ended early");
    (child, Path::new(folder).to_owned(), pid.parse().unwrap())
}

async fn does_not_outlive_its_program(flavor: Flavor) {
    // This same test binary, told by the variable to start a server, say where it is, and wait to be killed.
    if std::env::var_os(CHILD).is_some() {
        let my = My::own(flavor, &Options::default());
        let mut stdout = std::io::stdout();
        writeln!(stdout, "server={} {}", my.server().pid().unwrap(), my.server().folder().display()).unwrap();
        std::future::pending::<()>().await;
    }
    let test = format!("does_not_outlive_its_program::{}", format!("{flavor:?}").to_lowercase());
    let (mut child, folder, pid) = tokio::task::spawn_blocking(move || started_elsewhere(&test)).await.unwrap();
    assert!(runs(pid) && folder.join("data").is_dir());
    child.kill().unwrap();
    child.wait().unwrap();
    until("the server and its folder are gone", async || !runs(pid) && !folder.exists()).await;
}

mysql_matrix!(answers_whoever_has_the_password, comes_back_with_what_was_committed, does_not_outlive_its_program);
