//! `verify`: every row is proved once more.

use shoofly_engine::Exit;
use shoofly_engine::run::{Outcome, Repair};

use super::{Context, Ending, known_name};

/// Proves the run of that migration, or the only one that is ready.
pub(crate) async fn run(cx: &Context, wanted: Option<&str>, repair: Repair) -> anyhow::Result<Exit> {
    let name = wanted.map(|wanted| known_name(cx, wanted));
    let outcome = cx.drive(async |engine| engine.verify(name.as_deref(), repair).await).await?;
    let whose = name.as_deref().unwrap_or("the only run");
    let text = match outcome {
        Outcome::Done | Outcome::Switched => format!("proved: every row of {whose} is as it should be"),
        Outcome::AlreadyDone => format!("nothing to do: {whose} has ended, and there is nothing to compare with"),
    };
    cx.output.ending(&text, &Ending::new(name.as_deref(), outcome));
    Ok(Exit::Done)
}
