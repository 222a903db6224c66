//! Definitions that the server prints of indexes, constraints and statistics, with a column renamed in them.

use super::{expr, tree};
use crate::name::WrittenName;
use crate::op::CreateIndex;

/// The functions called in an index's keys and condition.
#[must_use]
pub fn functions_in_index(index: &CreateIndex) -> Vec<WrittenName> {
    let statement = format!("CREATE INDEX ON t {}", index.definition);
    tree::parse(&statement).map(|root| expr::names_below(&root).functions).unwrap_or_default()
}
