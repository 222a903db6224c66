//! `UPDATE … SET …` as a backfill.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

use super::Reader;
use crate::op::{Assignment, Expr, Operation, UpdateRows};
use crate::sql::Flaw;
use crate::sql::postgres::{expr, tree};

const ONE_ROW: &str = "a backfill computes each row from its own columns: put what needs other rows into a function, or \
    into a separate statement";

impl Reader<'_> {
    pub(super) fn update(&self, update: &ast::Update) -> Result<Operation, Vec<Flaw>> {
        let mut flaws = self.update_extras(update);
        let alias = update.alias().and_then(|alias| alias.name()).map(|name| ast::normalize_name_node(name.syntax()));
        let table = self.part(update.relation_name()).and_then(|relation| {
            if relation.only_token().is_some() {
                return Err(Flaw::new(tree::span(relation.syntax()), "ONLY is not supported", "leave ONLY away"));
            }
            tree::written_name(relation.syntax())
        });
        let mut assignments = Vec::new();
        for set in tree::below::<ast::SetColumn>(update.syntax()) {
            match self.assignments(&set, alias.as_deref()) {
                Ok(made) => assignments.extend(made),
                Err(flaw) => flaws.push(flaw),
            }
        }
        let condition = match update.where_clause_or_current_of() {
            Some(ast::WhereClauseOrCurrentOf::WhereClause(clause)) => match self.part(clause.expr()) {
                Ok(written) => self.value(written.syntax(), alias.as_deref()).map_err(|flaw| flaws.push(flaw)).ok(),
                Err(flaw) => {
                    flaws.push(flaw);
                    None
                }
            },
            Some(ast::WhereClauseOrCurrentOf::WhereCurrentOf(current)) => {
                flaws.push(Flaw::new(tree::span(current.syntax()), "WHERE CURRENT OF is not supported", ONE_ROW));
                None
            }
            None => None,
        };
        match table {
            Ok(table) if flaws.is_empty() => Ok(Operation::UpdateRows(UpdateRows { table, assignments, condition })),
            Ok(_) => Err(flaws),
            Err(flaw) => {
                flaws.push(flaw);
                Err(flaws)
            }
        }
    }

    fn update_extras(&self, update: &ast::Update) -> Vec<Flaw> {
        let extras: [(Option<SyntaxNode>, &str); 4] = [
            (update.with_clause().map(|node| node.syntax().clone()), "WITH"),
            (update.for_portion_of().map(|node| node.syntax().clone()), "FOR PORTION OF"),
            (update.from_clause().map(|node| node.syntax().clone()), "FROM"),
            (update.returning_clause().map(|node| node.syntax().clone()), "RETURNING"),
        ];
        let present = extras.into_iter().filter_map(|(node, name)| Some((node?, name)));
        present
            .map(|(node, name)| Flaw::new(tree::span(&node), format!("UPDATE … {name} is not supported"), ONE_ROW))
            .collect()
    }

    fn assignments(&self, set: &ast::SetColumn, alias: Option<&str>) -> Result<Vec<Assignment>, Flaw> {
        let range = tree::span(set.syntax());
        let (targets, values): (Vec<ast::ColumnTarget>, Vec<ast::SetExpr>) = match set {
            ast::SetColumn::SetSingleColumn(single) => {
                (single.column_target().into_iter().collect(), single.set_expr().into_iter().collect())
            }
            ast::SetColumn::SetMultipleColumns(multiple) => match multiple.set_expr_list() {
                Some(list) => (tree::below(set.syntax()).collect(), list.set_exprs().collect()),
                None => return Err(Flaw::new(range, "a row assigned from a subquery is not supported", ONE_ROW)),
            },
        };
        if targets.is_empty() || targets.len() != values.len() {
            return Err(Flaw::new(range, "the numbers of columns and of values differ", "give each column one value"));
        }
        targets.iter().zip(&values).map(|(target, value)| self.assignment(target, value, alias)).collect()
    }

    fn assignment(
        &self,
        target: &ast::ColumnTarget,
        value: &ast::SetExpr,
        alias: Option<&str>,
    ) -> Result<Assignment, Flaw> {
        if let Some(accessor) = target.accessors().next() {
            let what = "setting a part of a column is not supported";
            return Err(Flaw::new(tree::span(accessor.syntax()), what, "give the column a whole value"));
        }
        let column = tree::ident(self.part(target.name())?.syntax())?;
        let Some(written) = value.expr().filter(|_| value.default_token().is_none()) else {
            let what = "DEFAULT is not supported as a value";
            return Err(Flaw::new(tree::span(value.syntax()), what, "write the value itself"));
        };
        Ok(Assignment { column, value: self.value(written.syntax(), alias)? })
    }

    /// An expression as written, but for the statement's alias of the table, which means nothing outside of it.
    fn value(&self, node: &SyntaxNode, alias: Option<&str>) -> Result<Expr, Flaw> {
        let written = self.text(node);
        let range = tree::span(node);
        let refuse = |what: String| Flaw::new(range.clone(), what, ONE_ROW);
        if let Some(unsuitable) = expr::unsuitable(&written).map_err(|error| refuse(error.to_string()))? {
            return Err(refuse(format!("{} is not supported in a backfill", unsuitable.describe())));
        }
        let Some(alias) = alias else { return Ok(Expr(written)) };
        let columns = expr::column_refs(&written).map_err(|error| refuse(error.to_string()))?;
        let edits = columns
            .into_iter()
            .filter(|column| column.qualifier.as_deref() == Some(alias))
            .map(|column| (column.range, written.get(column.name_range).unwrap_or_default().to_owned()));
        Ok(Expr(expr::splice(&written, edits)))
    }
}
