//! Rights that are missing, and servers that take no writes.

use shoofly_tests::binary::Said;
use shoofly_tests::mysql::stage::{MIGRATION, Stage, wait};
use shoofly_tests::{Binary, Flavor, My, catalogue, mysql_matrix};

use crate::{WIDEN, app, assert_completed, stage};

/// All that is needed but for the server's own tables, on a database.
const ON_TABLES: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, LOCK TABLES, TRIGGER, REFERENCES, CREATE VIEW, SHOW VIEW";

/// What a user with these rights is told.
async fn said_to(stage: &Stage, user: &str, grants: &[String], verb: &str) -> Said {
    let db = stage.live.name();
    stage.live.run(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'secret'")).await;
    for grant in grants {
        stage.live.run(&format!("GRANT {} TO '{user}'@'%'", grant.replace("{db}", db))).await;
    }
    let url = stage.live.url();
    let (_, rest) = url.split_once('@').unwrap();
    let shoofly = Binary::new(&format!("mysql://{user}:secret@{rest}"));
    shoofly.write(&format!("migrations/{MIGRATION}.sql"), WIDEN);
    let command = shoofly.command(&[verb, "--quiet"]).spawn().unwrap();
    let said = wait(command).await;
    stage.live.run(&format!("DROP USER '{user}'@'%'")).await;
    said
}

/// What has to be granted, by its name.
fn grants(without: &str) -> Vec<String> {
    let tables = ON_TABLES.split(", ").filter(|right| *right != without).collect::<Vec<_>>().join(", ");
    let all = [
        ("tables", format!("{tables} ON `{{db}}`.*")),
        ("shoofly", "ALL ON shoofly.*".to_owned()),
        ("PROCESS", "PROCESS ON *.*".to_owned()),
        ("performance_schema", "SELECT ON performance_schema.*".to_owned()),
    ];
    all.into_iter().filter(|(name, _)| *name != without).map(|(_, grant)| grant).collect()
}

async fn missing_rights_are_refused_first(flavor: Flavor) {
    let stage = stage(flavor, "rights", WIDEN).await;
    let user = |name: &str| format!("{name}_{}", std::process::id());
    for (right, text) in [("TRIGGER", "triggers"), ("PROCESS", "PROCESS"), ("shoofly", "shoofly")] {
        let before = stage.live.catalogue().await;
        let said = said_to(&stage, &user(&right.to_lowercase()), &grants(right), "start").await;
        said.assert(7, &[text]);
        catalogue::assert_equal("after the refusal", &before, &stage.live.catalogue().await);
        stage.live.assert_nothing_left("after the refusal").await;
    }
    stage.drop().await;
}

/// On a server of its own: it is the whole server that takes no writes, or that lets others than administrators make triggers.
async fn a_server_that_takes_no_writes(flavor: Flavor) {
    let options = shoofly_sandbox::Options::default().with("log-bin-trust-function-creators", "1");
    let my = tokio::task::spawn_blocking(move || My::own(flavor, &options)).await.unwrap();
    let given = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(20))";
    let stage = Stage::set(&my, "read_only", &[given, &app().load(100)], WIDEN).await;
    stage.live.run("SET GLOBAL read_only = 1").await;
    stage.expect(7, &["start"], &["read_only"]).await;
    let ledger = "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'shoofly'";
    assert_eq!(stage.live.text(ledger).await, "0", "something was written");
    stage.live.run("SET GLOBAL read_only = 0").await;
    // These rights are enough.
    said_to(&stage, "enough", &grants(""), "start").await.assert(0, &[]);
    // So are these: when the server brings pages to disk need not be seen.
    let seen = ["metadata_locks", "threads"].map(|table| format!("SELECT ON performance_schema.{table}"));
    let fewer = [grants("performance_schema"), seen.to_vec()].concat();
    said_to(&stage, "fewer", &fewer, "complete").await.assert(0, &[]);
    assert_completed(stage).await;
}

mysql_matrix!(missing_rights_are_refused_first, a_server_that_takes_no_writes);
