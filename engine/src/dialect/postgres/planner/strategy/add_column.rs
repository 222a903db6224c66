//! `ADD COLUMN`: a change of the catalogue where the default is the same for every row; else a nullable column, a trigger
//! and a fill.

use super::filler::{Filler, Role};
use super::not_null;
use crate::dialect::postgres::column as sql_column;
use crate::dialect::postgres::planner::census;
use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive};
use crate::dialect::postgres::planner::expression::Unusable;
use crate::dialect::postgres::planner::volatility::{self, Volatility};
use crate::facts::TypeFacts;
use crate::op::{AddColumn, Expr};
use crate::plan::Strategy;
use crate::schema::{Column, Table};
use crate::text::Sql;

/// Drafts the new column.
pub(crate) fn draft(op: &AddColumn, cx: &Context<'_>, draft: &mut Draft) {
    draft.summary = format!("add {}.{} ({})", op.table.display(), op.column.as_str(), op.type_sql);
    let Some(table) = cx.target(&op.table, draft) else { return };
    if let Some(existing) = table.column(&op.column) {
        exists(op, table, existing, cx, draft);
        return;
    }
    let Some(to) = cx.facts.type_of(&op.type_sql) else {
        draft.problems.push(cx.problem(
            format!("there is no type {}", op.type_sql),
            "",
            "check the name, the schema and the search_path of this role",
        ));
        return;
    };
    refuse(op, to, cx, draft);
    draft.findings.extend(census::another_column(table, cx));
    draft.findings.extend(census::column_grants(table, cx));
    let volatility = match &op.default {
        None => Volatility::Lasting,
        Some(default) => match volatility::of(&default.0, "the default", cx) {
            Ok(volatility) => volatility,
            Err(problems) => {
                draft.problems.extend(problems);
                return;
            }
        },
    };
    let new = NewColumn { op, table, to };
    let planned = match (&op.up, &op.default, volatility) {
        (Some(up), _, _) => new.filled(up, Role::UP, Default::AtTheEnd, cx, draft),
        (None, Some(default), Volatility::Volatile) => new.filled(default, Role::DEFAULT, Default::AtOnce, cx, draft),
        (None, default, _) => {
            new.plain(default.as_ref(), cx, draft);
            Ok(())
        }
    };
    if let Err(Unusable(why)) = planned {
        draft.problems.push(cx.problem("the value of the new column cannot be used", why, "write it differently"));
    }
}

fn exists(op: &AddColumn, table: &Table, existing: &Column, cx: &Context<'_>, draft: &mut Draft) {
    let place = format!("{}.{}", table.name.display(), existing.name.as_str());
    if op.if_not_exists {
        draft.summary = format!("{place} exists already ({})", existing.type_sql);
        return;
    }
    draft.problems.push(cx.problem(
        format!("column {place} exists already, with type {}", existing.type_sql),
        "",
        "write IF NOT EXISTS where that is expected, or use another name",
    ));
}

fn refuse(op: &AddColumn, to: &TypeFacts, cx: &Context<'_>, draft: &mut Draft) {
    for clause in &op.other_clauses {
        draft.problems.push(cx.problem(
            format!("ADD COLUMN … {clause} does more than add a column"),
            "it would read or write the whole table under a lock that nobody passes",
            "add the plain column first; then the default, the index or the constraint, each in a statement of its own",
        ));
    }
    if to.kind == 'd' {
        draft.problems.push(cx.problem(
            format!("{} is a domain", to.canonical),
            "PostgreSQL rewrites the table to check a domain's constraints",
            "add the column with the domain's base type",
        ));
    }
}

/// When the column gets its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Default {
    /// With the column: for writers that do not name it.
    AtOnce,
    /// When the run is complete: until then such writers get the value of `up`.
    AtTheEnd,
}

struct NewColumn<'a> {
    op: &'a AddColumn,
    table: &'a Table,
    to: &'a TypeFacts,
}

impl NewColumn<'_> {
    fn column(&self) -> Column {
        super::effect::new_column(self.op, self.to)
    }

    fn place(&self) -> String {
        format!("{}.{}", self.table.name.display(), self.op.column.as_str())
    }

    fn add(&self, clauses: &str) -> Sql {
        let type_sql = sql_column::typed(&self.to.canonical, self.op.collation.as_deref());
        sql_column::add(&self.table.name, &self.op.column, &Sql::raw(format!("{}{clauses}", type_sql.as_str())))
    }

    /// No default, or one that the server keeps in the catalogue for the rows that exist.
    fn plain(&self, default: Option<&Expr>, cx: &Context<'_>, draft: &mut Draft) {
        draft.strategy = Some(Strategy::Metadata);
        let mut clauses = String::new();
        if let Some(default) = default {
            clauses = format!(" DEFAULT {}", default.0);
        }
        let sealed = default.is_some() && self.op.not_null;
        if sealed {
            clauses.push_str(" NOT NULL");
        }
        let (table, name) = (&self.table.name, &self.op.column);
        draft.steps.push(
            Seed::brief(Slot::Expand, format!("add {}", self.place()), exclusive(table), vec![self.add(&clauses)])
                .undone_with(exclusive(table), vec![sql_column::drop_if_exists(table, name)]),
        );
        if !self.op.not_null || sealed {
            return;
        }
        if self.table.blocks > 0 {
            draft.problems.push(cx.problem(
                format!("{} is NOT NULL and has no default, and the table has rows", self.place()),
                "the rows that exist would have no value",
                "give it a DEFAULT, or the directive `up`",
            ));
        }
        draft.strategy = Some(Strategy::Online);
        draft.proofs.push(not_null::no_nulls(self.table, name, "give these rows a value"));
        draft.steps.extend(not_null::contract(self.table, name, Vec::new(), cx));
    }

    /// A value of its own for each row.
    fn filled(
        &self,
        value: &Expr,
        role: Role,
        default: Default,
        cx: &Context<'_>,
        draft: &mut Draft,
    ) -> Result<(), Unusable> {
        draft.strategy = Some(Strategy::Online);
        let (table, name) = (&self.table.name, &self.op.column);
        let Some(filler) = Filler::new(self.table, self.column(), value, role, cx, draft) else { return Ok(()) };
        draft.preflight.extend(filler.preflight()?);
        draft.steps.push(filler.functions()?);
        let set_default =
            self.op.default.as_ref().map(|default| sql_column::set_default(table, name, &Sql::raw(&default.0)));
        let mut statements = vec![self.add("")];
        if default == Default::AtOnce {
            statements.extend(set_default.clone());
        }
        statements.extend(filler.create());
        let mut undo = filler.undo();
        undo.push(sql_column::drop_if_exists(table, name));
        draft.steps.push(
            Seed::brief(
                Slot::Expand,
                format!("add {} and the trigger that gives it its value", self.place()),
                exclusive(table),
                statements,
            )
            .undone_with(exclusive(table), undo),
        );
        filler.fill(cx, draft)?;
        draft.proofs.push(filler.proof()?);
        let mut last = filler.drop();
        if default == Default::AtTheEnd {
            last.extend(set_default);
        }
        if self.op.not_null {
            draft.proofs.push(not_null::no_nulls(self.table, name, "give these rows a value"));
            draft.steps.extend(not_null::contract(self.table, name, last, cx));
        } else {
            let title = format!("drop the trigger that gives {} its value", self.place());
            draft.steps.push(Seed::brief(Slot::Swap, title, exclusive(table), last));
        }
        Ok(())
    }
}
