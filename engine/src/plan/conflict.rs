//! Operations of one migration that get into each other's way.
//!
//! The phases of all operations are merged: everything that is put beside the old shape stands there at the same time, and
//! everything that goes, goes at the end. So an operation cannot build on a column that an earlier one is still replacing.

use super::context::Context;
use super::draft::Draft;
use super::expression;
use super::{Check, Strategy};
use crate::error::Problem;
use crate::name::{Ident, TableName};
use crate::op::{Expr, Operation};
use crate::schema::{ConstraintKind, Table};

/// What the operations before have done to columns.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// Replaced by a dual column.
    replaced: Vec<(TableName, Ident)>,
    /// Dropped.
    dropped: Vec<(TableName, Ident)>,
    /// Named by the operation as its own target.
    touched: Vec<(TableName, Ident)>,
    /// Read by an expression that goes on being computed until `complete`.
    read: Vec<(TableName, Ident)>,
    /// Given values.
    written: Vec<(TableName, Ident)>,
}

impl Earlier {
    /// Reasons why `operation` cannot be in one migration with those before.
    pub(crate) fn conflicts(
        &self,
        operation: &Operation,
        draft: &Draft,
        table: &TableName,
        cx: &Context<'_>,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |column: &Ident, what: &str| {
            problems.push(cx.problem(
                format!("{}.{} {what}", table.display(), column.as_str()),
                "until the migration is complete both shapes stand side by side, and this one would have to build on both",
                "split it into two migrations",
            ));
        };
        let replaces = draft.strategy == Some(Strategy::DualColumn);
        let drops = matches!(operation, Operation::DropColumn(_));
        for column in targets(operation).iter().chain(&sources(operation)) {
            let key = (table.clone(), column.clone());
            if self.replaced.contains(&key) {
                refuse(column, "gets a new type in the same migration");
            } else if self.dropped.contains(&key) {
                refuse(column, "is dropped in the same migration");
            } else if (replaces && (self.touched.contains(&key) || self.read.contains(&key)))
                || (drops && self.touched.contains(&key))
            {
                refuse(column, "is worked on by an earlier statement of the same migration");
            }
        }
        if replaces {
            for column in targets(operation) {
                for (other_table, other) in &self.replaced {
                    if let Some(link) = link(cx, (table, &column), (other_table, other)) {
                        refuse(
                            &column,
                            &format!(
                                "is linked by {link} to {}.{}, which gets a new type too",
                                other_table.display(),
                                other.as_str()
                            ),
                        );
                    }
                }
            }
        }
        problems
    }

    /// Whether an earlier operation makes or fills what a check reads, so that there is nothing to check yet.
    pub(crate) fn makes_anew(&self, check: &Check) -> bool {
        let reads = expression::columns(check.violation.as_str()).unwrap_or_default();
        reads.into_iter().any(|column| self.written.contains(&(check.table.clone(), column)))
    }

    /// Takes note of an operation that was planned.
    pub(crate) fn remember(&mut self, operation: &Operation, draft: &Draft, table: &TableName) {
        let keys = |columns: Vec<Ident>| columns.into_iter().map(|column| (table.clone(), column));
        self.touched.extend(keys(targets(operation)));
        self.read.extend(keys(sources(operation)));
        match operation {
            Operation::DropColumn(_) => self.dropped.extend(keys(targets(operation))),
            Operation::AlterColumnType(_) if draft.strategy == Some(Strategy::DualColumn) => {
                self.replaced.extend(keys(targets(operation)));
            }
            Operation::AddColumn(_) | Operation::UpdateRows(_) => self.written.extend(keys(targets(operation))),
            Operation::SetNotNull(op) if op.up.is_some() => self.written.extend(keys(targets(operation))),
            _ => {}
        }
    }
}

fn targets(operation: &Operation) -> Vec<Ident> {
    operation.columns().into_iter().cloned().collect()
}

/// Columns that the operation's expressions read.
fn sources(operation: &Operation) -> Vec<Ident> {
    let texts: Vec<&Expr> = match operation {
        Operation::AddColumn(op) => op.up.iter().collect(),
        Operation::DropColumn(op) => op.down.iter().collect(),
        Operation::AlterColumnType(op) => op.using.iter().collect(),
        Operation::SetNotNull(op) => op.up.iter().collect(),
        Operation::UpdateRows(op) => {
            op.assignments.iter().map(|assignment| &assignment.value).chain(&op.condition).collect()
        }
        Operation::DropNotNull(_)
        | Operation::SetDefault(_)
        | Operation::DropDefault(_)
        | Operation::CreateIndex(_)
        | Operation::DropIndex(_) => Vec::new(),
    };
    texts.iter().flat_map(|text| expression::columns(&text.0).unwrap_or_default()).collect()
}

/// What contains both columns, so that its copy could be over neither.
fn link(cx: &Context<'_>, one: (&TableName, &Ident), other: (&TableName, &Ident)) -> Option<String> {
    let table = cx.named(one.0)?;
    if one.0 == other.0 {
        return shared(table, one.1, other.1);
    }
    let ends = |key: &crate::schema::ForeignKey| {
        let has = |(table, column): (&TableName, &Ident)| {
            (key.from == *table && key.from_columns.contains(column))
                || (key.to == *table && key.to_columns.contains(column))
        };
        has(one) && has(other)
    };
    foreign_keys(table).find(|key| ends(key)).map(|key| format!("foreign key {}", key.name.as_str()))
}

fn foreign_keys(table: &Table) -> impl Iterator<Item = &crate::schema::ForeignKey> {
    let held = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some(key),
        _ => None,
    });
    held.chain(&table.referenced_by)
}

fn shared(table: &Table, one: &Ident, other: &Ident) -> Option<String> {
    let both = |columns: &[Ident]| columns.contains(one) && columns.contains(other);
    let index = table.indexes.iter().find(|index| both(&index.depends_on));
    let constraint = table.constraints.iter().find(|constraint| both(&constraint.columns));
    let statistics = table.statistics.iter().find(|statistics| both(&statistics.columns));
    let key = table.referenced_by.iter().find(|key| {
        let from = |column: &Ident| key.from == table.name && key.from_columns.contains(column);
        let to = |column: &Ident| key.to_columns.contains(column);
        (from(one) || to(one)) && (from(other) || to(other))
    });
    index
        .map(|index| format!("index {}", index.name.display()))
        .or_else(|| constraint.map(|constraint| format!("constraint {}", constraint.name.as_str())))
        .or_else(|| statistics.map(|statistics| format!("statistics {}", statistics.name.display())))
        .or_else(|| key.map(|key| format!("foreign key {}", key.name.as_str())))
}
