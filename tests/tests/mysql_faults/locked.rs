//! Tables and rows that somebody holds.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use shoofly_engine::run::{Engine, Outcome};
use shoofly_engine::settings::EndBlockers;
use shoofly_engine::{Error, Event};
use shoofly_sandbox::Options;
use shoofly_tests::database::EngineOptions;
use shoofly_tests::mysql::stage::{Stage, wait};
use shoofly_tests::{Flavor, My, mysql_matrix};
use tokio_util::sync::CancellationToken;

use crate::{WIDEN, assert_completed, leave, somebody, stage, stage_on, write};

const BRIEFLY: [&str; 2] = ["--give-up-after", "2s"];

/// What says who is in the way, where the server tells it.
fn names(flavor: Flavor, conn: &Conn) -> Vec<String> {
    let mut texts = vec!["t".to_owned()];
    if flavor == Flavor::MySql {
        texts.push(format!("pid {} (root", conn.id()));
    }
    texts
}

async fn gives_up(stage: &Stage, verb: &str, names: &[String]) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.expect(6, &[verb, BRIEFLY[0], BRIEFLY[1]], &names).await;
}

/// Before anything is begun, before the triggers, and before the swap.
async fn a_locked_table_is_waited_for(flavor: Flavor) {
    let stage = stage(flavor, "locked", WIDEN).await;
    let locker = somebody(&stage, "LOCK TABLES t WRITE").await;
    gives_up(&stage, "start", &["t".to_owned()]).await;
    leave(locker).await;
    let reader = somebody(&stage, "BEGIN; SELECT * FROM t LIMIT 1").await;
    gives_up(&stage, "start", &names(flavor, &reader)).await;
    leave(reader).await;
    stage.finish("start").await;
    for sql in ["LOCK TABLES t WRITE", "BEGIN; SELECT * FROM t LIMIT 1"] {
        let holder = somebody(&stage, sql).await;
        // Whoever has locked the table may also keep it from being compared once more.
        gives_up(&stage, "complete", &["t".to_owned()]).await;
        leave(holder).await;
    }
    stage.finish("complete").await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// A session of MariaDB that is ended while it reads the triggers of a table leaves a broken table behind, which others go on with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_ours_is_ended_on_mariadb() {
    let my = tokio::task::spawn_blocking(|| My::own(Flavor::MariaDb, &Options::default())).await.unwrap();
    let stage = stage_on(&my, "unended", WIDEN, 2_000).await;
    // The last one lets the table be locked, but not be given triggers.
    for sql in ["HANDLER t OPEN", "BEGIN; SELECT * FROM t LIMIT 1", "BACKUP LOCK t"] {
        let holder = somebody(&stage, sql).await;
        let said = stage.run(&["start", BRIEFLY[0], BRIEFLY[1]]).await;
        let attempts = said.err.split_once("in ").and_then(|(_, rest)| rest.split_once(" attempts"));
        // Those who write do not wait for it either: each attempt ends at once, and not after a second.
        let attempts: u32 = attempts.unwrap_or_else(|| panic!("{sql}: {}", said.err)).0.parse().unwrap();
        assert!(said.code == Some(6) && attempts > 4, "{sql}: {}", said.err);
        leave(holder).await;
    }
    let killed = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Com_kill'";
    assert_eq!(stage.live.text(killed).await, "0");
    assert_completed(stage).await;
}

/// What changes a definition waits for the end of a backup, and may have locked the table by then: it is not asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_on_mysql_is_waited_for_without_a_lock() {
    let my = tokio::task::spawn_blocking(|| My::own(Flavor::MySql, &Options::default())).await.unwrap();
    let stage = stage_on(&my, "backup", WIDEN, 2_000).await;
    stage.finish("start").await;
    let backup = somebody(&stage, "LOCK INSTANCE FOR BACKUP").await;
    let killed = "SELECT COUNT_STAR FROM performance_schema.events_statements_summary_global_by_event_name \
         WHERE EVENT_NAME = 'statement/sql/kill'";
    let before = stage.live.text(killed).await;
    let names = [format!("pid {} (root", backup.id()), "LOCK INSTANCE FOR BACKUP".to_owned()];
    gives_up(&stage, "complete", &names).await;
    let (error, said) = ending(&stage).complete().await;
    assert!(matches!(error, Err(Error::Lock { .. })) && said.is_empty(), "{error:?} {said:?}");
    assert_eq!(stage.live.text(killed).await, before, "the table was locked, or the backup was ended");
    leave(backup).await;
    assert_completed(stage).await;
}

/// A run that waits goes on as soon as it can.
async fn a_released_table_is_taken_at_once(flavor: Flavor) {
    let stage = stage(flavor, "released", WIDEN).await;
    let holder = somebody(&stage, "BEGIN; UPDATE t SET c = 1 WHERE id = 1").await;
    stage.mirror.run("UPDATE t SET c = 1 WHERE id = 1").await;
    let child = stage.begin(&["up"], "");
    stage.reached("shadow.before:expand.2", 1).await;
    let mut holder = holder;
    holder.query_drop("COMMIT").await.unwrap();
    wait(child).await.assert(0, &[]);
    leave(holder).await;
    assert_completed(stage).await;
}

/// Rows that a forgotten transaction holds are left for later, and then waited for.
async fn locked_rows_are_deferred(flavor: Flavor) {
    let stage = stage(flavor, "locked_rows", WIDEN).await;
    let child = stage.begin(&["up", BRIEFLY[0], BRIEFLY[1]], "chunk.before=sleep(1500)");
    stage.reached("chunk.before", 1).await;
    let mut holder = somebody(&stage, "BEGIN; UPDATE t SET c = 5 WHERE id = 5").await;
    let names = ["t".to_owned(), format!("pid {} (root", holder.id())];
    wait(child).await.assert(6, &[&names[0], &names[1]]);
    let deferred = format!(
        "SELECT COUNT(*) FROM shoofly.deferred d JOIN shoofly.run_table r ON r.run = d.run WHERE r.table_schema = '{}'",
        stage.live.name()
    );
    assert_eq!(stage.live.text(&deferred).await, "1");
    // The next one waits for it, and does not wait in vain.
    let child = stage.begin(&["up"], "");
    stage.reached("deferred.before", 2).await;
    holder.query_drop("COMMIT").await.unwrap();
    stage.mirror.run("UPDATE t SET c = 5 WHERE id = 5").await;
    wait(child).await.assert(0, &[]);
    leave(holder).await;
    assert_completed(stage).await;
}

/// The new table's pages split as it is filled. The server then locks the gap before a row whose writer has locked the row alone
/// (`lock_update_split_right`): a chunk that waited there, with its own rows locked, would cost him his transaction as soon as he
/// wrote one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_gap_is_not_waited_for_on_mariadb() {
    let my = tokio::task::spawn_blocking(|| My::shared(Flavor::MariaDb)).await.unwrap();
    // Some fifty rows to a page.
    let given = [
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(300))",
        "INSERT INTO t (c, d) SELECT seq, REPEAT('d', 300) FROM seq_1_to_2000",
    ];
    let stage = Stage::set(&my, "locked_gap", &given, WIDEN).await;
    let child = stage.begin(&["up"], "chunk.before=sleep(1500)");
    stage.reached("chunk.before", 1).await;
    for id in [100, 200] {
        write(&stage, &format!("UPDATE t SET c = -1 WHERE id = {id}")).await;
    }
    let again = "UPDATE t SET c = -2 WHERE id = 200";
    let mut holder = somebody(&stage, &format!("BEGIN; {again}")).await;
    stage.mirror.run(again).await;
    stage.reached("chunk.before", 2).await;
    for id in 20..60 {
        let update = format!("UPDATE t SET c = -3 WHERE id = {id}");
        holder.query_drop(&update).await.unwrap();
        stage.mirror.run(&update).await;
    }
    holder.query_drop("COMMIT").await.unwrap();
    wait(child).await.assert(0, &[]);
    leave(holder).await;
    assert_completed(stage).await;
}

/// The server renews its list of transactions only where nobody reads it for a while: a list without the one whose snapshot is
/// older than the copy must not be believed.
async fn an_old_list_of_transactions_is_not_believed(flavor: Flavor) {
    const LIST: &str = "SELECT COUNT(*) FROM information_schema.INNODB_TRX";
    let stage = stage(flavor, "old_list", WIDEN).await;
    let mut reader = somebody(&stage, LIST).await;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let reading = tokio::spawn(async move {
        while !stopped.is_cancelled() {
            reader.query_drop(LIST).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        reader
    });
    let mut elder = somebody(&stage, "START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
    stage.expect(6, &["up", BRIEFLY[0], BRIEFLY[1]], &["information_schema.INNODB_TRX"]).await;
    stop.cancel();
    leave(reading.await.unwrap()).await;
    gives_up(&stage, "up", &[format!("pid {} (root", elder.id())]).await;
    let seen: Option<i64> = elder.query_first("SELECT COUNT(*) FROM t").await.unwrap();
    assert_eq!(seen, Some(2_000));
    leave(elder).await;
    assert_completed(stage).await;
}

/// Two that wait for transactions do not keep each other from seeing them end.
async fn two_wait_side_by_side(flavor: Flavor) {
    let stages = [stage(flavor, "side_1", WIDEN).await, stage(flavor, "side_2", WIDEN).await];
    let elder = somebody(&stages[0], "START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
    let children = [stages[0].begin(&["up"], ""), stages[1].begin(&["up"], "")];
    for stage in &stages {
        stage.reached("barrier.look", 1).await;
    }
    leave(elder).await;
    for child in children {
        wait(child).await.assert(0, &[]);
    }
    for stage in stages {
        assert_completed(stage).await;
    }
}

/// What triggers write to is locked with their table. Whoever writes to one table that is changed holds up no run of another one.
async fn who_writes_elsewhere_is_in_nobodys_way(flavor: Flavor) {
    const FILL: &str = "UPDATE t SET d = UPPER(d)";
    const FULL: &str = "-- shoofly: strategy = dual-column\nALTER TABLE t MODIFY c int NOT NULL";
    let elsewhere = stage(flavor, "elsewhere", FILL).await;
    elsewhere.finish("start").await;
    for (name, ddl) in [("here_fill", FILL), ("here_dual", FULL), ("here_back", FULL)] {
        let here = stage(flavor, name, ddl).await;
        here.finish("start").await;
        let mut writer = somebody(&elsewhere, "BEGIN; UPDATE t SET d = 'new' WHERE id = 5").await;
        let verb = if name == "here_back" { "rollback" } else { "complete" };
        here.expect(0, &[verb, BRIEFLY[0], BRIEFLY[1]], &[]).await;
        writer.query_drop("ROLLBACK").await.unwrap();
        leave(writer).await;
        match verb {
            "rollback" => here.assert_as_before().await,
            _ => here.assert_complete().await,
        }
        here.drop().await;
    }
    assert_completed(elsewhere).await;
}

/// An engine that may end one session for a lock, and what it says of that.
struct Ending {
    engine: Engine,
    said: Arc<Mutex<Vec<String>>>,
}

fn ending(stage: &Stage) -> Ending {
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&said);
    let mut options = EngineOptions::new(&stage.live.url()).listen(move |event| match event {
        Event::SessionEnded { blocker, .. } => heard.lock().unwrap().push(format!("ended {}", blocker.pid)),
        Event::Notice { text } => heard.lock().unwrap().push(text),
        _ => {}
    });
    options.settings.locks.end = Some(EndBlockers { after: EndBlockers::YOUNGEST, most: NonZeroU32::MIN });
    options.settings.locks.give_up_after = Duration::from_secs(4);
    Ending { engine: options.build(), said }
}

impl Ending {
    async fn complete(self) -> (Result<Outcome, Error>, Vec<String>) {
        let completed = self.engine.complete(None).await;
        let said = self.said.lock().unwrap().clone();
        (completed, said)
    }
}

/// Where the server tells who holds the table, and the operator says that whoever holds it for so long may be ended.
async fn who_forgot_to_commit_is_ended(flavor: Flavor) {
    let my = tokio::task::spawn_blocking(move || match flavor {
        Flavor::MySql => My::shared(flavor),
        Flavor::MariaDb => {
            let seen =
                [("performance_schema", "ON"), ("performance-schema-instrument", "wait/lock/metadata/sql/mdl=ON")];
            My::own(flavor, &seen.into_iter().fold(Options::default(), |all, (name, value)| all.with(name, value)))
        }
    });
    let stage = stage_on(&my.await.unwrap(), "forgotten", WIDEN, 2_000).await;
    stage.live.run("CREATE TABLE beside (id int)").await;
    stage.mirror.run("CREATE TABLE beside (id int)").await;
    stage.finish("start").await;
    let mut bystander = somebody(&stage, "BEGIN; SELECT * FROM beside").await;
    let mut forgotten = Vec::new();
    for _ in 0..2 {
        forgotten.push(somebody(&stage, "BEGIN; SELECT * FROM t LIMIT 1").await);
    }
    // Nobody is, unless that was said; and no more than that.
    gives_up(&stage, "complete", &["t".to_owned()]).await;
    let (error, mut said) = ending(&stage).complete().await;
    assert!(matches!(&error, Err(Error::Lock { in_the_way, .. }) if in_the_way.len() == 1), "{error:?}");
    assert!(
        said.iter().any(|text| text == "sessions ended for this lock: 1; no more are, and others are in the way"),
        "{said:?}"
    );
    let (completed, more) = ending(&stage).complete().await;
    completed.unwrap();
    said.extend(more);
    for conn in &forgotten {
        let ended = said.iter().filter(|text| **text == format!("ended {}", conn.id())).count();
        assert_eq!(ended, 1, "{} {said:?}", conn.id());
    }
    for mut conn in forgotten {
        assert!(conn.query_drop("SELECT 1").await.is_err(), "it is still there");
    }
    bystander.query_drop("SELECT * FROM beside").await.unwrap();
    leave(bystander).await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// Without that, every transaction of the server might be the one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_ended_for_a_guess() {
    let stage = stage(Flavor::MariaDb, "guess", WIDEN).await;
    stage.finish("start").await;
    let mut reader = somebody(&stage, "BEGIN; SELECT * FROM t LIMIT 1").await;
    let (error, said) = ending(&stage).complete().await;
    assert!(matches!(error, Err(Error::Lock { .. })), "{error:?}");
    assert!(said.iter().any(|text| text.starts_with("nobody is ended: the server does not tell")), "{said:?}");
    reader.query_drop("COMMIT").await.unwrap();
    leave(reader).await;
    assert_completed(stage).await;
}

mysql_matrix!(
    a_locked_table_is_waited_for,
    who_forgot_to_commit_is_ended,
    who_writes_elsewhere_is_in_nobodys_way,
    a_released_table_is_taken_at_once,
    locked_rows_are_deferred,
    an_old_list_of_transactions_is_not_believed,
    two_wait_side_by_side,
);
