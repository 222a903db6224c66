//! Statements and facts → plan, for MySQL and MariaDB. Pure.

use std::collections::BTreeMap;

use crate::error::{Error, Problem};
use crate::op::Operation;
use crate::plan::{
    Check, Direction, FORMAT, Finding, Hazard, Phase, PhaseKind, Plan, PlannedOperation, Step, StepId, Strategy,
};
use crate::schema::mysql::{Server, Table, TablePath};
use crate::settings::Settings;
use crate::source::{Migration, Script, Statement};
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::WrittenName;
use crate::sql::mysql::statement::{self, UpdateTarget, read_statement};
use crate::sql::mysql::{Mode, Name};

use super::names;

mod change;
mod dual;
mod facts;
mod group;
mod keys;
mod matrix;
mod native;
mod refuse;
mod rows;
mod shadow;
mod stages;
mod steps;
mod window;

use change::Change;
pub use facts::{Facts, Tried};
use group::Group;

/// A step on its way into a plan.
#[derive(Debug)]
struct Seed {
    phase: PhaseKind,
    /// Its identity is given when all are known.
    step: Step,
}

/// What one statement comes to.
#[derive(Debug, Default)]
struct Draft {
    strategy: Option<Strategy>,
    summary: String,
    steps: Vec<Seed>,
    tables: Vec<TablePath>,
    findings: Vec<Finding>,
    /// Read-only checks of rows that must hold before the first change.
    preflight: Vec<Check>,
    problems: Vec<Problem>,
    /// Tables that must stay what they are meanwhile.
    beside: Vec<TablePath>,
    /// Whether the old table can be kept for a time.
    keep: window::Keep,
}

/// What a statement's plan is made from.
#[derive(Clone, Copy)]
struct Context<'a> {
    facts: &'a Facts,
    settings: &'a Settings,
    statement: &'a Statement,
    /// What the server said about the statement, where it was tried.
    tried: Option<&'a Tried>,
}

impl Context<'_> {
    fn server(&self) -> &Server {
        &self.facts.catalogue.server
    }

    fn problem(&self, what: impl Into<String>, why: impl Into<String>, advice: impl Into<String>) -> Problem {
        Problem { what: what.into(), place: self.statement.place.clone(), why: why.into(), advice: advice.into() }
    }

    /// Something to be told, and to be agreed to where it is a hazard.
    fn finding(&self, hazard: Option<Hazard>, problem: Problem) -> Finding {
        let accepted = hazard.is_some_and(|hazard| {
            self.settings.accept.contains(&hazard) || self.statement.options.accept.contains(&hazard)
        });
        let Problem { what, place, why, advice } = problem;
        Finding { hazard, accepted, what, place, why, advice }
    }

    /// The table that a name means.
    fn path(&self, name: &WrittenName) -> Option<TablePath> {
        let database = name.database.clone().or_else(|| self.server().database.clone())?;
        Some(TablePath::new(database, name.name.clone()))
    }

    fn table(&self, name: &WrittenName, draft: &mut Draft) -> Option<&Table> {
        let Some(path) = self.path(name) else {
            draft.problems.push(self.problem(
                format!("{} is in no database", name.display()),
                "neither the statement nor the URL names one",
                "write database.table, or put the database at the URL's end",
            ));
            return None;
        };
        let found = self.facts.catalogue.table(&path);
        if found.is_none() {
            draft.problems.push(self.problem(
                format!("there is no table {}", path.display()),
                "or the user may not see it",
                "check the name and the rights",
            ));
        }
        found
    }
}

/// The tables that must be known before a script can be planned: those that it names, and those whose names a run would want.
#[must_use]
pub fn wanted(script: &Script, mode: Mode) -> Vec<WrittenName> {
    let mut wanted: Vec<WrittenName> = Vec::new();
    for statement in &script.statements {
        let Some(table) = named(&statement.sql, mode) else { continue };
        let beside = ["_shoofly", "_shoofly_old"]
            .map(|suffix| WrittenName { database: table.database.clone(), name: names::derived(&table.name, suffix) });
        let change = Change::read(&statement.sql, mode);
        let referenced = change.iter().flat_map(Change::refers_to);
        for name in [table].into_iter().chain(beside).chain(referenced) {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
    }
    wanted
}

/// A statement to be tried on an empty copy: the table, its clauses together, and each for itself.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The statement's place in the script.
    pub at: usize,
    /// The table.
    pub table: WrittenName,
    /// All clauses together; those about foreign keys left out, which an empty copy does not have.
    pub whole: String,
    /// The clauses of each statement, where several statements are carried out as one.
    pub sequence: Vec<String>,
    /// Each of these clauses, as written.
    pub clauses: Vec<String>,
    /// Places of these clauses in the statement.
    pub places: Vec<usize>,
    /// The column that gets another one beside it, and its name afterwards, where the migration asks for that.
    pub beside: Option<[Name; 2]>,
}

/// What can be asked of the server by trying it on an empty copy.
#[must_use]
pub fn trials(script: &Script, mode: Mode) -> Vec<Trial> {
    group::groups(script, mode)
        .into_iter()
        .filter_map(|group| {
            let (at, change) = (*group.places.first()?, group.whole?);
            if mode.server.is_some_and(|server| server.product == Product::MySql) && change.is_about_checks() {
                return None;
            }
            let kept: Vec<usize> = (0..change.clauses().len()).filter(|place| !change.is_about_keys(*place)).collect();
            let clauses: Vec<String> = kept.iter().map(|place| change.clauses()[*place].text.clone()).collect();
            let sequence = group.single.iter().map(|one| one.without_keys().as_str().to_owned());
            let some = !clauses.is_empty();
            let strategy = script.statements.get(at).and_then(|statement| statement.options.strategy);
            let column = change.only_column().filter(|_| strategy == Some(Strategy::DualColumn));
            some.then(|| Trial {
                at,
                table: change.table().clone(),
                whole: change.without_keys().as_str().to_owned(),
                sequence: sequence.filter(|text| !text.is_empty()).collect(),
                clauses,
                places: kept,
                beside: column.map(|column| [column.from.clone(), column.to.clone()]),
            })
        })
        .collect()
}

fn named(sql: &str, mode: Mode) -> Option<WrittenName> {
    if let Some(change) = Change::read(sql, mode) {
        return Some(change.table().clone());
    }
    match read_statement(sql, mode).ok()? {
        statement::Statement::Update(update) => match update.target {
            UpdateTarget::Table { table, .. } => Some(table.name),
            UpdateTarget::Complex(_) => None,
        },
        _ => None,
    }
}

/// Plans a migration against what is known of the database, touching nothing.
///
/// # Errors
/// [`Error::Refused`] with every reason at once.
pub fn plan(migration: &Migration, direction: Direction, facts: &Facts, settings: &Settings) -> Result<Plan, Error> {
    let script = migration.script(direction)?;
    let server = &facts.catalogue.server;
    let mut problems = refuse::server(server);
    let mut steps = Vec::new();
    let mut preflight = Vec::new();
    let mut keeps = Vec::new();
    let (mut tables, mut findings): (Vec<TablePath>, Vec<Finding>) = (Vec::new(), Vec::new());
    let mut beside: Vec<(TablePath, String)> = Vec::new();
    let mode = Mode::of(server.product, server.version, &server.sql_mode);
    let mut planned: BTreeMap<usize, PlannedOperation> = BTreeMap::new();
    for group in group::groups(script, mode) {
        let Some(statement) = group.places.first().map(|at| &script.statements[*at]) else { continue };
        let tried = group.places.first().and_then(|at| facts.tried.get(at));
        let draft = draft(&group, &Context { facts, settings, statement, tried });
        if let Some(again) = draft.tables.iter().find(|table| tables.contains(table)) {
            problems.push(Problem {
                what: format!("{} is changed by another statement of the migration as well", again.display()),
                place: statement.place.clone(),
                why: "a change of rows and one of the table cannot be under way at once".to_owned(),
                advice: "put them into migrations of their own".to_owned(),
            });
        }
        problems.extend(draft.problems);
        tables.extend(draft.tables);
        beside.extend(draft.beside.into_iter().map(|path| (path, statement.place.clone())));
        for finding in draft.findings {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        steps.extend(draft.steps);
        preflight.extend(draft.preflight);
        keeps.push((draft.strategy, draft.keep));
        for (number, at) in group.places.iter().enumerate() {
            let summary = group.single.get(number).map_or_else(|| draft.summary.clone(), Change::summary);
            let strategy = draft.strategy.unwrap_or(Strategy::Metadata);
            planned.insert(*at, PlannedOperation { sql: script.statements[*at].sql.clone(), summary, strategy });
        }
    }
    problems.extend(keys::add_beside(beside, &mut tables));
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    Ok(Plan {
        format: FORMAT,
        migration: migration.name.clone(),
        checksum: migration.checksum.clone(),
        server: words(server),
        server_version: server.version,
        operations: planned.into_values().collect(),
        tables: tables.iter().map(TablePath::qualified).collect(),
        findings,
        preflight,
        phases: phases(steps),
        window: window::together(keeps, &migration.name),
    })
}

fn draft(group: &Group, cx: &Context<'_>) -> Draft {
    let mut draft = Draft::default();
    match &group.whole {
        Some(change) => {
            draft.summary = change.summary();
            alter(change, cx, &mut draft);
        }
        None if group.single.is_empty() => rows_or_nothing(cx, &mut draft),
        None => draft.problems.push(cx.problem(
            "the statements about this table cannot be put together",
            "the table is copied once, for all of them",
            "write them as one ALTER TABLE, or put them into migrations of their own",
        )),
    }
    draft
}

fn rows_or_nothing(cx: &Context<'_>, draft: &mut Draft) {
    let mode = Mode::of(cx.server().product, cx.server().version, &cx.server().sql_mode);
    if let [Operation::UpdateRows(update)] = &cx.statement.operations[..]
        && let Some(name) = named(&cx.statement.sql, mode)
    {
        rows::draft(update, &name, cx, draft);
        return;
    }
    draft.summary = "a statement".to_owned();
    draft.problems.push(cx.problem(
        "the statement cannot be carried out without blocking the application",
        "it is none of ALTER TABLE, CREATE INDEX, DROP INDEX and UPDATE",
        "run it by hand, or write it as one of them",
    ));
}

fn alter(change: &Change, cx: &Context<'_>, draft: &mut Draft) {
    let Some(table) = cx.table(change.table(), draft) else { return };
    if keys::refuse_hidden(change, cx, draft) || refuse::by_the_server(change, table, cx, draft) {
        return;
    }
    draft.tables.push(table.path.clone());
    refuse::table(table, change, cx, draft);
    keys::refuse(change, table, cx, draft);
    let parts = parts(change, table, cx);
    match (cx.statement.options.strategy, parts) {
        (Some(Strategy::Direct), _) => native::direct(change, table, cx, draft),
        (Some(Strategy::DualColumn), _) => dual::draft(change, table, cx, draft),
        (Some(Strategy::ShadowTable), _) => shadow::draft(change, table, "the migration asks for it", cx, draft),
        (wanted, Ok(parts)) => {
            native::draft(change, &parts, table, cx, draft);
            refuse::other_strategy(wanted, cx, draft);
        }
        (wanted, Err(reason)) => {
            shadow::draft(change, table, &reason, cx, draft);
            refuse::other_strategy(wanted, cx, draft);
        }
    }
}

/// Runs of clauses that the server carries out without copying; else why it copies.
fn parts(
    change: &Change,
    table: &Table,
    cx: &Context<'_>,
) -> Result<Vec<(Vec<usize>, crate::plan::shadow::NativeWay)>, String> {
    let mut parts: Vec<(Vec<usize>, crate::plan::shadow::NativeWay)> = Vec::new();
    let is_key = |places: &[usize]| !keys::added(change, places).is_empty();
    let mut add = |places: &[usize], way| match parts.last_mut() {
        Some((before, same)) if *same == way && is_key(before) == is_key(places) => before.extend(places),
        _ => parts.push((places.to_vec(), way)),
    };
    if let Some(tried) = cx.tried {
        if tried.parts.is_empty() {
            return Err(tried.reason.clone());
        }
        for (places, way) in &tried.parts {
            add(places, *way);
        }
        // Clauses that could not be tried.
        for place in (0..change.clauses().len()).filter(|place| change.is_about_keys(*place)) {
            add(&[place], matrix::way(&change.clauses()[place], change, table, cx.server())?);
        }
        return Ok(parts);
    }
    for (place, clause) in change.clauses().iter().enumerate() {
        add(&[place], matrix::way(clause, change, table, cx.server())?);
    }
    Ok(parts)
}

/// The product and its version, for people.
fn words(server: &Server) -> String {
    let product = match server.product {
        Product::MySql => "MySQL",
        Product::MariaDb => "MariaDB",
    };
    format!("{product} {}.{}", server.version / 10_000, server.version / 100 % 100)
}

fn phases(mut seeds: Vec<Seed>) -> Vec<Phase> {
    let mut phases = Vec::new();
    for kind in PhaseKind::ALL {
        let (mine, rest): (Vec<Seed>, Vec<Seed>) = seeds.into_iter().partition(|seed| seed.phase == kind);
        seeds = rest;
        let numbered = mine.into_iter().enumerate();
        let steps: Vec<Step> = numbered
            .map(|(at, seed)| Step { id: StepId(format!("{}.{}", kind.word(), at + 1)), ..seed.step })
            .collect();
        if !steps.is_empty() {
            phases.push(Phase { kind, steps });
        }
    }
    phases
}

/// Whether names are one, as columns are compared.
fn is_among(names: &[Name], name: &Name) -> bool {
    names.iter().any(|known| known.same_as(name.as_str()))
}
