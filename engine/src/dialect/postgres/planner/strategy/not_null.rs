//! `SET NOT NULL`, proved by a check before the catalogue is changed, and `DROP NOT NULL`.

use super::filler::{Filler, Role};
use super::rows::bare;
use crate::dialect::postgres::column as sql_column;
use crate::dialect::postgres::constraint::{self, Inherit};
use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive, heap_bytes};
use crate::dialect::postgres::planner::expression::Unusable;
use crate::dialect::postgres::planner::names;
use crate::name::Ident;
use crate::op::{DropNotNull, SetNotNull};
use crate::plan::{Check, Cost, Held, LockMode, Strategy, Undo};
use crate::schema::{Column, ConstraintKind, Table};
use crate::sql;
use crate::text::Sql;

/// Drafts `SET NOT NULL`.
pub(crate) fn set(op: &SetNotNull, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = format!("forbid NULL in {}.{}", op.table.display(), op.column.as_str());
    let Some(table) = cx.target(&op.table, draft) else { return };
    let Some(column) = cx.column(table, &op.column, draft) else { return };
    if column.not_null {
        already(table, column, cx, draft);
        return;
    }
    draft.strategy = Some(Strategy::Online);
    if proved_by_check(table, &op.column) {
        draft.steps.push(seal(table, &op.column, vec![sql_column::set_not_null(&table.name, &op.column)]));
        return;
    }
    match &op.up {
        None => {
            draft.preflight.push(no_nulls(table, &op.column, "give these rows a value, or add the directive `up`"));
            draft.proofs.push(no_nulls(table, &op.column, "give these rows a value"));
            draft.steps.extend(contract(table, &op.column, Vec::new(), cx));
        }
        Some(up) => {
            let Some(filler) = Filler::new(table, column.clone(), up, Role::NOT_NULL, cx, draft) else { return };
            if let Err(Unusable(why)) = filled(table, &op.column, &filler, cx, draft) {
                draft.problems.push(cx.problem("the directive `up` cannot be used", why, "write it differently"));
            }
        }
    }
}

fn filled(
    table: &Table,
    column: &Ident,
    filler: &Filler<'_>,
    cx: &Context<'_>,
    draft: &mut Draft,
) -> Result<(), Unusable> {
    draft.preflight.extend(filler.preflight()?);
    draft.steps.push(filler.functions()?);
    draft.steps.push(filler.create_step());
    filler.fill(cx, draft)?;
    draft.proofs.push(no_nulls(table, column, "give these rows a value, or correct what `up` is computed from"));
    draft.steps.extend(contract(table, column, filler.drop(), cx));
    Ok(())
}

/// On 18 a column may be NOT NULL by a constraint that was never validated; else there is nothing to do.
fn already(table: &Table, column: &Column, cx: &Context<'_>, draft: &mut Draft) {
    let unproved = table.constraints.iter().find(|constraint| {
        constraint.kind == ConstraintKind::NotNull
            && !constraint.validated
            && constraint.columns == [column.name.clone()]
    });
    let Some(unproved) = unproved else {
        draft.summary = format!("{}.{} is NOT NULL already", table.name.display(), column.name.as_str());
        return;
    };
    draft.strategy = Some(Strategy::Online);
    draft.preflight.push(no_nulls(table, &column.name, "give these rows a value"));
    draft.steps.push(validate(table, &unproved.name, cx));
}

/// A check that the server takes for a proof.
fn proved_by_check(table: &Table, column: &Ident) -> bool {
    let proof = sql!("{c} IS NOT NULL", c = bare(column));
    let plain = format!("{} IS NOT NULL", column.as_str());
    table.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::Check { expression } if constraint.validated => {
            let expression = expression.trim_start_matches('(').trim_end_matches(')');
            expression == proof.as_str() || expression == plain
        }
        _ => false,
    })
}

/// Rows without a value.
pub(super) fn no_nulls(table: &Table, column: &Ident, advice: &str) -> Check {
    Check {
        table: table.name.clone(),
        claim: format!("{}.{} is NULL in no row", table.name.display(), column.as_str()),
        violation: sql!("{c} IS NULL", c = bare(column)),
        key: table.key_columns(),
        advice: advice.to_owned(),
    }
}

/// From a column that has no NULL to one that can have none; `also` goes into the last transaction.
pub(super) fn contract(table: &Table, column: &Ident, also: Vec<Sql>, cx: &Context<'_>) -> Vec<Seed> {
    let name = &table.name;
    let check = names::not_null_check(column);
    let place = format!("{}.{}", name.display(), column.as_str());
    let add = constraint::add_check_not_valid(name, &check, &constraint::is_not_null(column), Inherit::Yes);
    let harden =
        Seed::brief(Slot::Harden, format!("refuse writes that leave NULL in {place}"), exclusive(name), vec![add])
            .undone_with(exclusive(name), vec![constraint::drop_if_exists(name, &check)]);
    let mut statements = also;
    statements.push(sql_column::set_not_null(name, column));
    statements.push(constraint::drop(name, &check));
    vec![harden, validate(table, &check, cx), seal(table, column, statements)]
}

fn validate(table: &Table, check: &Ident, cx: &Context<'_>) -> Seed {
    Seed::patient(
        Slot::Prove,
        "prove for the rows that exist: no value is NULL".to_owned(),
        vec![constraint::validate(&table.name, check)],
        Cost::Scan { bytes: heap_bytes(table, cx.server()) },
    )
    .locking(&table.name, LockMode::ShareUpdateExclusive, Held::Work, "")
}

fn seal(table: &Table, column: &Ident, statements: Vec<Sql>) -> Seed {
    Seed::brief(
        Slot::Swap,
        format!("make {}.{} NOT NULL: the check spares the scan", table.name.display(), column.as_str()),
        exclusive(&table.name),
        statements,
    )
    .undone_with(exclusive(&table.name), vec![sql_column::drop_not_null(&table.name, column)])
}

/// Drafts `DROP NOT NULL`.
pub(crate) fn drop(op: &DropNotNull, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = format!("allow NULL in {}.{}", op.table.display(), op.column.as_str());
    let Some(table) = cx.target(&op.table, draft) else { return };
    let Some(column) = cx.column(table, &op.column, draft) else { return };
    if !column.not_null {
        draft.summary = format!("{}.{} allows NULL already", table.name.display(), op.column.as_str());
        return;
    }
    draft.strategy = Some(Strategy::Metadata);
    let place = format!("{}.{}", table.name.display(), op.column.as_str());
    let mut refuse = |why: &str, advice: &str| {
        draft.problems.push(cx.problem(format!("{place} must stay NOT NULL"), why, advice));
    };
    let in_primary_key = table.constraints.iter().any(|constraint| {
        matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }) && constraint.columns.contains(&op.column)
    });
    if in_primary_key {
        refuse("it is part of the primary key", "drop the primary key first");
    }
    if column.identity.is_some() {
        refuse("it is an identity column", "drop the identity first");
    }
    if table.indexes.iter().any(|index| index.replica_identity && index.key_columns.contains(&op.column)) {
        refuse("it is part of the replica identity", "ALTER TABLE … REPLICA IDENTITY first");
    }
    draft.steps.push(
        Seed::brief(
            Slot::Swap,
            format!("allow NULL in {place}"),
            exclusive(&table.name),
            vec![sql_column::drop_not_null(&table.name, &op.column)],
        )
        .undone_by(Undo::Impossible {
            why: "NULLs may have been written since; a migration back is needed".to_owned(),
        }),
    );
}
