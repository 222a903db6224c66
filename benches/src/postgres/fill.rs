//! The table, and one fill of it by the engine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use shoofly_engine::driver::Target;
use shoofly_engine::plan::{Action, Direction, Hazard, StepId};
use shoofly_engine::settings::FillSettings;
use shoofly_engine::sql::Dialect;
use shoofly_engine::{Engine, Event, Events, Settings, source};
use shoofly_sandbox::Server;
use tokio::sync::mpsc;
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

/// The change that is measured.
pub(super) const CHANGE: &str = "ALTER TABLE bench ALTER COLUMN amount TYPE bigint";

/// A connection for set-up and measuring.
pub(super) async fn connect(server: &Server) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(&server.url("postgres"), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A fresh table of packed pages: about 170 bytes a row, a primary key, one index in random order, one in the key's order.
pub(super) async fn load(client: &Client, rows: u64) -> anyhow::Result<()> {
    client
        .batch_execute(&format!(
            "DROP TABLE IF EXISTS bench; DROP SCHEMA IF EXISTS shoofly CASCADE;
             CREATE TABLE bench (id bigint NOT NULL, customer int NOT NULL, placed timestamptz NOT NULL, amount int NOT NULL, note text NOT NULL)
                 WITH (autovacuum_enabled = off);
             INSERT INTO bench SELECT g, (hashint8(g) & 2147483647) % 1000000, '2020-01-01'::timestamptz + g * interval '1 second',
                                      (g % 1000)::int, repeat('x', 104) FROM generate_series(1, {rows}) AS g;
             ALTER TABLE bench ADD PRIMARY KEY (id);
             CREATE INDEX bench_customer ON bench (customer);
             CREATE INDEX bench_placed ON bench (placed);"
        ))
        .await?;
    client.batch_execute("VACUUM (ANALYZE, FREEZE) bench").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

/// What a piece of work did to the server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) seconds: f64,
    pub(super) wal_bytes: f64,
    pub(super) heap_growth: f64,
    pub(super) hot: f64,
}

/// Counters at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    at: Instant,
    wal: f64,
    heap: f64,
}

impl Mark {
    /// Seconds since this mark was taken.
    pub(super) fn seconds_ago(&self) -> f64 {
        self.at.elapsed().as_secs_f64()
    }

    /// Seconds from this mark to a later one.
    pub(super) fn seconds_until(&self, later: Self) -> f64 {
        later.at.duration_since(self.at).as_secs_f64()
    }
}

/// Takes the counters.
pub(super) async fn mark(client: &Client) -> anyhow::Result<Mark> {
    let at = Instant::now();
    let row = client
        .query_one("SELECT (pg_current_wal_insert_lsn() - '0/0')::float8, pg_relation_size('bench')::float8", &[])
        .await?;
    Ok(Mark { at, wal: row.get(0), heap: row.get(1) })
}

/// The difference of two marks; the share of HOT updates from the table's statistics.
pub(super) async fn cost(client: &Client, before: Mark, after: Mark) -> anyhow::Result<Cost> {
    // The counters of other sessions arrive when those go idle.
    client.batch_execute("SELECT pg_stat_clear_snapshot()").await?;
    let row = client
        .query_one(
            "SELECT n_tup_hot_upd::float8 / greatest(n_tup_upd, 1) FROM pg_stat_user_tables WHERE relname = 'bench'",
            &[],
        )
        .await?;
    Ok(Cost {
        seconds: after.at.duration_since(before.at).as_secs_f64(),
        wal_bytes: after.wal - before.wal,
        heap_growth: after.heap / before.heap,
        hot: row.get(0),
    })
}

/// Runs the change up to `ready`; returns the marks around its fill, then rolls it back.
pub(super) async fn fill(server: &Server, client: &Client, settings: FillSettings) -> anyhow::Result<(Mark, Mark)> {
    let migration = source::parse_statement(Dialect::PostgreSql, CHANGE)?;
    let mut all = Settings { fill: settings, ..Settings::default() };
    all.accept.extend(Hazard::ALL);
    let (sender, mut steps) = mpsc::unbounded_channel();
    let fill_step: Arc<Mutex<Option<StepId>>> = Arc::default();
    let wanted = Arc::clone(&fill_step);
    let events = Events::to(move |event| {
        let fill = wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let of_the_fill = match event {
            Event::StepBegan { step, .. } | Event::StepDone { step, .. } => Some(step) == fill,
            _ => false,
        };
        // Nobody listens any more after the second one.
        let _unheard = of_the_fill.then(|| sender.send(()));
    });
    let engine = Engine::new(Target::parse(&server.url("postgres"))?, all, events, CancellationToken::new());
    let plan = engine.plan(&migration, Direction::Up).await?;
    let step = plan.steps().find(|step| matches!(step.action, Action::Fill(_))).context("the plan has no fill")?;
    *fill_step.lock().map_err(|_| anyhow!("poisoned"))? = Some(step.id.clone());
    let runner = engine.clone();
    let running = tokio::spawn(async move { runner.start(&migration, Direction::Up).await });
    let marks = async {
        steps.recv().await.context("the fill did not begin")?;
        let began = mark(client).await?;
        steps.recv().await.context("the fill did not end")?;
        anyhow::Ok((began, mark(client).await?))
    };
    let marks = tokio::select! {
        marks = marks => marks,
        () = tokio::time::sleep(crate::LONGEST) => Err(anyhow!("the fill takes longer than 15 minutes")),
    };
    running.await??;
    engine.rollback(None).await?;
    marks
}
