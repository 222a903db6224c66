//! Others at work in the same database: who waits for whom, who loses, and what they see.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use shoofly_engine::plan::{Hazard, PhaseKind};
use shoofly_engine::run::{Direction, Outcome};
use shoofly_engine::settings::EndBlockers;
use shoofly_engine::{Error, Event, Exit};
use shoofly_tests::case::migration;
use shoofly_tests::shared::Which;
use shoofly_tests::writers::Disconnects;
use shoofly_tests::{Database, Pg, Write, Writers, catalogue, matrix, rows, until};

const KEYS: u64 = 2_000;

/// A client that waited longer than this waited for a lock of ours, not for a busy machine.
const TOO_LONG: Duration = Duration::from_millis(900);

async fn database(major: u32, name: &str) -> Database {
    let db = Database::create(&Pg::shared(major), name).await;
    let given = format!(
        "CREATE TABLE t (id int PRIMARY KEY, v int, note text);
         CREATE TABLE h (id int PRIMARY KEY, t_id int REFERENCES t (id), note text);
         INSERT INTO t SELECT i, i FROM generate_series(1, {KEYS}) i;
         INSERT INTO h SELECT i, i FROM generate_series(1, {KEYS}) i;"
    );
    db.run(&given).await;
    db.run(&format!("CREATE SCHEMA mirror; SET search_path = mirror; {given} RESET search_path")).await;
    db
}

fn writers(db: &Database) -> Writers {
    let writes = [
        "INSERT INTO t (id, v) VALUES ({n}, {r}::int)",
        "UPDATE t SET v = {r}::int WHERE id = {k}",
        "INSERT INTO h (id, t_id) SELECT {n}::int, id FROM t WHERE id = {k}",
        "UPDATE h SET note = {r}::int::text WHERE id = {k}",
    ];
    Writers::start(&db.url(), KEYS, &writes.map(Write::same), Disconnects::Fail)
}

const WIDEN: &str = "ALTER TABLE t ALTER COLUMN id TYPE bigint";

fn unwrap(result: Result<Outcome, Error>) {
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// VACUUM, ANALYZE and index builds hold SHARE UPDATE EXCLUSIVE for long: nobody may queue behind us meanwhile.
async fn a_vacuum_is_waited_for_without_stalling_anybody(major: u32) {
    let db = database(major, "vacuum").await;
    let looks = Arc::new(AtomicU64::new(0));
    let heard = Arc::clone(&looks);
    let options = db.engine().accept(&[Hazard::ColumnOrder]).listen(move |event| {
        if let Event::LockWaiting { blockers, .. } = event {
            assert!(!blockers.is_empty());
            heard.fetch_add(1, Ordering::Relaxed);
        }
    });
    let engine = options.build();
    let holder = db.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    let writers = writers(&db);
    let run = tokio::spawn(async move {
        let started = engine.start(&migration("vacuum", WIDEN), Direction::Up).await;
        (engine, started)
    });
    until("the run waits for the holder", async || looks.load(Ordering::Relaxed) > 0).await;
    writers.progress(500).await;
    assert!(!run.is_finished());
    holder.batch_execute("COMMIT").await.unwrap();
    let (engine, started) = run.await.unwrap();
    unwrap(started);

    // The swap as well.
    looks.store(0, Ordering::Relaxed);
    holder.batch_execute("BEGIN; LOCK TABLE h IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    let run = tokio::spawn(async move { engine.complete(None).await });
    until("the swap waits for the holder", async || looks.load(Ordering::Relaxed) > 0).await;
    writers.progress(500).await;
    assert!(!run.is_finished());
    holder.batch_execute("COMMIT").await.unwrap();
    unwrap(run.await.unwrap());
    let slowest = writers.stop().await;
    assert!(slowest < TOO_LONG, "a client waited {slowest:?}");
    db.drop().await;
}

/// Transactions that take the two tables the other way round than the swap does.
async fn the_application_is_never_the_deadlock_victim(major: u32) {
    let db = database(major, "deadlock").await;
    let engine = db.engine().accept(&[Hazard::ColumnOrder]).build();
    let stop = Arc::new(AtomicU64::new(0));
    let mut clients = Vec::new();
    for client in 0..6_u64 {
        let (connection, stop) = (db.connect().await, Arc::clone(&stop));
        clients.push(tokio::spawn(async move {
            let key = client + 1;
            let mut done = 0_u64;
            while stop.load(Ordering::Relaxed) == 0 {
                // Long enough to be caught between the two, short enough not to be waited for by the look.
                connection
                    .batch_execute(&format!("BEGIN; UPDATE h SET note = 'a' WHERE id = {key}; SELECT pg_sleep(0.03)"))
                    .await?;
                connection.batch_execute(&format!("UPDATE t SET note = 'b' WHERE id = {key}; COMMIT")).await?;
                done += 1;
            }
            Ok::<u64, tokio_postgres::Error>(done)
        }));
    }
    let widen = migration("deadlock", WIDEN);
    for _ in 0..3 {
        unwrap(engine.start(&widen, Direction::Up).await);
        unwrap(engine.rollback(None).await);
    }
    unwrap(engine.start(&widen, Direction::Up).await);
    unwrap(engine.complete(None).await);
    stop.store(1, Ordering::Relaxed);
    for client in clients {
        let done = client.await.unwrap();
        let done =
            done.unwrap_or_else(|error| panic!("the application: {}", shoofly_tests::database::describe(&error)));
        assert!(done > 0);
    }
    db.drop().await;
}

/// Where the operator says that whoever holds the table for so long may be ended; and no more of them than that.
async fn who_forgot_to_commit_is_ended(major: u32) {
    let db = database(major, "forgotten").await;
    let mut options = db.engine().accept(&[Hazard::ColumnOrder]);
    options.settings.locks.end = Some(EndBlockers { after: Duration::from_secs(1), most: NonZeroU32::MIN });
    let run = migration("forgotten", WIDEN);
    let bystander = db.connect().await;
    bystander.batch_execute("CREATE TABLE beside (id int); BEGIN; SELECT * FROM beside").await.unwrap();
    let forgotten = [db.connect().await, db.connect().await];
    for holder in &forgotten {
        holder.batch_execute("BEGIN; SELECT * FROM t LIMIT 1").await.unwrap();
    }
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    options.settings.locks.give_up_after = Duration::from_secs(4);
    let options = options.listen(move |event| match event {
        Event::SessionEnded { blocker, .. } => heard.lock().unwrap().push(blocker.pid.to_string()),
        Event::Notice { text } => heard.lock().unwrap().push(text),
        _ => {}
    });
    let error = options.clone().build().start(&run, Direction::Up).await.unwrap_err();
    assert!(matches!(&error, Error::Lock { in_the_way, .. } if in_the_way.len() == 1), "{error}");
    unwrap(options.build().start(&run, Direction::Up).await);
    let said = said.lock().unwrap().join("\n");
    assert!(said.contains("sessions ended for this lock: 1; no more are"), "{said}");
    for holder in &forgotten {
        assert!(holder.batch_execute("SELECT 1").await.is_err(), "it is still there");
    }
    bystander.batch_execute("SELECT * FROM beside; COMMIT").await.unwrap();
    db.drop().await;
}

/// A snapshot from before the fill would see NULLs in the new column after the swap: it is waited out before `ready`.
async fn a_snapshot_from_before_the_fill_is_waited_out(major: u32) {
    let db = database(major, "old_snapshot").await;
    let filled = Arc::new(AtomicU64::new(0));
    let heard = Arc::clone(&filled);
    let options = db.engine().accept(&[Hazard::ColumnOrder]).listen(move |event| {
        if let Event::PhaseBegan { phase: PhaseKind::Build | PhaseKind::Verify } = event {
            heard.fetch_add(1, Ordering::Relaxed);
        }
    });
    let engine = options.build();
    let reader = db.connect().await;
    // A snapshot without any lock on the table.
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_namespace").await.unwrap();
    let change = migration("old_snapshot", "ALTER TABLE t ALTER COLUMN v TYPE bigint");
    let run = tokio::spawn(async move {
        let started = engine.start(&change, Direction::Up).await;
        (engine, started)
    });
    until("the fill is over", async || filled.load(Ordering::Relaxed) > 0).await;
    assert!(!run.is_finished(), "ready while a snapshot from before the fill is open");
    assert_eq!(reader.query_one("SELECT count(v) FROM t", &[]).await.unwrap().get::<_, i64>(0), 2_000);
    reader.batch_execute("COMMIT").await.unwrap();
    let (engine, started) = run.await.unwrap();
    unwrap(started);

    // One from after the fill reads over the swap, and sees every value.
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_namespace").await.unwrap();
    unwrap(engine.complete(None).await);
    let seen = shoofly_tests::database::text(&reader, "SELECT count(v) = 2000 AND sum(v) = 2001000 FROM t").await;
    assert_eq!(seen, "t");
    reader.batch_execute("COMMIT").await.unwrap();
    db.drop().await;
}

/// Somebody who never ends: exit code 6 with their name, and nothing that cannot be taken back.
async fn an_old_transaction_in_the_way_is_named(major: u32) {
    let db = database(major, "in_the_way").await;
    let before = db.catalogue().await;
    let options = db.engine().accept(&[Hazard::ColumnOrder]);
    let mut impatient = options.clone();
    impatient.settings.locks.give_up_after = Duration::from_secs(2);
    let (engine, impatient) = (options.build(), impatient.build());
    let holder = db.connect().await;
    holder.batch_execute("SET application_name = 'forgotten'; BEGIN; SELECT * FROM t WHERE id = 1").await.unwrap();
    let pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let writers = writers(&db);
    let error =
        impatient.start(&migration("in_the_way", WIDEN), Direction::Up).await.expect_err("somebody is in the way");
    assert_eq!(error.exit(), Exit::Lock, "{error}");
    assert!(
        matches!(&error, Error::Lock { in_the_way, .. } if in_the_way.iter().any(|blocker| blocker.pid == pid)),
        "{error:?}"
    );
    let said = error.to_string();
    assert!(said.contains("forgotten") && said.contains(&pid.to_string()), "{said}");
    catalogue::assert_equal("after giving up", &before, &db.catalogue().await);
    holder.batch_execute("COMMIT").await.unwrap();
    // Later the same command goes on.
    unwrap(engine.start(&migration("in_the_way", WIDEN), Direction::Up).await);
    unwrap(engine.complete(None).await);
    writers.stop().await;
    db.drop().await;
}

/// Inserts into the referencing table lock keys of rows that the fill updates: neither waits for the other.
async fn foreign_key_inserts_do_not_wait_for_the_fill(major: u32) {
    let db = database(major, "fk_inserts").await;
    let engine = db.engine().accept(&[Hazard::ColumnOrder]).build();
    let writes = [
        Write::same("INSERT INTO h (id, t_id) VALUES ({n}, {k})"),
        Write::same("UPDATE h SET t_id = {k} WHERE id = {k}"),
    ];
    let writers = Writers::start(&db.url(), KEYS, &writes, Disconnects::Fail);
    writers.progress(20).await;
    for _ in 0..3 {
        unwrap(engine.start(&migration("fk_inserts", WIDEN), Direction::Up).await);
        unwrap(engine.rollback(None).await);
    }
    unwrap(engine.start(&migration("fk_inserts", WIDEN), Direction::Up).await);
    unwrap(engine.complete(None).await);
    let slowest = writers.stop().await;
    assert!(slowest < TOO_LONG, "a client waited {slowest:?}");
    rows::assert_mirrored(db.client(), "after complete", &[]).await;
    db.drop().await;
}

/// Rows that somebody holds are passed over and filled when they are free.
async fn locked_rows_are_deferred_and_filled_later(major: u32) {
    let db = database(major, "deferred").await;
    let (at_backfill, began) = std::sync::mpsc::channel();
    let (locked, go_on) = std::sync::mpsc::channel::<()>();
    let go_on = std::sync::Mutex::new(go_on);
    let deferred = Arc::new(AtomicU64::new(0));
    let heard = Arc::clone(&deferred);
    let options = db.engine().accept(&[Hazard::ColumnOrder]).listen(move |event| match event {
        Event::PhaseBegan { phase: PhaseKind::Backfill } => {
            at_backfill.send(()).ok();
            tokio::task::block_in_place(|| go_on.lock().unwrap().recv().ok());
        }
        Event::FillProgress(progress) => {
            heard.fetch_max(progress.deferred, Ordering::Relaxed);
        }
        _ => {}
    });
    let engine = options.build();
    let run = tokio::spawn(async move {
        let started = engine.start(&migration("deferred", WIDEN), Direction::Up).await;
        (engine, started)
    });
    tokio::task::block_in_place(|| began.recv_timeout(Duration::from_secs(60))).unwrap();
    let holder = db.connect().await;
    holder.batch_execute("BEGIN; SELECT * FROM t WHERE id IN (1, 1000, 2000) FOR UPDATE").await.unwrap();
    locked.send(()).unwrap();
    until("rows are deferred", async || deferred.load(Ordering::Relaxed) >= 3).await;
    assert!(!run.is_finished());
    holder.batch_execute("ROLLBACK").await.unwrap();
    let (engine, started) = run.await.unwrap();
    unwrap(started);
    unwrap(engine.complete(None).await);
    assert_eq!(db.text("SELECT count(id) = 2000 AND sum(id) = 2001000 FROM t").await, "t");
    db.drop().await;
}

/// One process holds a run; a second one is told so.
async fn two_processes_do_not_run_one_migration(major: u32) {
    let db = database(major, "two_processes").await;
    let looks = Arc::new(AtomicU64::new(0));
    let heard = Arc::clone(&looks);
    let first = db.engine().accept(&[Hazard::ColumnOrder]).listen(move |event| {
        if matches!(event, Event::LockWaiting { .. }) {
            heard.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (first, second) = (first.build(), db.engine().accept(&[Hazard::ColumnOrder]).build());
    let holder = db.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    let run = tokio::spawn(async move {
        let started = first.start(&migration("two_processes", WIDEN), Direction::Up).await;
        (first, started)
    });
    until("the first is under way", async || looks.load(Ordering::Relaxed) > 0).await;
    for result in [second.start(&migration("two_processes", WIDEN), Direction::Up).await, second.rollback(None).await] {
        let error = result.expect_err("the first holds the run");
        assert!(matches!(error, Error::Busy(_)), "{error:?}");
    }
    holder.batch_execute("COMMIT").await.unwrap();
    let (first, started) = run.await.unwrap();
    unwrap(started);
    unwrap(first.rollback(None).await);
    db.drop().await;
}

/// A signal ends a run between two units of work; the same command goes on.
async fn a_stopped_run_goes_on(major: u32) {
    let db = database(major, "stopped").await;
    let options = db.engine().accept(&[Hazard::ColumnOrder]);
    let stop = options.stop.clone();
    let stopping = options.clone().listen(move |event| {
        if matches!(event, Event::PhaseBegan { phase: PhaseKind::Backfill }) {
            stop.cancel();
        }
    });
    let error = stopping.build().start(&migration("stopped", WIDEN), Direction::Up).await.expect_err("it was stopped");
    assert_eq!(error.exit(), Exit::Interrupted, "{error}");
    let engine = db.engine().accept(&[Hazard::ColumnOrder]).build();
    unwrap(engine.start(&migration("stopped", WIDEN), Direction::Up).await);
    unwrap(engine.complete(None).await);
    db.assert_nothing_left("after complete").await;
    db.drop().await;
}

/// Rows that arrive by logical replication are written past ordinary triggers.
async fn rows_from_a_publisher_are_carried(major: u32) {
    let pg = Pg::own(major, &Which::Postgres(major).shared_options().with("wal_level", "logical"));
    let (from, to) = (Database::create(&pg, "publisher").await, Database::create(&pg, "subscriber").await);
    for db in [&from, &to] {
        db.run("CREATE TABLE t (id int PRIMARY KEY, v int, note text)").await;
    }
    from.run("INSERT INTO t SELECT i, i FROM generate_series(1, 500) i; CREATE PUBLICATION news FOR TABLE t").await;
    // Both on one server: the slot has to be there first.
    from.run("SELECT pg_create_logical_replication_slot('news', 'pgoutput')").await;
    to.run(&format!(
        "CREATE SUBSCRIPTION news CONNECTION '{}' PUBLICATION news WITH (create_slot = false, slot_name = 'news')",
        from.url()
    ))
    .await;
    until("the first copy is there", async || to.text("SELECT count(*) FROM t").await == "500").await;
    let engine = to.engine().accept(&[Hazard::ColumnOrder]).build();
    let begun = Instant::now();
    unwrap(engine.start(&migration("apply", "ALTER TABLE t ALTER COLUMN v TYPE bigint"), Direction::Up).await);
    from.run("INSERT INTO t SELECT i, i FROM generate_series(501, 600) i; UPDATE t SET v = v + 1 WHERE id <= 100")
        .await;
    until("changes arrive", async || to.text("SELECT sum(v) FROM t").await == "180400").await;
    unwrap(engine.complete(None).await);
    assert_eq!(to.text("SELECT count(v) = 600 AND sum(v) = 180400 FROM t").await, "t", "after {:?}", begun.elapsed());
    to.run("DROP SUBSCRIPTION news").await;
}

matrix!(
    a_vacuum_is_waited_for_without_stalling_anybody,
    who_forgot_to_commit_is_ended,
    the_application_is_never_the_deadlock_victim,
    a_snapshot_from_before_the_fill_is_waited_out,
    an_old_transaction_in_the_way_is_named,
    foreign_key_inserts_do_not_wait_for_the_fill,
    locked_rows_are_deferred_and_filled_later,
    two_processes_do_not_run_one_migration,
    a_stopped_run_goes_on,
    rows_from_a_publisher_are_carried,
);
