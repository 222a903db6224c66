//! One column and its successor: the trigger that keeps it in step, its fill, its proofs.

use crate::dialect::postgres::planner::conversion::Certainty;
use crate::dialect::postgres::planner::draft::{Seed, Slot, heap_bytes, lock};
use crate::dialect::postgres::planner::expression::Unusable;
use crate::dialect::postgres::planner::names;
use crate::dialect::postgres::planner::strategy::alter_column_type::Change;
use crate::dialect::postgres::planner::strategy::rows::{bare, of_new_row, trigger_cannot_be_last};
use crate::dialect::postgres::trigger::{self, OnError, Rule, Settings};
use crate::dialect::postgres::value::{self, differs};
use crate::dialect::postgres::{column, constraint};
use crate::error::Problem;
use crate::name::{Ident, QualifiedName};
use crate::plan::{Check, Cost, FillAssignment, Held, LockMode};
use crate::sql;
use crate::text::{List, Sql};

/// The old column, and what is put beside it.
#[derive(Debug)]
pub(super) struct Dual<'a> {
    pub(super) change: Change<'a>,
    /// The column that is to take its place.
    pub(super) new: Ident,
    pub(super) trigger: Ident,
    function: QualifiedName,
    value_function: QualifiedName,
}

impl<'a> Dual<'a> {
    /// Names everything.
    ///
    /// # Errors
    /// The user has a trigger that nothing of ours sorts after.
    pub(super) fn new(change: Change<'a>) -> Result<Self, Problem> {
        let (table, number, purpose) = (change.table, change.cx.number, change.column.name.as_str());
        let Some(trigger) = names::trigger(table, number, purpose) else {
            return Err(trigger_cannot_be_last(table, &change.cx));
        };
        Ok(Self {
            new: names::new_column(&change.column.name),
            trigger,
            function: names::trigger_function(&table.name, number, purpose),
            value_function: names::value_function(&table.name, number, purpose),
            change,
        })
    }

    /// Whether the conversion can be relied on before it has been seen to work.
    pub(super) fn is_certain(&self) -> bool {
        self.change.conversion.certainty == Certainty::Exact
    }

    pub(super) fn place(&self) -> String {
        format!("{}.{}", self.change.table.name.display(), self.change.column.name.as_str())
    }

    fn key(&self) -> Vec<Ident> {
        self.change.table.key_columns()
    }

    fn heap_bytes(&self) -> u64 {
        heap_bytes(self.change.table, self.change.cx.server())
    }

    /// The value of a stored row.
    fn stored_value(&self) -> Result<Sql, Unusable> {
        self.change.conversion.over(&bare)
    }

    /// Every value converts; known before the first change.
    pub(super) fn preflight(&self) -> Result<Option<Check>, Unusable> {
        if self.is_certain() {
            return Ok(None);
        }
        let value = self.stored_value()?;
        let fails = match self.change.column.not_null {
            true => sql!("({value}) IS NULL", value = value),
            false => value::raises(&value),
        };
        Ok(Some(Check {
            table: self.change.table.name.clone(),
            claim: format!("every value of {} can be converted to {}", self.place(), self.change.to.canonical),
            violation: self.or_cut(fails),
            key: self.key(),
            advice: "correct these rows, or write a USING expression that gives them a value".to_owned(),
        }))
    }

    /// Every row has the value that it should have.
    pub(super) fn proof(&self) -> Result<Check, Unusable> {
        let value = self.stored_value()?;
        let wrong = differs(&bare(&self.new), &value, self.change.conversion.comparison);
        Ok(Check {
            table: self.change.table.name.clone(),
            claim: format!(
                "{} is {} converted to {} in every row",
                self.new.as_str(),
                self.place(),
                self.change.to.canonical
            ),
            violation: self.or_cut(wrong),
            key: self.key(),
            advice: "correct these rows; the trigger follows every UPDATE".to_owned(),
        })
    }

    fn or_cut(&self, violation: Sql) -> Sql {
        match self.change.conversion.cut() {
            Some(cut) => sql!("({cut}) OR {violation}", cut = cut, violation = violation),
            None => violation,
        }
    }

    /// The functions of the trigger and, where a value may fail, of the fill.
    pub(super) fn functions(&self) -> Result<Seed, Unusable> {
        let on_error = if self.is_certain() { OnError::Raise } else { OnError::Null };
        let mut functions = vec![self.trigger_function(on_error)?];
        let mut undo = vec![trigger::drop_function_if_exists(&self.function, &[])];
        if !self.is_certain() {
            functions.push(self.make_value_function()?);
            undo.push(trigger::drop_function_if_exists(&self.value_function, &self.parameters()));
        }
        let title = format!("create the function that computes the new value of {}", self.place());
        Ok(Seed::free(Slot::Prepare, title, functions).undone_with(Vec::new(), undo))
    }

    fn trigger_function(&self, on_error: OnError) -> Result<Sql, Unusable> {
        let value = self.change.conversion.assigned(&of_new_row)?;
        let rule = Rule { assignments: vec![(self.new.clone(), value)], condition: None };
        let settings = if self.is_certain() { Settings::Free } else { Settings::Pinned };
        Ok(trigger::function(&self.function, &rule, settings, on_error))
    }

    fn make_value_function(&self) -> Result<Sql, Unusable> {
        let reads = &self.change.conversion.reads;
        let parameter = |name: &Ident| match reads.iter().position(|read| read == name) {
            Some(position) => Sql::raw(format!("${}", position + 1)),
            None => bare(name),
        };
        Ok(trigger::value_function(
            &self.value_function,
            &self.parameters(),
            &Sql::raw(&self.change.to.canonical),
            &self.change.conversion.assigned(&parameter)?,
        ))
    }

    fn parameters(&self) -> Vec<Sql> {
        let reads = self.change.conversion.reads.iter();
        reads.filter_map(|read| self.change.table.column(read)).map(|column| Sql::raw(&column.type_sql)).collect()
    }

    /// Statements that add the column and set the trigger; the table is locked by then.
    pub(super) fn add(&self) -> Result<Vec<Sql>, Unusable> {
        let table = &self.change.table.name;
        let type_sql = column::typed(&self.change.to.canonical, self.change.collation);
        let mut statements = vec![column::add(table, &self.new, &type_sql)];
        statements.extend(column::carried(table, self.change.column, &self.new));
        statements.push(trigger::create(table, &self.trigger, &self.when()?, &self.function));
        statements.push(trigger::enable_always(table, &self.trigger));
        if self.is_certain() {
            statements.extend(self.add_not_null_check());
        }
        Ok(statements)
    }

    /// Statements that take back what [`Dual::add`] did; indexes and constraints of the column go with it.
    pub(super) fn undo(&self) -> Vec<Sql> {
        let table = &self.change.table.name;
        vec![trigger::drop_if_exists(table, &self.trigger), column::drop_if_exists(table, &self.new)]
    }

    /// Statements that take the trigger and its functions away in the end.
    pub(super) fn drop_trigger(&self) -> Vec<Sql> {
        let mut made =
            vec![trigger::drop(&self.change.table.name, &self.trigger), trigger::drop_function(&self.function, &[])];
        if !self.is_certain() {
            made.push(trigger::drop_function(&self.value_function, &self.parameters()));
        }
        made
    }

    /// Where the value is certain it is compared in place, so that a fill's rows pass without a call; elsewhere a fill says
    /// by a setting that its values are final. Either way the condition names the new column, so that nobody can drop the
    /// column from under the trigger.
    fn when(&self) -> Result<Sql, Unusable> {
        let new = of_new_row(&self.new);
        if self.is_certain() {
            let value = self.change.conversion.over(&of_new_row)?;
            return Ok(differs(&new, &value, self.change.conversion.comparison));
        }
        Ok(sql!("{new} IS NULL OR {not_filling}", new = new, not_filling = trigger::not_filling()))
    }

    /// What a fill writes, which never raises, and which rows want it.
    pub(super) fn filled(&self) -> Result<(FillAssignment, Sql), Unusable> {
        let value = if self.is_certain() {
            self.stored_value()?
        } else {
            sql!("{f}({reads})", f = self.value_function, reads = List(&self.change.conversion.reads))
        };
        let pending = differs(&bare(&self.new), &value, self.change.conversion.comparison);
        Ok((FillAssignment { column: self.new.clone(), value }, pending))
    }

    /// The check that stands for NOT NULL until the swap.
    pub(super) fn not_null_check(&self) -> Ident {
        names::not_null_check(&self.change.column.name)
    }

    fn add_not_null_check(&self) -> Option<Sql> {
        self.change.column.not_null.then(|| {
            let expression = constraint::is_not_null(&self.new);
            let (table, name) = (&self.change.table.name, self.not_null_check());
            constraint::add_check_not_valid(table, &name, &expression, constraint::Inherit::Yes)
        })
    }

    /// The step that proves NOT NULL, where the column is.
    pub(super) fn prove_not_null(&self) -> Option<Seed> {
        let table = &self.change.table.name;
        self.change.column.not_null.then(|| {
            Seed::patient(
                if self.is_certain() { Slot::Build } else { Slot::Prove },
                format!("prove for the rows that exist: {} is never NULL", self.new.as_str()),
                vec![constraint::validate(table, &self.not_null_check())],
                Cost::Scan { bytes: self.heap_bytes() },
            )
            .locking(table, LockMode::ShareUpdateExclusive, Held::Work, "")
        })
    }

    /// Where a conversion may fail: from here a write that cannot be converted fails, as it will with the new type. The lock
    /// waits out every writer that was still served by the forgiving function, so that one more proof holds until the swap.
    pub(super) fn harden(&self) -> Result<Vec<Seed>, Unusable> {
        if self.is_certain() {
            return Ok(Vec::new());
        }
        let table = &self.change.table.name;
        let mut statements = vec![self.trigger_function(OnError::Raise)?];
        let check = self.add_not_null_check();
        let mode = if check.is_some() { LockMode::AccessExclusive } else { LockMode::ShareRowExclusive };
        statements.extend(check);
        let refuse = Seed::brief(
            Slot::Harden,
            format!("refuse writes to {} that cannot be converted to {}", self.place(), self.change.to.canonical),
            vec![lock(table, mode)],
            statements,
        );
        let title = format!("prove every row of {} once more", table.display());
        Ok(vec![refuse, Seed::verify(Slot::Prove, title, vec![self.proof()?], self.heap_bytes())])
    }
}
