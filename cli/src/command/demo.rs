//! `demo`: a private PostgreSQL, application traffic, and a primary key's type changed under it; then what the application
//! felt, and whether everything is as it should be.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shoofly_engine::driver::postgres::Target;
use shoofly_engine::plan::Hazard;
use shoofly_engine::run::Direction;
use shoofly_engine::{Engine, Error, Exit, source};
use shoofly_sandbox::{Installation, Server};
use tokio_util::sync::CancellationToken;

use self::database::Database;
use self::seen::Seen;
use self::summary::{Measured, Summary};
use self::traffic::Traffic;
use super::{Context, through};
use crate::args::DemoArgs;
use crate::output::{Progress, text};
use crate::signals;

mod checks;
mod database;
mod latency;
mod seen;
mod stage;
mod summary;
mod traffic;
mod waits;

/// The change that is shown.
const DDL: &str = "ALTER TABLE pgbench_accounts ALTER COLUMN aid TYPE bigint";

/// Runs the demonstration; everything that it made is removed at the end, however it ends.
pub(crate) async fn run(cx: &Context, args: &DemoArgs) -> anyhow::Result<Exit> {
    let installation = match &args.bindir {
        Some(folder) => Installation::at(folder)?,
        None => Installation::find(None)?,
    };
    let progress = cx.output.progress();
    let shown = tokio::select! {
        shown = show(cx, args, &installation, &progress) => Some(shown?),
        signalled = signals::any() => signalled.map(|()| None)?,
    };
    drop(progress);
    let Some(summary) = shown else {
        cx.output.remark("stopped, and everything that it made is removed");
        return Ok(Exit::Interrupted);
    };
    cx.output.ending(&summary.text(), &summary);
    Ok(if summary.passed() { Exit::Done } else { Exit::Failed })
}

async fn show(
    cx: &Context,
    args: &DemoArgs,
    installation: &Installation,
    progress: &Progress,
) -> anyhow::Result<Summary> {
    let server = stage::server(installation).await?;
    progress.line(stage::introduction(&server));
    let accounts = u64::from(args.scale.get()) * 100_000;
    let took = stage::load(&server, args.scale).await?;
    progress.line(format!("{} pgbench accounts loaded in {}", text::count(accounts), text::time(took)));

    let settle = Duration::from_secs(args.settle.get().into());
    let mut traffic = Traffic::start(&server, args, progress)?;
    progress.line(format!(
        "traffic: pgbench, 4 clients, {} transactions/s, {} protocol; {} to settle",
        args.tps,
        args.protocol.word(),
        text::time(settle)
    ));
    traffic.flow(settle).await?;

    let waits = waits::watch(Database::open(&server.url(stage::APP)).await?);
    let word = Hazard::ColumnOrder.word();
    progress.line(format!("\n$ shoofly alter '{DDL}' --accept {word}"));
    progress.line(format!(
        "  {word}: the new column stands at the end of the table; pgbench names its columns and does not notice"
    ));
    let before = stage::table_mb(&server).await?;
    let began = latency::now();
    let seen = alter(cx, &server, progress).await?;
    let ended = latency::now();
    let table_mb = (before, stage::table_mb(&server).await?);

    progress.line(format!("\n{} more of traffic", text::time(settle)));
    traffic.flow(settle).await?;
    let waited = waits.end().await?;
    let sent = traffic.stop().await?;
    progress.line("checking every row and the catalogue".to_owned());
    let checks = checks::all(&server, accounts).await?;
    Summary::new(&Measured { began, ended, accounts, table_mb, seen, waited, sent }, checks)
}

/// The change itself, with the engine in this process and the user's settings.
async fn alter(cx: &Context, server: &Server, progress: &Progress) -> Result<Seen, Error> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let watching = Arc::clone(&seen);
    let events = progress.events_seen_by(move |event| {
        watching.lock().unwrap_or_else(PoisonError::into_inner).take_note(event);
    });
    let mut settings = cx.settings.engine.clone();
    settings.accept.insert(Hazard::ColumnOrder);
    let target = Target::parse(&server.url(stage::APP))?;
    let engine = Engine::new(target, settings, events, CancellationToken::new());
    through(&engine, &source::parse_statement(DDL)?, Direction::Up).await?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(seen)
}
