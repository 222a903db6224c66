//! `UPDATE t SET c = f(…)` as a backfill: triggers that do the same to whatever is written until `complete`, and a fill of the
//! rows that exist.

use super::stages::{self, Stages};
use super::{Context, Draft, refuse};
use crate::dialect::mysql::rows::{self as text, Rule};
use crate::dialect::mysql::{trigger, value};
use crate::error::Problem;
use crate::op::UpdateRows;
use crate::plan::rows::{Rows, RowsStage, SetColumn};
use crate::plan::{Check, Hazard, Strategy};
use crate::schema::mysql::{Column, Table};
use crate::sql;
use crate::sql::mysql::name::WrittenName;
use crate::sql::mysql::{Mode, Name};
use crate::text::Sql;

mod expression;
mod unfit;

use expression::Expression;

/// Plans the backfill of the table that the statement names so.
pub(super) fn draft(op: &UpdateRows, name: &WrittenName, cx: &Context<'_>, draft: &mut Draft) {
    let targets: Vec<&str> = op.assignments.iter().map(|assignment| assignment.column.as_str()).collect();
    draft.summary = format!("set {} in {}", targets.join(", "), name.display());
    let Some(table) = cx.table(name, draft) else { return };
    draft.strategy = Some(Strategy::Online);
    draft.tables.push(table.path.clone());
    refuse::kind(table, cx, draft);
    refuse::beside_writers(table, cx, draft);
    refuse::locks_unseen(cx, draft);
    refuse::other_strategy(cx.statement.options.strategy, cx, draft);
    refuse::snapshot_isolation(cx, draft);
    user_triggers(table, cx, draft);
    let Some(update) = Update::read(op, table, cx, draft) else { return };
    unfit::update(&update, cx, draft);
    if !draft.problems.is_empty() {
        return;
    }
    match update.steps(draft) {
        Ok(()) => {}
        Err(problem) => draft.problems.push(problem),
    }
}

/// Every row of the fill is an update, and fires them.
pub(super) fn user_triggers(table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    let fired: Vec<&str> = table
        .triggers
        .iter()
        .filter(|trigger| trigger.event.eq_ignore_ascii_case("update"))
        .map(|trigger| trigger.name.as_str())
        .collect();
    if !fired.is_empty() {
        draft.findings.push(cx.finding(
            Some(Hazard::UserTriggers),
            cx.problem(
                format!("the fill fires {} once for every row", fired.join(", ")),
                "a trigger that keeps an audit trail or a time of change would take the fill for the application's work",
                "accept that they fire, or drop them for the time of the fill",
            ),
        ));
    }
}

/// Which rows are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Those that meet the condition, whenever they are written.
    Always,
    /// Those that have no value yet: once given, it is never asked for again.
    Nulls,
}

/// The statement against its table.
struct Update<'a> {
    cx: &'a Context<'a>,
    table: &'a Table,
    form: Form,
    set: Vec<(&'a Column, Expression)>,
    condition: Option<Expression>,
}

impl<'a> Update<'a> {
    fn read(op: &UpdateRows, table: &'a Table, cx: &'a Context<'a>, draft: &mut Draft) -> Option<Self> {
        // What the statement says is what our sessions take it for.
        let mode = Mode::of(cx.server().product, cx.server().version, "");
        let mut read = |written: &str, role: String| match Expression::read(written, role, mode) {
            Ok(expression) => Some(expression),
            Err((what, why)) => {
                draft.problems.push(cx.problem(what, why, "write it differently"));
                None
            }
        };
        let condition = match &op.condition {
            Some(condition) => Some(read(&condition.0, "WHERE".to_owned())?),
            None => None,
        };
        let mut values = Vec::new();
        for assignment in &op.assignments {
            let role = format!("the value of {}", assignment.column.as_str());
            values.push(read(&assignment.value.0, role)?);
        }
        let mut set: Vec<(&Column, Expression)> = Vec::new();
        for (assignment, value) in op.assignments.iter().zip(values) {
            let name = assignment.column.as_str();
            match table.column(name) {
                Some(column) => set.push((column, value)),
                None => draft.problems.push(cx.problem(
                    format!("{} has no column {name}", table.path.display()),
                    "the statement sets it",
                    "check the name",
                )),
            }
        }
        if set.len() != op.assignments.len() {
            return None;
        }
        let nulls =
            matches!((&set[..], &condition), ([(column, _)], Some(condition)) if condition.is_null(&column.name));
        let form = if nulls { Form::Nulls } else { Form::Always };
        Some(Self { cx, table, form, set, condition })
    }

    fn place(&self) -> String {
        let names: Vec<&str> = self.set.iter().map(|(column, _)| column.name.as_str()).collect();
        format!("{} of {}", names.join(", "), self.table.path.display())
    }

    /// Everything that is computed.
    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.set.iter().map(|(_, value)| value).chain(&self.condition)
    }

    fn is_set(&self, name: &Name) -> bool {
        self.set.iter().any(|(column, _)| column.name.same_as(name.as_str()))
    }

    fn stored(&self, column: &Column, value: &Sql) -> Result<Sql, Problem> {
        value::stored(column, value).ok_or_else(|| {
            self.cx.problem(
                format!("{} has the type {}", column.name.as_str(), column.column_type),
                "there is no expression by which a value of that type could be compared with what the column holds",
                "run the UPDATE by hand in small pieces",
            )
        })
    }

    /// True for a row that the UPDATE would change, each column written as `reach` says.
    fn pending(&self, reach: &dyn Fn(&Name) -> String) -> Result<Sql, Problem> {
        let condition = self.condition.as_ref().map(|condition| condition.with(reach));
        if let (Form::Nulls, Some(condition)) = (self.form, &condition) {
            return Ok(condition.clone());
        }
        let mut differing = Vec::new();
        for (column, value) in &self.set {
            let stored = self.stored(column, &value.with(reach))?;
            differing.push(value::differs(column, &Sql::raw(reach(&column.name)), &stored));
        }
        let differs = Sql::join(&differing, " OR ");
        Ok(match condition {
            Some(condition) => sql!("({c}) AND ({d})", c = condition, d = differs),
            None => differs,
        })
    }

    fn rows(&self) -> Result<Rows, Problem> {
        let (key, key_index) = stages::key(self.table, self.cx)?;
        let kept = self.table.columns.iter().filter(|column| changes_by_itself(column) && !self.is_set(&column.name));
        Ok(Rows {
            table: self.table.path.clone(),
            key,
            key_index,
            set: self
                .set
                .iter()
                .map(|(column, value)| SetColumn { column: (*column).clone(), value: value.with(&text::bare) })
                .collect(),
            pending: self.pending(&text::bare)?,
            kept: kept.map(|column| column.name.clone()).collect(),
            replaces: None,
            chunk: self.cx.statement.options.chunk,
        })
    }

    fn steps(&self, draft: &mut Draft) -> Result<(), Problem> {
        let rows = self.rows()?;
        let rule = Rule {
            condition: self.condition.as_ref().map(|condition| condition.with(&text::of_new_row)),
            values: self.set.iter().map(|(_, value)| value.with(&text::of_new_row)).collect(),
        };
        draft.preflight.push(self.computes());
        draft.preflight.extend(self.no_nulls());
        draft.preflight.extend(self.settles()?);
        let proof = self.check(
            format!("the UPDATE of {} has nothing left to do", self.place()),
            rows.pending.clone(),
            "correct these rows, or write the value in the column's own type (CAST); the triggers follow every UPDATE",
        );
        let mut follow: Vec<Sql> = trigger::announce(self.cx.server().product, self.table).into_iter().collect();
        follow.extend(text::drop(&rows.table));
        follow.extend(text::create(&rows, &rule));
        let stages = Stages { table: self.table, rows: &rows, place: self.place() };
        draft.steps.extend(stages.until_ready(follow, proof));
        let title = format!("drop the triggers that set {}", self.place());
        draft.steps.push(stages.end(title, RowsStage::Clean, text::drop(&rows.table)));
        Ok(())
    }

    fn check(&self, claim: String, violation: Sql, advice: &str) -> Check {
        stages::check(self.table, claim, violation, advice)
    }

    /// Values that cannot be computed, or that are too large for their column, as far as reading tells.
    fn computes(&self) -> Check {
        let too_large =
            self.set.iter().filter_map(|(column, value)| value::too_large(column, &value.with(&text::bare)));
        // Never true, but computed.
        let computed = self.set.iter().map(|(_, value)| sql!("(({v}) IS NULL) < 0", v = value.with(&text::bare)));
        let claim = format!("the values of {} can be computed, and their columns can hold them", self.place());
        let violation = self.where_matching(&Sql::join(&computed.chain(too_large).collect::<Vec<_>>(), " OR "));
        self.check(claim, violation, "correct these rows, or add a condition that leaves them out")
    }

    /// Where the column takes no NULL, the triggers would leave the row as it is, and the fill would stop at it.
    fn no_nulls(&self) -> Option<Check> {
        let nulls: Vec<Sql> = self
            .set
            .iter()
            .filter(|(column, _)| !column.nullable)
            .map(|(_, value)| sql!("({v}) IS NULL", v = value.with(&text::bare)))
            .collect();
        if nulls.is_empty() {
            return None;
        }
        let claim = format!("no value of {} is NULL where the column is NOT NULL", self.place());
        let violation = self.where_matching(&Sql::join(&nulls, " OR "));
        Some(self.check(claim, violation, "add a condition that leaves these rows out"))
    }

    /// A value computed from itself must not change when it is computed again: the triggers see each row more than once.
    fn settles(&self) -> Result<Option<Check>, Problem> {
        let reads_itself = self.set.iter().any(|(column, value)| value.reads(&column.name));
        if self.form == Form::Nulls || !reads_itself {
            return Ok(None);
        }
        let mut after = Vec::new();
        for (column, value) in &self.set {
            let stored = self.stored(column, &value.with(&text::bare))?;
            after.push((&column.name, format!("({})", stored.as_str())));
        }
        let reach = |name: &Name| {
            let set = after.iter().find(|(column, _)| column.same_as(name.as_str()));
            set.map_or_else(|| text::bare(name), |(_, value)| value.clone())
        };
        Ok(Some(self.check(
            format!("computing {} a second time changes nothing", self.place()),
            self.where_matching(&self.pending(&reach)?),
            "write the UPDATE so that it may be repeated: into a new column, or with a condition that its result does not meet",
        )))
    }

    fn where_matching(&self, claim: &Sql) -> Sql {
        match &self.condition {
            Some(condition) => sql!("({c}) AND ({claim})", c = condition.with(&text::bare), claim = claim),
            None => claim.clone(),
        }
    }
}

/// `ON UPDATE CURRENT_TIMESTAMP`
pub(super) fn changes_by_itself(column: &Column) -> bool {
    column.extra.to_ascii_lowercase().contains("on update")
}
