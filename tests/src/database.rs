//! A database of a test's own.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use shoofly_engine::driver::Target;
use shoofly_engine::plan::Hazard;
use shoofly_engine::{Engine, Event, Events, Settings};
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::CancellationToken;

use crate::catalogue;
use crate::server::Pg;

/// Roles that schemas of tests may grant to and give away to. They belong to the whole server.
pub const ROLES: [&str; 3] = ["app", "reader", "owner"];

/// A database, with a connection to look at it.
#[derive(Debug)]
pub struct Database {
    pg: Pg,
    name: String,
    client: Client,
}

/// A new connection to `url`.
///
/// # Panics
/// Where there is none to be had.
pub async fn connect(url: &str) -> Client {
    let config: Config = url.parse().unwrap();
    let (client, connection) =
        config.connect(NoTls).await.unwrap_or_else(|error| panic!("connect to {url}: {error:?}"));
    // It ends with the client, or with the server: whoever uses the client then sees that.
    tokio::spawn(async move { connection.await.ok() });
    client
}

impl Database {
    /// Makes an empty database on `pg`, its name beginning with `name`.
    pub async fn create(pg: &Pg, name: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let mut name: String = name.chars().take(40).collect();
        name.push_str(&format!("_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
        let admin = connect(&pg.url("postgres")).await;
        for role in ROLES {
            // Tests side by side make the same roles: whoever comes second finds it there.
            let made = format!(
                "DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            );
            admin.batch_execute(&made).await.unwrap();
        }
        // The file-copy strategy would force two checkpoints of the whole server.
        admin.batch_execute(&format!("CREATE DATABASE \"{name}\" STRATEGY wal_log")).await.unwrap();
        let client = connect(&pg.url(&name)).await;
        Self { pg: pg.clone(), name, client }
    }

    /// The server.
    #[must_use]
    pub fn pg(&self) -> &Pg {
        &self.pg
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.pg.url(&self.name)
    }

    /// A further connection.
    pub async fn connect(&self) -> Client {
        connect(&self.url()).await
    }

    /// The test's own connection.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes the test's own connection anew, after a restart of the server.
    pub async fn reconnect(&mut self) {
        self.client = connect(&self.url()).await;
    }

    /// Runs statements.
    ///
    /// # Panics
    /// Where one fails.
    pub async fn run(&self, sql: &str) {
        if let Err(error) = self.client.batch_execute(sql).await {
            panic!("{}\nwhile running:\n{sql}", describe(&error));
        }
    }

    /// The one value that a query gives, as text; `NULL` for NULL.
    ///
    /// # Panics
    /// Where the query fails or gives no row.
    pub async fn text(&self, sql: &str) -> String {
        text(&self.client, sql).await
    }

    /// The user's catalogue ([`catalogue::lines`]).
    pub async fn catalogue(&self) -> Vec<String> {
        catalogue::lines(&self.client).await
    }

    /// Fails where a run has left something behind.
    ///
    /// # Panics
    /// With the list.
    pub async fn assert_nothing_left(&self, when: &str) {
        let left = catalogue::leftovers(&self.client).await;
        assert!(left.is_empty(), "{when}: left behind: {left:#?}");
    }

    /// An engine for this database, with settings for tests.
    #[must_use]
    pub fn engine(&self) -> EngineOptions {
        EngineOptions::new(&self.url())
    }

    /// Removes the database, its connections included.
    pub async fn drop(self) {
        let admin = connect(&self.pg.url("postgres")).await;
        admin.batch_execute(&format!("DROP DATABASE \"{}\" WITH (FORCE)", self.name)).await.unwrap();
    }
}

/// The one value that a query gives, as text; `NULL` for NULL.
///
/// # Panics
/// Where the query fails or gives no row.
pub async fn text(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{}\nin {sql}", describe(&error)));
    let row = messages.into_iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.unwrap_or_else(|| panic!("no row from {sql}"));
    row.get(0).unwrap_or("NULL").to_owned()
}

/// An error with what the server said.
#[must_use]
pub fn describe(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |db| format!("{} {} {}", db.code().code(), db.message(), db.detail().unwrap_or_default()),
    )
}

/// An engine in the making.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    url: String,
    /// Settings; those of [`Settings::default`], but giving up soon.
    pub settings: Settings,
    /// Who hears of events.
    pub events: Events,
    /// Stops the run.
    pub stop: CancellationToken,
}

impl EngineOptions {
    /// For any URL.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let mut settings = Settings::default();
        settings.locks.give_up_after = Duration::from_secs(60);
        settings.fill.horizon_wait = Duration::from_secs(2);
        Self { url: url.to_owned(), settings, events: Events::ignored(), stop: CancellationToken::new() }
    }

    /// With these hazards accepted.
    #[must_use]
    pub fn accept(mut self, hazards: &[Hazard]) -> Self {
        self.settings.accept = hazards.iter().copied().collect::<BTreeSet<_>>();
        self
    }

    /// With somebody listening.
    #[must_use]
    pub fn listen(mut self, sink: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.events = Events::to(sink);
        self
    }

    /// The engine.
    ///
    /// # Panics
    /// For a wrong URL.
    #[must_use]
    pub fn build(&self) -> Engine {
        let target = Target::parse(&self.url).unwrap_or_else(|error| panic!("{error}"));
        Engine::new(target, self.settings.clone(), self.events.clone(), self.stop.clone())
    }
}
