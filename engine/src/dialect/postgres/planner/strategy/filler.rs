//! A trigger that gives a column its value where a writer gave none, until the run is complete, and the fill of the rows
//! that exist.

use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::conversion::Shape;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive};
use crate::dialect::postgres::planner::expression::{self, Unusable};
use crate::dialect::postgres::planner::user_triggers::user_triggers;
use crate::dialect::postgres::planner::{names, volatility};
use crate::dialect::postgres::trigger::{self, OnError, Rule, Settings};
use crate::dialect::postgres::value::{Comparison, differs, raises};
use crate::error::Problem;
use crate::name::{Ident, QualifiedName};
use crate::op::Expr;
use crate::plan::{Check, Fill, FillAssignment};
use crate::schema::{Column, Table};
use crate::sql;
use crate::text::{List, Sql};

use super::rows::{bare, of_new_row, of_old_row};

/// Whether the value is computed again when what it is computed from changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// It is, unless the writer gave the column a value of its own.
    Sources,
    /// A value once given stays.
    Never,
}

/// What a filler is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role {
    /// Tells its trigger from others on the same column.
    pub(super) purpose: &'static str,
    pub(super) follow: Follow,
    /// What becomes of a row whose value cannot be computed; never may it fail a client's statement.
    pub(super) on_error: OnError,
}

impl Role {
    /// A new column computed from others: without a value the proof finds the row.
    pub(super) const UP: Self = Self { purpose: "up", follow: Follow::Sources, on_error: OnError::Null };
    /// A column that is to go, for writers that no longer name it: better an old value than none.
    pub(super) const DOWN: Self = Self { purpose: "down", follow: Follow::Sources, on_error: OnError::Keep };
    /// A default that is another one for every row.
    pub(super) const DEFAULT: Self = Self { purpose: "default", follow: Follow::Never, on_error: OnError::Keep };
    /// What takes a NULL's place.
    pub(super) const NOT_NULL: Self = Self { purpose: "not_null", follow: Follow::Never, on_error: OnError::Keep };
    /// `UPDATE … WHERE c IS NULL`.
    pub(super) const UPDATE: Self = Self { purpose: "update", follow: Follow::Never, on_error: OnError::Keep };
}

/// The trigger and what belongs to it.
#[derive(Debug)]
pub(super) struct Filler<'a> {
    table: &'a Table,
    column: Column,
    text: String,
    reads: Vec<Ident>,
    role: Role,
    trigger: Ident,
    function: QualifiedName,
    value_function: QualifiedName,
    key: Vec<Ident>,
}

impl<'a> Filler<'a> {
    /// `column` gets `value` in `table`; `purpose` tells this trigger from others. Reasons to refuse go into the draft.
    pub(super) fn new(
        table: &'a Table,
        column: Column,
        value: &Expr,
        role: Role,
        cx: &Context<'_>,
        draft: &mut Draft,
    ) -> Option<Self> {
        let what = format!("the value of {}", column.name.as_str());
        let reads = match expression::columns(&value.0) {
            Ok(reads) => reads,
            Err(Unusable(why)) => {
                draft.problems.push(cx.problem(format!("{what} cannot be used"), why, "write it differently"));
                return None;
            }
        };
        draft.problems.extend(unreadable(table, &column.name, &reads, &what, cx));
        if let Err(problems) = volatility::of(&value.0, &what, cx) {
            draft.problems.extend(problems);
        }
        let purpose = format!("{}_{}", column.name.as_str(), role.purpose);
        let Some(trigger) = names::trigger(table, cx.number, &purpose) else {
            draft.problems.push(super::rows::trigger_cannot_be_last(table, cx));
            return None;
        };
        Some(Self {
            trigger,
            function: names::trigger_function(&table.name, cx.number, &purpose),
            value_function: names::value_function(&table.name, cx.number, &purpose),
            key: table.key_columns(),
            table,
            column,
            text: value.0.clone(),
            reads,
            role,
        })
    }

    /// Whether the value is another one for other rows, and so may fail for some of them.
    fn reads_row(&self) -> bool {
        !self.reads.is_empty()
    }

    fn place(&self) -> String {
        format!("{}.{}", self.table.name.display(), self.column.name.as_str())
    }

    /// The step without any lock: the functions.
    pub(super) fn functions(&self) -> Result<Seed, Unusable> {
        let name = &self.column.name;
        let value = expression::rebound(&self.text, &of_new_row)?;
        let condition = self.reads_row().then(|| self.wanting());
        let rule = Rule { assignments: vec![(name.clone(), value)], condition };
        let mut statements = vec![trigger::function(&self.function, &rule, Settings::Pinned, self.role.on_error)];
        let mut undo = vec![trigger::drop_function_if_exists(&self.function, &[])];
        if self.reads_row() {
            let parameter = |read: &Ident| match self.reads.iter().position(|known| known == read) {
                Some(position) => Sql::raw(format!("${}", position + 1)),
                None => bare(read),
            };
            let value = expression::rebound(&self.text, &parameter)?;
            let result = Sql::raw(&self.column.type_sql);
            statements.push(trigger::value_function(&self.value_function, &self.parameters(), &result, &value));
            undo.push(trigger::drop_function_if_exists(&self.value_function, &self.parameters()));
        }
        let title = format!("create the function that computes {}", self.place());
        Ok(Seed::free(Slot::Prepare, title, statements).undone_with(Vec::new(), undo))
    }

    /// A row of a writer who gave no value, over `NEW` and `OLD`.
    fn wanting(&self) -> Sql {
        let name = &self.column.name;
        let new = of_new_row(name);
        let changed: Vec<Sql> = match self.role.follow {
            Follow::Never => Vec::new(),
            Follow::Sources => self.reads.iter().filter_map(|read| self.table.column(read)).map(changed).collect(),
        };
        if changed.is_empty() {
            return sql!("{new} IS NULL", new = new);
        }
        sql!(
            "{new} IS NULL\n            OR (TG_OP = 'UPDATE' AND NOT ({own}) AND ({sources}))",
            new = new,
            own = differs(&new, &of_old_row(name), Comparison::of_base(&Shape::of(&self.column.type_sql).base)),
            sources = Sql::join(&changed, " OR ")
        )
    }

    /// Statements that make the trigger; the table is locked by then.
    pub(super) fn create(&self) -> Vec<Sql> {
        let new = of_new_row(&self.column.name);
        let when = match (self.reads_row(), self.role.follow) {
            (true, Follow::Sources) => {
                sql!("{new} IS NULL OR {not_filling}", new = new, not_filling = trigger::not_filling())
            }
            _ => sql!("{new} IS NULL", new = new),
        };
        vec![
            trigger::create(&self.table.name, &self.trigger, &when, &self.function),
            trigger::enable_always(&self.table.name, &self.trigger),
        ]
    }

    /// Statements that take a begun trigger away.
    pub(super) fn undo(&self) -> Vec<Sql> {
        vec![trigger::drop_if_exists(&self.table.name, &self.trigger)]
    }

    /// Statements that take the trigger and its functions away in the end.
    pub(super) fn drop(&self) -> Vec<Sql> {
        let mut made =
            vec![trigger::drop(&self.table.name, &self.trigger), trigger::drop_function(&self.function, &[])];
        if self.reads_row() {
            made.push(trigger::drop_function(&self.value_function, &self.parameters()));
        }
        made
    }

    fn parameters(&self) -> Vec<Sql> {
        let known = self.reads.iter().filter_map(|read| self.table.column(read));
        known.map(|column| Sql::raw(&column.type_sql)).collect()
    }

    /// The step that makes the trigger on a column that exists already.
    pub(super) fn create_step(&self) -> Seed {
        Seed::brief(
            Slot::Expand,
            format!("set the trigger that gives {} its value", self.place()),
            exclusive(&self.table.name),
            self.create(),
        )
        .undone_with(exclusive(&self.table.name), self.undo())
    }

    /// Rows that exist and have no value.
    pub(super) fn fill(&self, cx: &Context<'_>, draft: &mut Draft) -> Result<(), Unusable> {
        let column = bare(&self.column.name);
        let (value, pending) = if self.reads_row() {
            let value = sql!("{f}({reads})", f = self.value_function, reads = List(&self.reads));
            let pending = sql!("{c} IS NULL AND {v} IS NOT NULL", c = column, v = value);
            (value, pending)
        } else {
            (expression::rebound(&self.text, &bare)?, sql!("{c} IS NULL", c = column))
        };
        let user_triggers = user_triggers(self.table, std::slice::from_ref(&self.column.name), cx, draft);
        let fill = Fill {
            table: self.table.name.clone(),
            assignments: vec![FillAssignment { column: self.column.name.clone(), value }],
            pending,
            user_triggers,
            key: self.key.clone(),
            chunk: cx.options.chunk,
        };
        let title = format!("fill {} in the rows that exist", self.column.name.as_str());
        draft.steps.push(Seed::fill(title, fill, self.table, cx.server()));
        Ok(())
    }

    /// The value can be computed for every row that exists. A call that reads nothing of the row is not tried out: it may
    /// draw from a sequence.
    pub(super) fn preflight(&self) -> Result<Option<Check>, Unusable> {
        if !self.reads_row() && !expression::functions(&self.text)?.is_empty() {
            return Ok(None);
        }
        let value = sql!("{v}::{t}", v = expression::rebound(&self.text, &bare)?, t = Sql::raw(&self.column.type_sql));
        Ok(Some(Check {
            table: self.table.name.clone(),
            claim: format!("the value of {} can be computed for every row", self.place()),
            violation: raises(&value),
            key: self.key.clone(),
            advice: "correct these rows, or write an expression that gives them a value".to_owned(),
        }))
    }

    /// Every row has its value, as far as there is one.
    pub(super) fn proof(&self) -> Result<Check, Unusable> {
        let column = bare(&self.column.name);
        let violation = if self.reads_row() {
            let value =
                sql!("{v}::{t}", v = expression::rebound(&self.text, &bare)?, t = Sql::raw(&self.column.type_sql));
            sql!("CASE WHEN {c} IS NULL THEN {v} IS NOT NULL ELSE false END", c = column, v = value)
        } else {
            sql!("{c} IS NULL", c = column)
        };
        Ok(Check {
            table: self.table.name.clone(),
            claim: format!("{} has a value in every row that it can be computed for", self.place()),
            violation,
            key: self.key.clone(),
            advice: "give these rows a value; the trigger follows every UPDATE".to_owned(),
        })
    }
}

fn changed(column: &Column) -> Sql {
    let comparison = Comparison::of_base(&Shape::of(&column.type_sql).base);
    differs(&of_new_row(&column.name), &of_old_row(&column.name), comparison)
}

/// Columns that an expression cannot read in a BEFORE trigger, or that are not there.
fn unreadable(table: &Table, own: &Ident, reads: &[Ident], role: &str, cx: &Context<'_>) -> Vec<Problem> {
    let mut problems = super::rows::unreadable(table, reads, role, cx);
    if reads.contains(own) {
        problems.push(cx.problem(
            format!("{role} is computed from itself"),
            "it is wanted where there is none yet",
            "use other columns or a constant",
        ));
    }
    problems
}
