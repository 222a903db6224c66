//! Definitions as the server prints them, over another column and under another name.

use super::expression::{self, Unusable};
use crate::name::{Ident, QualifiedName, TableName};
use crate::schema::{ExtendedStatistics, Index};
use crate::text::{AsSql, Sql};

pub(crate) fn index_copy(
    old: &Index,
    table: &TableName,
    from: &Ident,
    to: &Ident,
    name: &Ident,
) -> Result<Sql, Unusable> {
    use crate::dialect::postgres::index::{Uniqueness, create_concurrently};
    let Some((_, rest)) = old.definition.split_once(" USING ") else {
        return Err(Unusable("its definition cannot be read".to_owned()));
    };
    let rest = expression::renamed(rest, from, to)?;
    let definition = Sql::raw(format!("USING {}", rest.as_str()));
    let uniqueness = if old.unique { Uniqueness::Unique } else { Uniqueness::Plain };
    Ok(create_concurrently(table, name, uniqueness, &definition))
}

pub(crate) fn statistics_copy(
    old: &ExtendedStatistics,
    from: &Ident,
    to: &Ident,
    name: &QualifiedName,
) -> Result<Sql, Unusable> {
    let text = old.definition.replacen(&old.name.display(), &name.as_sql(), 1);
    expression::renamed(&text, from, to)
}
