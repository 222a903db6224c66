//! The backfill by itself, on tables of many pages: space, resuming, fencing, rows that are locked or cannot be filled.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use shoofly_engine::backend::hold::Hold;
use shoofly_engine::backend::postgres::fill::{self, Context};
use shoofly_engine::backend::postgres::ledger;
use shoofly_engine::driver::postgres::{Session, Target};
use shoofly_engine::name::TableName;
use shoofly_engine::plan::{Fill, FillAssignment, StepId, UserTriggers};
use shoofly_engine::settings::Pace;
use shoofly_engine::text::Sql;
use shoofly_engine::{Error, Event, Events, Settings};
use shoofly_tests::{Database, Pg, matrix, until};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const ROWS: u64 = 60_000;
const LEFT: &str = "SELECT count(*) FROM t WHERE n IS DISTINCT FROM amount::bigint";

/// A table with a column to fill and the trigger that keeps it filled, and a run that is to fill it.
struct Stage {
    db: Database,
    settings: Settings,
    stop: CancellationToken,
    fill: Fill,
    hold: Hold,
    said: Arc<Mutex<Vec<Event>>>,
}

impl Stage {
    async fn set(major: u32, name: &str) -> Self {
        let db = Database::create(&Pg::shared(major), name).await;
        db.run(&format!(
            "CREATE TABLE t (id bigint PRIMARY KEY, customer int NOT NULL, amount int NOT NULL, note text NOT NULL)
                 WITH (autovacuum_enabled = off);
             INSERT INTO t SELECT i, (i * 7919) % 100003, i % 1000, repeat('x', 100) FROM generate_series(1, {ROWS}) i;
             CREATE INDEX t_customer ON t (customer);
             ALTER TABLE t ADD COLUMN n bigint;
             CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := NEW.amount::bigint; RETURN NEW; END';
             CREATE TRIGGER \"~follow\" BEFORE INSERT OR UPDATE ON t FOR EACH ROW
                 WHEN (NEW.n IS DISTINCT FROM NEW.amount::bigint) EXECUTE FUNCTION follow();
             ALTER TABLE t ENABLE ALWAYS TRIGGER \"~follow\""
        ))
        .await;
        let target = Target::parse(&db.url()).unwrap();
        let session = Session::connect(&target, "test").await.unwrap();
        ledger::ensure(&session).await.unwrap();
        let run = "INSERT INTO shoofly.run (migration, checksum, direction, state, epoch, plan) \
                   VALUES ('m', '', 'up', 'running', 1, '{}') RETURNING id";
        let run = session.query_one(run, &[]).await.unwrap().get(0);
        let mut settings = Settings::default();
        settings.fill.pace = Pace::Full;
        settings.fill.horizon_wait = Duration::from_millis(300);
        settings.locks.give_up_after = Duration::from_secs(30);
        let fill = Fill {
            table: TableName::new("public".parse().unwrap(), "t".parse().unwrap()),
            assignments: vec![FillAssignment { column: "n".parse().unwrap(), value: Sql::raw("amount::bigint") }],
            pending: Sql::raw("n IS DISTINCT FROM amount::bigint"),
            user_triggers: UserTriggers::None,
            key: vec!["id".parse().unwrap()],
            chunk: None,
        };
        let (stop, hold) = (CancellationToken::new(), Hold { run, epoch: 1 });
        Self { db, settings, stop, fill, hold, said: Arc::default() }
    }

    fn lanes(&mut self, lanes: u32) -> &mut Self {
        self.settings.fill.lanes = NonZeroU32::new(lanes).unwrap();
        self
    }

    /// Slow enough for a test to do something meanwhile.
    fn slowly(&mut self) -> &mut Self {
        self.settings.fill.rate = NonZeroU32::new(20_000);
        self
    }

    /// Fills in a task of its own.
    fn begin(&self) -> JoinHandle<Result<(), Error>> {
        let target = Target::parse(&self.db.url()).unwrap();
        let (settings, stop, work, hold) = (self.settings.clone(), self.stop.clone(), self.fill.clone(), self.hold);
        let said = Arc::clone(&self.said);
        let events = Events::to(move |event| said.lock().unwrap().push(event));
        tokio::spawn(async move {
            let cx = Context { target: &target, settings: &settings, events: &events, stop: &stop, hold };
            fill::run(&cx, &StepId("backfill.1".to_owned()), &work).await
        })
    }

    async fn run(&self) -> Result<(), Error> {
        self.begin().await.unwrap()
    }

    async fn written(&self) -> u64 {
        let sum = self.db.text("SELECT coalesce(sum(rows_written), 0) FROM shoofly.lane").await;
        sum.parse().unwrap()
    }

    async fn until_written(&self, rows: u64) {
        until("rows are written", async || self.written().await >= rows).await;
    }

    fn waits(&self) -> Vec<String> {
        let said = self.said.lock().unwrap();
        let waits = said.iter().filter_map(|event| match event {
            Event::FillWaiting { because } => Some(because.clone()),
            _ => None,
        });
        waits.collect()
    }

    async fn assert_filled(&self) {
        assert_eq!(self.db.text(LEFT).await, "0");
        assert_eq!(self.db.text("SELECT count(*) FROM shoofly.deferred").await, "0");
        assert_eq!(self.db.text("SELECT count(*) FROM shoofly.lane WHERE next_block <> to_block").await, "0");
    }
}

/// Most rows are replaced on their own page, whether one lane fills or two.
async fn the_table_hardly_grows(major: u32) {
    for lanes in [1, 2] {
        let mut stage = Stage::set(major, "grows").await;
        let size = "SELECT pg_relation_size('t')";
        let before: f64 = stage.db.text(size).await.parse().unwrap();
        stage.lanes(lanes).run().await.unwrap();
        stage.assert_filled().await;
        assert_eq!(stage.written().await, ROWS);
        let growth = stage.db.text(size).await.parse::<f64>().unwrap() / before;
        assert!(growth < 1.5, "{lanes} lanes: {growth}");
        stage.db.drop().await;
    }
}

/// Stopped again and again, with another number of lanes each time: every row is written exactly once.
async fn a_stopped_fill_goes_on(major: u32) {
    let mut stage = Stage::set(major, "goes_on").await;
    for (round, lanes) in [(1, 2), (2, 1), (3, 3)] {
        let running = stage.lanes(lanes).slowly().begin();
        stage.until_written(round * 8_000).await;
        stage.stop.cancel();
        assert!(matches!(running.await.unwrap(), Err(Error::Interrupted)));
        stage.stop = CancellationToken::new();
        stage.hold.epoch += 1;
        stage.db.run("UPDATE shoofly.run SET epoch = epoch + 1").await;
    }
    stage.settings.fill.rate = None;
    stage.run().await.unwrap();
    stage.assert_filled().await;
    assert_eq!(stage.written().await, ROWS);
    // There is nothing left to do.
    stage.run().await.unwrap();
    assert_eq!(stage.written().await, ROWS);
    stage.db.drop().await;
}

/// Whoever lost the lanes writes nothing more.
async fn an_overtaken_fill_stops(major: u32) {
    let mut stage = Stage::set(major, "overtaken").await;
    let running = stage.slowly().begin();
    stage.until_written(1_000).await;
    stage.db.run("UPDATE shoofly.lane SET epoch = 2").await;
    let left = stage.db.text(LEFT).await;
    let error = running.await.unwrap().expect_err("the lanes are somebody else's");
    assert!(matches!(error, Error::Busy(_)), "{error}");
    assert_eq!(stage.db.text(LEFT).await, left);
    stage.db.drop().await;
}

/// A table that is locked as the lanes begin is waited for like one that is locked later.
async fn a_table_locked_at_the_start_is_waited_for(major: u32) {
    let mut stage = Stage::set(major, "locked_start").await;
    // The fill reads the table's size, and is held there until the table is locked.
    let ledger = stage.db.connect().await;
    ledger.batch_execute("BEGIN; SELECT FROM shoofly.run FOR UPDATE").await.unwrap();
    let running = stage.lanes(2).begin();
    let held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until("the fill is held", async || stage.db.text(held).await == "1").await;
    let holder = stage.db.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").await.unwrap();
    ledger.batch_execute("COMMIT").await.unwrap();
    until("the fill waits", async || !stage.waits().is_empty()).await;
    holder.batch_execute("COMMIT").await.unwrap();
    running.await.unwrap().unwrap();
    stage.assert_filled().await;
    stage.db.drop().await;
}

/// A rewritten table has its rows elsewhere: the fill begins again and misses none.
async fn a_rewritten_table_is_begun_again(major: u32) {
    let mut stage = Stage::set(major, "rewritten").await;
    let running = stage.lanes(2).slowly().begin();
    stage.until_written(5_000).await;
    stage.db.run("CLUSTER t USING t_customer").await;
    running.await.unwrap().unwrap();
    stage.assert_filled().await;
    stage.db.drop().await;
}

/// The application goes on writing; what it moves, inserts and deletes is filled too.
async fn writers_go_on(major: u32) {
    let mut stage = Stage::set(major, "writers").await;
    let writer = stage.db.connect().await;
    let over = CancellationToken::new();
    let ended = over.clone();
    let writes = tokio::spawn(async move {
        let mut number = 0_u64;
        while !ended.is_cancelled() {
            number += 1;
            let id = number * 7919 % ROWS + 1;
            let text = format!(
                "BEGIN; UPDATE t SET amount = amount + 1 WHERE id = {id}; UPDATE t SET customer = -id WHERE id = {0}; \
                 DELETE FROM t WHERE id = {1}; INSERT INTO t VALUES ({2}, 1, 1, 'new'); {3}",
                ROWS - id,
                id / 2,
                ROWS + number,
                if number.is_multiple_of(3) { "ROLLBACK" } else { "COMMIT" }
            );
            writer.batch_execute(&text).await.unwrap();
        }
    });
    stage.lanes(2).run().await.unwrap();
    over.cancel();
    writes.await.unwrap();
    stage.assert_filled().await;
    stage.db.drop().await;
}

/// An old snapshot keeps pages from being pruned: it is waited for, named, and then done without.
async fn an_old_snapshot_is_waited_for(major: u32) {
    let stage = Stage::set(major, "snapshot").await;
    let reader = stage.db.connect().await;
    let begin =
        "SET application_name = 'report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_namespace";
    reader.batch_execute(begin).await.unwrap();
    let began = Instant::now();
    stage.run().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    let waits = stage.waits();
    assert!(waits.iter().any(|because| because.contains("report")), "{waits:?}");
    stage.assert_filled().await;
    reader.batch_execute("COMMIT").await.unwrap();
    stage.db.drop().await;
}

/// Rows that stay locked: everything else is filled, then the fill says which rows and who.
async fn locked_rows_are_named(major: u32) {
    let mut stage = Stage::set(major, "locked").await;
    stage.settings.locks.give_up_after = Duration::from_secs(1);
    let holder = stage.db.connect().await;
    let lock = "SET application_name = 'forgotten'; BEGIN; SELECT id FROM t WHERE id IN (7, 30000) FOR UPDATE";
    holder.batch_execute(lock).await.unwrap();
    let error = stage.run().await.expect_err("two rows are locked");
    assert!(matches!(error, Error::Lock { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("forgotten") && said.contains("id = 7"), "{said}");
    assert_eq!(stage.db.text(LEFT).await, "2");
    holder.batch_execute("ROLLBACK").await.unwrap();
    stage.run().await.unwrap();
    stage.assert_filled().await;
    assert_eq!(stage.written().await, ROWS);
    stage.db.drop().await;
}

/// Rows that cannot be filled are found and named by key, with what the server says about them.
async fn bad_rows_are_named(major: u32) {
    let mut stage = Stage::set(major, "bad_rows").await;
    stage.db.run("UPDATE t SET amount = 5000 WHERE id IN (77, 45678)").await;
    stage.db.run("ALTER TABLE t DISABLE TRIGGER \"~follow\"; UPDATE t SET n = NULL").await;
    stage.fill.assignments[0].value = Sql::raw("amount::bigint / (CASE WHEN amount = 5000 THEN 0 ELSE 1 END)");
    let error = stage.run().await.expect_err("two rows cannot be filled");
    let said = error.to_string();
    assert!(matches!(&error, Error::Data(_)), "{said}");
    assert!(said.contains("division by zero") && (said.contains("id = 77") || said.contains("id = 45678")), "{said}");
    stage.db.run("ALTER TABLE t ENABLE ALWAYS TRIGGER \"~follow\"; UPDATE t SET amount = 1 WHERE amount = 5000").await;
    stage.run().await.unwrap();
    stage.assert_filled().await;
    stage.db.drop().await;
}

/// The table's own triggers do not see the fill where they are to be kept silent; ours goes on.
async fn user_triggers_can_be_kept_silent(major: u32) {
    let mut stage = Stage::set(major, "silent").await;
    stage
        .db
        .run(
            "CREATE TABLE audit (id bigint);
             CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END';
             CREATE TRIGGER audit AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit()",
        )
        .await;
    stage.fill.user_triggers = UserTriggers::Silenced;
    stage.run().await.unwrap();
    stage.assert_filled().await;
    assert_eq!(stage.db.text("SELECT count(*) FROM audit").await, "0");
    stage.db.drop().await;
}

/// The operator's limit holds for all lanes together; a table that needs little work is not slowed down by it.
async fn the_rate_is_kept(major: u32) {
    let mut stage = Stage::set(major, "rate").await;
    stage.lanes(2).slowly();
    let began = Instant::now();
    stage.run().await.unwrap();
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(2_500), "{took:?}");
    stage.assert_filled().await;
    stage.db.drop().await;
}

/// A lock of somebody else's on the whole table is waited out.
async fn a_locked_table_is_waited_for(major: u32) {
    let mut stage = Stage::set(major, "table_lock").await;
    let running = stage.slowly().begin();
    stage.until_written(1_000).await;
    let holder = stage.db.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").await.unwrap();
    until("the fill waits", async || !stage.waits().is_empty()).await;
    holder.batch_execute("COMMIT").await.unwrap();
    running.await.unwrap().unwrap();
    stage.assert_filled().await;
    stage.db.drop().await;
}

matrix!(
    the_table_hardly_grows,
    a_stopped_fill_goes_on,
    an_overtaken_fill_stops,
    a_rewritten_table_is_begun_again,
    writers_go_on,
    an_old_snapshot_is_waited_for,
    locked_rows_are_named,
    bad_rows_are_named,
    user_triggers_can_be_kept_silent,
    the_rate_is_kept,
    a_locked_table_is_waited_for,
    a_table_locked_at_the_start_is_waited_for,
);
