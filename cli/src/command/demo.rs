//! `demo`: a private server, application traffic, and a primary key's type changed under it; then what the application felt,
//! and whether everything is as it should be.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shoofly_engine::driver::Target;
use shoofly_engine::run::Direction;
use shoofly_engine::{Engine, Error, Exit, source};
use shoofly_sandbox::Product;
use tokio_util::sync::CancellationToken;

use self::bank::{Bank, Story};
use self::mysql::MySql;
use self::postgres::Postgres;
use self::seen::Seen;
use self::summary::{Measured, Summary};
use self::traffic::Traffic;
use super::{Context, through};
use crate::args::DemoArgs;
use crate::output::{Progress, text};
use crate::signals;

mod bank;
mod checks;
mod latency;
mod mysql;
mod postgres;
mod seen;
mod summary;
mod traffic;
mod waits;

/// Runs the demonstration; everything that it made is removed at the end, however it ends.
pub(crate) async fn run(cx: &Context, args: &DemoArgs) -> anyhow::Result<Exit> {
    let progress = cx.output.progress();
    let shown = tokio::select! {
        shown = on(cx, args, &progress) => Some(shown?),
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

/// On the server that was asked for.
async fn on(cx: &Context, args: &DemoArgs, progress: &Progress) -> anyhow::Result<Summary> {
    match args.product() {
        Product::Postgres => show(cx, args, &Postgres::start(args).await?, progress).await,
        product @ (Product::MySql | Product::MariaDb) => {
            show(cx, args, &MySql::start(product, args).await?, progress).await
        }
    }
}

async fn show(cx: &Context, args: &DemoArgs, bank: &impl Bank, progress: &Progress) -> anyhow::Result<Summary> {
    let story = bank.story();
    progress.line(bank.introduction());
    let accounts = u64::from(args.scale.get()) * 100_000;
    let took = bank.load().await?;
    progress.line(format!("{} {} loaded in {}", text::count(accounts), story.rows, text::time(took)));

    let settle = Duration::from_secs(args.settle.get().into());
    let mut traffic = bank.traffic(args, progress).await?;
    progress.line(format!(
        "traffic: {}, 4 clients, {} transactions/s, {} protocol; {} to settle",
        story.application,
        args.tps,
        args.protocol.word(),
        text::time(settle)
    ));
    traffic.flow(settle).await?;

    let waits = waits::watch(bank.look().await?);
    announce(story, progress);
    let before = bank.table_mb().await?;
    let began = latency::now();
    let seen = alter(cx, bank, progress).await?;
    let ended = latency::now();
    let table_mb = (before, bank.table_mb().await?);

    progress.line(format!("\n{} more of traffic", text::time(settle)));
    traffic.flow(settle).await?;
    let waited = waits.end().await?;
    let sent = traffic.stop().await?;
    progress.line("checking every row and the catalogue".to_owned());
    let checks = bank.checks(accounts).await?;
    Summary::new(story, &Measured { began, ended, accounts, table_mb, seen, waited, sent }, checks)
}

/// What is about to be run, as one would type it.
fn announce(story: Story, progress: &Progress) {
    let Some((hazard, why)) = story.accepted else {
        return progress.line(format!("\n$ shoofly alter '{}'", story.ddl));
    };
    let word = hazard.word();
    progress.line(format!("\n$ shoofly alter '{}' --accept {word}", story.ddl));
    progress.line(format!("  {word}: {why}"));
}

/// The change itself, with the engine in this process and the user's settings.
async fn alter(cx: &Context, bank: &impl Bank, progress: &Progress) -> Result<Seen, Error> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let watching = Arc::clone(&seen);
    let events = progress.events_seen_by(move |event| {
        watching.lock().unwrap_or_else(PoisonError::into_inner).take_note(event);
    });
    let story = bank.story();
    let mut settings = cx.settings.engine.clone();
    settings.accept.extend(story.accepted.map(|(hazard, _)| hazard));
    let target = Target::parse(&bank.url())?;
    let engine = Engine::new(target, settings, events, CancellationToken::new());
    through(&engine, &source::parse_statement(story.dialect, story.ddl)?, Direction::Up).await?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(seen)
}
