//! Comparisons and casts as expressions.

use crate::sql;
use crate::text::Sql;

/// How two values of a type are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// By the type's `=`: equal values are the same value.
    Equality,
    /// By their bytes: the type has no `=`, or one that hides differences (`1.0 = 1.00`).
    Image,
}

/// Base types whose equality hides nothing.
const PLAIN_EQUALITY: [&str; 18] = [
    "smallint",
    "integer",
    "bigint",
    "oid",
    "boolean",
    "uuid",
    "text",
    "character varying",
    "bytea",
    "date",
    "time without time zone",
    "timestamp without time zone",
    "timestamp with time zone",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "\"char\"",
];

impl Comparison {
    /// For a base type as `format_type` names it, without modifiers.
    pub(crate) fn of_base(base: &str) -> Self {
        if PLAIN_EQUALITY.contains(&base) { Self::Equality } else { Self::Image }
    }
}

/// True where the values differ, false where they do not; never NULL.
pub(crate) fn differs(left: &Sql, right: &Sql, by: Comparison) -> Sql {
    match by {
        Comparison::Equality => sql!("{left} IS DISTINCT FROM {right}", left = left, right = right),
        Comparison::Image => {
            sql!("ROW({left})::record OPERATOR(pg_catalog.*<>) ROW({right})::record", left = left, right = right)
        }
    }
}

/// Never true; raises where `value` raises. The server may not skip the call, as its argument is no constant.
pub(crate) fn raises(value: &Sql) -> Sql {
    sql!("pg_catalog.num_nulls({value}) < 0", value = value)
}
