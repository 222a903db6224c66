//! `UPDATE t SET c = f(…)` as a backfill: a trigger that does the same to whatever is written until `complete`, and a fill of
//! the rows that exist.

use super::filler::{Filler, Role};
use super::rows::{bare, of_new_row, trigger_cannot_be_last, unreadable};
use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::conversion::Shape;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive};
use crate::dialect::postgres::planner::expression::{self, Unusable};
use crate::dialect::postgres::planner::user_triggers::user_triggers;
use crate::dialect::postgres::planner::{names, volatility};
use crate::dialect::postgres::trigger::{self, OnError, Rule, Settings};
use crate::dialect::postgres::value::{Comparison, differs, raises};
use crate::name::{Ident, QualifiedName};
use crate::op::{Assignment, UpdateRows};
use crate::plan::{Check, Fill, FillAssignment, Strategy};
use crate::schema::{Column, ConstraintKind, Table};
use crate::sql;
use crate::text::Sql;

/// Drafts the backfill.
pub(crate) fn draft(op: &UpdateRows, cx: &Context<'_>, draft: &mut Draft) {
    let targets: Vec<&str> = op.assignments.iter().map(|assignment| assignment.column.as_str()).collect();
    draft.summary = format!("set {} in {}", targets.join(", "), op.table.display());
    let Some(table) = cx.target(&op.table, draft) else { return };
    draft.strategy = Some(Strategy::Online);
    let mut columns = Vec::new();
    for assignment in &op.assignments {
        let Some(column) = cx.column(table, &assignment.column, draft) else { continue };
        refuse(table, column, cx, draft);
        columns.push(column);
    }
    if columns.len() != op.assignments.len() {
        return;
    }
    let planned = match (&op.assignments[..], &columns[..]) {
        ([one], [column]) if only_nulls(op, &one.column) => where_null(table, column, one, cx, draft),
        _ => Update::new(op, table, columns, cx, draft).map_or(Ok(()), |update| update.steps(draft)),
    };
    if let Err(Unusable(why)) = planned {
        draft.problems.push(cx.problem("the UPDATE cannot be carried out row by row", why, "write it differently"));
    }
}

/// `WHERE c IS NULL` and nothing else: once given, a value is never asked for again, so that it may even be a random one.
fn only_nulls(op: &UpdateRows, column: &Ident) -> bool {
    let Some(condition) = &op.condition else { return false };
    let words: Vec<&str> = condition.0.split_whitespace().collect();
    let [name, is, null] = words[..] else { return false };
    let named = expression::columns(name).is_ok_and(|columns| columns == [column.clone()]);
    named && is.eq_ignore_ascii_case("is") && null.eq_ignore_ascii_case("null")
}

fn where_null(
    table: &Table,
    column: &Column,
    assignment: &Assignment,
    cx: &Context<'_>,
    draft: &mut Draft,
) -> Result<(), Unusable> {
    let Some(filler) = Filler::new(table, column.clone(), &assignment.value, Role::UPDATE, cx, draft) else {
        return Ok(());
    };
    draft.preflight.extend(filler.preflight()?);
    draft.steps.push(filler.functions()?);
    draft.steps.push(filler.create_step());
    filler.fill(cx, draft)?;
    draft.proofs.push(filler.proof()?);
    let title = format!("drop the trigger that gives {}.{} its value", table.name.display(), column.name.as_str());
    draft.steps.push(Seed::brief(Slot::Swap, title, exclusive(&table.name), filler.drop()));
    Ok(())
}

/// Columns that no trigger may change under a client's hands.
fn refuse(table: &Table, column: &Column, cx: &Context<'_>, draft: &mut Draft) {
    let name = &column.name;
    let mut refuse = |why: String, advice: &str| {
        draft.problems.push(cx.problem(format!("{} cannot be set by a backfill", name.as_str()), why, advice));
    };
    if column.generated.is_some() {
        refuse("it is a generated column".to_owned(), "change what it is generated from");
    }
    if column.identity.as_ref().is_some_and(|identity| identity.always) {
        refuse("it is GENERATED ALWAYS AS IDENTITY".to_owned(), "leave it as it is");
    }
    for index in table.indexes.iter().filter(|index| index.unique && index.key_columns.contains(name)) {
        refuse(
            format!(
                "unique index {} contains it: each row would be a change of a key, for which writers of referencing tables \
                 wait, and a value of ours could collide with a client's",
                index.name.display()
            ),
            "run the UPDATE by hand in small pieces",
        );
    }
    for constraint in table.constraints.iter().filter(|constraint| constraint.columns.contains(name)) {
        match &constraint.kind {
            ConstraintKind::ForeignKey(_) => refuse(
                format!(
                    "foreign key {} contains it: a value that refers to nothing would fail a client's statement",
                    constraint.name.as_str()
                ),
                "run the UPDATE by hand in small pieces",
            ),
            ConstraintKind::Exclusion => refuse(
                format!("exclusion constraint {} contains it", constraint.name.as_str()),
                "run the UPDATE by hand in small pieces",
            ),
            _ => {}
        }
    }
}

struct Update<'a> {
    op: &'a UpdateRows,
    cx: &'a Context<'a>,
    table: &'a Table,
    columns: Vec<&'a Column>,
    trigger: Ident,
    function: QualifiedName,
}

impl<'a> Update<'a> {
    fn new(
        op: &'a UpdateRows,
        table: &'a Table,
        columns: Vec<&'a Column>,
        cx: &'a Context<'a>,
        draft: &mut Draft,
    ) -> Option<Self> {
        let mut reads: Vec<Ident> = Vec::new();
        for (text, role) in texts(op) {
            match expression::columns(text) {
                Ok(columns) => reads.extend(columns),
                Err(Unusable(why)) => {
                    draft.problems.push(cx.problem(format!("{role} cannot be used"), why, "write it differently"));
                    return None;
                }
            }
            draft.problems.extend(volatility::problems(text, &role, cx));
        }
        draft.problems.extend(unreadable(table, &reads, "the UPDATE", cx));
        entangled(op, cx, draft);
        let purpose = format!("{}_update", op.assignments.first()?.column.as_str());
        let Some(trigger) = names::trigger(table, cx.number, &purpose) else {
            draft.problems.push(trigger_cannot_be_last(table, cx));
            return None;
        };
        let function = names::trigger_function(&table.name, cx.number, &purpose);
        Some(Self { op, cx, table, columns, trigger, function })
    }

    fn place(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        format!("{} of {}", names.join(", "), self.table.name.display())
    }

    fn values(&self) -> impl Iterator<Item = (&Column, &str)> {
        self.columns.iter().copied().zip(self.op.assignments.iter().map(|assignment| assignment.value.0.as_str()))
    }

    fn condition(&self, reach: &dyn Fn(&Ident) -> Sql) -> Result<Option<Sql>, Unusable> {
        self.op.condition.as_ref().map(|condition| expression::rebound(&condition.0, reach)).transpose()
    }

    /// True for a row that the UPDATE would change, each column written as `reach` says; never NULL.
    fn pending(&self, reach: &dyn Fn(&Ident) -> Sql) -> Result<Sql, Unusable> {
        let mut differing = Vec::new();
        for (column, value) in self.values() {
            let value = cast(column, &expression::rebound(value, reach)?);
            let comparison = Comparison::of_base(&Shape::of(&column.type_sql).base);
            differing.push(differs(&reach(&column.name), &value, comparison));
        }
        self.where_matching(&Sql::join(&differing, " OR "), reach)
    }

    /// `CASE` keeps the server from computing for a row what the condition leaves out.
    fn where_matching(&self, claim: &Sql, reach: &dyn Fn(&Ident) -> Sql) -> Result<Sql, Unusable> {
        Ok(match self.condition(reach)? {
            Some(condition) => sql!("CASE WHEN {c} THEN {claim} ELSE false END", c = condition, claim = claim),
            None => claim.clone(),
        })
    }

    fn steps(&self, draft: &mut Draft) -> Result<(), Unusable> {
        self.preflight(draft)?;
        self.expand(draft)?;
        let names: Vec<Ident> = self.columns.iter().map(|column| column.name.clone()).collect();
        let user_triggers = user_triggers(self.table, &names, self.cx, draft);
        let mut assignments = Vec::new();
        for (column, value) in self.values() {
            let value = expression::rebound(value, &bare)?;
            assignments.push(FillAssignment { column: column.name.clone(), value });
        }
        let fill = Fill {
            table: self.table.name.clone(),
            assignments,
            pending: self.pending(&bare)?,
            user_triggers,
            key: self.table.key_columns(),
            chunk: self.cx.options.chunk,
        };
        draft.steps.push(Seed::fill(format!("set {}", self.place()), fill, self.table, self.cx.server()));
        draft.proofs.push(self.check(
            format!("the UPDATE of {} has nothing left to do", self.place()),
            self.pending(&bare)?,
            "correct these rows; the trigger follows every UPDATE",
        ));
        draft.steps.push(Seed::brief(
            Slot::Swap,
            format!("drop the trigger that sets {}", self.place()),
            exclusive(&self.table.name),
            vec![trigger::drop(&self.table.name, &self.trigger), trigger::drop_function(&self.function, &[])],
        ));
        Ok(())
    }

    fn check(&self, claim: String, violation: Sql, advice: &str) -> Check {
        Check {
            table: self.table.name.clone(),
            claim,
            violation,
            key: self.table.key_columns(),
            advice: advice.to_owned(),
        }
    }

    fn preflight(&self, draft: &mut Draft) -> Result<(), Unusable> {
        let mut made = Vec::new();
        let mut nulls = Vec::new();
        for (column, value) in self.values() {
            let value = cast(column, &expression::rebound(value, &bare)?);
            if column.not_null {
                nulls.push(sql!("{v} IS NULL", v = value));
            }
            made.push(value);
        }
        let claim = format!("the values of {} can be computed", self.place());
        let violation = self.where_matching(&raises(&Sql::join(&made, ", ")), &bare)?;
        let advice = "correct these rows, or add a condition that leaves them out";
        draft.preflight.push(self.check(claim, violation, advice));
        if !nulls.is_empty() {
            let claim = format!("no value of {} is NULL where the column is NOT NULL", self.place());
            let violation = self.where_matching(&Sql::join(&nulls, " OR "), &bare)?;
            draft.preflight.push(self.check(claim, violation, "add a condition that leaves these rows out"));
        }
        self.settles(draft)?;
        self.keeps_checks(draft)
    }

    /// A value computed from itself must not change when it is computed again: the trigger sees each row more than once.
    fn settles(&self, draft: &mut Draft) -> Result<(), Unusable> {
        let mut reads_itself = false;
        for (column, value) in self.values() {
            reads_itself |= expression::columns(value)?.contains(&column.name);
        }
        if !reads_itself {
            return Ok(());
        }
        let again = self.pending(&|name| self.after(name))?;
        draft.preflight.push(self.check(
            format!("computing {} a second time changes nothing", self.place()),
            self.where_matching(&again, &bare)?,
            "write the UPDATE so that it may be repeated: into a new column, or with a condition that its result does not meet",
        ));
        Ok(())
    }

    /// Checks of the table hold for the new values, so that no client's statement fails on a value of ours.
    fn keeps_checks(&self, draft: &mut Draft) -> Result<(), Unusable> {
        for constraint in &self.table.constraints {
            let ConstraintKind::Check { expression } = &constraint.kind else { continue };
            if !self.columns.iter().any(|column| constraint.columns.contains(&column.name)) {
                continue;
            }
            let kept = expression::rebound(expression, &|name| self.after(name))?;
            let broken = sql!("{kept} IS FALSE", kept = kept);
            draft.preflight.push(self.check(
                format!("the new values of {} hold check {}", self.place(), constraint.name.as_str()),
                self.where_matching(&broken, &bare)?,
                "add a condition that leaves these rows out, or change the check first",
            ));
        }
        Ok(())
    }

    /// A column as the UPDATE leaves it.
    fn after(&self, name: &Ident) -> Sql {
        let assigned = self.values().find(|(column, _)| column.name == *name);
        let value = assigned.and_then(|(column, value)| {
            expression::rebound(value, &bare).ok().map(|value| sql!("({v})", v = cast(column, &value)))
        });
        value.unwrap_or_else(|| bare(name))
    }

    fn expand(&self, draft: &mut Draft) -> Result<(), Unusable> {
        let mut assignments = Vec::new();
        for (column, value) in self.values() {
            assignments.push((column.name.clone(), expression::rebound(value, &of_new_row)?));
        }
        let rule = Rule { assignments, condition: self.condition(&of_new_row)? };
        let function = trigger::function(&self.function, &rule, Settings::Pinned, OnError::Keep);
        let title = format!("create the function that sets {}", self.place());
        draft.steps.push(
            Seed::free(Slot::Prepare, title, vec![function])
                .undone_with(Vec::new(), vec![trigger::drop_function_if_exists(&self.function, &[])]),
        );
        let table = &self.table.name;
        draft.steps.push(
            Seed::brief(
                Slot::Expand,
                format!("set the trigger that sets {}", self.place()),
                exclusive(table),
                vec![
                    trigger::create(table, &self.trigger, &trigger::not_filling(), &self.function),
                    trigger::enable_always(table, &self.trigger),
                ],
            )
            .undone_with(exclusive(table), vec![trigger::drop_if_exists(table, &self.trigger)]),
        );
        Ok(())
    }
}

fn texts(op: &UpdateRows) -> Vec<(&str, String)> {
    let values = op
        .assignments
        .iter()
        .map(|assignment| (assignment.value.0.as_str(), format!("the value of {}", assignment.column.as_str())));
    values.chain(op.condition.iter().map(|condition| (condition.0.as_str(), "WHERE".to_owned()))).collect()
}

/// SQL computes every value from the row as it was; a trigger assigns one after the other.
fn entangled(op: &UpdateRows, cx: &Context<'_>, draft: &mut Draft) {
    for assignment in &op.assignments {
        let Ok(reads) = expression::columns(&assignment.value.0) else { continue };
        let other =
            op.assignments.iter().find(|other| other.column != assignment.column && reads.contains(&other.column));
        if let Some(other) = other {
            draft.problems.push(cx.problem(
                format!(
                    "the value of {} is computed from {}, which the same UPDATE sets",
                    assignment.column.as_str(),
                    other.column.as_str()
                ),
                "done twice, it would give something else",
                "split it into two migrations",
            ));
        }
    }
}

fn cast(column: &Column, value: &Sql) -> Sql {
    sql!("{v}::{t}", v = value, t = Sql::raw(&column.type_sql))
}
