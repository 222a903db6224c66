//! `up`: start and complete what is pending, in order.

use std::num::NonZeroU32;

use shoofly_engine::run::{Direction, Outcome};
use shoofly_engine::{Exit, Migration};

use super::{Context, Ending, pick, switched, through};
use crate::standing::standing;
use shoofly_engine::source;

/// Applies all pending migrations, or so many; an unfinished one is taken up first.
pub(crate) async fn run(cx: &Context, count: Option<NonZeroU32>) -> anyhow::Result<Exit> {
    let folder = source::load_folder(cx.dialect()?, &cx.settings.dir)?;
    let runs = cx.reader()?.runs().await?;
    let standing = pick::agreeing(standing(&folder, &runs))?;
    pick::only_going(Direction::Up, &standing)?;
    let begun = standing.unfinished.iter().map(|unfinished| unfinished.migration);
    let most = count.map_or(usize::MAX, |count| count.get() as usize);
    let todo: Vec<&Migration> = begun.chain(standing.pending.iter().copied()).take(most).collect();
    if todo.is_empty() {
        cx.output.ending("nothing to do: every migration is applied", &Ending::new(None, Outcome::AlreadyDone));
        return Ok(Exit::Done);
    }
    for migration in todo {
        let outcome = cx.drive(async |engine| through(engine, migration, Direction::Up).await).await?;
        let text = match outcome {
            Outcome::Switched => switched(&migration.name),
            Outcome::Done | Outcome::AlreadyDone => format!("complete: {}", migration.name),
        };
        cx.output.ending(&text, &Ending::new(Some(&migration.name), outcome));
    }
    Ok(Exit::Done)
}
