//! What the application was seen to do, and what follows from it.

use super::context::{Context, Text};
use super::{Finding, Hazard};
use crate::name::Ident;
use crate::schema::Table;

/// The column moves to the end: listless INSERT and COPY would put values into the wrong columns.
pub(crate) fn column_order(table: &Table, column: &Ident, cx: &Context<'_>) -> Option<Finding> {
    let last = table.last_column().is_some_and(|last| last.name == *column);
    if last {
        return None;
    }
    Some(cx.hazard(
        Hazard::ColumnOrder,
        Text {
            what: format!("{} moves to the end of the table", column.as_str()),
            place: table.name.display(),
            why: "INSERT and COPY without a list of columns would put values into the wrong ones".to_owned(),
            advice: "name the columns in every INSERT and COPY, and accept it".to_owned(),
        },
    ))
}

/// The table gets one more column for a time.
pub(crate) fn another_column(_table: &Table, _cx: &Context<'_>) -> Vec<Finding> {
    Vec::new()
}
