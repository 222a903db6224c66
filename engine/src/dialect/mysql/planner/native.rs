//! Changes that the server makes by itself, without copying rows.

use super::change::Change;
use super::{Context, Draft, Seed, keys};
use crate::dialect::mysql::native::{drop_column_if_there, drop_index_if_there};
use crate::plan::shadow::{KeyedRows, NativeAlter, NativeWay};
use crate::plan::{
    Action, Cost, Guard, Held, Lock, LockMode, PhaseKind, Probe, Step, StepId, Strategy, TableLock, Undo,
};
use crate::schema::mysql::Table;
use crate::sql::mysql::statement::{AddForeignKey, ClauseKind, IndexKind};
use crate::text::Sql;

/// Each run of clauses is one statement with its algorithm stated.
pub(super) fn draft(
    change: &Change,
    parts: &[(Vec<usize>, NativeWay)],
    table: &Table,
    cx: &Context<'_>,
    draft: &mut Draft,
) {
    let all_instant = parts.iter().all(|(_, way)| *way == NativeWay::Instant);
    draft.strategy = Some(if all_instant { Strategy::Metadata } else { Strategy::Online });
    let can_go_back = change
        .clauses()
        .iter()
        .all(|clause| is_additive(&clause.kind, change, cx) || matches!(clause.kind, ClauseKind::AddForeignKey(_)));
    for (places, way) in parts {
        let undo = if can_go_back { undo(change, places, table) } else { closed() };
        let keys = keys::added(change, places);
        let adds_index = places.iter().any(|at| matches!(change.clauses()[*at].kind, ClauseKind::AddIndex(_)));
        let phase = match (can_go_back && keys.is_empty(), adds_index) {
            (false, _) => PhaseKind::Contract,
            (true, false) => PhaseKind::Expand,
            (true, true) => PhaseKind::Build,
        };
        let cost = match adds_index || keys.iter().any(|key| !keys::is_served(key, table)) {
            true => Cost::IndexBuild { bytes: table.data_bytes },
            false => Cost::Catalogue,
        };
        let alter = NativeAlter {
            table: table.path.clone(),
            clauses: change.sql(places),
            how: *way,
            neighbours: neighbours(change, places, table),
            rows: if keys.is_empty() { KeyedRows::AsTheServerDoes } else { KeyedRows::Unseen },
        };
        let step = seed(phase, change.summary_of(places), alter, cost, undo);
        if keys.is_empty() {
            draft.steps.push(step);
            continue;
        }
        draft.beside.extend(keys.iter().map(|key| keys::referenced(key, table)).filter(|path| *path != table.path));
        let known = |key: &&AddForeignKey| key.columns.iter().all(|column| table.column(column.as_str()).is_some());
        if can_go_back || keys.iter().all(known) {
            draft.steps.push(keys::proof(PhaseKind::Verify, &keys, table));
        }
        draft.steps.extend([step, keys::proof(PhaseKind::Contract, &keys, table)]);
    }
    // Foreign keys are not tried: an empty copy has none.
    let could_be = |at: usize| !change.is_about_keys(at);
    if cx.tried.is_none() && (0..change.clauses().len()).any(could_be) {
        draft.findings.push(cx.finding(
            None,
            cx.problem(
                "how the server carries this out is known from its manual",
                "a command that only reads does not try it",
                "`shoofly start` tries it on an empty copy first, and states the algorithm: a surprise fails and changes nothing",
            ),
        ));
    }
}

/// The statement as it is, with everybody waiting.
pub(super) fn direct(change: &Change, table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    draft.strategy = Some(Strategy::Direct);
    if !cx.settings.allow_blocking && !cx.statement.options.allow_blocking {
        draft.problems.push(cx.problem(
            "strategy = direct blocks the application",
            "the server copies the table, and writers wait for as long as that takes",
            "leave the directive out, or allow it: --allow blocking, or `-- shoofly: allow = blocking` above the statement",
        ));
    }
    let alter = NativeAlter {
        table: table.path.clone(),
        clauses: change.all(),
        how: NativeWay::Blocking,
        neighbours: Vec::new(),
        rows: KeyedRows::AsTheServerDoes,
    };
    let cost = Cost::Rows { rows: table.estimated_rows, bytes: table.data_bytes };
    draft.steps.push(seed(PhaseKind::Contract, change.summary(), alter, cost, closed()));
}

pub(super) fn seed(phase: PhaseKind, title: String, alter: NativeAlter, cost: Cost, undo: Undo) -> Seed {
    let held = if alter.how == NativeWay::Blocking { Held::Work } else { Held::Moment };
    let lock = |path: &crate::schema::mysql::TablePath, why: &str| Lock {
        relation: path.qualified(),
        mode: LockMode::MetadataExclusive,
        why: why.to_owned(),
        held,
    };
    let mut locks = vec![lock(&alter.table, "")];
    locks.extend(alter.neighbours.iter().map(|path| lock(path, "other end of a foreign key")));
    let step = Step {
        id: StepId(String::new()),
        title,
        action: Action::Native(alter),
        locks,
        guard: Guard::Brief,
        cost,
        probe: Probe::Catalogue,
        undo,
    };
    Seed { phase, step }
}

/// Whether the application does not notice it: new things that no statement of the old shape meets.
fn is_additive(kind: &ClauseKind, change: &Change, cx: &Context<'_>) -> bool {
    match kind {
        ClauseKind::AddColumn(add) => {
            let made = cx.tried.and_then(|tried| tried.after.as_ref());
            // Without a value of its own, inserts that do not name it would fail.
            match made.and_then(|table| table.column(add.column.as_str())) {
                Some(column) => column.nullable || column.default.is_some() || column.generated.is_some(),
                None => {
                    let definition = change.part(&add.definition).to_uppercase();
                    !definition.contains("NOT NULL") || definition.contains("DEFAULT") || definition.contains(" AS ")
                }
            }
        }
        ClauseKind::AddIndex(add) => add.kind == IndexKind::Plain && add.name.is_some(),
        _ => false,
    }
}

fn undo(change: &Change, places: &[usize], table: &Table) -> Undo {
    let each = places.iter().rev().filter_map(|at| match &change.clauses()[*at].kind {
        ClauseKind::AddColumn(add) => Some(drop_column_if_there(&table.path, &add.column)),
        ClauseKind::AddIndex(add) => add.name.as_ref().map(|name| drop_index_if_there(&table.path, name)),
        _ => None,
    });
    let statements: Vec<Sql> = keys::undo(change, places, table).into_iter().chain(each).collect();
    let lock = TableLock { table: table.path.qualified(), mode: LockMode::MetadataExclusive };
    Undo::Statements { lock_first: vec![lock], statements }
}

fn closed() -> Undo {
    Undo::Impossible { why: "the server has changed the table, and keeps nothing of what it was".to_owned() }
}

/// Tables at the other end of foreign keys that the clauses touch.
fn neighbours(change: &Change, places: &[usize], table: &Table) -> Vec<crate::schema::mysql::TablePath> {
    let touched = places.iter().any(|at| change.is_about_keys(*at));
    let mut found = Vec::new();
    for key in table.foreign_keys.iter().filter(|key| touched && change.drops_key(&key.name)) {
        if key.referenced != table.path && !found.contains(&key.referenced) {
            found.push(key.referenced.clone());
        }
    }
    for path in keys::added(change, places).into_iter().map(|key| keys::referenced(key, table)) {
        if path != table.path && !found.contains(&path) {
            found.push(path);
        }
    }
    found
}
