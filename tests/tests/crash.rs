//! Killed workers and crashed servers: whoever comes next finishes or takes back, and no row is lost, wrong or done twice.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use shoofly_sandbox::Mode;
use shoofly_tests::binary::Said;
use shoofly_tests::writers::Disconnects;
use shoofly_tests::{Binary, Database, MAJORS, Pg, Write, Writers, catalogue, matrix, rows, until};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

const KEYS: u64 = 2_000;

/// One migration with a step of nearly every kind.
const MIGRATION: &str = "
    ALTER TABLE orders ALTER COLUMN id TYPE bigint;
    ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
    ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();
    ALTER TABLE orders DROP COLUMN gone;
    CREATE INDEX orders_note ON orders (note);
    DROP INDEX orders_old;";

const GIVEN: &str = "
    CREATE TABLE orders (id int PRIMARY KEY, note text, gone int, amount int NOT NULL DEFAULT 0);
    CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders (id) ON UPDATE CASCADE ON DELETE CASCADE);
    CREATE INDEX orders_old ON orders (amount);
    CREATE INDEX orders_wide ON orders (id, amount);
    INSERT INTO orders SELECT i, 'n' || i, i FROM generate_series(1, {keys}) i;
    INSERT INTO lines SELECT i, i FROM generate_series(1, {keys}) i;";

const ARGUMENTS: [&str; 3] = ["--accept", "column-order", "--quiet"];

fn writes() -> Vec<Write> {
    [
        "INSERT INTO orders (id, note) VALUES ({n}::int, {r}::int::text)",
        "UPDATE orders SET amount = amount + 1 WHERE id = {k}",
        "UPDATE orders SET id = {n} WHERE id = {k}",
        "INSERT INTO lines (id, order_id) SELECT {n}::int, id FROM orders WHERE id = {k}",
        "DELETE FROM orders WHERE id = {k} AND {r}::int % 8 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

/// A database with the schema, its mirror, and the migration's file.
struct Stage {
    db: Database,
    shoofly: Binary,
    before: Vec<String>,
}

impl Stage {
    async fn set(pg: &Pg, name: &str, keys: u64) -> Self {
        let db = Database::create(pg, name).await;
        let given = GIVEN.replace("{keys}", &keys.to_string());
        db.run(&given).await;
        db.run(&format!("CREATE SCHEMA mirror; SET search_path = mirror; {given} RESET search_path")).await;
        let shoofly = Binary::new(&db.url());
        shoofly.write("migrations/1_change.sql", MIGRATION);
        let before = db.catalogue().await;
        Self { db, shoofly, before }
    }

    /// Runs a verb to its end while the writers go on.
    async fn run(&self, verb: &str) -> Said {
        let child = self.begin(verb, &[]);
        wait(child).await
    }

    fn begin(&self, verb: &str, environment: &[(&str, &str)]) -> Child {
        let arguments: Vec<&str> = std::iter::once(verb).chain(ARGUMENTS).collect();
        let mut command = self.shoofly.command(&arguments);
        command.envs(environment.iter().copied());
        command.spawn().unwrap()
    }

    /// Runs a verb until it succeeds: the server may still be busy with what the dead worker had sent.
    async fn finish(&self, verb: &str) {
        until(&format!("{verb} succeeds"), async || {
            let said = self.run(verb).await;
            assert!(
                said.code == Some(0) || said.err.contains("in the way"),
                "{verb}: {:?}\n{}{}",
                said.code,
                said.out,
                said.err
            );
            said.code == Some(0)
        })
        .await;
    }

    async fn assert_complete(&self) {
        catalogue::assert_equal("after complete", &plain(self.db.pg()).await, &self.db.catalogue().await);
        self.db.assert_nothing_left("after complete").await;
        self.db.run(&format!("SET search_path = mirror; {MIGRATION} RESET search_path")).await;
        rows::assert_mirrored(self.db.client(), "after complete", &["token"]).await;
        assert_eq!(self.db.text("SELECT count(*) = count(DISTINCT token) FROM orders").await, "t");
    }

    async fn assert_as_before(&self) {
        catalogue::assert_equal("after rollback", &self.before, &self.db.catalogue().await);
        self.db.assert_nothing_left("after rollback").await;
        rows::assert_mirrored(self.db.client(), "after rollback", &[]).await;
    }
}

/// The catalogue that plain DDL gives, made once for each version.
async fn plain(pg: &Pg) -> Vec<String> {
    static KNOWN: Mutex<BTreeMap<u32, Vec<String>>> = Mutex::new(BTreeMap::new());
    let known = KNOWN.lock().unwrap().get(&pg.major()).cloned();
    if let Some(known) = known {
        return known;
    }
    let idle = Database::create(pg, "idle").await;
    idle.run(&GIVEN.replace("{keys}", "1")).await;
    idle.run(MIGRATION).await;
    let lines = idle.catalogue().await;
    idle.drop().await;
    KNOWN.lock().unwrap().insert(pg.major(), lines.clone());
    lines
}

async fn wait(child: Child) -> Said {
    Said::from(tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap())
}

/// Sends a signal to a process of ours.
fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).stdin(Stdio::null()).status().unwrap().success());
}

/// Every point of failure that a verb passes, in order, on a stage where `before` has been done.
async fn points(pg: &Pg, before: Option<&str>, verb: &str) -> Vec<String> {
    let stage = Stage::set(pg, "points", KEYS).await;
    if let Some(before) = before {
        stage.finish(before).await;
    }
    let trace = stage.shoofly.folder().join("trace");
    let said = wait(stage.begin(verb, &[("SHOOFLY_FAIL_TRACE", trace.to_str().unwrap())])).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let mut seen = BTreeSet::new();
    let text = std::fs::read_to_string(trace).unwrap();
    let points: Vec<String> = text.lines().filter(|point| seen.insert(*point)).map(str::to_owned).collect();
    stage.db.drop().await;
    points
}

/// What comes after the crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Resume,
    RollBack,
}

/// Dies at `point` and then resumes or rolls back, writers at work throughout.
async fn die_at(pg: Pg, point: String, then: Then) {
    let stage = Stage::set(&pg, "die_at", KEYS).await;
    let writers = Writers::start(&stage.db.url(), KEYS, &writes(), Disconnects::Fail);
    writers.progress(10).await;
    let died = wait(stage.begin("up", &[("SHOOFLY_FAIL", &format!("{point}=abort"))])).await;
    assert_eq!(died.code, None, "{point}: it did not die\n{}{}", died.out, died.err);
    writers.progress(10).await;
    if then == Then::RollBack {
        let mut rolled_back = stage.run("rollback").await;
        if rolled_back.err.contains("in the way") {
            stage.finish("rollback").await;
            rolled_back.code = Some(0);
        }
        writers.progress(10).await;
        if rolled_back.code == Some(0) {
            writers.stop().await;
            stage.assert_as_before().await;
            stage.db.drop().await;
            return;
        }
        // Nothing had been begun, or it is past the point of no return: it says so, and the way forward is open.
        let nothing_begun = rolled_back.code == Some(2) && rolled_back.err.contains("no run is known");
        let refused = rolled_back.code == Some(7);
        assert!(nothing_begun || refused, "{point}: {:?} {}{}", rolled_back.code, rolled_back.out, rolled_back.err);
    }
    stage.finish("up").await;
    writers.progress(10).await;
    writers.stop().await;
    stage.assert_complete().await;
    stage.db.drop().await;
}

/// Dies at `point` of a rollback, and rolls back again.
async fn die_in_rollback_at(pg: Pg, point: String) {
    let stage = Stage::set(&pg, "die_back", KEYS).await;
    let writers = Writers::start(&stage.db.url(), KEYS, &writes(), Disconnects::Fail);
    stage.finish("start").await;
    let died = wait(stage.begin("rollback", &[("SHOOFLY_FAIL", &format!("{point}=abort"))])).await;
    assert_eq!(died.code, None, "{point}: it did not die\n{}{}", died.out, died.err);
    writers.progress(10).await;
    stage.finish("rollback").await;
    writers.progress(10).await;
    writers.stop().await;
    stage.assert_as_before().await;
    stage.db.drop().await;
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

/// Every point on either version: what is resumed on the one is rolled back on the other.
async fn killed_at_every_point_of_a_run(major: u32) {
    let pg = Pg::shared(major);
    let points = points(&pg, None, "up").await;
    assert!(points.len() > 30, "{points:#?}");
    let resumed: BTreeSet<String> = points.iter().skip(usize::from(major == MAJORS[0])).step_by(2).cloned().collect();
    each(points, |point| {
        let then = if resumed.contains(&point) { Then::Resume } else { Then::RollBack };
        die_at(pg.clone(), point, then)
    })
    .await;
}

async fn killed_at_every_point_of_a_rollback(major: u32) {
    let pg = Pg::shared(major);
    let points = points(&pg, Some("start"), "rollback").await;
    assert!(points.len() > 3, "{points:#?}");
    each(points, |point| die_in_rollback_at(pg.clone(), point)).await;
}

/// Rows that the fill has written so far.
async fn filled(db: &Database) -> i64 {
    let column = db
        .client()
        .query_opt("SELECT attname FROM pg_attribute WHERE attrelid = 'public.orders'::regclass AND attname ~ 'shoofly.*id' AND NOT attisdropped", &[])
        .await
        .unwrap();
    let Some(column) = column.map(|row| row.get::<_, String>(0)) else { return 0 };
    db.client()
        .query_one(&format!("SELECT count(\"{column}\") FROM public.orders"), &[])
        .await
        .map_or(0, |row| row.get(0))
}

const MANY: u64 = 30_000;

/// Starts the migration so slowly that it can be caught in the middle of its fill.
fn begin_slowly(stage: &Stage) -> Child {
    let arguments: Vec<&str> = ["up", "--rate", "8000"].into_iter().chain(ARGUMENTS).collect();
    stage.shoofly.command(&arguments).spawn().unwrap()
}

async fn a_killed_worker_goes_on_where_it_was(major: u32) {
    let stage = Stage::set(&Pg::shared(major), "killed_worker", MANY).await;
    let writers = Writers::start(&stage.db.url(), KEYS, &writes(), Disconnects::Fail);
    for share in [5_000, 12_000, 20_000] {
        let child = begin_slowly(&stage);
        until("the fill is under way", async || filled(&stage.db).await > share).await;
        signal(&child, "KILL");
        assert_eq!(wait(child).await.code, None);
        assert!(filled(&stage.db).await >= share, "what was committed is there");
    }
    stage.finish("up").await;
    writers.progress(10).await;
    writers.stop().await;
    stage.assert_complete().await;
    stage.db.drop().await;
}

async fn a_server_that_crashes_in_the_fill(major: u32) {
    let pg = Pg::own(major, &shoofly_sandbox::Options::default());
    let mut stage = Stage::set(&pg, "server_crash", MANY).await;
    let writers = Writers::start(&stage.db.url(), KEYS, &writes(), Disconnects::Expected);
    writers.progress(50).await;
    let child = begin_slowly(&stage);
    until("the fill is under way", async || filled(&stage.db).await > 8_000).await;
    let server = pg.clone();
    tokio::task::spawn_blocking(move || server.server().stop(Mode::Immediate).and_then(|()| server.server().restart()))
        .await
        .unwrap()
        .unwrap();
    let said = wait(child).await;
    stage.db.reconnect().await;
    // It may have waited for the server and gone on by itself; otherwise it says that the connection is gone.
    assert!(matches!(said.code, Some(0..=2)), "{:?} {}{}", said.code, said.out, said.err);
    if said.code != Some(0) {
        stage.finish("up").await;
    }
    writers.progress(50).await;
    writers.stop().await;
    stage.assert_complete().await;
}

/// A worker that was thought dead wakes up after somebody else has taken over: it must not write.
async fn a_worker_that_lost_its_run_cannot_commit(major: u32) {
    let stage = Stage::set(&Pg::shared(major), "zombie", MANY).await;
    let writers = Writers::start(&stage.db.url(), KEYS, &writes(), Disconnects::Fail);
    let child = begin_slowly(&stage);
    until("the fill is under way", async || filled(&stage.db).await > 8_000).await;
    signal(&child, "STOP");
    let held = "SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    stage.db.client().query(held, &[]).await.unwrap();
    stage.finish("up").await;
    signal(&child, "CONT");
    let said = wait(child).await;
    assert_ne!(said.code, Some(0), "it thought that it had finished\n{}{}", said.out, said.err);
    writers.progress(10).await;
    writers.stop().await;
    stage.assert_complete().await;
    stage.db.drop().await;
}

matrix!(
    killed_at_every_point_of_a_run,
    killed_at_every_point_of_a_rollback,
    a_killed_worker_goes_on_where_it_was,
    a_server_that_crashes_in_the_fill,
    a_worker_that_lost_its_run_cannot_commit,
);
