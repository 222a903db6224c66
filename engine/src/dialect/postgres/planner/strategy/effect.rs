//! The catalogue as an operation leaves it: what the next operation of the migration is planned against.

use crate::facts::{Facts, TypeFacts};
use crate::name::{Ident, TableName};
use crate::op::{AddColumn, AlterColumnType, Operation};
use crate::plan::Strategy;
use crate::schema::{Catalogue, Column, Table};

/// Applies an operation that was planned without a problem.
pub(crate) fn apply(
    operation: &Operation,
    (table, strategy): (&TableName, Strategy),
    facts: &Facts,
    catalogue: &mut Catalogue,
) {
    let Some(table) = catalogue.tables.iter_mut().find(|known| known.name == *table) else { return };
    match operation {
        Operation::AddColumn(op) => {
            if let Some(to) = facts.type_of(&op.type_sql).filter(|_| table.column(&op.column).is_none()) {
                table.columns.push(new_column(op, to));
            }
        }
        Operation::DropColumn(op) => drop_column(table, &op.column),
        Operation::AlterColumnType(op) => alter_type(table, op, strategy, facts),
        Operation::SetNotNull(op) => change(table, &op.column, |column| column.not_null = true),
        Operation::DropNotNull(op) => change(table, &op.column, |column| column.not_null = false),
        Operation::SetDefault(op) => {
            change(table, &op.column, |column| column.default = Some(op.default.0.clone()));
        }
        Operation::DropDefault(op) => change(table, &op.column, |column| column.default = None),
        Operation::CreateIndex(op) => super::index::add(table, op),
        Operation::DropIndex(op) => table.indexes.retain(|index| !op.index.means(&index.name)),
        Operation::UpdateRows(_) | Operation::AlterTable(_) => {}
    }
}

/// The column that `ADD COLUMN` makes.
pub(super) fn new_column(op: &AddColumn, to: &TypeFacts) -> Column {
    Column {
        number: 0,
        name: op.column.clone(),
        type_sql: to.canonical.clone(),
        type_oid: to.oid,
        collation: None,
        not_null: op.not_null,
        default: op.default.as_ref().map(|default| default.0.clone()),
        identity: None,
        owned_sequences: Vec::new(),
        generated: None,
        statistics_target: None,
        storage: None,
        compression: None,
        options: Vec::new(),
        grants: Vec::new(),
        comment: None,
    }
}

fn change(table: &mut Table, column: &Ident, how: impl FnOnce(&mut Column)) {
    if let Some(column) = table.columns.iter_mut().find(|known| known.name == *column) {
        how(column);
    }
}

fn drop_column(table: &mut Table, column: &Ident) {
    table.columns.retain(|known| known.name != *column);
    table.indexes.retain(|index| !index.depends_on.contains(column));
    table.constraints.retain(|constraint| !constraint.columns.contains(column));
    table.statistics.retain(|statistics| !statistics.columns.contains(column));
}

fn alter_type(table: &mut Table, op: &AlterColumnType, strategy: Strategy, facts: &Facts) {
    if let Some(to) = facts.type_of(&op.type_sql) {
        change(table, &op.column, |column| {
            column.type_sql.clone_from(&to.canonical);
            column.type_oid = to.oid;
        });
    }
    if strategy == Strategy::DualColumn
        && let Some(at) = table.columns.iter().position(|column| column.name == op.column)
    {
        let moved = table.columns.remove(at);
        table.columns.push(moved);
    }
}
