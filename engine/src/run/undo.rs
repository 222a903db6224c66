//! The way back as a value: the undo statements of every begun step, later steps' first.

use std::collections::BTreeMap;

use super::StepState;
use crate::error::{Error, Problem};
use crate::name::{QualifiedName, TableName};
use crate::plan::{Plan, Step, StepId, TableLock, Undo};
use crate::text::Sql;

/// What a rollback runs.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct WayBack {
    /// Indexes dropped concurrently, before the transaction.
    pub(crate) indexes: Vec<IndexDrop>,
    /// Tables locked, in order.
    pub(crate) locks: Vec<TableLock>,
    /// The statements of the one transaction.
    pub(crate) statements: Vec<Sql>,
}

/// One `DROP INDEX CONCURRENTLY`.
#[derive(Debug, PartialEq)]
pub(crate) struct IndexDrop {
    pub(crate) index: QualifiedName,
    pub(crate) table: TableName,
    pub(crate) statement: Sql,
}

/// The way back from where the run stands.
///
/// # Errors
/// [`Error::Refused`] where a step that cannot be taken back was begun.
pub(crate) fn way_back(plan: &Plan, states: &BTreeMap<StepId, StepState>) -> Result<WayBack, Error> {
    let mut way = WayBack::default();
    let touched = |step: &&Step| states.contains_key(&step.id);
    // Locks in the order in which the steps took them: the changed table first.
    for step in plan.steps().filter(touched) {
        if let Undo::Statements { lock_first, .. } = &step.undo {
            for lock in lock_first {
                add(&mut way.locks, lock);
            }
        }
    }
    for step in plan.steps().rev().filter(touched) {
        match &step.undo {
            Undo::Nothing => {}
            Undo::Statements { statements, .. } => way.statements.extend(statements.iter().cloned()),
            Undo::DropIndex { index, table, statement } => {
                way.indexes.push(IndexDrop {
                    index: index.clone(),
                    table: table.clone(),
                    statement: statement.clone(),
                });
            }
            Undo::Impossible { why } => return Err(closed(plan, step, why)),
        }
    }
    Ok(way)
}

fn add(locks: &mut Vec<TableLock>, lock: &TableLock) {
    match locks.iter_mut().find(|known| known.table == lock.table) {
        Some(known) => known.mode = known.mode.max(lock.mode),
        None => locks.push(lock.clone()),
    }
}

fn closed(plan: &Plan, step: &Step, why: &str) -> Error {
    Error::Refused(vec![Problem {
        what: format!(
            "{} cannot be rolled back: step {} ({}) has been carried out",
            plan.migration, step.id, step.title
        ),
        place: plan.tables.iter().map(QualifiedName::display).collect::<Vec<_>>().join(", "),
        why: why.to_owned(),
        advice: format!("finish it with `shoofly complete {}`; the way back is then `shoofly down`", plan.migration),
    }])
}
