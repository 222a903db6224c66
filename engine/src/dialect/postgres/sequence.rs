//! Statements that hand a column's sequence over to the column that takes its place.

use crate::name::{Ident, QualifiedName, TableName};
use crate::schema::{Identity, Sequence};
use crate::sql;
use crate::text::{AsSql, Literal, Sql};

use super::column;

/// Settings that keep the position between reading it and setting it, for the transaction's time; `number` tells one
/// sequence of the transaction from another.
fn kept(number: usize) -> (String, String) {
    (format!("shoofly.last_value_{number}"), format!("shoofly.is_called_{number}"))
}

/// Lock: `SHARE ROW EXCLUSIVE` on the sequence.
pub(crate) fn own(sequence: &QualifiedName, table: &TableName, column: &Ident) -> Sql {
    sql!("ALTER SEQUENCE {sequence} OWNED BY {table}.{column}", sequence = sequence, table = table, column = column)
}

/// A change that changes nothing, for its lock: nobody draws a value until the transaction ends.
///
/// Lock: `SHARE ROW EXCLUSIVE` on the sequence.
pub(crate) fn hold(sequence: &Sequence) -> Sql {
    sql!("ALTER SEQUENCE {sequence}{cycle}", sequence = sequence.name, cycle = cycle(sequence))
}

/// Keeps the sequence's position in settings of this transaction.
///
/// Lock: `ACCESS SHARE` on the sequence.
pub(crate) fn note_position(sequence: &Sequence, number: usize) -> Sql {
    let (last_value, is_called) = kept(number);
    sql!(
        "SELECT pg_catalog.set_config({last_key}, last_value::text, true), \
         pg_catalog.set_config({called_key}, is_called::text, true) FROM {sequence}",
        last_key = Literal(&last_value),
        called_key = Literal(&is_called),
        sequence = sequence.name
    )
}

/// Lock: `ACCESS EXCLUSIVE` on the table and the sequence, which goes.
pub(crate) fn drop_identity(table: &TableName, column: &Ident) -> Sql {
    sql!("ALTER TABLE {table} ALTER COLUMN {column} DROP IDENTITY", table = table, column = column)
}

/// Lock: `ACCESS EXCLUSIVE` on the table. The column must be NOT NULL.
pub(crate) fn add_identity(table: &TableName, column: &Ident, identity: &Identity) -> Sql {
    let sequence = &identity.sequence;
    sql!(
        "ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED {kind} AS IDENTITY (SEQUENCE NAME {sequence} \
         START WITH {start} INCREMENT BY {increment} MINVALUE {min} MAXVALUE {max} CACHE {cache}{cycle})",
        table = table,
        column = column,
        kind = Sql::raw(if identity.always { "ALWAYS" } else { "BY DEFAULT" }),
        sequence = sequence.name,
        start = sequence.start,
        increment = sequence.increment,
        min = sequence.min,
        max = sequence.max,
        cache = sequence.cache,
        cycle = cycle(sequence)
    )
}

/// Gives the sequence the position that [`note_position`] kept.
///
/// Lock: `ROW EXCLUSIVE` on the sequence.
pub(crate) fn restore_position(sequence: &Sequence, number: usize) -> Sql {
    let (last_value, is_called) = kept(number);
    let name = sequence.name.as_sql();
    sql!(
        "SELECT pg_catalog.setval({name}::pg_catalog.regclass, pg_catalog.current_setting({last_key})::bigint, \
         pg_catalog.current_setting({called_key})::boolean)",
        name = Literal(&name),
        last_key = Literal(&last_value),
        called_key = Literal(&is_called)
    )
}

/// What a sequence made anew lacks: its comment and its grants.
///
/// Lock: `SHARE UPDATE EXCLUSIVE` on the sequence.
pub(crate) fn carried(sequence: &Sequence) -> Vec<Sql> {
    let mut made: Vec<Sql> =
        sequence.grants.iter().map(|grant| column::grant_sequence(&sequence.name, grant)).collect();
    made.extend(
        sequence.comment.as_deref().map(|text| {
            sql!("COMMENT ON SEQUENCE {sequence} IS {text}", sequence = sequence.name, text = Literal(text))
        }),
    );
    made
}

fn cycle(sequence: &Sequence) -> Sql {
    Sql::raw(if sequence.cycle { " CYCLE" } else { " NO CYCLE" })
}
