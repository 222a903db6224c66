//! `history`: every run that the database remembers.

use shoofly_engine::Exit;
use shoofly_engine::run::RunStatus;

use super::{Context, words};
use crate::output::table;

/// Prints the runs, newest last.
pub(crate) async fn run(cx: &Context) -> anyhow::Result<Exit> {
    let runs = cx.reader()?.runs().await?;
    let text = if runs.is_empty() {
        "no runs yet".to_owned()
    } else {
        let headings = ["RUN", "MIGRATION", "WAY", "STATE", "TABLES", "ROWS", "BEGAN", "TOOK"];
        table::plain(&headings, runs.iter().map(row))
    };
    cx.output.result(&text, &runs);
    Ok(Exit::Done)
}

fn row(run: &RunStatus) -> Vec<String> {
    vec![
        run.run.to_string(),
        run.migration.clone(),
        words::direction(run.direction).to_owned(),
        words::state(run.state).to_owned(),
        words::tables(run),
        words::rows(run),
        words::moment(&run.began),
        words::took(run),
    ]
}
