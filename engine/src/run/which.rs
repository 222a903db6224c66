//! Which run a verb means.

use super::{Engine, RunState, RunStatus};
use crate::error::{Error, Problem};
use crate::name::QualifiedName;
use crate::source::Migration;

/// The newest run of a migration. That of a statement of the command line counts no more once another change of the same
/// table is complete: the statement may have been taken back by it, and is then asked for anew.
pub(super) fn latest<'a>(known: &'a [RunStatus], migration: &Migration) -> Option<&'a RunStatus> {
    let at = known.iter().rposition(|run| run.migration == migration.name)?;
    let changes_the_same = |later: &RunStatus| later.tables.iter().any(|table| known[at].tables.contains(table));
    let overtaken = migration.path.is_none()
        && known[at].state == RunState::Complete
        && known[at + 1..].iter().any(|later| later.state == RunState::Complete && changes_the_same(later));
    (!overtaken).then_some(&known[at])
}

/// The run that a name means: the newest of that name; without a name the only active one, else the newest of all.
pub(super) fn pick(runs: Vec<RunStatus>, name: Option<&str>, engine: &Engine) -> Result<RunStatus, Error> {
    if let Some(name) = name {
        let found = runs.into_iter().rev().find(|run| run.migration == name);
        return found.ok_or_else(|| unknown(format!("no run of {name} is known"), engine));
    }
    let active: Vec<&RunStatus> = runs.iter().filter(|run| run.state.is_active()).collect();
    match active.as_slice() {
        [only] => Ok((*only).clone()),
        [] => runs.into_iter().next_back().ok_or_else(|| unknown("no run is known".to_owned(), engine)),
        several => Err(Error::Usage(
            several
                .iter()
                .map(|run| Problem {
                    what: format!("{} is {}", run.migration, run.state.word()),
                    place: run.tables.iter().map(QualifiedName::display).collect::<Vec<_>>().join(", "),
                    why: "several runs are active: say which one is meant".to_owned(),
                    advice: format!("name it: {}", run.migration),
                })
                .collect(),
        )),
    }
}

fn unknown(what: String, engine: &Engine) -> Error {
    Error::Usage(vec![Problem {
        what,
        place: engine.target.display(),
        why: String::new(),
        advice: "shoofly status lists what there is".to_owned(),
    }])
}
