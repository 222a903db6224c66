//! `rollback`: the schema is as it was before `start`.

use shoofly_engine::Exit;
use shoofly_engine::run::Outcome;

use super::{Context, Ending, known_name};

/// Undoes the run of that migration, or the only unfinished one.
pub(crate) async fn run(cx: &Context, wanted: Option<&str>) -> anyhow::Result<Exit> {
    let name = wanted.map(|wanted| known_name(cx, wanted));
    let outcome = cx.drive(async |engine| engine.rollback(name.as_deref()).await).await?;
    let text = match (outcome, &name) {
        (Outcome::Done | Outcome::Switched, Some(name)) => format!("rolled back: {name}; the schema is as it was"),
        (Outcome::Done | Outcome::Switched, None) => "rolled back; the schema is as it was".to_owned(),
        (Outcome::AlreadyDone, Some(name)) => format!("nothing to do: {name} is not under way"),
        (Outcome::AlreadyDone, None) => "nothing to do: no run is under way".to_owned(),
    };
    cx.output.ending(&text, &Ending::new(name.as_deref(), outcome));
    Ok(Exit::Done)
}
