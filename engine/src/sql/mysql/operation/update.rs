//! `UPDATE … SET …` as a backfill.

use std::ops::Range;

use super::Reader;
use crate::name::Ident;
use crate::op::{self, Expr, Operation, UpdateRows};
use crate::sql::Flaw;
use crate::sql::mysql::cursor::name_of;
use crate::sql::mysql::expr;
use crate::sql::mysql::name::Name;
use crate::sql::mysql::statement::{Assignment, TableRef, Update, UpdateTarget};
use crate::sql::mysql::token::significant;
use crate::text::AsSql;

const ONE_ROW: &str = "a backfill computes each row from its own columns: put what needs other rows into a function, or \
    into a separate statement";

/// The table, and what its columns may be qualified with instead of its name.
struct Target<'a> {
    table: &'a TableRef,
    alias: Option<&'a Name>,
}

impl Reader<'_> {
    pub(super) fn update(&self, update: &Update) -> Result<Operation, Vec<Flaw>> {
        let mut flaws = self.update_extras(update);
        let target = match &update.target {
            UpdateTarget::Table { table, alias } => Target { table, alias: alias.as_ref() },
            UpdateTarget::Complex(range) => {
                flaws.push(Flaw::new(range.clone(), "UPDATE of anything but one table is not supported", ONE_ROW));
                return Err(flaws);
            }
        };
        let mut assignments = Vec::new();
        for written in &update.assignments {
            match self.assignment(written, &target) {
                Ok(made) => assignments.push(made),
                Err(flaw) => flaws.push(flaw),
            }
        }
        let condition = update.condition.clone().map(|range| self.value(range, &target)).transpose();
        match condition {
            Ok(condition) if flaws.is_empty() => {
                let table = target.table.name.clone().into();
                Ok(Operation::UpdateRows(UpdateRows { table, assignments, condition }))
            }
            Ok(_) => Err(flaws),
            Err(flaw) => {
                flaws.push(flaw);
                Err(flaws)
            }
        }
    }

    fn update_extras(&self, update: &Update) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if update.ignore
            && let Some(token) = self.tokens.iter().find(|token| token.is_word(self.sql, "ignore"))
        {
            let advice = "leave it away: values that do not fit are named, and not passed over";
            flaws.push(Flaw::new(token.range.clone(), "UPDATE IGNORE is not supported", advice));
        }
        let extras =
            [(&update.order_by, "ORDER BY", 2), (&update.limit, "LIMIT", 1), (&update.returning, "RETURNING", 1)];
        for (range, name, words) in extras {
            if let Some(range) = range {
                let before: Vec<usize> = self.tokens.iter().map(|token| token.range.start).collect();
                let behind = before.iter().position(|start| *start >= range.start).unwrap_or(before.len());
                let start = before.get(behind.saturating_sub(words)).copied().unwrap_or(range.start);
                flaws.push(Flaw::new(start..range.end, format!("UPDATE … {name} is not supported"), ONE_ROW));
            }
        }
        flaws
    }

    fn assignment(&self, written: &Assignment, target: &Target<'_>) -> Result<op::Assignment, Flaw> {
        self.belongs(written.target.clone(), target)?;
        if self.text(written.value.clone()).eq_ignore_ascii_case("default") {
            let what = "DEFAULT is not supported as a value";
            return Err(Flaw::new(written.value.clone(), what, "write the value itself"));
        }
        Ok(op::Assignment {
            column: Ident::from(written.column.clone()),
            value: self.value(written.value.clone(), target)?,
        })
    }

    /// An expression as written, but for qualifiers, which mean nothing outside of the statement.
    fn value(&self, range: Range<usize>, target: &Target<'_>) -> Result<Expr, Flaw> {
        let written = self.text(range.clone());
        let refuse = |what: String| Flaw::new(range.clone(), what, ONE_ROW);
        if let Some(unsuitable) = expr::unsuitable(written, self.mode).map_err(|error| refuse(error.to_string()))? {
            return Err(refuse(format!("{} is not supported in a backfill", unsuitable.describe())));
        }
        for column in expr::column_refs(written, self.mode).map_err(|error| refuse(error.to_string()))? {
            self.belongs(range.start + column.range.start..range.start + column.range.end, target)?;
        }
        // Behind a dot anything is a name; without it the name has to be quoted.
        let bare = |column: &expr::ColumnRef| column.qualifier.as_ref().map(|_| column.name.as_sql());
        expr::rebind(written, self.mode, bare).map(Expr).map_err(|error| refuse(error.to_string()))
    }

    /// Whether the column at `range` is one of the target's, as far as its qualifiers say so.
    fn belongs(&self, range: Range<usize>, target: &Target<'_>) -> Result<(), Flaw> {
        let text = self.text(range.clone());
        let names: Vec<Name> = significant(text, self.mode)
            .iter()
            .filter(|token| !token.is_mark(b'.'))
            .filter_map(|token| name_of(text, token).ok())
            .collect();
        let fits = match names.as_slice() {
            [table, _] => table == target.alias.unwrap_or(&target.table.name.name),
            [database, table, _] => {
                let named = target.table.name.database.as_ref();
                target.alias.is_none() && named == Some(database) && *table == target.table.name.name
            }
            [..] => names.len() == 1,
        };
        if fits {
            return Ok(());
        }
        let known = match target.alias {
            Some(alias) => alias.as_str().to_owned(),
            None => target.table.name.display(),
        };
        let what = format!("{text} is not a column of {known}");
        Err(Flaw::new(range, what, format!("write the column alone, or with {known} before it")))
    }
}
