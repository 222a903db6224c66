//! `down`: revert applied migrations by their `down` section, newest first, planned as carefully as an `up`.

use std::num::NonZeroU32;

use shoofly_engine::error::Problem;
use shoofly_engine::run::{Direction, Outcome};
use shoofly_engine::{Error, Exit, Migration};

use super::{Context, Ending, pick, through};
use crate::standing::standing;
use shoofly_engine::source;

/// Reverts so many; an unfinished revert is taken up first.
pub(crate) async fn run(cx: &Context, count: NonZeroU32) -> anyhow::Result<Exit> {
    let folder = source::load_folder(cx.dialect()?, &cx.settings.dir)?;
    let runs = cx.reader()?.runs().await?;
    let standing = pick::agreeing(standing(&folder, &runs))?;
    pick::only_going(Direction::Down, &standing)?;
    let begun = standing.unfinished.iter().rev().map(|unfinished| unfinished.migration);
    let newest_first = standing.applied.iter().rev().copied();
    let todo: Vec<&Migration> = begun.chain(newest_first).take(count.get() as usize).collect();
    if todo.is_empty() {
        cx.output.ending("nothing to do: no migration is applied", &Ending::new(None, Outcome::AlreadyDone));
        return Ok(Exit::Done);
    }
    reversible(&todo)?;
    for migration in todo {
        let outcome = cx.drive(async |engine| through(engine, migration, Direction::Down).await).await?;
        cx.output.ending(&format!("reverted: {}", migration.name), &Ending::new(Some(&migration.name), outcome));
    }
    Ok(Exit::Done)
}

/// All of them must say how, before the first one is touched.
fn reversible(todo: &[&Migration]) -> Result<(), Error> {
    let silent: Vec<Problem> = todo
        .iter()
        .filter(|migration| migration.down.as_ref().is_none_or(|down| down.statements.is_empty()))
        .map(|migration| Problem {
            what: "it does not say how it is reverted".to_owned(),
            place: migration.path.as_ref().map_or_else(|| migration.name.clone(), |path| path.display().to_string()),
            why: String::new(),
            advice: "write the way back as a new migration".to_owned(),
        })
        .collect();
    if silent.is_empty() { Ok(()) } else { Err(Error::Refused(silent)) }
}
