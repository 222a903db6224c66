//! Reads that count the rows which break a check, by ranges of blocks.

use crate::name::{Ident, TableName};
use crate::plan::Check;
use crate::sql;
use crate::text::{AsSql, Literal, Sql};

/// Blocks of the table's file. Lock: `ACCESS SHARE`.
pub(crate) fn table_blocks(table: &TableName) -> Sql {
    sql!(
        "SELECT pg_relation_size({name}::regclass) / current_setting('block_size')::bigint",
        name = Literal(&table.as_sql()),
    )
}

/// How many rows in the blocks `[from, to)` break the check, and `named` of them by key: the count stands in every row.
/// Lock: `ACCESS SHARE`.
pub(crate) fn count(check: &Check, from: u64, to: u64, named: usize) -> Sql {
    sql!(
        "WITH broken AS MATERIALIZED (SELECT {key} AS key FROM ONLY {table} WHERE {blocks} AND ({violation}\n)) \
         SELECT (SELECT count(*) FROM broken), key FROM broken LIMIT {named}",
        key = key_text(&check.key),
        table = check.table,
        blocks = blocks(from, to),
        violation = check.violation,
        named = named,
    )
}

/// The rows of one block: ctid and key as texts. Lock: `ACCESS SHARE`.
pub(crate) fn rows_of_block(check: &Check, block: u64) -> Sql {
    sql!(
        "SELECT ctid::text, {key} FROM ONLY {table} WHERE {blocks} ORDER BY ctid",
        key = key_text(&check.key),
        table = check.table,
        blocks = blocks(block, block + 1),
    )
}

/// Whether the row of that ctid breaks the check, as a count. Lock: `ACCESS SHARE`.
pub(crate) fn breaks(check: &Check, ctid: &str) -> Sql {
    sql!(
        "SELECT count(*) FROM ONLY {table} WHERE ctid = {ctid}::tid AND ({violation}\n)",
        table = check.table,
        ctid = Literal(ctid),
        violation = check.violation,
    )
}

/// A range of blocks that the server reads by itself (TID range scan).
pub(crate) fn blocks(from: u64, to: u64) -> Sql {
    sql!(
        "ctid >= {from}::tid AND ctid < {to}::tid",
        from = Literal(&format!("({from},0)")),
        to = Literal(&format!("({to},0)")),
    )
}

/// A row's name for people: `id = 7`, or where it lies.
pub(crate) fn key_text(key: &[Ident]) -> Sql {
    if key.is_empty() {
        return Sql::raw("'row at ' || ctid::text");
    }
    let parts: Vec<Sql> = key
        .iter()
        .map(|column| {
            sql!(
                "{name} || coalesce({c}::text, 'NULL')",
                name = Literal(&format!("{} = ", column.as_str())),
                c = column
            )
        })
        .collect();
    Sql::join(&parts, " || ', ' || ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_reads_a_range_of_blocks_and_names_rows() {
        let ident = |text: &str| text.parse::<Ident>().unwrap();
        let check = Check {
            table: TableName::new(ident("public"), ident("t")),
            claim: String::new(),
            violation: Sql::raw("c IS NULL"),
            key: vec![ident("id")],
            advice: String::new(),
        };
        assert_eq!(
            count(&check, 0, 8, 10).as_str(),
            "WITH broken AS MATERIALIZED (SELECT 'id = ' || coalesce(\"id\"::text, 'NULL') AS key FROM ONLY \"public\".\"t\" \
             WHERE ctid >= '(0,0)'::tid AND ctid < '(8,0)'::tid AND (c IS NULL\n)) \
             SELECT (SELECT count(*) FROM broken), key FROM broken LIMIT 10"
        );
    }
}
