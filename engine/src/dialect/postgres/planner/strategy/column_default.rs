//! `SET DEFAULT` and `DROP DEFAULT`: the application would notice, so they wait for `complete`.

use crate::dialect::postgres::column as sql_column;
use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive};
use crate::op::{DropDefault, SetDefault};
use crate::plan::Strategy;
use crate::schema::{Column, Table};
use crate::text::Sql;

/// Drafts `SET DEFAULT`.
pub(crate) fn set(op: &SetDefault, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = format!("set the default of {}.{} to {}", op.table.display(), op.column.as_str(), op.default.0);
    let Some(table) = cx.target(&op.table, draft) else { return };
    let Some(column) = cx.column(table, &op.column, draft) else { return };
    draft.strategy = Some(Strategy::Metadata);
    if let Err(problems) = crate::dialect::postgres::planner::volatility::of(&op.default.0, "the default", cx) {
        draft.problems.extend(problems);
    }
    match crate::dialect::postgres::planner::expression::columns(&op.default.0) {
        Ok(columns) if columns.is_empty() => {}
        Ok(_) => draft.problems.push(cx.problem(
            "the default names a column",
            "PostgreSQL allows none there",
            "use a trigger, or a generated column",
        )),
        Err(unusable) => {
            draft.problems.push(cx.problem("the default cannot be used", unusable.0, "write it differently"));
        }
    }
    let statement = sql_column::set_default(&table.name, &op.column, &Sql::raw(&op.default.0));
    change(table, column, "set", statement, cx, draft);
}

/// Drafts `DROP DEFAULT`.
pub(crate) fn drop(op: &DropDefault, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = format!("drop the default of {}.{}", op.table.display(), op.column.as_str());
    let Some(table) = cx.target(&op.table, draft) else { return };
    let Some(column) = cx.column(table, &op.column, draft) else { return };
    if column.default.is_none() && column.identity.is_none() && column.generated.is_none() {
        draft.summary = format!("{}.{} has no default", table.name.display(), op.column.as_str());
        return;
    }
    draft.strategy = Some(Strategy::Metadata);
    change(table, column, "drop", sql_column::drop_default(&table.name, &op.column), cx, draft);
}

fn change(table: &Table, column: &Column, verb: &str, statement: Sql, cx: &Context<'_>, draft: &mut Draft) {
    let name = &column.name;
    if column.identity.is_some() {
        draft.problems.push(cx.problem(
            format!("{} is an identity column", name.as_str()),
            "its values come from its sequence, and it can have no default",
            "drop the identity first",
        ));
    }
    if column.generated.is_some() {
        draft.problems.push(cx.problem(
            format!("{} is a generated column", name.as_str()),
            "its values are computed, and it can have no default",
            "drop the expression first",
        ));
    }
    let before = match &column.default {
        Some(default) => sql_column::set_default(&table.name, name, &Sql::raw(default)),
        None => sql_column::drop_default(&table.name, name),
    };
    draft.steps.push(
        Seed::brief(
            Slot::Swap,
            format!("{verb} the default of {}.{}", table.name.display(), name.as_str()),
            exclusive(&table.name),
            vec![statement],
        )
        .undone_with(exclusive(&table.name), vec![before]),
    );
}
