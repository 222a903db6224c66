//! Names of what is put beside the user's things for a time: each has one function, and each is the same on every run.

use crate::name::{Ident, QualifiedName, TableName};
use crate::schema::Table;

/// Prefix of columns, constraints, indexes and statistics.
const PREFIX: &str = "_shoofly";
/// The schema of the ledger; trigger functions live there too.
const SCHEMA: &str = "shoofly";

/// The column that is to take `column`'s place.
pub(crate) fn new_column(column: &Ident) -> Ident {
    Ident::derived(PREFIX, &[column.as_str()])
}

/// The check that proves `column` free of NULL; not a name that the copy of a user's check could have.
pub(crate) fn not_null_check(column: &Ident) -> Ident {
    Ident::derived(PREFIX, &["proof", column.as_str(), "not_null"])
}

/// A copy of an index, a constraint or a statistics object, until the swap.
pub(crate) fn copy_of(name: &Ident) -> Ident {
    Ident::derived(PREFIX, &[name.as_str()])
}

/// The trigger that keeps `purpose` in step. PostgreSQL fires triggers in the byte order of their names, and ours must see
/// what the user's have made of the row: `~` sorts after every letter of ASCII, and as many are put before as are needed.
///
/// `number` is the operation's place in the migration: what a later one reads, an earlier one has made.
///
/// `None` where the user has a trigger that nothing of ours sorts after.
pub(crate) fn trigger(table: &Table, number: usize, purpose: &str) -> Option<Ident> {
    let fires_before = |name: &Ident| {
        table.triggers.iter().all(|theirs| {
            theirs.timing != "BEFORE" || !theirs.for_each_row || is_ours(&theirs.name) || theirs.name < *name
        })
    };
    let number = format!("{number:02}");
    (1..=8)
        .map(|tildes| Ident::derived(&format!("{}shoofly", "~".repeat(tildes)), &[&number, purpose]))
        .find(fires_before)
}

fn is_ours(name: &Ident) -> bool {
    name.as_str().trim_start_matches('~').starts_with("shoofly_") && name.as_str().starts_with('~')
}

/// The trigger's function.
pub(crate) fn trigger_function(table: &TableName, number: usize, purpose: &str) -> QualifiedName {
    in_our_schema("sync", table, number, purpose)
}

/// The function that gives the value for one row, where computing it may raise.
pub(crate) fn value_function(table: &TableName, number: usize, purpose: &str) -> QualifiedName {
    in_our_schema("value", table, number, purpose)
}

fn in_our_schema(prefix: &str, table: &TableName, number: usize, purpose: &str) -> QualifiedName {
    let parts = [table.schema.as_str(), table.name.as_str(), &format!("{number:02}"), purpose];
    QualifiedName::new(Ident::derived(SCHEMA, &[]), Ident::derived(prefix, &parts))
}
