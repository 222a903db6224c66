//! The verbs, one file each, and what they share.

use shoofly_engine::driver::Target;
use shoofly_engine::run::{Direction, Outcome, Repair};
use shoofly_engine::sql::Dialect;
use shoofly_engine::{Engine, Error, Events, Exit, Migration};
use tokio_util::sync::CancellationToken;

use crate::args::{Args, Verb};
use crate::output::Output;
use crate::settings::{self, Environment, Knobs, Resolved};
use crate::signals;

mod alter;
mod complete;
mod demo;
mod down;
mod history;
pub(crate) mod init;
mod new;
mod pick;
mod plan;
mod rollback;
mod start;
mod status;
mod up;
mod verify;
mod words;

/// What every verb is given.
pub(crate) struct Context {
    /// How to print.
    pub(crate) output: Output,
    /// What holds for this call.
    pub(crate) settings: Resolved,
}

impl Context {
    fn new(args: &Args, knobs: &Knobs) -> Result<Self, Error> {
        let output = Output::new(args)?;
        Ok(Self { output, settings: settings::resolve(args, knobs, &Environment::read())? })
    }

    /// How migrations are read: the database's URL says it.
    ///
    /// # Errors
    /// [`Error::Usage`] where no database was given, or one of another kind.
    pub(crate) fn dialect(&self) -> Result<Dialect, Error> {
        Dialect::of_url(self.settings.url()?)
    }

    /// An engine that only reads.
    ///
    /// # Errors
    /// [`Error::Usage`] where no database was given.
    pub(crate) fn reader(&self) -> Result<Engine, Error> {
        let target = Target::parse(self.settings.url()?)?;
        Ok(Engine::new(target, self.settings.engine.clone(), Events::ignored(), CancellationToken::new()))
    }

    /// Runs `work` with an engine, its progress shown and signals heeded.
    ///
    /// # Errors
    /// Those of `work`; [`Error::Usage`] where no database was given.
    pub(crate) async fn drive<T>(&self, work: impl AsyncFnOnce(&Engine) -> Result<T, Error>) -> anyhow::Result<T> {
        let target = Target::parse(self.settings.url()?)?;
        let progress = self.output.progress();
        let stop = CancellationToken::new();
        let engine = Engine::new(target, self.settings.engine.clone(), progress.events(), stop.clone());
        let asked = || progress.remark("stopping when what is under way is done; once more breaks it off");
        signals::heeding(stop, asked, work(&engine)).await
    }
}

/// Carries the verb out.
pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let knobs = knobs(&args.verb);
    let cx = Context::new(&args, &knobs)?;
    match args.verb {
        Verb::Init => init::run(&cx),
        Verb::New { name } => new::run(&cx, &name),
        Verb::Plan { migration, sql, down, output } => {
            let source = plan::Source::new(migration, sql, down);
            plan::run(&cx, &source, output.as_deref()).await
        }
        Verb::Start { migration, .. } => start::run(&cx, migration.as_deref()).await,
        Verb::Verify { migration, repair, .. } => {
            let repair = if repair { Repair::Asked } else { Repair::Never };
            verify::run(&cx, migration.as_deref(), repair).await
        }
        Verb::Complete { migration, .. } => complete::run(&cx, migration.as_deref()).await,
        Verb::Rollback { migration, .. } => rollback::run(&cx, migration.as_deref()).await,
        Verb::Alter { ddl, .. } => alter::run(&cx, &ddl).await,
        Verb::Up { count, .. } => up::run(&cx, count).await,
        Verb::Down { count, .. } => down::run(&cx, count).await,
        Verb::Status { watch, exit_code } => status::run(&cx, status::Mode::new(watch, exit_code)).await,
        Verb::History => history::run(&cx).await,
        Verb::Demo(demo) => demo::run(&cx, &demo).await,
    }
}

fn knobs(verb: &Verb) -> Knobs {
    match verb {
        Verb::Start { locks, fill, .. } | Verb::Down { locks, fill, .. } => Knobs::filling(locks, fill),
        Verb::Alter { locks, fill, keep, .. } | Verb::Up { locks, fill, keep, .. } => {
            Knobs::going_through(locks, fill, *keep)
        }
        Verb::Demo(demo) => Knobs::filling(&demo.locks, &demo.fill),
        Verb::Complete { locks, keep, .. } => Knobs::completing(locks, *keep),
        Verb::Rollback { locks, .. } | Verb::Verify { locks, .. } => Knobs::locking(locks),
        Verb::Init | Verb::New { .. } | Verb::Plan { .. } | Verb::Status { .. } | Verb::History => Knobs::default(),
    }
}

/// What a verb that changes something prints at the end.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Ending<'a> {
    event: &'static str,
    migration: Option<&'a str>,
    outcome: &'static str,
}

impl<'a> Ending<'a> {
    /// How it went for one migration (`None`: the only one there was).
    pub(crate) fn new(migration: Option<&'a str>, outcome: Outcome) -> Self {
        let outcome = match outcome {
            Outcome::Done => "done",
            Outcome::Switched => "switched",
            Outcome::AlreadyDone => "nothing-to-do",
        };
        Self { event: "result", migration, outcome }
    }
}

/// `done` where either part did something.
pub(crate) fn both(first: Outcome, second: Outcome) -> Outcome {
    match (first, second) {
        (Outcome::AlreadyDone, Outcome::AlreadyDone) => Outcome::AlreadyDone,
        (Outcome::Switched, _) | (_, Outcome::Switched) => Outcome::Switched,
        _ => Outcome::Done,
    }
}

/// Starts and completes one migration. An old table that is kept is left so: only `complete` by itself drops it.
///
/// # Errors
/// The engine's; what was done stays and can be resumed or rolled back.
pub(crate) async fn through(engine: &Engine, migration: &Migration, direction: Direction) -> Result<Outcome, Error> {
    let started = engine.start(migration, direction).await?;
    if started == Outcome::Switched {
        return Ok(started);
    }
    let completed = engine.clone().at_once().complete(Some(&migration.name)).await?;
    Ok(both(started, completed))
}

/// What is said of a run whose old table is kept.
pub(crate) fn switched(name: &str) -> String {
    format!(
        "switched: {name}; the new shape is in force, the old table is kept in step\n\
         `shoofly complete` drops the old table, `shoofly rollback` goes back to it"
    )
}

/// The name of the migration that `wanted` means; the ledger may know names that the folder does not.
pub(crate) fn known_name(cx: &Context, wanted: &str) -> String {
    pick::named(cx, wanted).map_or_else(|_| wanted.to_owned(), |migration| migration.name)
}
