//! One operation, tested in the one shape: before, writers on, start, roll back, start, complete, plain DDL's result.

use shoofly_engine::plan::Hazard;
use shoofly_engine::run::{Direction, Outcome};
use shoofly_engine::sql::Dialect;
use shoofly_engine::{Engine, Error, Migration};

use crate::database::Database;
use crate::server::Pg;
use crate::writers::{Disconnects, Write, Writers};
use crate::{catalogue, rows};

/// Rows that `{k}` of a writer ranges over; schemas of cases fill their tables with these keys.
pub const KEYS: u64 = 2_000;
/// Transactions that writers do in each state before the next thing happens.
const WORK: u64 = 30;

/// A case in the making.
#[derive(Debug, Clone)]
pub struct Case {
    name: String,
    given: String,
    given_once: String,
    migration: String,
    plain: Option<String>,
    accept: Vec<Hazard>,
    writes: Vec<Write>,
    writes_when_ready: Option<Vec<Write>>,
    not_compared: Vec<&'static str>,
    changed_in_place: Vec<&'static str>,
    ready_checks: Vec<String>,
    checks: Vec<String>,
}

impl Case {
    /// A case of that name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            given: String::new(),
            given_once: String::new(),
            migration: String::new(),
            plain: None,
            accept: Vec::new(),
            writes: Vec::new(),
            writes_when_ready: None,
            not_compared: Vec::new(),
            changed_in_place: Vec::new(),
            ready_checks: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// The schema and the rows before: unqualified names, because it is made twice, in `public` and in `mirror`. `{keys}` is
    /// the number of keys that writers know of.
    #[must_use]
    pub fn given(mut self, sql: &str) -> Self {
        self.given = sql.replace("{keys}", &KEYS.to_string());
        self
    }

    /// What belongs to the schema and cannot be made twice in a database.
    #[must_use]
    pub fn given_once(mut self, sql: &str) -> Self {
        sql.clone_into(&mut self.given_once);
        self
    }

    /// The migration file's text.
    #[must_use]
    pub fn migration(mut self, sql: &str) -> Self {
        sql.clone_into(&mut self.migration);
        self
    }

    /// What plain SQL amounts to the migration, where that is not the migration's own text.
    #[must_use]
    pub fn plain(mut self, sql: &str) -> Self {
        self.plain = Some(sql.to_owned());
        self
    }

    /// Hazards that the operator accepts.
    #[must_use]
    pub fn accept(mut self, hazards: &[Hazard]) -> Self {
        self.accept = hazards.to_vec();
        self
    }

    /// What the application does.
    #[must_use]
    pub fn writes(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.writes = writes.into_iter().collect();
        self
    }

    /// What the application's next version does, which is deployed when the run is ready.
    #[must_use]
    pub fn writes_when_ready(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.writes_when_ready = Some(writes.into_iter().collect());
        self
    }

    /// Columns whose values plain DDL would not give either (random ones).
    #[must_use]
    pub fn not_compared(mut self, columns: &[&'static str]) -> Self {
        self.not_compared = columns.to_vec();
        self
    }

    /// Columns whose values the backfill itself changes, as the migration asks: they are compared only at the end.
    #[must_use]
    pub fn changed_in_place(mut self, columns: &[&'static str]) -> Self {
        self.changed_in_place = columns.to_vec();
        self
    }

    /// A query that gives `t` when the run is ready.
    #[must_use]
    pub fn check_ready(mut self, sql: &str) -> Self {
        self.ready_checks.push(sql.to_owned());
        self
    }

    /// Statements and at last a query that gives `t`, after everything else.
    #[must_use]
    pub fn check(mut self, sql: &str) -> Self {
        self.checks.push(sql.to_owned());
        self
    }

    /// Runs the case.
    ///
    /// # Panics
    /// Where a promise is broken.
    pub async fn run(self, major: u32) {
        let pg = Pg::shared(major);
        let live = Database::create(&pg, &self.name).await;
        live.run(&self.given).await;
        live.run(&format!("CREATE SCHEMA mirror; SET search_path = mirror; {}; RESET search_path", self.given)).await;
        live.run(&self.given_once).await;
        let before = live.catalogue().await;
        let migration = migration(&self.name, &self.migration);
        let engine = live.engine().accept(&self.accept).build();
        let writers = Writers::start(&live.url(), KEYS, &self.writes, Disconnects::Fail);
        writers.progress(WORK).await;

        self.start(&live, &engine, &migration, &writers).await;
        if let Some(next) = &self.writes_when_ready {
            // Both versions of the application at once, and then back to the old one alone.
            let deployed = Writers::start(&live.url(), KEYS, next, Disconnects::Fail);
            deployed.progress(WORK).await;
            deployed.stop().await;
        }
        succeed("roll back", engine.rollback(None).await);
        writers.progress(WORK).await;
        catalogue::assert_equal("after rollback", &before, &live.catalogue().await);
        live.assert_nothing_left("after rollback").await;
        rows::assert_mirrored(live.client(), "after rollback", &self.changed_in_place).await;

        self.start(&live, &engine, &migration, &writers).await;
        let writers = match &self.writes_when_ready {
            None => writers,
            Some(next) => {
                let deployed = Writers::start(&live.url(), KEYS, next, Disconnects::Fail);
                deployed.progress(WORK).await;
                writers.stop().await;
                deployed
            }
        };
        succeed("complete", engine.complete(None).await);
        writers.progress(WORK).await;
        writers.stop().await;
        self.compare(&live, &pg).await;
        let again = engine.start(&migration, Direction::Up).await;
        assert!(matches!(again, Ok(Outcome::AlreadyDone)), "start after complete: {again:?}");
        for check in &self.checks {
            assert_eq!(live.text(check).await, "t", "{check}");
        }
        live.drop().await;
    }

    async fn start(&self, live: &Database, engine: &Engine, migration: &Migration, writers: &Writers) {
        succeed("start", engine.start(migration, Direction::Up).await);
        writers.progress(WORK).await;
        rows::assert_mirrored(live.client(), "when ready", &self.changed_in_place).await;
        for check in &self.ready_checks {
            assert_eq!(live.text(check).await, "t", "when ready: {check}");
        }
    }

    /// Holds the completed database against plain DDL on an idle copy of the schema, and on the mirror's rows.
    async fn compare(&self, live: &Database, pg: &Pg) {
        let plain = self.plain.as_ref().unwrap_or(&self.migration);
        let idle = Database::create(pg, &format!("{}_idle", self.name)).await;
        idle.run(&self.given).await;
        idle.run(&self.given_once).await;
        idle.run(plain).await;
        catalogue::assert_equal("after complete", &idle.catalogue().await, &live.catalogue().await);
        idle.drop().await;
        live.assert_nothing_left("after complete").await;
        live.run(&format!("SET search_path = mirror; {plain}; RESET search_path")).await;
        rows::assert_mirrored(live.client(), "after complete", &self.not_compared).await;
    }
}

/// A migration from a file's text.
///
/// # Panics
/// Where it does not parse.
#[must_use]
pub fn migration(name: &str, text: &str) -> Migration {
    parse(name, text).unwrap_or_else(|error| panic!("{error}"))
}

/// A migration from a file's text.
///
/// # Errors
/// As the engine gives them.
pub fn parse(name: &str, text: &str) -> Result<Migration, Error> {
    shoofly_engine::source::parse_text(Dialect::PostgreSql, name, None, text)
}

/// Fails with the error's whole text.
#[track_caller]
fn succeed(doing: &str, result: Result<Outcome, Error>) {
    match result {
        Ok(Outcome::Done) => {}
        Ok(Outcome::AlreadyDone) => panic!("{doing}: there was nothing to do"),
        Ok(Outcome::Switched) => panic!("{doing}: an old table is kept"),
        Err(error) => panic!("{doing}: {error}"),
    }
}
