//! `CREATE INDEX` and `DROP INDEX`.

use squawk_syntax::ast::{self, AstNode};

use super::{Reader, SUPPORTED};
use crate::name::Ident;
use crate::op::{CreateIndex, DropIndex, Operation};
use crate::sql::Flaw;
use crate::sql::postgres::{expr, tree};

impl Reader<'_> {
    pub(super) fn create_index(&self, create: &ast::CreateIndex) -> Result<Operation, Vec<Flaw>> {
        let whole = create.syntax();
        let name = create.index().map(|index| tree::written_name(index.syntax())).transpose().map_err(one)?;
        if let Some(schema) = name.as_ref().and_then(|name| name.schema.as_ref()) {
            let what = format!("an index has no schema of its own ({})", schema.as_str());
            let range = create.index().map_or_else(|| tree::span(whole), |index| tree::span(index.syntax()));
            return Err(one(Flaw::new(range, what, "leave the schema away: the index lives in its table's schema")));
        }
        let relation = create.table_relation_name();
        let relation_end = relation.as_ref().map_or(0, |relation| tree::span(relation.syntax()).end);
        let table = self.table(relation).map_err(one)?;
        let last = whole.children().last().map_or(relation_end, |node| tree::span(&node).end);
        let columns = plain_columns(create)?;
        Ok(Operation::CreateIndex(CreateIndex {
            table,
            name: name.map(|name| name.name),
            unique: create.unique_token().is_some(),
            if_not_exists: create.if_not_exists().is_some(),
            columns,
            definition: self.sql.get(relation_end..last).unwrap_or_default().trim().to_owned(),
        }))
    }

    pub(super) fn drop_index(&self, drop: &ast::DropIndex) -> Result<Vec<Operation>, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut operations = Vec::new();
        for index in drop.index_refs() {
            match tree::written_name(index.syntax()) {
                Ok(index) => operations.push(Operation::DropIndex(DropIndex {
                    index,
                    if_exists: drop.if_exists().is_some(),
                    cascade: matches!(drop.drop_behavior(), Some(ast::DropBehavior::Cascade(_))),
                })),
                Err(flaw) => flaws.push(flaw),
            }
        }
        if operations.is_empty() && flaws.is_empty() {
            flaws.push(Flaw::new(0..self.sql.len(), "no index is named", SUPPORTED));
        }
        if flaws.is_empty() { Ok(operations) } else { Err(flaws) }
    }
}

/// The columns named anywhere in the keys, `INCLUDE` and `WHERE`, each once.
fn plain_columns(create: &ast::CreateIndex) -> Result<Vec<Ident>, Vec<Flaw>> {
    let mut columns: Vec<Ident> = Vec::new();
    for found in expr::names_below(create.syntax()).columns {
        let column: Ident = found.name.parse().map_err(|error| {
            one(Flaw::new(found.name_range.clone(), format!("{error}"), "use a name that PostgreSQL keeps whole"))
        })?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(columns)
}

fn one(flaw: Flaw) -> Vec<Flaw> {
    vec![flaw]
}
