//! `plan`: what would be done, with every lock. Read-only.

use std::path::Path;

use anyhow::Context as _;
use shoofly_engine::plan::Hazard;
use shoofly_engine::report::render;
use shoofly_engine::run::Direction;
use shoofly_engine::{Engine, Error, Exit, Migration, Plan};

use super::{Context, pick};
use crate::output::text::Paint;
use shoofly_engine::source;

/// What is to be planned.
pub(crate) struct Source {
    what: What,
    direction: Direction,
}

enum What {
    Next,
    Named(String),
    Statement(String),
}

impl Source {
    /// From the arguments.
    pub(crate) fn new(migration: Option<String>, sql: Option<String>, down: bool) -> Self {
        let what = match (migration, sql) {
            (_, Some(sql)) => What::Statement(sql),
            (Some(name), None) => What::Named(name),
            (None, None) => What::Next,
        };
        Self { what, direction: if down { Direction::Down } else { Direction::Up } }
    }

    async fn migration(&self, cx: &Context, engine: &Engine) -> Result<Option<Migration>, Error> {
        match &self.what {
            What::Statement(sql) => source::parse_statement(cx.dialect()?, sql).map(Some),
            What::Named(name) => pick::named(cx, name).map(Some),
            What::Next => pick::next(cx, engine).await,
        }
    }
}

/// Plans and prints.
pub(crate) async fn run(cx: &Context, source: &Source, file: Option<&Path>) -> anyhow::Result<Exit> {
    let engine = cx.reader()?;
    let Some(migration) = source.migration(cx, &engine).await? else {
        cx.output
            .result("nothing to do: every migration is applied", &serde_json::json!({ "outcome": "nothing-to-do" }));
        return Ok(Exit::Done);
    };
    let report = engine.report(&migration, source.direction).await?;
    match file {
        None => cx.output.result(&painted(&render(&report)), &report),
        Some(path) => write(cx, &report.plan, path)?,
    }
    Ok(verdict(cx, &report.plan))
}

/// Headings stand out, and who is in the way.
fn painted(page: &str) -> String {
    let paint = Paint::for_stdout();
    let line = |text: &str| match text {
        text if text.starts_with("  session ") || text.starts_with("  cannot be seen") => paint.yellow(text),
        text if text.starts_with("  nobody is in the way") => paint.green(text),
        text if !text.is_empty() && !text.starts_with(' ') => paint.bold(text),
        text => text.to_owned(),
    };
    page.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What is stored is the plan: what was seen beside it is gone a moment later.
fn write(cx: &Context, plan: &Plan, path: &Path) -> anyhow::Result<()> {
    let mut json = serde_json::to_string_pretty(plan)?;
    json.push('\n');
    std::fs::write(path, json).with_context(|| format!("could not write {}", path.display()))?;
    let shown = path.display().to_string();
    cx.output.result(&format!("wrote {shown}"), &serde_json::json!({ "wrote": shown }));
    Ok(())
}

/// A plan that waits for the operator's word would be refused by `start`.
fn verdict(cx: &Context, plan: &Plan) -> Exit {
    let mut words: Vec<&str> = plan.unaccepted().filter_map(|found| found.hazard).map(Hazard::word).collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() {
        return Exit::Done;
    }
    let paint = Paint::for_stderr();
    let head = paint.yellow("this plan needs your word:");
    cx.output.remark(&format!("{head} it is refused until you give --accept {}", words.join(",")));
    Exit::Refused
}
