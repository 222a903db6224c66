//! The statement as it is written, while the application waits: only where the migration asks for it and the operator has
//! allowed it.

use std::collections::BTreeSet;

use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, heap_bytes, lock};
use crate::name::TableName;
use crate::op::Operation;
use crate::plan::{Cost, Held, LockMode, Strategy, Undo};
use crate::schema::Table;
use crate::source::Statement;
use crate::text::Sql;

/// Drafts a whole statement, all its operations at once.
pub(crate) fn draft(statement: &Statement, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = "run the statement as written".to_owned();
    draft.strategy = Some(Strategy::Direct);
    if !(cx.settings.allow_blocking || cx.options.allow_blocking) {
        draft.problems.push(cx.problem(
            "strategy = direct makes the application wait for as long as the statement takes",
            "nothing that blocks is planned unless it is allowed",
            "leave the directive out to have it done online, or allow it: --allow blocking",
        ));
    }
    if statement.sql.split_whitespace().any(|word| word.eq_ignore_ascii_case("concurrently")) {
        draft.problems.push(cx.problem(
            "CONCURRENTLY cannot be had with strategy = direct",
            "the statement is run in one transaction together with the record of it",
            "leave the word out, or the directive",
        ));
    }
    let Some(tables) = tables(&statement.operations, cx, draft) else { return };
    let mode = statement.operations.iter().map(mode).max().unwrap_or(LockMode::AccessExclusive);
    let locks = tables.iter().map(|table| lock(&table.name, mode)).collect();
    let names = tables.iter().map(|table| table.name.display()).collect::<Vec<_>>().join(", ");
    let mut seed = Seed::brief(
        Slot::Swap,
        format!("run the statement as written: {names}"),
        locks,
        vec![Sql::raw(&statement.sql)],
    )
    .undone_by(Undo::Impossible { why: "the statement has been run as written".to_owned() })
    .costing(Cost::Rows {
        rows: tables.iter().map(|table| table.estimated_rows).sum(),
        bytes: tables.iter().map(|table| heap_bytes(table, cx.server())).sum(),
    });
    for table in tables {
        seed = seed.locking(&table.name, mode, Held::Work, "");
    }
    draft.steps.push(seed);
}

/// The tables that the operations change; `None` where something that they name is missing.
fn tables<'a>(operations: &[Operation], cx: &Context<'a>, draft: &mut Draft) -> Option<Vec<&'a Table>> {
    let mut found: Vec<&Table> = Vec::new();
    let mut seen: BTreeSet<&TableName> = BTreeSet::new();
    let before = draft.problems.len();
    for operation in operations {
        let table = match operation.table() {
            Some(written) => cx.find(written, draft),
            None => cx.table_of(operation).and_then(|name| cx.named(&name)),
        };
        let Some(table) = table else { continue };
        let adds = matches!(operation, Operation::AddColumn(_));
        for column in operation.columns().into_iter().filter(|_| !adds) {
            cx.column(table, column, draft);
        }
        if seen.insert(&table.name) {
            draft.problems.extend(cx.not_ours(table));
            found.push(table);
        }
    }
    (draft.problems.len() == before && !found.is_empty()).then_some(found)
}

/// The lock that the statement itself takes.
fn mode(operation: &Operation) -> LockMode {
    match operation {
        Operation::CreateIndex(_) => LockMode::Share,
        Operation::UpdateRows(_) => LockMode::RowExclusive,
        _ => LockMode::AccessExclusive,
    }
}
