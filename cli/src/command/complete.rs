//! `complete`: the new shape takes over.

use shoofly_engine::Exit;
use shoofly_engine::run::Outcome;

use super::{Context, Ending, known_name, switched};

/// Completes the run of that migration, or the only one that is ready.
pub(crate) async fn run(cx: &Context, wanted: Option<&str>) -> anyhow::Result<Exit> {
    let name = wanted.map(|wanted| known_name(cx, wanted));
    let outcome = cx.drive(async |engine| engine.complete(name.as_deref()).await).await?;
    let text = match (outcome, &name) {
        (Outcome::Done, Some(name)) => format!("complete: {name}"),
        (Outcome::Done, None) => "complete".to_owned(),
        (Outcome::Switched, name) => switched(name.as_deref().unwrap_or("the run")),
        (Outcome::AlreadyDone, Some(name)) => format!("nothing to do: {name} is in force already"),
        (Outcome::AlreadyDone, None) => "nothing to do: the only run is in force already".to_owned(),
    };
    cx.output.ending(&text, &Ending::new(name.as_deref(), outcome));
    Ok(Exit::Done)
}
