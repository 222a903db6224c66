//! What befalls a run besides crashes: single connections that break, processes that meet, names that others take, rights
//! that are missing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shoofly_engine::plan::{Hazard, PhaseKind};
use shoofly_engine::run::{Direction, Outcome, RunState};
use shoofly_engine::sql::Dialect;
use shoofly_engine::{Engine, Error, Event};
use shoofly_tests::case::migration;
use shoofly_tests::database::EngineOptions;
use shoofly_tests::writers::Disconnects;
use shoofly_tests::{Database, Pg, Write, Writers, catalogue, matrix, until};
use tokio::net::{TcpListener, TcpStream};

const KEYS: u64 = 2_000;
const WIDEN: &str = "ALTER TABLE t ALTER COLUMN id TYPE bigint";

async fn database(major: u32, name: &str, keys: u64) -> Database {
    let db = Database::create(&Pg::shared(major), name).await;
    let given = format!(
        "CREATE TABLE t (id int PRIMARY KEY, v int, note text);
         CREATE TABLE h (id int PRIMARY KEY, t_id int REFERENCES t (id));
         INSERT INTO t SELECT i, i FROM generate_series(1, {keys}) i;
         INSERT INTO h SELECT i, i FROM generate_series(1, {keys}) i;"
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
    ];
    Writers::start(&db.url(), KEYS, &writes.map(Write::same), Disconnects::Fail)
}

fn options(db: &Database) -> EngineOptions {
    db.engine().accept(&[Hazard::ColumnOrder])
}

fn done(result: Result<Outcome, Error>) {
    assert_eq!(result.unwrap_or_else(|error| panic!("{error}")), Outcome::Done);
}

async fn state(engine: &Engine) -> RunState {
    engine.runs().await.unwrap().last().unwrap().state
}

/// An engine that fills slowly enough for a test to do something meanwhile, and whether its fill is under way.
fn slowly(mut options: EngineOptions) -> (Engine, Arc<AtomicBool>) {
    options.settings.fill.rate = NonZeroU32::new(10_000);
    let filling = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&filling);
    let options = options.listen(move |event| {
        if let Event::FillProgress(progress) = event {
            heard.fetch_or(progress.rows_written > 0, Ordering::Relaxed);
        }
    });
    (options.build(), filling)
}

/// Backends of ours of that purpose, ended by somebody.
async fn end_sessions(db: &Database, purpose: &str) -> i64 {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name LIKE 'shoofly ' || $1";
    db.client().query_one(sql, &[&purpose]).await.unwrap().get(0)
}

/// One connection of the fill is ended while the one that holds the run lives on, and the other way round.
async fn single_connections_are_made_anew(major: u32) {
    for purpose in ["fill%", "conductor"] {
        let db = database(major, "single", 30_000).await;
        let (engine, filling) = slowly(options(&db));
        let writers = writers(&db);
        let run = tokio::spawn(async move { (engine.start(&migration("single", WIDEN), Direction::Up).await, engine) });
        until("the fill is under way", async || filling.load(Ordering::Relaxed)).await;
        assert!(end_sessions(&db, purpose).await > 0, "{purpose}");
        let (started, engine) = run.await.unwrap();
        done(started);
        done(engine.complete(None).await);
        writers.stop().await;
        db.assert_nothing_left("after complete").await;
        db.drop().await;
    }
}

/// A network between the engine and the server that can lose its connections without the server noticing.
struct Network {
    port: u16,
    cut: tokio::sync::watch::Sender<u32>,
}

impl Network {
    async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, cuts) = tokio::sync::watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (server, mut cuts) = (server.clone(), cuts.clone());
                tokio::spawn(async move {
                    cuts.mark_unchanged();
                    let mut far = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cuts.changed() => {
                            drop(near);
                            // The server's end stays open, as it does behind a firewall that forgets connections.
                            std::future::pending::<()>().await;
                        }
                    }
                });
            }
        });
        Self { port, cut }
    }

    fn cut(&self) {
        self.cut.send_modify(|times| *times += 1);
    }
}

/// The server still believes in connections that are gone, the one that holds the run among them.
async fn connections_that_only_the_server_believes_in(major: u32) {
    let db = database(major, "half_open", 30_000).await;
    let url = db.url();
    let (before, rest) = url.split_once("127.0.0.1:").unwrap();
    let (port, after) = rest.split_once('/').unwrap();
    let network = Network::before(format!("127.0.0.1:{port}")).await;
    let options = EngineOptions::new(&format!("{before}127.0.0.1:{}/{after}", network.port));
    let (engine, filling) = slowly(options.accept(&[Hazard::ColumnOrder]));
    let writers = writers(&db);
    let run = tokio::spawn(async move { (engine.start(&migration("half_open", WIDEN), Direction::Up).await, engine) });
    until("the fill is under way", async || filling.load(Ordering::Relaxed)).await;
    network.cut();
    let (started, engine) = run.await.unwrap();
    done(started);
    done(engine.complete(None).await);
    writers.stop().await;
    db.assert_nothing_left("after complete").await;
    db.drop().await;
}

/// What one statement of the command line did and another took back can be asked for again.
async fn a_statement_taken_back_is_done_anew(major: u32) {
    let db = database(major, "taken_back", KEYS).await;
    let engine = options(&db).build();
    let statement = |sql: &str| shoofly_engine::source::parse_statement(Dialect::PostgreSql, sql).unwrap();
    let (add, drop) = (statement("ALTER TABLE t ADD COLUMN x int"), statement("ALTER TABLE t DROP COLUMN x"));
    for _ in 0..2 {
        for change in [&add, &drop] {
            done(engine.start(change, Direction::Up).await);
            done(engine.complete(Some(&change.name)).await);
            let again = engine.start(change, Direction::Up).await;
            assert!(matches!(again, Ok(Outcome::AlreadyDone)), "{again:?}");
        }
    }
    assert_eq!(db.text("SELECT count(*) FROM shoofly.run WHERE state = 'complete'").await, "4");
    db.drop().await;
}

/// The application's role may write the table and nothing else: not call what the new value is computed with, not look into our
/// schema.
async fn a_role_that_may_only_write(major: u32) {
    let db = database(major, "only_write", KEYS).await;
    let role = format!("app_of_{}", db.text("SELECT current_database()").await);
    db.run(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'secret';
         GRANT SELECT, INSERT, UPDATE, DELETE ON t TO {role};
         CREATE SCHEMA private;
         CREATE FUNCTION private.doubled(int) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT 2 * $1::bigint';
         REVOKE ALL ON FUNCTION private.doubled FROM PUBLIC"
    ))
    .await;
    let (_, rest) = db.url().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let url = format!("postgres://{role}:secret@{rest}");
    let (app, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let engine = options(&db).build();
    let change = migration(
        "only_write",
        "-- shoofly: up = private.doubled(id)
         ALTER TABLE t ADD COLUMN w bigint;
         ALTER TABLE t ALTER COLUMN v TYPE bigint USING private.doubled(v)",
    );
    done(engine.start(&change, Direction::Up).await);
    app.batch_execute("INSERT INTO t (id, v) VALUES (-1, 4); UPDATE t SET v = 5 WHERE id = 7").await.unwrap();
    done(engine.complete(None).await);
    app.batch_execute("INSERT INTO t (id, v) VALUES (-2, 6)").await.unwrap();
    let wrong = "SELECT string_agg(format('%s: %s, %s', id, v, w), '; ') FROM t
                 WHERE v IS DISTINCT FROM CASE id WHEN -1 THEN 8 WHEN 7 THEN 10 WHEN -2 THEN 6 ELSE 2 * id END
                    OR w IS DISTINCT FROM CASE id WHEN -2 THEN NULL ELSE 2 * id END";
    let wrong: Option<String> = db.client().query_one(wrong, &[]).await.unwrap().get(0);
    assert_eq!(wrong, None);
    db.assert_nothing_left("after complete").await;
    db.drop().await;
}

/// A database that ends idle sessions soon: the one that holds the run is idle while others fill.
async fn an_idle_session_is_not_ended(major: u32) {
    let db = database(major, "idle_session", 20_000).await;
    let name = db.text("SELECT current_database()").await;
    db.run(&format!("ALTER DATABASE \"{name}\" SET idle_session_timeout = '300ms'")).await;
    if major >= 17 {
        db.run(&format!("ALTER DATABASE \"{name}\" SET transaction_timeout = '300ms'")).await;
    }
    let mut options = options(&db);
    options.settings.fill.rate = NonZeroU32::new(10_000);
    let engine = options
        .listen(|event| {
            if let Event::Notice { text } = event {
                assert!(!text.contains("connection lost"), "{text}");
            }
        })
        .build();
    done(engine.start(&migration("idle_session", WIDEN), Direction::Up).await);
    db.drop().await;
}

/// Waits until `many` sessions of ours ask for the run that a test's session holds.
async fn asking(db: &Database, many: i64) {
    until("they ask for the run", async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND application_name = 'shoofly conductor' AND query LIKE '%pg_try_advisory_lock%'";
        db.client().query_one(sql, &[]).await.unwrap().get::<_, i64>(0) >= many
    })
    .await;
}

/// The session that plays another process in the middle of its work on the newest run.
async fn hold_last_run(db: &Database) -> tokio_postgres::Client {
    let holder = db.connect().await;
    holder.query_one("SELECT pg_advisory_lock(1397247814, max(id)::int) FROM shoofly.run", &[]).await.unwrap();
    holder
}

/// Two processes that both waited for a run: the second goes by what the first has made of it meanwhile.
async fn who_waited_for_a_run_sees_what_became_of_it(major: u32) {
    let db = database(major, "both", KEYS).await;
    let before = db.catalogue().await;
    let engine = options(&db).build();
    let widen = migration("both", WIDEN);
    for _ in 0..4 {
        done(engine.start(&widen, Direction::Up).await);
        let holder = hold_last_run(&db).await;
        let (one, other) = (engine.clone(), engine.clone());
        let complete = tokio::spawn(async move { one.complete(None).await });
        let rollback = tokio::spawn(async move { other.rollback(None).await });
        asking(&db, 2).await;
        drop(holder);
        let (complete, rollback) = (complete.await.unwrap(), rollback.await.unwrap());
        match state(&engine).await {
            RunState::Complete => {
                done(complete);
                assert!(matches!(rollback, Err(Error::Refused(_))), "{rollback:?}");
                db.assert_nothing_left("after complete").await;
                break;
            }
            RunState::RolledBack => {
                done(rollback);
                assert!(matches!(complete, Err(Error::Refused(_))), "{complete:?}");
                db.assert_nothing_left("after rollback").await;
                catalogue::assert_equal("after rollback", &before, &db.catalogue().await);
            }
            other => panic!("{other:?}: {complete:?}, {rollback:?}"),
        }
    }
    db.drop().await;
}

/// Two processes that carry the same migration out, as two machines of one deployment do.
async fn two_processes_that_complete_do_it_once(major: u32) {
    let db = database(major, "twice", KEYS).await;
    let engine = options(&db).build();
    done(engine.start(&migration("twice", WIDEN), Direction::Up).await);
    let holder = hold_last_run(&db).await;
    let (one, other) = (engine.clone(), engine.clone());
    let first = tokio::spawn(async move { one.complete(None).await });
    let second = tokio::spawn(async move { other.complete(None).await });
    asking(&db, 2).await;
    drop(holder);
    let outcomes = [first.await.unwrap().unwrap(), second.await.unwrap().unwrap()];
    assert!(outcomes.contains(&Outcome::Done) && outcomes.contains(&Outcome::AlreadyDone), "{outcomes:?}");
    assert_eq!(state(&engine).await, RunState::Complete);
    db.assert_nothing_left("after complete").await;
    db.drop().await;
}

/// Somebody makes an index of the planned name while ours is about to be built: it is theirs, and stays.
async fn an_index_of_somebody_else_is_left_alone(major: u32) {
    for on in ["h (t_id)", "t (note)"] {
        let db = database(major, "foreign_index", KEYS).await;
        let building = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&building);
        let options = options(&db).listen(move |event| {
            if matches!(event, Event::PhaseBegan { phase: PhaseKind::Build }) {
                heard.store(true, Ordering::Relaxed);
            }
        });
        let engine = options.build();
        let other = db.connect().await;
        other.batch_execute("BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
        let run = tokio::spawn(async move {
            let change = migration("foreign_index", "CREATE INDEX t_v ON t (v)");
            (engine.start(&change, Direction::Up).await, engine)
        });
        until("the build waits", async || {
            building.load(Ordering::Relaxed) && db.text("SELECT count(*) FROM pg_locks WHERE NOT granted").await != "0"
        })
        .await;
        other.batch_execute(&format!("CREATE INDEX t_v ON {on}; COMMIT")).await.unwrap();
        let (started, engine) = run.await.unwrap();
        assert!(started.is_err(), "the name was taken");
        let there = "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('t_v') AND indisvalid";
        assert_eq!(db.text(there).await, "1", "after the failed build on {on}");
        // Neither trying again nor the way back takes it.
        assert!(engine.start(&migration("foreign_index", "CREATE INDEX t_v ON t (v)"), Direction::Up).await.is_err());
        assert_eq!(db.text(there).await, "1", "after the second try on {on}");
        done(engine.rollback(None).await);
        assert_eq!(db.text(there).await, "1", "after rollback on {on}");
        db.drop().await;
    }
}

/// A role of the test's own that may log in.
async fn role(db: &Database) -> (String, EngineOptions) {
    let role = format!("role_of_{}", db.text("SELECT current_database()").await);
    db.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'")).await;
    let (_, rest) = db.url().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let mut options = EngineOptions::new(&format!("postgres://{role}:secret@{rest}"));
    options.settings.locks.give_up_after = Duration::from_secs(20);
    (role, options.accept(&[Hazard::ColumnOrder]))
}

/// The database's owner has made the ledger's schema: more than that is not needed.
async fn a_schema_made_by_the_owner_is_enough(major: u32) {
    let db = database(major, "made_schema", KEYS).await;
    let (role, options) = role(&db).await;
    db.run(&format!(
        "GRANT ALL ON SCHEMA public TO {role}; ALTER TABLE t OWNER TO {role}; ALTER TABLE h OWNER TO {role}"
    ))
    .await;
    let engine = options.build();
    let widen = migration("made_schema", WIDEN);
    let error = engine.start(&widen, Direction::Up).await.expect_err("no schema may be created");
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert!(error.to_string().contains(&format!("CREATE SCHEMA shoofly AUTHORIZATION \"{role}\"")), "{error}");
    assert_eq!(db.text("SELECT to_regnamespace('shoofly') IS NULL").await, "t");
    db.run(&format!("CREATE SCHEMA shoofly AUTHORIZATION {role}")).await;
    done(engine.start(&widen, Direction::Up).await);
    done(engine.rollback(None).await);
    done(engine.start(&widen, Direction::Up).await);
    done(engine.complete(None).await);
    db.assert_nothing_left("after complete").await;
    db.drop().await;
}

/// An index needs CREATE on its table's schema: said before anything is touched, not after the fill.
async fn missing_rights_on_a_schema_are_refused_first(major: u32) {
    let db = database(major, "schema_rights", KEYS).await;
    let (role, options) = role(&db).await;
    db.run(&format!(
        "CREATE SCHEMA shoofly AUTHORIZATION {role}; GRANT USAGE ON SCHEMA public TO {role};
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         ALTER TABLE t OWNER TO {role}; ALTER TABLE h OWNER TO {role}"
    ))
    .await;
    let before = db.catalogue().await;
    let engine = options.build();
    let error =
        engine.start(&migration("schema_rights", WIDEN), Direction::Up).await.expect_err("no index may be made");
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert!(error.to_string().contains("GRANT CREATE ON SCHEMA"), "{error}");
    catalogue::assert_equal("after the refusal", &before, &db.catalogue().await);
    db.drop().await;
}

matrix!(
    single_connections_are_made_anew,
    connections_that_only_the_server_believes_in,
    a_statement_taken_back_is_done_anew,
    a_role_that_may_only_write,
    an_idle_session_is_not_ended,
    who_waited_for_a_run_sees_what_became_of_it,
    two_processes_that_complete_do_it_once,
    an_index_of_somebody_else_is_left_alone,
    a_schema_made_by_the_owner_is_enough,
    missing_rights_on_a_schema_are_refused_first,
);
