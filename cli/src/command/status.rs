//! `status`: where everything stands.

use std::io::IsTerminal;
use std::time::Duration;

use serde::Serialize;
use shoofly_engine::error::Problem;
use shoofly_engine::run::{RunState, RunStatus};
use shoofly_engine::{Error, Exit, Migration};

use super::{Context, words};
use crate::output::{self, table, text};
use crate::standing::standing;
use shoofly_engine::source;

/// How the status is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    looks: Looks,
    exit: WhenPending,
}

#[derive(Debug, Clone, Copy)]
enum Looks {
    Once,
    EverySecond,
}

#[derive(Debug, Clone, Copy)]
enum WhenPending {
    Done,
    Pending,
}

impl Mode {
    /// From the flags.
    pub(crate) fn new(watch: bool, exit_code: bool) -> Self {
        Self {
            looks: if watch { Looks::EverySecond } else { Looks::Once },
            exit: if exit_code { WhenPending::Pending } else { WhenPending::Done },
        }
    }
}

/// What is shown.
#[derive(Debug, Serialize)]
struct Report {
    open: Vec<RunStatus>,
    pending: Vec<String>,
    applied: usize,
    problems: Vec<Problem>,
}

/// Prints it, once or every second.
pub(crate) async fn run(cx: &Context, mode: Mode) -> anyhow::Result<Exit> {
    loop {
        let report = look(cx).await?;
        if matches!(mode.looks, Looks::EverySecond) && std::io::stdout().is_terminal() {
            // Home and clear to the end: less flicker than clearing the whole screen first.
            output::stdout("\u{1b}[H\u{1b}[J");
        }
        cx.output.result(&report.text(), &report);
        if matches!(mode.looks, Looks::Once) {
            return Ok(report.exit(mode.exit));
        }
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

async fn look(cx: &Context) -> Result<Report, Error> {
    let runs = cx.reader()?.runs().await?;
    // Statements of the command line need no folder, and so there may be none.
    let folder: Vec<Migration> =
        if cx.settings.dir.is_dir() { source::load_folder(cx.dialect()?, &cx.settings.dir)? } else { Vec::new() };
    let standing = standing(&folder, &runs);
    let pending = standing.pending.iter().map(|migration| migration.name.clone()).collect();
    let applied = standing.applied.len();
    let problems = if folder.is_empty() { Vec::new() } else { standing.problems };
    let open = runs.into_iter().filter(|run| words::is_open(run.state)).collect();
    Ok(Report { open, pending, applied, problems })
}

impl Report {
    fn exit(&self, when_pending: WhenPending) -> Exit {
        match when_pending {
            WhenPending::Done => Exit::Done,
            WhenPending::Pending if !self.problems.is_empty() => Exit::Divergence,
            WhenPending::Pending if !self.open.is_empty() || !self.pending.is_empty() => Exit::Pending,
            WhenPending::Pending => Exit::Done,
        }
    }

    fn text(&self) -> String {
        let mut parts = Vec::new();
        if !self.open.is_empty() {
            let headings = ["RUN", "MIGRATION", "STATE", "STEPS", "FILL", "NOW", "HELD BY"];
            parts.push(table::plain(&headings, self.open.iter().map(row)));
            parts.extend(self.open.iter().map(advice));
        }
        if !self.pending.is_empty() {
            parts.push(format!("pending, in this order:\n{}", indented(&self.pending)));
        }
        if !self.problems.is_empty() {
            let said: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
            parts.push(format!("the folder and the database disagree:\n{}", indented(&said)));
        }
        let applied = match self.applied {
            1 => "1 migration applied".to_owned(),
            n => format!("{n} migrations applied"),
        };
        parts.push(if parts.is_empty() { format!("nothing pending, nothing under way; {applied}") } else { applied });
        parts.join("\n\n")
    }
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn row(run: &RunStatus) -> Vec<String> {
    let fill = if run.blocks_total == 0 {
        String::new()
    } else {
        format!("{:.1} %  {} rows", text::percent(run.blocks_done, run.blocks_total), text::count(run.rows_written))
    };
    vec![
        run.run.to_string(),
        format!("{} ({})", run.migration, words::tables(run)),
        words::state(run.state).to_owned(),
        format!("{}/{}", run.steps_done, run.steps_total),
        fill,
        run.current.clone().unwrap_or_default(),
        run.held_by.clone().unwrap_or_else(|| "nobody".to_owned()),
    ]
}

/// What to type next for a run that nobody holds.
fn advice(run: &RunStatus) -> String {
    let name = &run.migration;
    let mut lines = Vec::new();
    if let Some(error) = &run.last_error {
        lines.push(format!("run {} stopped: {error}", run.run));
    }
    lines.push(match (run.state, &run.held_by) {
        (_, Some(holder)) => format!("run {} is being worked on by {holder}", run.run),
        (RunState::Ready, None) => {
            format!("run {} is ready: `shoofly complete '{name}'`, or `shoofly rollback '{name}'`", run.run)
        }
        (RunState::Switched, None) => format!(
            "run {} is in force, its old table is kept in step: `shoofly complete '{name}'` drops the old table, \
             `shoofly rollback '{name}'` goes back to it",
            run.run
        ),
        (RunState::Completing, None) => format!("run {} goes on with `shoofly complete '{name}'`", run.run),
        (RunState::RollingBack, None) => format!("run {} goes on with `shoofly rollback '{name}'`", run.run),
        (_, None) => format!(
            "run {} goes on when its command is given again; `shoofly rollback '{name}'` takes it back",
            run.run
        ),
    });
    lines.join("\n")
}
