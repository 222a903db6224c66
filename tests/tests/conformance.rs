//! What the engine promises of every kind of database alike: the same behaviours, run against each.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use shoofly_engine::plan::Hazard;
use shoofly_engine::run::{Direction, Outcome, Repair, RunState};
use shoofly_engine::{Engine, Error, Event, Exit, Migration};
use shoofly_tests::every_kind;
use shoofly_tests::place::{Kind, Place};

const ROWS: u32 = 3_000;
/// A change of every row, in the words of each.
const WIDEN: [&str; 2] = ["ALTER TABLE t ALTER COLUMN c TYPE bigint", "ALTER TABLE t MODIFY c bigint NOT NULL"];
const NARROW: [&str; 2] = ["ALTER TABLE t ALTER COLUMN d TYPE int USING d::int", "ALTER TABLE t MODIFY d int"];
const UPDATE: [&str; 2] = ["UPDATE t SET d = 'filled' WHERE d IS NULL"; 2];

async fn place(kind: Kind, name: &str) -> Place {
    let place = Place::create(kind, name).await;
    place.run("CREATE TABLE t (id int PRIMARY KEY, c int NOT NULL, d varchar(20))").await;
    place.run("CREATE INDEX t_c ON t (c)").await;
    let rows: Vec<String> = (1..=ROWS).map(|id| format!("({id}, {})", id * 7)).collect();
    place.run(&format!("INSERT INTO t (id, c) VALUES {}", rows.join(", "))).await;
    place
}

fn engine(place: &Place) -> Engine {
    place.engine().accept(&Hazard::ALL).build()
}

async fn start(engine: &Engine, migration: &Migration) -> Result<Outcome, Error> {
    engine.start(migration, Direction::Up).await
}

async fn states(engine: &Engine) -> Vec<RunState> {
    engine.runs().await.unwrap().into_iter().map(|run| run.state).collect()
}

fn exit(result: Result<Outcome, Error>) -> Exit {
    result.map_or_else(|error| error.exit(), |outcome| panic!("it was not refused: {outcome:?}"))
}

/// A plan is the same each time, and making it leaves nothing: no table, no ledger.
async fn planning_writes_nothing(kind: Kind) {
    let place = place(kind, "planning").await;
    let (engine, before) = (engine(&place), place.catalogue().await);
    for texts in [WIDEN, UPDATE] {
        let migration = place.migration("m", texts);
        let plan = engine.plan(&migration, Direction::Up).await.unwrap();
        assert!(plan.steps().count() > 0);
        assert_eq!(plan, engine.plan(&migration, Direction::Up).await.unwrap());
    }
    assert_eq!(place.catalogue().await, before);
    assert_eq!(states(&engine).await, []);
    place.drop().await;
}

/// `ready` changes nothing that anybody sees, and `rollback` leaves no trace; each may be said twice.
async fn there_and_back(kind: Kind) {
    let place = place(kind, "back").await;
    let (engine, before) = (engine(&place), place.catalogue().await);
    let migration = place.migration("m", WIDEN);
    assert_eq!(start(&engine, &migration).await.unwrap(), Outcome::Done);
    assert_eq!(states(&engine).await, [RunState::Ready]);
    assert_eq!(start(&engine, &migration).await.unwrap(), Outcome::AlreadyDone);
    assert_eq!(engine.rollback(Some("m")).await.unwrap(), Outcome::Done);
    assert_eq!(states(&engine).await, [RunState::RolledBack]);
    assert_eq!(engine.rollback(Some("m")).await.unwrap(), Outcome::AlreadyDone);
    assert_eq!(place.catalogue().await, before);
    place.assert_nothing_left("after the rollback").await;
    place.drop().await;
}

/// What comes out is what plain DDL makes of the same table; each verb may be said twice.
async fn there_for_good(kind: Kind) {
    let (place, plain) = (place(kind, "good").await, place(kind, "plain").await);
    let engine = engine(&place);
    let migration = place.migration("m", WIDEN);
    assert_eq!(start(&engine, &migration).await.unwrap(), Outcome::Done);
    assert_eq!(engine.complete(None).await.unwrap(), Outcome::Done);
    assert_eq!(states(&engine).await, [RunState::Complete]);
    assert_eq!(engine.complete(Some("m")).await.unwrap(), Outcome::AlreadyDone);
    assert_eq!(start(&engine, &migration).await.unwrap(), Outcome::AlreadyDone);
    plain.run(WIDEN[usize::from(matches!(kind, Kind::My(_)))]).await;
    for place in [&place, &plain] {
        place.run("INSERT INTO t (id, c) VALUES (0, 5000000000)").await;
    }
    for query in ["SELECT count(*) FROM t", "SELECT sum(c) FROM t", "SELECT count(*) FROM t WHERE c = 70"] {
        assert_eq!(place.text(query).await, plain.text(query).await, "{query}");
    }
    place.assert_nothing_left("in the end").await;
    place.drop().await;
    plain.drop().await;
}

/// An `UPDATE` is filled and proved before it is said to be ready; rolled back it stays undone only where nothing was written.
async fn an_update_is_a_backfill(kind: Kind) {
    let place = place(kind, "update").await;
    let (engine, before) = (engine(&place), place.catalogue().await);
    let migration = place.migration("m", UPDATE);
    assert_eq!(start(&engine, &migration).await.unwrap(), Outcome::Done);
    assert_eq!(engine.complete(None).await.unwrap(), Outcome::Done);
    assert_eq!(place.text("SELECT count(*) FROM t WHERE d = 'filled'").await, ROWS.to_string());
    assert_eq!(place.catalogue().await, before);
    place.drop().await;
}

/// A migration that has been begun is what it was.
async fn an_edited_migration_is_noticed(kind: Kind) {
    let place = place(kind, "edited").await;
    let engine = engine(&place);
    start(&engine, &place.migration("m", WIDEN)).await.unwrap();
    assert_eq!(exit(start(&engine, &place.migration("m", UPDATE)).await), Exit::Divergence);
    assert_eq!(states(&engine).await, [RunState::Ready]);
    place.drop().await;
}

/// Two runs do not meet on one table.
async fn one_run_on_a_table(kind: Kind) {
    let place = place(kind, "one").await;
    let engine = engine(&place);
    start(&engine, &place.migration("first", WIDEN)).await.unwrap();
    let second = start(&engine, &place.migration("second", UPDATE)).await;
    assert!(matches!(second, Err(Error::Busy(_))), "{second:?}");
    assert_eq!(states(&engine).await, [RunState::Ready]);
    place.drop().await;
}

/// Rows that the new shape does not take are named, and the way back is open.
async fn unfit_rows_are_named(kind: Kind) {
    let place = place(kind, "unfit").await;
    place.run("UPDATE t SET d = '7'; UPDATE t SET d = 'seven' WHERE id = 1234").await;
    let (engine, before) = (engine(&place), place.catalogue().await);
    let migration = place.migration("m", NARROW);
    let error = start(&engine, &migration).await.unwrap_err();
    assert!(matches!(error, Error::Data(_) | Error::Unfit(_)), "{error:?}");
    assert!(error.to_string().contains("1234"), "{error}");
    if !states(&engine).await.is_empty() {
        engine.rollback(None).await.unwrap();
    }
    assert_eq!(place.catalogue().await, before);
    place.assert_nothing_left("after the rollback").await;
    place.drop().await;
}

/// What does not exist is told before anything is begun.
async fn nothing_to_change_is_refused(kind: Kind) {
    let place = place(kind, "nothing").await;
    let engine = engine(&place);
    let texts = WIDEN.map(|text| text.replace("TABLE t", "TABLE nowhere"));
    let migration = place.migration("m", [&texts[0], &texts[1]]);
    assert_eq!(exit(start(&engine, &migration).await), Exit::Refused);
    assert_eq!(states(&engine).await, []);
    place.drop().await;
}

/// A stop between two chunks is no failure: the same command goes on.
async fn a_stopped_run_goes_on(kind: Kind) {
    let place = place(kind, "stopped").await;
    let migration = place.migration("m", WIDEN);
    let mut options = place.engine().accept(&Hazard::ALL);
    let stop = options.stop.clone();
    options = options.listen(move |event| {
        if let Event::StepDone { .. } = event {
            stop.cancel();
        }
    });
    assert_eq!(exit(start(&options.build(), &migration).await), Exit::Interrupted);
    let engine = engine(&place);
    assert_eq!(start(&engine, &migration).await.unwrap(), Outcome::Done);
    assert_eq!(engine.complete(None).await.unwrap(), Outcome::Done);
    assert_eq!(place.text("SELECT count(*) FROM t").await, ROWS.to_string());
    place.assert_nothing_left("in the end").await;
    place.drop().await;
}

/// Somebody who does not let go is named, nothing is lost, and the same command goes on once they have.
async fn whoever_holds_the_table_is_named(kind: Kind) {
    let place = place(kind, "held").await;
    let mut options = place.engine().accept(&Hazard::ALL);
    options.settings.locks.give_up_after = Duration::from_secs(2);
    let migration = place.migration("m", WIDEN);
    let holder = place.hold("UPDATE t SET d = 'held' WHERE id = 5").await;
    let error = start(&options.build(), &migration).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Lock, "{error}");
    let Error::Lock { in_the_way, .. } = &error else { panic!("{error:?}") };
    assert!(!in_the_way.is_empty(), "nobody is named: {error}");
    holder.commit().await;
    let engine = engine(&place);
    assert_eq!(start(&engine, &migration).await.unwrap(), Outcome::Done);
    assert_eq!(engine.complete(None).await.unwrap(), Outcome::Done);
    assert_eq!(place.text("SELECT d FROM t WHERE id = 5").await, "held");
    place.drop().await;
}

/// What is not ready does not take over.
async fn nothing_completes_that_is_not_ready(kind: Kind) {
    let place = place(kind, "unready").await;
    let mut options = place.engine().accept(&Hazard::ALL);
    let stop = options.stop.clone();
    options = options.listen(move |event| {
        if let Event::StepDone { .. } = event {
            stop.cancel();
        }
    });
    assert_eq!(exit(start(&options.build(), &place.migration("m", WIDEN)).await), Exit::Interrupted);
    let engine = engine(&place);
    assert_eq!(exit(engine.complete(None).await), Exit::Refused);
    assert_eq!(engine.rollback(None).await.unwrap(), Outcome::Done);
    place.assert_nothing_left("after the rollback").await;
    place.drop().await;
}

/// What is ready can be proved as often as anybody likes; what has ended, or is not there, cannot.
async fn what_is_ready_is_proved_again(kind: Kind) {
    let place = place(kind, "proved").await;
    let engine = engine(&place);
    let migration = place.migration("m", WIDEN);
    assert_eq!(start(&engine, &migration).await.unwrap(), Outcome::Done);
    for _ in 0..2 {
        assert_eq!(engine.verify(None, Repair::Never).await.unwrap(), Outcome::Done);
    }
    match kind {
        Kind::Postgres(_) => assert_eq!(exit(engine.verify(None, Repair::Asked).await), Exit::Refused),
        Kind::My(_) => assert_eq!(engine.verify(None, Repair::Asked).await.unwrap(), Outcome::Done),
    }
    assert_eq!(states(&engine).await, [RunState::Ready]);
    assert_eq!(engine.complete(None).await.unwrap(), Outcome::Done);
    assert_eq!(engine.verify(Some("m"), Repair::Never).await.unwrap(), Outcome::AlreadyDone);
    place.drop().await;
}

every_kind!(
    what_is_ready_is_proved_again,
    planning_writes_nothing,
    there_and_back,
    there_for_good,
    an_update_is_a_backfill,
    an_edited_migration_is_noticed,
    one_run_on_a_table,
    unfit_rows_are_named,
    nothing_to_change_is_refused,
    a_stopped_run_goes_on,
    whoever_holds_the_table_is_named,
    nothing_completes_that_is_not_ready,
);
