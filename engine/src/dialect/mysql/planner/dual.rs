//! A column beside the one that changes: made at once, kept in step by triggers, filled, proved, and put in its place at once.

use super::change::{Change, OneColumn};
use super::stages::{self, Stages};
use super::{Context, Draft, native, refuse, rows};
use crate::dialect::mysql::dual::{Dual, Wanted};
use crate::dialect::mysql::native::drop_column_if_there;
use crate::dialect::mysql::{rows as text, trigger};
use crate::error::Problem;
use crate::plan::rows::{Rows, RowsStage, SetColumn};
use crate::plan::shadow::{KeyedRows, NativeAlter, NativeWay};
use crate::plan::{Check, Cost, LockMode, PhaseKind, Probe, Strategy, TableLock, Undo};
use crate::schema::mysql::{Column, Table};
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::text::Sql;

mod imagined;
mod unfit;

/// What can be done instead.
const INSTEAD: &str = "write strategy = shadow-table, or leave the directive out";

/// Plans it, where the migration asks for it.
pub(super) fn draft(change: &Change, table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    draft.strategy = Some(Strategy::DualColumn);
    refuse::beside_writers(table, cx, draft);
    refuse::locks_unseen(cx, draft);
    refuse::snapshot_isolation(cx, draft);
    rows::user_triggers(table, cx, draft);
    let Some(one) = change.only_column() else {
        draft.problems.push(cx.problem(
            "strategy = dual-column is for the change of one column",
            "the statement has several clauses, or another one than MODIFY and CHANGE",
            format!("put the change of the column into a migration of its own; else {INSTEAD}"),
        ));
        return;
    };
    let Some(before) = table.column(one.from.as_str()) else {
        let what = format!("{} has no column {}", table.path.display(), one.from.as_str());
        draft.problems.push(cx.problem(what, "the statement changes it", "check the name"));
        return;
    };
    unfit::column(before, table, cx, draft);
    match dual(&one, before, table, cx) {
        Ok(dual) => {
            unfit::beside(&dual, table, cx, draft);
            findings(&dual, table, cx, draft);
            if draft.problems.is_empty() {
                plan(&dual, table, cx, draft);
            }
        }
        Err(why) => {
            let what = format!("{} cannot get a column beside it", before.name.as_str());
            draft.problems.push(cx.problem(what, why, INSTEAD));
        }
    }
}

/// The column beside it; else why there is none.
fn dual(one: &OneColumn<'_>, before: &Column, table: &Table, cx: &Context<'_>) -> Result<Dual, String> {
    let after = cx.tried.and_then(|tried| tried.after.as_ref());
    let wanted = match after {
        Some(after) => Wanted::of(after, one.to),
        None => Some(imagined::column(one, before, table)),
    };
    let wanted = wanted.ok_or_else(|| "what the server makes of it cannot be read".to_owned())?;
    let dual = Dual::of(cx.server().product, before, wanted)?;
    match cx.tried.and_then(|tried| tried.beside.as_ref()) {
        Some(reason) => Err(format!("the server does not change the columns at once: {reason}")),
        None => Ok(dual),
    }
}

fn findings(dual: &Dual, table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    if cx.server().product == Product::MySql {
        draft.findings.push(cx.finding(
            None,
            cx.problem(
                format!(
                    "a REPEATABLE READ transaction that first looks at {} after its columns have changed gets error 1412",
                    table.path.display()
                ),
                format!(
                    "MySQL shows no table whose columns are younger than the transaction; {} comes with `start`, and {} goes \
                     with `complete`",
                    dual.beside().name.as_str(),
                    dual.before().name.as_str()
                ),
                "let the application repeat such transactions",
            ),
        ));
    }
    if cx.tried.is_none() {
        draft.findings.push(cx.finding(
            None,
            cx.problem(
                "whether the server changes the columns at once is not known yet",
                "a command that only reads does not try it",
                "`shoofly start` tries it on an empty copy first, and refuses the change where the server cannot",
            ),
        ));
    }
}

fn plan(dual: &Dual, table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    let rows = match filled(dual, table, cx) {
        Ok(rows) => rows,
        Err(problem) => {
            draft.problems.push(problem);
            return;
        }
    };
    let (old, new) = (dual.before().name.as_str(), dual.beside().name.as_str());
    let place = format!("{new} of {}", table.path.display());
    draft.preflight.extend(preflight(dual, table));
    let lock = TableLock { table: table.path.qualified(), mode: LockMode::MetadataExclusive };
    let undo = Undo::Statements {
        lock_first: vec![lock],
        statements: vec![drop_column_if_there(&table.path, &dual.beside().name)],
    };
    let add = NativeAlter {
        table: table.path.clone(),
        clauses: dual.add(),
        how: NativeWay::Instant,
        neighbours: Vec::new(),
        rows: KeyedRows::AsTheServerDoes,
    };
    let title = format!("add the invisible column {place}");
    draft.steps.push(native::seed(PhaseKind::Expand, title, add, Cost::Catalogue, undo));
    let mut follow: Vec<Sql> = trigger::announce(cx.server().product, table).into_iter().collect();
    follow.extend(text::drop(&table.path));
    follow.extend(dual.follow(&rows));
    let proof = stages::check(
        table,
        format!("every {new} of {} is what {old} becomes", table.path.display()),
        dual.violation(),
        "correct these rows and run the same command again, or roll back",
    );
    let stages = Stages { table, rows: &rows, place };
    draft.steps.extend(stages.until_ready(follow, proof));
    let title = format!("put {new} in the place of {old} ({})", table.path.display());
    let mut end = stages.end(title, RowsStage::Replace, dual.take_over(&table.path));
    end.step.probe = Probe::Query { query: dual.taken_over(&table.path) };
    end.step.undo = Undo::Impossible { why: "the new column is taking the old one's place".to_owned() };
    draft.steps.push(end);
}

fn filled(dual: &Dual, table: &Table, cx: &Context<'_>) -> Result<Rows, Problem> {
    let (key, key_index) = stages::key(table, cx)?;
    let kept = table.columns.iter().filter(|column| rows::changes_by_itself(column));
    Ok(Rows {
        table: table.path.clone(),
        key,
        key_index,
        set: vec![SetColumn { column: dual.beside().clone(), value: sql!("{c}", c = dual.before().name) }],
        pending: dual.pending(),
        kept: kept.map(|column| column.name.clone()).collect(),
        replaces: Some(Box::new(dual.before().clone())),
        chunk: cx.statement.options.chunk,
    })
}

/// What plain DDL would refuse too.
fn preflight(dual: &Dual, table: &Table) -> Vec<Check> {
    let (before, after) = (dual.before(), dual.beside());
    let name = format!("{} of {}", before.name.as_str(), table.path.display());
    let check = |claim: String, violation: Sql| stages::check(table, claim, violation, "correct these rows");
    let mut checks = vec![check(format!("every value of {name} can become {}", after.column_type), dual.unfit())];
    if before.nullable && !after.nullable {
        checks.push(check(format!("no value of {name} is NULL"), sql!("{c} IS NULL", c = before.name)));
    }
    checks
}
