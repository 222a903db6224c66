//! Counting the rows of a range that break a check.

use super::key::{self, KeyColumn, Place};
use super::literal::Text;
use crate::plan::Check;
use crate::schema::mysql::{Table, TablePath};
use crate::sql;
use crate::sql::mysql::name::Name;
use crate::text::Sql;

/// A check and how its table's key is walked.
#[derive(Debug, Clone)]
pub struct Walked<'a> {
    check: &'a Check,
    table: TablePath,
    index: Name,
    walk: Vec<KeyColumn>,
}

impl<'a> Walked<'a> {
    /// `None` where the table has no key whose values can be written down exactly.
    #[must_use]
    pub fn of(check: &'a Check, table: &Table) -> Option<Self> {
        let identity = table.identity()?;
        let columns = identity.parts.iter().map(|part| {
            let column = part.column.as_ref().and_then(|name| table.column(name.as_str()));
            column.and_then(KeyColumn::of)
        });
        let walk = columns.collect::<Option<Vec<_>>>()?;
        Some(Self { check, table: table.path.clone(), index: identity.name.clone(), walk })
    }

    /// The last row of the next range of so many rows.
    ///
    /// Lock: none.
    #[must_use]
    pub fn ahead(&self, from: Option<&Place>, rows: u64) -> Sql {
        key::ahead((&self.table, &self.index), &self.walk, from, None, rows)
    }

    /// The place in an answer to [`Walked::ahead`].
    #[must_use]
    pub fn place(&self, row: &[Option<String>]) -> Option<Place> {
        key::place(&self.walk, row)
    }

    /// How many rows of a range break the check.
    ///
    /// Lock: none.
    #[must_use]
    pub fn count(&self, from: Option<&Place>, to: Option<&Place>) -> Sql {
        sql!("SELECT COUNT(*) {found}", found = self.found(from, to, &self.check.violation))
    }

    /// Some of them, for people.
    ///
    /// Lock: none.
    #[must_use]
    pub fn named(&self, from: Option<&Place>, to: Option<&Place>, limit: usize) -> Sql {
        sql!(
            "SELECT {name} {found} LIMIT {limit}",
            name = self.name(),
            found = self.found(from, to, &self.check.violation),
            limit = limit
        )
    }

    /// The first row of a range, whatever it holds.
    ///
    /// Lock: none.
    #[must_use]
    pub fn first(&self, from: Option<&Place>, to: Option<&Place>) -> Sql {
        sql!("SELECT {name} {found} LIMIT 1", name = self.name(), found = self.found(from, to, &Sql::raw("TRUE")))
    }

    fn found(&self, from: Option<&Place>, to: Option<&Place>, condition: &Sql) -> Sql {
        sql!(
            "FROM {t} FORCE INDEX ({index}) WHERE {range} AND ({condition})",
            t = self.table,
            index = self.index,
            range = key::between(&self.walk, "", from, to),
            condition = condition,
        )
    }

    fn name(&self) -> Sql {
        let names: Vec<Name> = self.walk.iter().map(|column| column.name().clone()).collect();
        name(&names, "")
    }
}

/// A row's key for people: `id = 7, w = 2`. `of` is the row's alias with its point, or empty.
#[must_use]
pub fn name(key: &[Name], of: &str) -> Sql {
    let parts: Vec<Sql> = key
        .iter()
        .map(|name| {
            sql!(
                "{label}, COALESCE(CAST({of}{k} AS CHAR), 'NULL')",
                label = Text(&format!("{} = ", name.as_str())),
                of = Sql::raw(of),
                k = name
            )
        })
        .collect();
    sql!("CONCAT({parts})", parts = Sql::join(&parts, ", ', ', "))
}
