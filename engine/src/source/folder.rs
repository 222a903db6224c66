//! Files and folders of every layout that is read as it is.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::read::{Sections, half, pair, sections};
use super::{Migration, checksum};
use crate::error::{Error, Problem};
use crate::sql::Dialect;

/// What a file's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    /// The migration.
    name: String,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Both ways, in sections.
    Whole,
    Up,
    Down,
}

/// The files of one migration.
#[derive(Debug, Default)]
struct Files {
    whole: Option<PathBuf>,
    up: Option<PathBuf>,
    down: Option<PathBuf>,
}

/// Reads every migration in `dir`, in order of their versions: by the number at the start of the name, then by the name.
/// Files that do not end in `.sql`, hidden files and folders are left alone.
///
/// # Errors
/// [`Error::Usage`] where the folder cannot be read or its names do not fit together, [`Error::Syntax`] with every error
/// of every file.
pub fn load_folder(dialect: Dialect, dir: &Path) -> Result<Vec<Migration>, Error> {
    let mut problems = Vec::new();
    let mut found: BTreeMap<String, Files> = BTreeMap::new();
    for path in sql_files(dir)? {
        match named(&path) {
            Ok(named) => add(&mut found, &path, &named, &mut problems),
            Err(problem) => problems.push(problem),
        }
    }
    let mut ordered: Vec<(String, Files)> = found.into_iter().collect();
    ordered.sort_by(|(one, _), (other, _)| by_version(one, other));
    for pair in ordered.windows(2) {
        if let [(one, _), (other, _)] = pair
            && version(one).0.is_some()
            && version(one).0 == version(other).0
        {
            let what = format!("{one} and {other} have the same version");
            problems.push(problem(dir, what, "they have no order", "give one of them another number"));
        }
    }
    let mut texts = Vec::new();
    let mut migrations = Vec::new();
    for (name, files) in ordered {
        match load(dialect, &name, &files) {
            Ok(migration) => migrations.push(migration),
            Err(Error::Syntax(more)) => texts.extend(more),
            Err(Error::Usage(more)) => problems.extend(more),
            Err(other) => return Err(other),
        }
    }
    match (problems.is_empty(), texts.is_empty()) {
        (true, true) => Ok(migrations),
        (false, true) => Err(Error::Usage(problems)),
        (_, false) => {
            texts.extend(problems.iter().map(ToString::to_string));
            Err(Error::Syntax(texts))
        }
    }
}

/// Reads the migration of the file `path`: with its other half, where the name says that there is one.
///
/// # Errors
/// As [`load_folder`].
pub fn load_file(dialect: Dialect, path: &Path) -> Result<Migration, Error> {
    let named = named(path).map_err(|problem| Error::Usage(vec![problem]))?;
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    add(&mut found, path, &named, &mut problems);
    if named.role != Role::Whole {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        for other in sql_files(dir)?.into_iter().filter(|other| other.file_name() != path.file_name()) {
            if let Ok(its) = self::named(&other)
                && its.name == named.name
                && its.role != Role::Whole
            {
                add(&mut found, &other, &its, &mut problems);
            }
        }
    }
    if !problems.is_empty() {
        return Err(Error::Usage(problems));
    }
    load(dialect, &named.name, &found.remove(&named.name).unwrap_or_default())
}

fn load(dialect: Dialect, name: &str, files: &Files) -> Result<Migration, Error> {
    let (path, sections) = match (&files.whole, &files.up, &files.down) {
        (Some(whole), _, _) => (whole, read(dialect, whole, sections)?),
        (None, Some(up), None) => (up, read(dialect, up, half)?),
        (None, Some(up), Some(down)) => (up, both(dialect, up, down)?),
        (None, None, down) => {
            let place = down.as_deref().unwrap_or(Path::new(name));
            let what = format!("{name} has a way back and no way there");
            return Err(Error::Usage(vec![problem(
                place,
                what,
                "",
                "add the file for the way there, or remove this one",
            )]));
        }
    };
    Ok(Migration {
        name: name.to_owned(),
        path: Some(path.clone()),
        checksum: checksum::of(&sections.parts),
        up: sections.up,
        down: sections.down,
    })
}

type Reading = Result<Sections, Vec<String>>;

fn read(dialect: Dialect, path: &Path, how: fn(Dialect, &str, &str) -> Reading) -> Result<Sections, Error> {
    how(dialect, &path.display().to_string(), &text(path)?).map_err(Error::Syntax)
}

fn both(dialect: Dialect, up: &Path, down: &Path) -> Result<Sections, Error> {
    let (up_text, down_text) = (text(up)?, text(down)?);
    let half = |path: &Path, text: &str| half(dialect, &path.display().to_string(), text);
    pair(half(up, &up_text), half(down, &down_text)).map_err(Error::Syntax)
}

fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::Usage(vec![problem(path, format!("could not be read: {error}"), "", "give a readable file in UTF-8")])
    })
}

fn sql_files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |error: std::io::Error| {
        let advice = "create it with `shoofly init`, or name another with --dir";
        Error::Usage(vec![problem(dir, format!("the folder could not be read: {error}"), "", advice)])
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|ending| ending == "sql") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// What the name of `path` says: `x.sql`, `x.up.sql` and `x.down.sql`, `V1__x.sql` and `U1__x.sql`.
fn named(path: &Path) -> Result<Named, Problem> {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else {
        return Err(problem(path, "the file's name is not UTF-8".to_owned(), "", "rename it"));
    };
    let whole = |name: &str, role| Ok(Named { name: name.to_owned(), role });
    if let Some(name) = stem.strip_suffix(".up") {
        return whole(name, Role::Up);
    }
    if let Some(name) = stem.strip_suffix(".down") {
        return whole(name, Role::Down);
    }
    let (first, rest) = stem.split_at_checked(1).unwrap_or(("", stem));
    let versioned = rest.split_once("__").is_some_and(|(version, _)| {
        version.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
            && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_')
    });
    match first {
        "V" if versioned => whole(stem, Role::Up),
        "U" if versioned => whole(&format!("V{rest}"), Role::Down),
        "R" if rest.starts_with("__") => Err(problem(
            path,
            "repeatable migrations are not supported".to_owned(),
            "shoofly changes tables, and such files define views and functions",
            "keep it out of this folder and run it with another tool",
        )),
        _ => whole(stem, Role::Whole),
    }
}

fn add(found: &mut BTreeMap<String, Files>, path: &Path, named: &Named, problems: &mut Vec<Problem>) {
    let files = found.entry(named.name.clone()).or_default();
    let taken = match named.role {
        Role::Whole => files.up.is_some() || files.down.is_some() || files.whole.replace(path.to_owned()).is_some(),
        Role::Up => files.whole.is_some() || files.up.replace(path.to_owned()).is_some(),
        Role::Down => files.whole.is_some() || files.down.replace(path.to_owned()).is_some(),
    };
    if taken {
        let what = format!("{} is defined by more than one file", named.name);
        problems.push(problem(path, what, "", "rename one of them"));
    }
}

/// The number that a name starts with, as parts without leading zeros, and the name.
fn version(name: &str) -> (Option<Vec<String>>, &str) {
    let digits = name.strip_prefix('V').unwrap_or(name);
    let end = digits.find(|char: char| !(char.is_ascii_digit() || char == '.' || char == '_')).unwrap_or(digits.len());
    let number =
        digits.get(..end).unwrap_or_default().split("__").next().unwrap_or_default().trim_end_matches(['_', '.']);
    if !number.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
        return (None, name);
    }
    let mut parts: Vec<String> = number.split(['.', '_']).map(|part| part.trim_start_matches('0').to_owned()).collect();
    while parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    (Some(parts), name)
}

/// Numbers by value, before names without one.
fn by_version(one: &str, other: &str) -> Ordering {
    let key = |part: &String| (part.len(), part.clone());
    match (version(one), version(other)) {
        ((Some(first), first_name), (Some(second), second_name)) => {
            first.iter().map(key).cmp(second.iter().map(key)).then_with(|| first_name.cmp(second_name))
        }
        ((Some(_), _), (None, _)) => Ordering::Less,
        ((None, _), (Some(_), _)) => Ordering::Greater,
        ((None, first), (None, second)) => first.cmp(second),
    }
}

fn problem(place: &Path, what: String, why: &str, advice: &str) -> Problem {
    Problem { what, place: place.display().to_string(), why: why.to_owned(), advice: advice.to_owned() }
}
