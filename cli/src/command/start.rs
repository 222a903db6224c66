//! `start`: expand, backfill, build, verify.

use shoofly_engine::run::{Direction, Outcome};
use shoofly_engine::{Exit, Migration};

use super::{Context, Ending, pick, switched};

/// Starts, or takes up again, one migration.
pub(crate) async fn run(cx: &Context, wanted: Option<&str>) -> anyhow::Result<Exit> {
    let migration: Option<Migration> = match wanted {
        Some(name) => Some(pick::named(cx, name)?),
        None => pick::next(cx, &cx.reader()?).await?,
    };
    let Some(migration) = migration else {
        cx.output.ending("nothing to do: every migration is applied", &Ending::new(None, Outcome::AlreadyDone));
        return Ok(Exit::Done);
    };
    let outcome = cx.drive(async |engine| engine.start(&migration, Direction::Up).await).await?;
    let name = &migration.name;
    let text = match outcome {
        Outcome::Done => format!("ready: {name}; `shoofly complete` makes it final, `shoofly rollback` takes it back"),
        Outcome::Switched => switched(name),
        Outcome::AlreadyDone => format!("nothing to do: {name} is ready or complete already"),
    };
    cx.output.ending(&text, &Ending::new(Some(name), outcome));
    Ok(Exit::Done)
}
