//! Which migration is meant: a path, a name, the beginning of a name, or the next one.

use std::path::Path;

use shoofly_engine::error::Problem;
use shoofly_engine::run::Direction;
use shoofly_engine::{Engine, Error, Migration};

use super::Context;
use crate::settings::usage;
use crate::standing::{Standing, standing};
use shoofly_engine::source;

/// The migration that `wanted` names.
///
/// # Errors
/// [`Error::Usage`] for none or several, and where no database was given; [`Error::Syntax`] for a file that does not parse.
pub(crate) fn named(cx: &Context, wanted: &str) -> Result<Migration, Error> {
    let path = Path::new(wanted);
    if path.is_file() {
        return source::load_file(cx.dialect()?, path);
    }
    if wanted.contains('/') {
        let advice = "check the path, or give the migration's name";
        return Err(usage("there is no such file", wanted, "", advice));
    }
    let mut folder = source::load_folder(cx.dialect()?, &cx.settings.dir)?;
    if let Some(at) = folder.iter().position(|migration| migration.name == wanted) {
        return Ok(folder.swap_remove(at));
    }
    let fits: Vec<usize> = (0..folder.len()).filter(|at| folder[*at].name.contains(wanted)).collect();
    match fits[..] {
        [at] => Ok(folder.swap_remove(at)),
        [] => Err(unknown(cx, wanted, &folder)),
        _ => {
            let names: Vec<&str> = fits.iter().map(|at| folder[*at].name.as_str()).collect();
            let advice = format!("name one of: {}", names.join(", "));
            Err(usage(&format!("{wanted:?} fits {} migrations", fits.len()), "command line", "", &advice))
        }
    }
}

/// The first unfinished migration, else the first pending one; `None` where everything is applied.
///
/// # Errors
/// [`Error::Divergence`] where the folder and the database disagree.
pub(crate) async fn next(cx: &Context, engine: &Engine) -> Result<Option<Migration>, Error> {
    let folder = source::load_folder(cx.dialect()?, &cx.settings.dir)?;
    let runs = engine.runs().await?;
    let standing = agreeing(standing(&folder, &runs))?;
    let begun = standing.unfinished.iter().map(|unfinished| unfinished.migration);
    Ok(begun.chain(standing.pending.iter().copied()).next().cloned())
}

/// Makes sure that no run goes the other way.
///
/// # Errors
/// [`Error::Refused`] with every run that does.
pub(crate) fn only_going(direction: Direction, standing: &Standing<'_>) -> Result<(), Error> {
    let (verb, other) = match direction {
        Direction::Up => ("reverted", "down"),
        Direction::Down => ("applied", "up"),
    };
    let against: Vec<Problem> = standing
        .unfinished
        .iter()
        .filter(|unfinished| unfinished.direction != direction)
        .map(|unfinished| Problem {
            what: format!("it is being {verb} by a run that is not finished"),
            place: unfinished.migration.name.clone(),
            why: String::new(),
            advice: format!("finish that run with `shoofly {other}`, or undo it with `shoofly rollback`"),
        })
        .collect();
    if against.is_empty() { Ok(()) } else { Err(Error::Refused(against)) }
}

/// The standing, or its disagreements as the error.
///
/// # Errors
/// [`Error::Divergence`].
pub(crate) fn agreeing(standing: Standing<'_>) -> Result<Standing<'_>, Error> {
    if standing.problems.is_empty() { Ok(standing) } else { Err(Error::Divergence(standing.problems)) }
}

fn unknown(cx: &Context, wanted: &str, folder: &[Migration]) -> Error {
    let dir = cx.settings.dir.display();
    let names: Vec<&str> = folder.iter().rev().take(10).map(|migration| migration.name.as_str()).collect();
    let advice = if names.is_empty() {
        format!("{dir} holds no migrations; check --dir")
    } else {
        format!("the newest ones in {dir} are: {}", names.join(", "))
    };
    Error::Usage(vec![Problem {
        what: format!("there is no migration {wanted:?}"),
        place: "command line".to_owned(),
        why: String::new(),
        advice,
    }])
}
