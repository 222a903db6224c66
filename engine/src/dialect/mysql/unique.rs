//! Rows that are alike under a unique index.

use crate::schema::mysql::{Index, IndexPart, TablePath};
use crate::sql;
use crate::text::Sql;

use super::literal::Text;

/// Values named in a message.
pub const NAMED: usize = 10;

/// Values that several rows have under the index, and how many rows; one more than [`NAMED`] at most. A row with a NULL is like no
/// other one. `None` for an index over expressions.
///
/// Lock: none. The statement sees one moment of the table, and takes as long as sorting its rows.
#[must_use]
pub fn duplicates(table: &TablePath, index: &Index) -> Option<Sql> {
    let parts: Vec<(Sql, &IndexPart)> =
        index.parts.iter().map(|part| value(part).map(|value| (value, part))).collect::<Option<_>>()?;
    let each = |of: &dyn Fn(&(Sql, &IndexPart)) -> Sql| parts.iter().map(of).collect::<Vec<_>>();
    let shown = each(&|(value, part)| {
        let label = part.column.as_ref().map_or("", |column| column.as_str());
        sql!("CONCAT({label}, CAST({value} AS CHAR))", label = Text(&format!("{label} = ")), value = value)
    });
    Some(sql!(
        "SELECT CONCAT_WS(', ', {shown}), COUNT(*) FROM {t} WHERE {some} GROUP BY {values} HAVING COUNT(*) > 1 LIMIT {limit}",
        shown = Sql::join(&shown, ", "),
        t = table,
        some = Sql::join(&each(&|(value, _)| sql!("{v} IS NOT NULL", v = value)), " AND "),
        values = Sql::join(&each(&|(value, _)| value.clone()), ", "),
        limit = NAMED + 1,
    ))
}

fn value(part: &IndexPart) -> Option<Sql> {
    let column = part.column.as_ref()?;
    Some(match part.prefix {
        Some(length) => sql!("LEFT({c}, {n})", c = column, n = length),
        None => sql!("{c}", c = column),
    })
}
