//! What holds for this call: flag > environment > file > default.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use shoofly_engine::error::Problem;
use shoofly_engine::plan::Hazard;
use shoofly_engine::settings::{EndBlockers, KeepOld, Pace};
use shoofly_engine::{Error, Settings};

use crate::args::{self, Allowance, Args, FillArgs, KeepArgs, LockArgs, PaceArg};
use crate::dotenv;

/// The configuration file that is read where none is named.
pub(crate) const FILE: &str = "shoofly.toml";
/// The folder of migrations where none is named.
pub(crate) const DIR: &str = "migrations";

/// Everything that holds for one call.
#[derive(Debug)]
pub(crate) struct Resolved {
    url: Option<String>,
    /// Folder of migrations.
    pub(crate) dir: PathBuf,
    /// The engine's settings.
    pub(crate) engine: Settings,
}

impl Resolved {
    /// The database's URL.
    ///
    /// # Errors
    /// [`Error::Usage`] where none was given.
    pub(crate) fn url(&self) -> Result<&str, Error> {
        self.url.as_deref().ok_or_else(|| {
            usage(
                "no database was given",
                "command line",
                "",
                "give --url postgres://… or mysql://…, set DATABASE_URL (a .env file will do), or write `url` into \
                 shoofly.toml",
            )
        })
    }
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    env: BTreeMap<String, Section>,
    url: Option<String>,
    dir: Option<PathBuf>,
    keep_old: Option<bool>,
    #[serde(default)]
    allow: Vec<AllowWord>,
    #[serde(default)]
    accept: BTreeMap<HazardWord, String>,
    #[serde(default)]
    locks: Locks,
    #[serde(default)]
    fill: Fill,
}

/// What `[env.NAME]` may say instead.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Section {
    url: Option<String>,
    dir: Option<PathBuf>,
    keep_old: Option<bool>,
    #[serde(default)]
    accept: BTreeMap<HazardWord, String>,
    #[serde(default)]
    locks: Locks,
    #[serde(default)]
    fill: Fill,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Locks {
    budget: Option<Span>,
    further: Option<Span>,
    patience: Option<Span>,
    give_up_after: Option<Span>,
    end_blockers: Option<Span>,
    end_at_most: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Fill {
    lanes: Option<NonZeroU32>,
    chunk: Option<Span>,
    rate: Option<NonZeroU32>,
    pace: Option<PaceWord>,
    horizon_wait: Option<Span>,
    threads_running: Option<NonZeroU32>,
    row_waits: Option<NonZeroU32>,
    history_length: Option<NonZeroU32>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PaceWord {
    Polite,
    Full,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AllowWord {
    Blocking,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct HazardWord(Hazard);

impl<'de> Deserialize<'de> for HazardWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        args::hazard(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Clone, Copy)]
struct Span(Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        args::duration(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The environment: the process's own, and what `.env` adds to it.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    process: BTreeMap<String, String>,
    dotenv: BTreeMap<String, String>,
}

impl Environment {
    /// The real one, with the working directory's `.env`.
    pub(crate) fn read() -> Self {
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let dotenv = std::fs::read_to_string(".env").map(|text| dotenv::parse(&text)).unwrap_or_default();
        Self { process, dotenv }
    }

    fn get(&self, name: &str) -> Option<String> {
        self.process.get(name).or_else(|| self.dotenv.get(name)).cloned()
    }
}

/// The knobs of the verb at hand.
#[derive(Debug, Default)]
pub(crate) struct Knobs {
    locks: LockArgs,
    fill: FillArgs,
    keep: Keep,
}

/// Whether a verb keeps the old table.
#[derive(Debug, Clone, Copy, Default)]
enum Keep {
    /// It does not make a new one take over.
    #[default]
    Never,
    /// As its flag says: said twice, the second time it means that the old table goes.
    AsTyped(KeepArgs),
    /// As its flag or else the file says: it leaves alone what it has once done.
    AsSet(KeepArgs),
}

impl Knobs {
    /// Those of a verb that fills.
    pub(crate) fn filling(locks: &LockArgs, fill: &FillArgs) -> Self {
        Self { locks: locks.clone(), fill: fill.clone(), keep: Keep::Never }
    }

    /// Those of a verb that fills and lets the new shape take over.
    pub(crate) fn going_through(locks: &LockArgs, fill: &FillArgs, keep: KeepArgs) -> Self {
        Self { keep: Keep::AsSet(keep), ..Self::filling(locks, fill) }
    }

    /// Those of a verb that lets the new shape take over.
    pub(crate) fn completing(locks: &LockArgs, keep: KeepArgs) -> Self {
        Self { keep: Keep::AsTyped(keep), ..Self::locking(locks) }
    }

    /// Those of a verb that only locks.
    pub(crate) fn locking(locks: &LockArgs) -> Self {
        Self { locks: locks.clone(), fill: FillArgs::default(), keep: Keep::Never }
    }
}

/// Puts flags, environment, file and defaults together.
///
/// # Errors
/// [`Error::Usage`] for a configuration file that is missing, broken or ambiguous.
pub(crate) fn resolve(args: &Args, knobs: &Knobs, environment: &Environment) -> Result<Resolved, Error> {
    let (path, mut file) = read(args.config.as_deref(), environment)?;
    let name = args.env.clone().or_else(|| environment.get("SHOOFLY_ENV"));
    let section = match name {
        None => Section::default(),
        Some(name) => section(&mut file, &name, &path)?,
    };
    let url = url(args, &section, &file, environment)?;
    let from_environment = environment.get("SHOOFLY_DIR").map(PathBuf::from);
    let dir = args.dir.clone().or(from_environment).or(section.dir.clone()).or(file.dir.clone());
    Ok(Resolved { url, dir: dir.unwrap_or_else(|| DIR.into()), engine: engine(args, knobs, &section, &file)? })
}

fn read(named: Option<&Path>, environment: &Environment) -> Result<(PathBuf, File), Error> {
    let from_environment = environment.get("SHOOFLY_CONFIG").map(PathBuf::from);
    let named = named.map(Path::to_path_buf).or(from_environment);
    let path = named.clone().unwrap_or_else(|| FILE.into());
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
            return Ok((path, File::default()));
        }
        Err(error) => {
            let advice = "check the path given with --config, or create one with `shoofly init`";
            return Err(usage(&format!("cannot be read: {error}"), &path.display().to_string(), "", advice));
        }
    };
    match toml::from_str(&text) {
        Ok(file) => Ok((path, file)),
        Err(error) => Err(Error::Syntax(vec![format!("{}: {}", path.display(), error.to_string().trim_end())])),
    }
}

fn section(file: &mut File, name: &str, path: &Path) -> Result<Section, Error> {
    let known = file.env.keys().cloned().collect::<Vec<_>>().join(", ");
    file.env.remove(name).ok_or_else(|| {
        let known = if known.is_empty() { "none".to_owned() } else { known };
        usage(
            &format!("there is no section [env.{name}]"),
            &path.display().to_string(),
            "",
            &format!("write one, or name one of: {known}"),
        )
    })
}

/// The URL. A named environment must not lose silently to a `DATABASE_URL` that happens to be exported.
fn url(args: &Args, section: &Section, file: &File, environment: &Environment) -> Result<Option<String>, Error> {
    if args.url.is_some() {
        return Ok(args.url.clone());
    }
    match (environment.process.get("DATABASE_URL"), &section.url) {
        (Some(exported), Some(named)) if exported != named => Err(usage(
            "DATABASE_URL and the chosen environment name two different databases",
            "environment",
            "picking one silently could change the wrong database",
            "unset DATABASE_URL, leave --env out, or give --url",
        )),
        (Some(exported), _) => Ok(Some(exported.clone())),
        (None, Some(named)) => Ok(Some(named.clone())),
        (None, None) => Ok(environment.get("DATABASE_URL").or_else(|| file.url.clone())),
    }
}

fn engine(args: &Args, knobs: &Knobs, section: &Section, file: &File) -> Result<Settings, Error> {
    let mut settings = Settings::default();
    settings.accept.extend(args.accept.iter().copied());
    settings.accept.extend(accepted(&section.accept)?);
    settings.accept.extend(accepted(&file.accept)?);
    settings.allow_blocking = args.allow.contains(&Allowance::Blocking)
        || file.allow.iter().any(|allowed| matches!(allowed, AllowWord::Blocking));
    settings.keep_old = knobs.keep.with(section.keep_old.or(file.keep_old));

    let locks = &mut settings.locks;
    set(&mut locks.budget, [knobs.locks.lock_budget, span(section.locks.budget), span(file.locks.budget)]);
    set(&mut locks.further, [span(section.locks.further), span(file.locks.further)]);
    set(&mut locks.patience, [span(section.locks.patience), span(file.locks.patience)]);
    set(
        &mut locks.give_up_after,
        [knobs.locks.give_up_after, span(section.locks.give_up_after), span(file.locks.give_up_after)],
    );
    locks.end = end_blockers(knobs, section, file)?;
    // A further table may never be waited for longer than the first one.
    locks.further = locks.further.min(locks.budget);

    let fill = &mut settings.fill;
    set(&mut fill.lanes, [knobs.fill.lanes, section.fill.lanes, file.fill.lanes]);
    set(&mut fill.chunk, [knobs.fill.chunk, span(section.fill.chunk), span(file.fill.chunk)]);
    fill.rate = knobs.fill.rate.or(section.fill.rate).or(file.fill.rate);
    set(&mut fill.pace, [knobs.fill.pace.map(Into::into), section.fill.pace(), file.fill.pace()]);
    set(&mut fill.horizon_wait, [span(section.fill.horizon_wait), span(file.fill.horizon_wait)]);
    let health = &mut fill.health;
    health.threads_running = section.fill.threads_running.or(file.fill.threads_running);
    set(&mut health.row_waits, [section.fill.row_waits, file.fill.row_waits]);
    set(&mut health.history_length, [section.fill.history_length, file.fill.history_length]);
    Ok(settings)
}

/// Which sessions of others are ended.
fn end_blockers(knobs: &Knobs, section: &Section, file: &File) -> Result<Option<EndBlockers>, Error> {
    let after = knobs.locks.end_blockers.or(span(section.locks.end_blockers)).or(span(file.locks.end_blockers));
    let most = knobs.locks.end_at_most.or(section.locks.end_at_most).or(file.locks.end_at_most);
    match (after, most) {
        (Some(after), _) if after < EndBlockers::YOUNGEST => Err(usage(
            "sessions would be ended that end by themselves",
            "--end-blockers, end-blockers under [locks]",
            "a transaction of less than a second is over before anybody could be asked",
            "give 1s or more",
        )),
        (Some(after), most) => Ok(Some(EndBlockers { after, most: most.unwrap_or(EndBlockers::MOST) })),
        (None, Some(_)) => Err(usage(
            "how many sessions are ended is said, and not which",
            "--end-at-most, end-at-most under [locks]",
            "none is ended without --end-blockers",
            "give --end-blockers 30s too, or neither",
        )),
        (None, None) => Ok(None),
    }
}

impl Keep {
    /// What the engine is told, where the file says this.
    fn with(self, file: Option<bool>) -> KeepOld {
        match self {
            Self::AsTyped(args) | Self::AsSet(args) if args.keep_old => KeepOld::Always,
            Self::AsSet(_) if file == Some(true) => KeepOld::WhereCopied,
            Self::Never | Self::AsTyped(_) | Self::AsSet(_) => KeepOld::Never,
        }
    }
}

/// The first value that was given, else what stands there already.
fn set<T: Copy>(slot: &mut T, given: impl IntoIterator<Item = Option<T>>) {
    if let Some(value) = given.into_iter().flatten().next() {
        *slot = value;
    }
}

fn span(span: Option<Span>) -> Option<Duration> {
    span.map(|Span(length)| length)
}

impl Fill {
    fn pace(&self) -> Option<Pace> {
        self.pace.map(|word| match word {
            PaceWord::Polite => Pace::Polite,
            PaceWord::Full => Pace::Full,
        })
    }
}

impl From<PaceArg> for Pace {
    fn from(word: PaceArg) -> Self {
        match word {
            PaceArg::Polite => Self::Polite,
            PaceArg::Full => Self::Full,
        }
    }
}

/// A hazard accepted for good needs a reason that a colleague can read.
fn accepted(words: &BTreeMap<HazardWord, String>) -> Result<BTreeSet<Hazard>, Error> {
    let empty: Vec<Problem> = words
        .iter()
        .filter(|(_, reason)| reason.trim().is_empty())
        .map(|(HazardWord(hazard), _)| Problem {
            what: format!("`{}` is accepted without a reason", hazard.word()),
            place: "[accept]".to_owned(),
            why: "whoever reads the file must be able to tell why this is safe here".to_owned(),
            advice: format!("write why: {} = \"every INSERT names its columns\"", hazard.word()),
        })
        .collect();
    if empty.is_empty() {
        Ok(words.keys().map(|HazardWord(hazard)| *hazard).collect())
    } else {
        Err(Error::Usage(empty))
    }
}

/// A usage error with one reason.
pub(crate) fn usage(what: &str, place: &str, why: &str, advice: &str) -> Error {
    Error::Usage(vec![Problem { what: what.into(), place: place.into(), why: why.into(), advice: advice.into() }])
}

#[cfg(test)]
mod tests;
