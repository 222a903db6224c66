//! The dual column: a second column beside the old one, kept in step by a trigger, filled in small pieces, given the same
//! indexes, constraints and keys, proved, and put in the old one's place in one short transaction.

mod attached;
mod keys;
mod notices;
pub(super) mod refuse;
mod swap;

use super::alter_column_type::Change;
use crate::dialect::postgres::trigger::{OnError, Rule, Settings};
use crate::dialect::postgres::value::{self, differs};
use crate::dialect::postgres::{column, constraint, trigger};
use crate::name::{Ident, QualifiedName};
use crate::plan::context::Context;
use crate::plan::conversion::Certainty;
use crate::plan::draft::{Draft, Seed, Slot, exclusive, heap_bytes, lock};
use crate::plan::expression::Unusable;
use crate::plan::user_triggers::user_triggers;
use crate::plan::{Check, Cost, Fill, FillAssignment, Held, LockMode, Strategy, names};
use crate::sql;
use crate::text::Sql;

use super::rows::{bare, of_new_row};
use attached::{CheckCopy, IndexCopy, StatisticsCopy};
use keys::KeyCopy;

/// Everything that the change puts beside the old column.
#[derive(Debug)]
pub(super) struct Dual<'a> {
    change: &'a Change<'a>,
    cx: &'a Context<'a>,
    new: Ident,
    trigger: Ident,
    function: QualifiedName,
    value_function: QualifiedName,
    indexes: Vec<IndexCopy<'a>>,
    checks: Vec<CheckCopy<'a>>,
    keys: Vec<KeyCopy<'a>>,
    statistics: Vec<StatisticsCopy<'a>>,
}

/// Drafts the change of a column's type by a dual column.
pub(super) fn draft(change: &Change<'_>, cx: &Context<'_>, draft: &mut Draft) {
    draft.strategy = Some(Strategy::DualColumn);
    draft.problems.extend(refuse::reasons(change, cx));
    let purpose = change.column.name.as_str();
    let Some(trigger) = names::trigger(change.table, cx.number, purpose) else {
        draft.problems.push(super::rows::trigger_cannot_be_last(change.table, cx));
        return;
    };
    let table = &change.table.name;
    let copies = attached::copies(change, cx, draft);
    let dual = Dual {
        change,
        cx,
        new: names::new_column(&change.column.name),
        trigger,
        function: names::trigger_function(table, cx.number, purpose),
        value_function: names::value_function(table, cx.number, purpose),
        keys: keys::copies(change, cx, draft),
        indexes: copies.indexes,
        checks: copies.checks,
        statistics: copies.statistics,
    };
    draft.problems.extend(refuse::names_taken(&dual));
    notices::add(&dual, draft);
    if let Err(unusable) = dual.steps(draft) {
        draft.problems.push(cx.problem(
            "the new value cannot be computed",
            unusable.0,
            "write the expression differently",
        ));
    }
}

impl Dual<'_> {
    fn steps(&self, draft: &mut Draft) -> Result<(), Unusable> {
        self.preflight(draft)?;
        self.expand(draft)?;
        self.fill(draft)?;
        self.build(draft);
        draft.proofs.extend(self.proof()?);
        self.harden(draft)?;
        draft.steps.push(swap::seed(self)?);
        Ok(())
    }

    fn certain(&self) -> bool {
        self.change.conversion.certainty == Certainty::Exact
    }

    /// Where things belong that could refuse a write which the old column accepts.
    fn constraining(&self) -> Slot {
        if self.certain() { Slot::Build } else { Slot::Constrain }
    }

    fn proving(&self) -> Slot {
        if self.certain() { Slot::Build } else { Slot::Prove }
    }

    fn place(&self) -> String {
        format!("{}.{}", self.change.table.name.display(), self.change.column.name.as_str())
    }

    fn heap_bytes(&self) -> u64 {
        heap_bytes(self.change.table, self.cx.server())
    }

    fn scan(&self) -> Cost {
        Cost::Scan { bytes: self.heap_bytes() }
    }

    fn key(&self) -> Vec<Ident> {
        self.change.table.key_columns()
    }

    /// The value of a stored row.
    fn stored_value(&self) -> Result<Sql, Unusable> {
        self.change.conversion.over(&bare)
    }

    /// Every value converts; known before the first change.
    fn preflight(&self, draft: &mut Draft) -> Result<(), Unusable> {
        if self.certain() {
            return Ok(());
        }
        let value = self.stored_value()?;
        let fails =
            if self.change.column.not_null { sql!("({value}) IS NULL", value = value) } else { value::raises(&value) };
        let violation = match self.change.conversion.cut() {
            Some(cut) => sql!("({cut}) OR {fails}", cut = cut, fails = fails),
            None => fails,
        };
        draft.preflight.push(Check {
            table: self.change.table.name.clone(),
            claim: format!("every value of {} can be converted to {}", self.place(), self.change.to.canonical),
            violation,
            key: self.key(),
            advice: "correct these rows, or write a USING expression that gives them a value".to_owned(),
        });
        Ok(())
    }

    fn expand(&self, draft: &mut Draft) -> Result<(), Unusable> {
        let mut functions = vec![self.trigger_function(if self.certain() { OnError::Raise } else { OnError::Null })?];
        let mut undo = vec![trigger::drop_function_if_exists(&self.function, &[])];
        if !self.certain() {
            functions.push(self.make_value_function()?);
            undo.push(trigger::drop_function_if_exists(&self.value_function, &self.parameters()));
        }
        draft.steps.push(
            Seed::free(
                Slot::Expand,
                format!("create the function that computes the new value of {}", self.place()),
                functions,
            )
            .undone_with(Vec::new(), undo),
        );

        let table = &self.change.table.name;
        let type_sql = column::typed(&self.change.to.canonical, self.change.collation);
        let mut statements = vec![column::add(table, &self.new, &type_sql)];
        statements.extend(column::carried(table, self.change.column, &self.new));
        statements.push(trigger::create(table, &self.trigger, &self.when()?, &self.function));
        statements.push(trigger::enable_always(table, &self.trigger));
        if self.certain() {
            statements.extend(self.add_not_null_check());
        }
        draft.steps.push(
            Seed::brief(
                Slot::Expand,
                format!(
                    "add column {} ({}) and the trigger that keeps it in step",
                    self.new.as_str(),
                    self.change.to.canonical
                ),
                exclusive(table),
                statements,
            )
            .undone_with(
                exclusive(table),
                vec![trigger::drop_if_exists(table, &self.trigger), column::drop_if_exists(table, &self.new)],
            ),
        );
        Ok(())
    }

    fn trigger_function(&self, on_error: OnError) -> Result<Sql, Unusable> {
        let value = self.change.conversion.assigned(&of_new_row)?;
        let rule = Rule { assignments: vec![(self.new.clone(), value)], condition: None };
        let settings = if self.certain() { Settings::Free } else { Settings::Pinned };
        Ok(trigger::function(&self.function, &rule, settings, on_error))
    }

    /// Where the value is certain it is compared in place, so that a fill's rows pass without a call; elsewhere a fill says
    /// by a setting that its values are final. Either way the condition names the new column, so that nobody can drop the
    /// column from under the trigger.
    fn when(&self) -> Result<Sql, Unusable> {
        let new = of_new_row(&self.new);
        if self.certain() {
            let value = self.change.conversion.over(&of_new_row)?;
            return Ok(differs(&new, &value, self.change.conversion.comparison));
        }
        Ok(sql!("{new} IS NULL OR {not_filling}", new = new, not_filling = trigger::not_filling()))
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

    /// What a fill writes: never raises.
    fn filled_value(&self) -> Result<Sql, Unusable> {
        if self.certain() {
            return self.stored_value();
        }
        let reads = &self.change.conversion.reads;
        Ok(sql!("{f}({reads})", f = self.value_function, reads = crate::text::List(reads)))
    }

    fn fill(&self, draft: &mut Draft) -> Result<(), Unusable> {
        let value = self.filled_value()?;
        let table = self.change.table;
        let pending = differs(&bare(&self.new), &value, self.change.conversion.comparison);
        let user_triggers = user_triggers(table, std::slice::from_ref(&self.new), self.cx, draft);
        let fill = Fill {
            table: table.name.clone(),
            assignments: vec![FillAssignment { column: self.new.clone(), value }],
            pending,
            user_triggers,
            key: self.key(),
        };
        let title = format!("fill {} in the rows that exist", self.new.as_str());
        draft.steps.push(Seed::fill(title, fill, table, self.cx.server()));
        Ok(())
    }

    fn build(&self, draft: &mut Draft) {
        let table = &self.change.table.name;
        if self.certain() && self.change.column.not_null {
            draft.steps.push(self.validate_check(&self.not_null_check(), "no value is NULL"));
        }
        attached::seeds(self, draft);
        keys::seeds(self, draft);
        let whole = !self.statistics.is_empty() || self.indexes.iter().any(|copy| copy.old.has_expressions);
        let columns: &[Ident] = if whole { &[] } else { std::slice::from_ref(&self.new) };
        draft.steps.push(
            Seed::patient(
                if whole { self.proving() } else { Slot::Build },
                format!("gather statistics of {}", self.new.as_str()),
                vec![column::analyze(table, columns)],
                self.scan(),
            )
            .locking(table, LockMode::ShareUpdateExclusive, Held::Work, ""),
        );
    }

    fn not_null_check(&self) -> Ident {
        names::not_null_check(&self.change.column.name)
    }

    fn add_not_null_check(&self) -> Option<Sql> {
        self.change.column.not_null.then(|| {
            let expression = constraint::is_not_null(&self.new);
            constraint::add_check_not_valid(
                &self.change.table.name,
                &self.not_null_check(),
                &expression,
                constraint::Inherit::Yes,
            )
        })
    }

    fn validate_check(&self, name: &Ident, claim: &str) -> Seed {
        let table = &self.change.table.name;
        Seed::patient(
            self.proving(),
            format!("prove for the rows that exist: {claim}"),
            vec![constraint::validate(table, name)],
            self.scan(),
        )
        .locking(table, LockMode::ShareUpdateExclusive, Held::Work, "")
    }

    /// Every row has the value that it should have.
    fn proof(&self) -> Result<Option<Check>, Unusable> {
        let value = self.stored_value()?;
        let wrong = differs(&bare(&self.new), &value, self.change.conversion.comparison);
        let violation = match self.change.conversion.cut() {
            Some(cut) => sql!("({cut}) OR {wrong}", cut = cut, wrong = wrong),
            None => wrong,
        };
        Ok(Some(Check {
            table: self.change.table.name.clone(),
            claim: format!("{} equals {} in every row", self.new.as_str(), value.as_str()),
            violation,
            key: self.key(),
            advice: "correct these rows; the trigger follows every UPDATE".to_owned(),
        }))
    }

    /// Where a conversion may fail: from here a write that cannot be converted fails, as it will with the new type. The lock
    /// waits out every writer that was still served by the forgiving function, so that one more proof holds until the swap.
    fn harden(&self, draft: &mut Draft) -> Result<(), Unusable> {
        if self.certain() {
            return Ok(());
        }
        let table = &self.change.table.name;
        let mut statements = vec![self.trigger_function(OnError::Raise)?];
        let check = self.add_not_null_check();
        let mode = if check.is_some() { LockMode::AccessExclusive } else { LockMode::ShareRowExclusive };
        statements.extend(check);
        draft.steps.push(Seed::brief(
            Slot::Harden,
            format!("refuse writes that cannot be converted to {}", self.change.to.canonical),
            vec![lock(table, mode)],
            statements,
        ));
        if self.change.column.not_null {
            draft.steps.push(self.validate_check(&self.not_null_check(), "no value is NULL"));
        }
        draft.steps.push(Seed::verify(
            Slot::Prove,
            "prove every row once more".to_owned(),
            self.proof()?.into_iter().collect(),
            self.heap_bytes(),
        ));
        Ok(())
    }
}
