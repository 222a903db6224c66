//! `alter`: start and complete one statement, without a file.

use shoofly_engine::Exit;
use shoofly_engine::run::{Direction, Outcome};

use super::{Context, Ending, switched, through};
use shoofly_engine::source;

/// Carries the statement out, takes it up again, or says that it is done.
pub(crate) async fn run(cx: &Context, ddl: &str) -> anyhow::Result<Exit> {
    let migration = source::parse_statement(cx.dialect()?, ddl)?;
    let outcome = cx.drive(async |engine| through(engine, &migration, Direction::Up).await).await?;
    let text = match outcome {
        Outcome::Done => "complete: the new shape is in force".to_owned(),
        Outcome::Switched => switched(&migration.name),
        Outcome::AlreadyDone => "nothing to do: this statement has been carried out already".to_owned(),
    };
    cx.output.ending(&text, &Ending::new(Some(&migration.name), outcome));
    Ok(Exit::Done)
}
