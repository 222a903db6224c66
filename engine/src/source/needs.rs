//! What a script needs to know of the server.

use super::Script;
use crate::facts::Needs;
use crate::name::WrittenName;
use crate::op::{Expr, Operation};
use crate::sql::postgres::expr::functions_called;

impl Script {
    /// What must be asked of the server before this can be planned.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for operation in self.statements.iter().flat_map(|statement| &statement.operations) {
            add(&mut needs.tables, operation.table().cloned());
            match operation {
                Operation::AddColumn(op) => {
                    add(&mut needs.types, Some(op.type_sql.clone()));
                    functions(&mut needs, op.default.iter().chain(&op.up));
                }
                Operation::AlterColumnType(op) => {
                    add(&mut needs.types, Some(op.type_sql.clone()));
                    functions(&mut needs, op.using.iter().chain(&op.down));
                }
                Operation::DropColumn(op) => functions(&mut needs, &op.down),
                Operation::SetNotNull(op) => functions(&mut needs, &op.up),
                Operation::SetDefault(op) => functions(&mut needs, [&op.default]),
                Operation::UpdateRows(op) => {
                    functions(&mut needs, op.assignments.iter().map(|set| &set.value).chain(&op.condition));
                }
                Operation::DropIndex(op) => add(&mut needs.indexes, Some(op.index.clone())),
                Operation::CreateIndex(op) => {
                    let called = crate::sql::postgres::definition::functions_in_index(op);
                    called.into_iter().for_each(|name| add(&mut needs.functions, Some(name)));
                }
                Operation::DropNotNull(_) | Operation::DropDefault(_) | Operation::AlterTable(_) => {}
            }
        }
        needs
    }
}

/// Expressions were parsed when they were read; one that is no expression calls nothing here and fails in planning.
fn functions<'a>(needs: &mut Needs, expressions: impl IntoIterator<Item = &'a Expr>) {
    let called = expressions.into_iter().flat_map(|expr| functions_called(&expr.0).unwrap_or_default());
    called.for_each(|name: WrittenName| add(&mut needs.functions, Some(name)));
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: Option<T>) {
    list.extend(item.filter(|item| !list.contains(item)));
}
