//! The dual column: a second column beside the old one, kept in step by a trigger, filled in small pieces, given the same
//! indexes, constraints and keys, proved, and put in the old one's place in one short transaction.
//!
//! Columns of one table, and columns that a foreign key links, are replaced together: what is over several of them is copied
//! over all of their successors, and they change places in one transaction.

mod attached;
mod column;
mod keys;
mod notices;
pub(super) mod refuse;
mod swap;

use super::alter_column_type::Change;
use crate::dialect::postgres::column as sql_column;
use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive, heap_bytes};
use crate::dialect::postgres::planner::expression::Unusable;
use crate::dialect::postgres::planner::user_triggers::user_triggers;
use crate::name::{Ident, TableName};
use crate::plan::{Cost, Fill, Held, LockMode, Strategy};
use crate::schema::Table;
use crate::text::Sql;

use attached::{CheckCopy, IndexCopy, StatisticsCopy};
use column::Dual;
use keys::KeyCopy;

/// Columns that are replaced together, and everything that is put beside them.
#[derive(Debug)]
struct Group<'a> {
    cx: Context<'a>,
    duals: Vec<Dual<'a>>,
    indexes: Vec<IndexCopy<'a>>,
    checks: Vec<CheckCopy<'a>>,
    keys: Vec<KeyCopy<'a>>,
    statistics: Vec<StatisticsCopy<'a>>,
}

/// Drafts the change of the types of `changes`, which belong together.
pub(in crate::dialect::postgres::planner) fn draft(changes: Vec<Change<'_>>, cx: Context<'_>, draft: &mut Draft) {
    draft.strategy = Some(Strategy::DualColumn);
    let mut duals: Vec<Dual<'_>> = Vec::new();
    for change in changes {
        draft.problems.extend(refuse::reasons(&change));
        match Dual::new(change) {
            Ok(dual) => duals.push(dual),
            Err(problem) => draft.problems.push(problem),
        }
    }
    let copies = attached::copies(&duals, draft);
    let keys = keys::copies(&duals, cx, draft);
    let group =
        Group { cx, duals, indexes: copies.indexes, checks: copies.checks, statistics: copies.statistics, keys };
    draft.problems.extend(refuse::names_taken(&group));
    notices::add(&group, draft);
    if let Err(Unusable(why)) = group.steps(draft) {
        draft.problems.push(cx.problem("the new value cannot be computed", why, "write the expression differently"));
    }
}

impl<'a> Group<'a> {
    fn steps(&self, draft: &mut Draft) -> Result<(), Unusable> {
        for dual in &self.duals {
            draft.preflight.extend(dual.preflight()?);
            draft.proofs.push(dual.proof()?);
        }
        self.expand(draft)?;
        self.fill(draft)?;
        self.build(draft);
        for dual in &self.duals {
            draft.steps.extend(dual.harden()?);
        }
        draft.steps.push(swap::seed(self));
        Ok(())
    }

    /// The changed tables, each once.
    fn tables(&self) -> Vec<&'a Table> {
        let mut tables: Vec<&'a Table> = Vec::new();
        for dual in &self.duals {
            if tables.iter().all(|table| table.name != dual.change.table.name) {
                tables.push(dual.change.table);
            }
        }
        tables
    }

    fn of_table<'g>(&'g self, table: &TableName) -> impl Iterator<Item = &'g Dual<'a>> {
        self.duals.iter().filter(move |dual| dual.change.table.name == *table)
    }

    fn changes_table(&self, table: &TableName) -> bool {
        self.of_table(table).next().is_some()
    }

    fn scan(&self, table: &Table) -> Cost {
        Cost::Scan { bytes: heap_bytes(table, self.cx.server()) }
    }

    fn expand(&self, draft: &mut Draft) -> Result<(), Unusable> {
        for dual in &self.duals {
            draft.steps.push(dual.functions()?);
        }
        for table in self.tables() {
            let (mut statements, mut undo) = (Vec::new(), Vec::new());
            for dual in self.of_table(&table.name) {
                statements.extend(dual.add()?);
                undo.extend(dual.undo());
            }
            let columns: Vec<String> = self
                .of_table(&table.name)
                .map(|dual| format!("{} ({})", dual.new.as_str(), dual.change.to.canonical))
                .collect();
            let title = format!("add {} and what keeps it in step to {}", columns.join(", "), table.name.display());
            draft.steps.push(
                Seed::brief(Slot::Expand, title, exclusive(&table.name), statements)
                    .undone_with(exclusive(&table.name), undo),
            );
        }
        Ok(())
    }

    /// One fill for all columns of a table.
    fn fill(&self, draft: &mut Draft) -> Result<(), Unusable> {
        for table in self.tables() {
            let mut assignments = Vec::new();
            let mut pending: Vec<Sql> = Vec::new();
            for dual in self.of_table(&table.name) {
                let (assignment, wanting) = dual.filled()?;
                assignments.push(assignment);
                pending.push(wanting);
            }
            let columns: Vec<Ident> = self.of_table(&table.name).map(|dual| dual.new.clone()).collect();
            let named: Vec<&str> = columns.iter().map(Ident::as_str).collect();
            let title = format!("fill {} in the rows of {} that exist", named.join(", "), table.name.display());
            let fill = Fill {
                table: table.name.clone(),
                assignments,
                pending: Sql::join(&pending, " OR "),
                user_triggers: user_triggers(table, &columns, &self.cx, draft),
                key: table.key_columns(),
                chunk: self.cx.options.chunk,
            };
            draft.steps.push(Seed::fill(title, fill, table, self.cx.server()));
        }
        Ok(())
    }

    fn build(&self, draft: &mut Draft) {
        for dual in &self.duals {
            draft.steps.extend(dual.prove_not_null());
        }
        attached::seeds(self, draft);
        keys::seeds(self, draft);
        for table in self.tables() {
            draft.steps.push(self.gather_statistics(table));
        }
    }

    /// Else the first plans after the swap would know nothing of the new columns. Expression indexes and extended statistics
    /// are gathered only with the whole table.
    fn gather_statistics(&self, table: &Table) -> Seed {
        let indexed = self.indexes.iter().any(|copy| copy.table.name == table.name && copy.old.has_expressions);
        let whole = indexed || self.statistics.iter().any(|copy| copy.table.name == table.name);
        let columns: Vec<Ident> = match whole {
            true => Vec::new(),
            false => self.of_table(&table.name).map(|dual| dual.new.clone()).collect(),
        };
        let certain = self.of_table(&table.name).all(Dual::is_certain);
        let what = if whole { "the whole table" } else { "the new columns" };
        Seed::patient(
            if whole && !certain { Slot::Prove } else { Slot::Build },
            format!("gather statistics of {what} in {}", table.name.display()),
            vec![sql_column::analyze(&table.name, &columns)],
            self.scan(table),
        )
        .locking(&table.name, LockMode::ShareUpdateExclusive, Held::Work, "")
    }
}
