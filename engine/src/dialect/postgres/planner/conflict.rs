//! Operations of one migration that get into each other's way.
//!
//! The phases of all operations are merged: everything that is put beside the old shape stands there at the same time, and
//! everything that goes, goes at the end. So an operation cannot build on a column that an earlier one is still replacing.

use std::collections::BTreeSet;

use super::context::Context;
use super::draft::Draft;
use super::expression;
use super::strategy::alter_column_type::Change;
use crate::error::Problem;
use crate::name::{Ident, TableName};
use crate::op::{Expr, Operation};
use crate::plan::{Check, Strategy};
use crate::schema::{ConstraintKind, ForeignKey};

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
        let replaces = matches!(draft.strategy, Some(Strategy::DualColumn | Strategy::Direct));
        let drops = matches!(operation, Operation::DropColumn(_));
        let columns: BTreeSet<Ident> = targets(operation).into_iter().chain(sources(operation)).collect();
        for column in &columns {
            let key = (table.clone(), column.clone());
            if self.replaced.contains(&key) {
                refuse(column, "is replaced in the same migration");
            } else if self.dropped.contains(&key) {
                refuse(column, "is dropped in the same migration");
            } else if (replaces && (self.touched.contains(&key) || self.read.contains(&key)))
                || (drops && self.touched.contains(&key))
            {
                refuse(column, "is worked on by an earlier statement of the same migration");
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
            _ if draft.strategy == Some(Strategy::Direct) => self.replaced.extend(keys(targets(operation))),
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
        | Operation::DropIndex(_)
        | Operation::AlterTable(_) => Vec::new(),
    };
    texts.iter().flat_map(|text| expression::columns(&text.0).unwrap_or_default()).collect()
}

/// Whether two changes of type have to be made as one: different columns of one table, or of two tables that a foreign key
/// over both of them links.
pub(crate) fn belong_together(one: &Change<'_>, other: &Change<'_>) -> bool {
    if one.table.name == other.table.name {
        return one.column.name != other.column.name;
    }
    let held = one.table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some(key),
        _ => None,
    });
    let has = |key: &ForeignKey, change: &Change<'_>| {
        (key.from == change.table.name && key.from_columns.contains(&change.column.name))
            || (key.to == change.table.name && key.to_columns.contains(&change.column.name))
    };
    held.chain(&one.table.referenced_by).any(|key| has(key, one) && has(key, other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Sql;

    #[test]
    fn knows_what_a_check_reads_however_it_compares() {
        let table = TableName::new("public".parse().unwrap(), "t".parse().unwrap());
        let earlier = Earlier { written: vec![(table.clone(), "c".parse().unwrap())], ..Earlier::default() };
        let check = |violation: &str| Check {
            table: table.clone(),
            claim: String::new(),
            violation: Sql::raw(violation),
            key: Vec::new(),
            advice: String::new(),
        };
        let image = r#"ROW("c")::record OPERATOR(pg_catalog.*<>) ROW(("a")::numeric)::record"#;
        let case = r#"CASE WHEN ("a" > 0) THEN pg_catalog.num_nulls(("c")::text) < 0 ELSE false END"#;
        for reads in [image, case, r#""c" IS NULL"#] {
            assert!(earlier.makes_anew(&check(reads)), "{reads}");
        }
        assert!(!earlier.makes_anew(&check(r#""a" IS NULL"#)));
    }
}
