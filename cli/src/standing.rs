//! What the folder says against what the database remembers: applied, unfinished, pending, and where the two disagree. Pure.

use std::collections::BTreeMap;

use shoofly_engine::Migration;
use shoofly_engine::error::Problem;
use shoofly_engine::run::{Direction, RunState, RunStatus};

/// Where a folder of migrations stands in one database.
#[derive(Debug, Default)]
pub(crate) struct Standing<'a> {
    /// Applied and not reverted, in the folder's order.
    pub(crate) applied: Vec<&'a Migration>,
    /// Begun and neither complete nor rolled back, in the folder's order; a new run must not overtake them.
    pub(crate) unfinished: Vec<Unfinished<'a>>,
    /// Not begun, or rolled back, or reverted; in the folder's order.
    pub(crate) pending: Vec<&'a Migration>,
    /// Where the folder and the database disagree.
    pub(crate) problems: Vec<Problem>,
}

/// A migration whose run waits to be taken up again, and which way it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unfinished<'a> {
    /// The migration.
    pub(crate) migration: &'a Migration,
    /// Applying or reverting.
    pub(crate) direction: Direction,
}

/// What the ledger's runs of one migration add up to.
#[derive(Debug, Default, Clone)]
struct Trace {
    applied: Option<String>,
    active: Option<(String, Direction)>,
}

/// Puts the two together.
pub(crate) fn standing<'a>(folder: &'a [Migration], runs: &[RunStatus]) -> Standing<'a> {
    let mut traces: BTreeMap<&str, Trace> = BTreeMap::new();
    for run in runs.iter().filter(|run| !is_ad_hoc(run)) {
        follow(traces.entry(run.migration.as_str()).or_default(), run);
    }
    let mut standing = Standing::default();
    let none = Trace::default();
    for migration in folder {
        let trace = traces.get(migration.name.as_str()).unwrap_or(&none);
        let known = trace.active.as_ref().map(|(checksum, _)| checksum).or(trace.applied.as_ref());
        if known.is_some_and(|checksum| *checksum != migration.checksum) {
            standing.problems.push(edited(migration));
        }
        match (&trace.active, &trace.applied) {
            (Some((_, direction)), _) => {
                standing.unfinished.push(Unfinished { migration, direction: *direction });
            }
            (None, Some(_)) => standing.applied.push(migration),
            (None, None) => standing.pending.push(migration),
        }
    }
    standing.problems.extend(out_of_order(folder, &standing));
    standing.problems.extend(missing(folder, &traces));
    standing
}

fn follow(trace: &mut Trace, run: &RunStatus) {
    trace.active = None;
    match (run.state, run.direction) {
        (RunState::Complete | RunState::Switched, Direction::Up) => trace.applied = Some(run.checksum.clone()),
        (RunState::Complete | RunState::Switched, Direction::Down) => trace.applied = None,
        (RunState::RolledBack, _) => {}
        (
            RunState::Running | RunState::Ready | RunState::Switching | RunState::Completing | RunState::RollingBack,
            direction,
        ) => trace.active = Some((run.checksum.clone(), direction)),
    }
}

/// Whether the run was a statement of the command line: no file is expected for it. The name of such a run ends with the
/// beginning of its own checksum, which no file's name does.
fn is_ad_hoc(run: &RunStatus) -> bool {
    let ending = run.migration.rsplit('_').next().unwrap_or_default();
    ending.len() >= 8 && run.checksum.starts_with(ending)
}

fn edited(migration: &Migration) -> Problem {
    Problem {
        what: "the file was changed after it had been applied or begun".to_owned(),
        place: place(migration),
        why: "the database has what the file said then, not what it says now".to_owned(),
        advice: "restore the file from version control, and write the change as a new migration".to_owned(),
    }
}

fn out_of_order(folder: &[Migration], standing: &Standing<'_>) -> Vec<Problem> {
    let position = |wanted: &Migration| folder.iter().position(|migration| migration.name == wanted.name);
    let begun = standing.unfinished.iter().map(|unfinished| unfinished.migration);
    let last = standing.applied.iter().copied().chain(begun).max_by_key(|migration| position(migration));
    let Some(last) = last else { return Vec::new() };
    standing
        .pending
        .iter()
        .filter(|migration| position(migration) < position(last))
        .map(|migration| Problem {
            what: format!("it comes before {}, which is in the database already", last.name),
            place: place(migration),
            why: "other databases would get the two in another order".to_owned(),
            advice: "give the file a later number; or apply just this one with `shoofly start` and `shoofly complete`, by name"
                .to_owned(),
        })
        .collect()
}

fn missing(folder: &[Migration], traces: &BTreeMap<&str, Trace>) -> Vec<Problem> {
    traces
        .iter()
        .filter(|(_, trace)| trace.applied.is_some() || trace.active.is_some())
        .filter(|(name, _)| !folder.iter().any(|migration| migration.name == **name))
        .map(|(name, _)| Problem {
            what: "it is in the database, and no file of that name is in the folder".to_owned(),
            place: (*name).to_owned(),
            why: "the folder no longer says what the database has".to_owned(),
            advice: "restore the file from version control, or check --dir and --url".to_owned(),
        })
        .collect()
}

fn place(migration: &Migration) -> String {
    migration.path.as_ref().map_or_else(|| migration.name.clone(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shoofly_engine::source::Script;

    fn file(name: &str, checksum: &str) -> Migration {
        Migration { name: name.into(), path: None, checksum: checksum.into(), up: Script::default(), down: None }
    }

    fn run(migration: &str, checksum: &str, state: RunState, direction: Direction) -> RunStatus {
        RunStatus {
            run: 1,
            migration: migration.into(),
            checksum: checksum.into(),
            state,
            direction,
            tables: Vec::new(),
            steps_done: 0,
            steps_total: 0,
            current: None,
            blocks_done: 0,
            blocks_total: 0,
            rows_written: 0,
            held_by: None,
            last_error: None,
            began: String::new(),
            ended: None,
        }
    }

    fn names(migrations: &[&Migration]) -> Vec<String> {
        migrations.iter().map(|migration| migration.name.clone()).collect()
    }

    #[test]
    fn follows_each_migration_through_its_runs() {
        let folder = [file("1", "a"), file("2", "b"), file("3", "c"), file("4", "d")];
        let runs = [
            run("1", "a", RunState::Complete, Direction::Up),
            run("2", "b", RunState::Complete, Direction::Up),
            run("2", "b", RunState::Complete, Direction::Down),
            run("2", "b", RunState::Ready, Direction::Up),
            run("3", "c", RunState::RolledBack, Direction::Up),
        ];
        let found = standing(&folder, &runs);
        assert_eq!(names(&found.applied), ["1"]);
        assert_eq!(found.unfinished.len(), 1);
        assert_eq!(found.unfinished[0].migration.name, "2");
        assert_eq!(names(&found.pending), ["3", "4"]);
        assert!(found.problems.is_empty(), "{:?}", found.problems);
    }

    #[test]
    fn what_is_in_force_is_applied_though_its_old_table_is_kept() {
        let folder = [file("1", "a")];
        let found = standing(&folder, &[run("1", "a", RunState::Switched, Direction::Up)]);
        assert_eq!((names(&found.applied), found.unfinished.len()), (vec!["1".to_owned()], 0));
    }

    #[test]
    fn a_reverted_revert_is_still_applied() {
        let folder = [file("1", "a")];
        let runs =
            [run("1", "a", RunState::Complete, Direction::Up), run("1", "a", RunState::RolledBack, Direction::Down)];
        assert_eq!(names(&standing(&folder, &runs).applied), ["1"]);
    }

    #[test]
    fn says_all_disagreements_at_once() {
        let folder = [file("1", "edited"), file("2", "b"), file("3", "c")];
        let runs = [
            run("1", "a", RunState::Complete, Direction::Up),
            run("3", "c", RunState::Complete, Direction::Up),
            run("0", "z", RunState::Complete, Direction::Up),
            run("alter_t_c_0123abcd", "0123abcd4567", RunState::Complete, Direction::Up),
        ];
        let found = standing(&folder, &runs).problems;
        let places: Vec<&str> = found.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["1", "2", "0"]);
    }
}
