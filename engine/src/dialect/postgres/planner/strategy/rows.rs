//! Columns of stored rows and of the rows that a trigger sees.

use crate::dialect::postgres::planner::context::Context;
use crate::error::Problem;
use crate::name::Ident;
use crate::schema::Table;
use crate::text::{AsSql, Sql};

/// A column of a stored row.
pub(super) fn bare(column: &Ident) -> Sql {
    Sql::raw(column.as_sql())
}

/// A column of the row that is about to be written.
pub(super) fn of_new_row(column: &Ident) -> Sql {
    Sql::raw(format!("NEW.{}", column.as_sql()))
}

/// A column of the row that is about to be replaced.
pub(super) fn of_old_row(column: &Ident) -> Sql {
    Sql::raw(format!("OLD.{}", column.as_sql()))
}

/// Columns that an expression names and cannot read when a row is written.
pub(super) fn unreadable(table: &Table, reads: &[Ident], role: &str, cx: &Context<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for read in reads {
        match table.column(read) {
            None => problems.push(cx.problem(
                format!("{role} names {}, which {} does not have", read.as_str(), table.name.display()),
                "",
                "check the name",
            )),
            Some(column) if column.generated.is_some() => problems.push(cx.problem(
                format!("{role} reads {}, a generated column", read.as_str()),
                "a generated column has no value yet when a row is written",
                "write out the expression that it is generated from",
            )),
            Some(_) => {}
        }
    }
    problems
}

/// The user has a trigger that fires after every trigger of ours.
pub(super) fn trigger_cannot_be_last(table: &Table, cx: &Context<'_>) -> Problem {
    let rows = table.triggers.iter().filter(|trigger| trigger.timing == "BEFORE" && trigger.for_each_row);
    let last = rows.map(|trigger| &trigger.name).max().map(Ident::as_str).unwrap_or_default();
    cx.problem(
        format!("trigger {last} of {} sorts after every name that ours could have", table.name.display()),
        "triggers fire in the order of their names, and ours must see what the others have made of the row",
        format!("ALTER TRIGGER {last:?} ON {} RENAME TO a name of plain letters", table.name.display()),
    )
}
