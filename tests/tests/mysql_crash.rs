//! Killed workers and crashed servers on MySQL and MariaDB: whoever comes next finishes or takes back, and no row is lost, wrong
//! or done twice.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use shoofly_tests::mysql::stage::{Stage, signal, wait};
use shoofly_tests::mysql::writers::Rows;
use shoofly_tests::mysql::{App, MyWriters, connect};
use shoofly_tests::random::Random;
use shoofly_tests::{Flavor, My, mysql_matrix, until};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use tokio_util::sync::CancellationToken;

const ROWS: u32 = 600;
/// Enough for many chunks.
const MANY: u32 = 10_000;
/// "Deadlock found when trying to get lock".
const DEADLOCK: u16 = 1213;

/// A change, and who works on its table meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// A copy, with a foreign key and a new index.
    Shadow,
    /// A column beside another one.
    Dual,
    /// What the server can do by itself: the one way back is open, the other one closed.
    Native,
}

impl Change {
    fn ddl(self) -> &'static str {
        match self {
            Self::Shadow => "ALTER TABLE t MODIFY c bigint, ADD KEY t_c (c);",
            Self::Dual => "-- shoofly: strategy = dual-column\nALTER TABLE t MODIFY c bigint NOT NULL DEFAULT 5;",
            Self::Native => {
                "ALTER TABLE t ADD COLUMN note varchar(20) DEFAULT 'x', ADD KEY t_c (c); ALTER TABLE s RENAME COLUMN d TO e;"
            }
        }
    }

    fn app() -> App {
        App::new("t")
            .auto_increment("id")
            .writes("c", "{v}")
            .writes("d", "CONCAT('d', {v})")
            .writes("p", "{v} % 10")
            .unique("u", "{v}")
    }

    async fn stage(self, my: &My, name: &str, rows: u32) -> Stage {
        let given = "CREATE TABLE p (id int PRIMARY KEY);
            INSERT INTO p VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
            CREATE TABLE s (id int PRIMARY KEY, d int); INSERT INTO s SELECT id, id FROM p;
            CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(20), p int, u int, UNIQUE KEY (u), KEY t_p (p),
                CONSTRAINT t_p FOREIGN KEY (p) REFERENCES p (id))";
        Stage::set(my, name, &[given, &Self::app().load(rows)], self.ddl()).await
    }
}

fn writers(stage: &Stage, rows: u32) -> MyWriters {
    MyWriters::start(&Change::app(), &stage.live, &stage.mirror, Rows::loaded(rows))
}

async fn shared(flavor: Flavor) -> My {
    tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap()
}

/// Every point of failure that a verb passes, in order, on a stage where `before` has been done.
async fn points(my: &My, change: Change, before: Option<&str>, verb: &str) -> Vec<String> {
    let stage = change.stage(my, "points", ROWS).await;
    if let Some(before) = before {
        stage.finish(before).await;
    }
    let points = stage.points(verb).await;
    stage.drop().await;
    points
}

/// What comes after the crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Resume,
    RollBack,
}

/// Dies at `point` and then resumes or rolls back, writers at work throughout.
async fn die_at(my: My, change: Change, point: String, then: Then) {
    let stage = change.stage(&my, "die_at", ROWS).await;
    let writers = writers(&stage, ROWS);
    writers.progress(10).await;
    stage.die("up", &point).await;
    writers.progress(10).await;
    if then == Then::RollBack && roll_back(&stage).await {
        writers.progress(10).await;
        writers.stop().await;
        stage.assert_as_before().await;
    } else {
        stage.finish("up").await;
        writers.progress(10).await;
        writers.stop().await;
        stage.assert_complete().await;
    }
    stage.drop().await;
}

/// Whether there was a way back. Where nothing had been begun, or it is past the point of no return, it says so.
async fn roll_back(stage: &Stage) -> bool {
    let mut went_back = None;
    until("rollback ends", async || {
        let said = stage.run(&["rollback"]).await;
        let nothing_begun = said.code == Some(2) && said.err.contains("no run is known");
        let busy = said.err.contains("in the way");
        let closed = said.code == Some(7) && !busy;
        assert!(
            said.code == Some(0) || nothing_begun || closed || busy,
            "rollback: {:?} {}{}",
            said.code,
            said.out,
            said.err
        );
        went_back = Some(said.code == Some(0));
        !busy
    })
    .await;
    went_back.unwrap()
}

/// Dies at `point` of a rollback, and rolls back again.
async fn die_in_rollback_at(my: My, change: Change, point: String) {
    let stage = change.stage(&my, "die_back", ROWS).await;
    let writers = writers(&stage, ROWS);
    stage.finish("start").await;
    stage.die("rollback", &point).await;
    writers.progress(10).await;
    stage.finish("rollback").await;
    writers.progress(10).await;
    writers.stop().await;
    stage.assert_as_before().await;
    stage.drop().await;
}

/// Some deaths side by side, each in a database of its own; all failures are reported together.
async fn each<F: Future<Output = ()> + 'static>(points: Vec<String>, die: impl Fn(String) -> F) {
    let side_by_side = Arc::new(Semaphore::new(3));
    let local = LocalSet::new();
    let mut runs = JoinSet::new();
    for point in points {
        let side_by_side = Arc::clone(&side_by_side);
        let dying = die(point.clone());
        let run = async move {
            let _permit = side_by_side.acquire().await.unwrap();
            tokio::task::spawn_local(dying).await.map_err(|error| format!("{point}: {error}"))
        };
        runs.spawn_local_on(run, &local);
    }
    let ended = local.run_until(runs.join_all()).await;
    let failed: Vec<String> = ended.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Every point on either product: what is resumed on the one is rolled back on the other.
async fn die_everywhere(flavor: Flavor, change: Change, at_least: usize) {
    let my = shared(flavor).await;
    let points = points(&my, change, None, "up").await;
    assert!(points.len() > at_least, "{points:#?}");
    let resumed: BTreeSet<String> =
        points.iter().skip(usize::from(flavor == Flavor::MariaDb)).step_by(2).cloned().collect();
    each(points, |point| {
        let then = if resumed.contains(&point) { Then::Resume } else { Then::RollBack };
        die_at(my.clone(), change, point, then)
    })
    .await;
}

async fn killed_at_every_point_of_a_copy(flavor: Flavor) {
    die_everywhere(flavor, Change::Shadow, 40).await;
}

async fn killed_at_every_point_of_a_dual_column(flavor: Flavor) {
    die_everywhere(flavor, Change::Dual, 30).await;
}

async fn killed_at_every_point_of_native_changes(flavor: Flavor) {
    die_everywhere(flavor, Change::Native, 15).await;
}

async fn killed_at_every_point_of_a_rollback(flavor: Flavor) {
    let my = shared(flavor).await;
    for change in [Change::Shadow, Change::Dual, Change::Native] {
        // A change that is all in its last phase has nothing to take back before.
        let points = points(&my, change, Some("start"), "rollback").await;
        assert!(points.len() > 3, "{points:#?}");
        each(points, |point| die_in_rollback_at(my.clone(), change, point)).await;
    }
}

/// Rows behind the copy's cursors.
async fn copied(stage: &Stage) -> u64 {
    let sql = format!(
        "SELECT COALESCE(SUM(l.rows_done), 0) FROM shoofly.lane l JOIN shoofly.run_table r ON r.run = l.run
         WHERE r.table_schema = '{}'",
        stage.live.name()
    );
    stage.live.text(&sql).await.parse().unwrap()
}

async fn a_killed_worker_goes_on_where_it_was(flavor: Flavor) {
    let stage = Change::Shadow.stage(&shared(flavor).await, "killed_worker", MANY).await;
    let writers = writers(&stage, MANY);
    let mut done = 0;
    for _ in 0..3 {
        let died = wait(stage.begin(&["up"], "chunk.written:3=abort")).await;
        assert_eq!(died.code, None, "{}{}", died.out, died.err);
        let now = copied(&stage).await;
        assert!(now > done && now < u64::from(MANY), "{now} rows after {done}");
        done = now;
    }
    stage.finish("up").await;
    writers.progress(10).await;
    writers.stop().await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// What was written without triggers is found.
async fn killed_between_the_triggers_and_the_exchange(flavor: Flavor) {
    let stage = Change::Dual.stage(&shared(flavor).await, "no_triggers", ROWS).await;
    let writers = writers(&stage, ROWS);
    stage.finish("start").await;
    for point in ["under.after:contract.1#1", "column.followed", "under.after:contract.1#0", "chunk.after"] {
        stage.die("complete", point).await;
        writers.progress(10).await;
    }
    stage.finish("complete").await;
    writers.progress(10).await;
    writers.stop().await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// A worker that was thought dead wakes up after somebody else has taken over: it must not write.
async fn a_worker_that_lost_its_run_cannot_commit(flavor: Flavor) {
    let stage = Change::Shadow.stage(&shared(flavor).await, "zombie", MANY).await;
    let writers = writers(&stage, MANY);
    let child = stage.begin(&["up"], "chunk.after:3=sleep(500)");
    stage.reached("chunk.after", 3).await;
    signal(&child, "STOP");
    let holder = format!(
        "SELECT r.holder_session FROM shoofly.run r JOIN shoofly.run_table t ON t.run = r.id WHERE t.table_schema = '{}'",
        stage.live.name()
    );
    let holder = stage.live.text(&holder).await;
    stage.live.run(&format!("KILL CONNECTION {holder}")).await;
    stage.finish("start").await;
    signal(&child, "CONT");
    let said = wait(child).await;
    assert_ne!(said.code, Some(0), "it thought that it had finished\n{}{}", said.out, said.err);
    stage.finish("up").await;
    writers.progress(10).await;
    writers.stop().await;
    stage.assert_complete().await;
    stage.drop().await;
}

/// Writers that bear the loss of their connections. Live table and mirror are written in one transaction.
struct Hardy {
    stop: CancellationToken,
    tasks: JoinSet<u64>,
}

impl Hardy {
    fn start(stage: &Stage) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for index in 0..2 {
            let names = [stage.live.name().to_owned(), stage.mirror.name().to_owned()];
            tasks.spawn(hardy(stage.live.url(), names, index, stop.clone()));
        }
        Self { stop, tasks }
    }

    /// How many transactions were committed.
    async fn stop(self) -> u64 {
        self.stop.cancel();
        self.tasks.join_all().await.into_iter().sum()
    }
}

async fn hardy(url: String, names: [String; 2], index: u64, stop: CancellationToken) -> u64 {
    let (mut random, mut committed, mut next) = (Random::seeded(index), 0, 1_000_000 * (1 + index));
    'connected: while !stop.is_cancelled() {
        let Ok(mut conn) = connect(&url).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while !stop.is_cancelled() {
            let key = 1 + index * u64::from(MANY) / 2 + random.below(u64::from(MANY) / 2);
            let value = random.below(1_000_000);
            next += 1;
            let write = match random.below(4) {
                0 => format!("INSERT INTO {{}}.t (id, c, d, p) VALUES ({next}, {value}, 'new', {})", value % 10),
                1 => format!("DELETE FROM {{}}.t WHERE id = {key}"),
                _ => format!("UPDATE {{}}.t SET c = {value}, p = {} WHERE id = {key}", value % 10),
            };
            let both = names.iter().map(|name| write.replace("{}", name)).collect::<Vec<_>>().join("; ");
            match conn.query_drop(format!("BEGIN; {both}; COMMIT")).await {
                Ok(()) => committed += 1,
                Err(mysql_async::Error::Server(error)) if error.code == DEADLOCK => {
                    conn.query_drop("ROLLBACK").await.ok();
                }
                // 1053: the server is being shut down; 1927, 1317: our connection was ended with it.
                Err(mysql_async::Error::Server(error)) if ![1053, 1317, 1927].contains(&error.code) => {
                    panic!("{error} in {write}")
                }
                Err(_) => continue 'connected,
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    committed
}

/// Kills the server and starts it again.
async fn crash(my: &My, stage: &Stage) {
    let server = my.clone();
    tokio::task::spawn_blocking(move || server.server().kill().and_then(|()| server.server().restart()))
        .await
        .unwrap()
        .unwrap();
    stage.live.reconnect().await;
    stage.mirror.reconnect().await;
}

async fn a_server_that_crashes(flavor: Flavor) {
    let options = shoofly_sandbox::Options::default();
    let my = tokio::task::spawn_blocking(move || My::own(flavor, &options)).await.unwrap();
    for point in ["mirror.made", "chunk.written:3", "swap.after"] {
        let stage = Change::Shadow.stage(&my, "server_crash", MANY).await;
        let hardy = Hardy::start(&stage);
        let child = stage.begin_until(&["up"], point).await;
        crash(&my, &stage).await;
        signal(&child, "KILL");
        wait(child).await;
        stage.finish("up").await;
        assert!(hardy.stop().await > 0, "{point}: nobody wrote");
        stage.assert_complete().await;
        stage.drop().await;
    }
    index_build_in_a_crash(&my).await;
}

/// The program lives through it and goes on by itself.
async fn index_build_in_a_crash(my: &My) {
    let stage = Change::Native.stage(my, "index_crash", MANY).await;
    for db in [&stage.live, &stage.mirror] {
        db.run("INSERT INTO t (c, d, p) SELECT t.c, t.d, t.p FROM t, (SELECT id FROM p UNION SELECT id + 10 FROM p) p")
            .await;
    }
    let hardy = Hardy::start(&stage);
    let child = stage.begin(&["up"], "");
    let building = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER TABLE `{}`%KEY%'",
        stage.live.name()
    );
    until("the index is being built", async || stage.live.text(&building).await != "0").await;
    crash(my, &stage).await;
    let said = wait(child).await;
    assert!(matches!(said.code, Some(0..=2)), "{:?} {}{}", said.code, said.out, said.err);
    if said.code != Some(0) {
        stage.finish("up").await;
    }
    hardy.stop().await;
    stage.assert_complete().await;
    stage.drop().await;
}

mysql_matrix!(
    killed_at_every_point_of_a_copy,
    killed_at_every_point_of_a_dual_column,
    killed_at_every_point_of_native_changes,
    killed_at_every_point_of_a_rollback,
    a_killed_worker_goes_on_where_it_was,
    killed_between_the_triggers_and_the_exchange,
    a_worker_that_lost_its_run_cannot_commit,
    a_server_that_crashes,
);
