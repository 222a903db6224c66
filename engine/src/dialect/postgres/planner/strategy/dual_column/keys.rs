//! Copies of the foreign keys that the columns hold and of those that point to them.

use super::Group;
use super::attached::{constraining, proving};
use super::column::Dual;
use crate::dialect::postgres::constraint;
use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::conversion::Shape;
use crate::dialect::postgres::planner::draft::{Draft, Seed, heap_bytes, lock};
use crate::dialect::postgres::planner::names;
use crate::name::{Ident, TableName};
use crate::plan::{Cost, Held, LockMode, TableLock};
use crate::schema::{ConstraintKind, ForeignKey};

/// The first version whose partitioned tables take a foreign key NOT VALID.
const PARTITIONED_NOT_VALID: u32 = 18;

/// A foreign key, and the one that is to take its place.
#[derive(Debug)]
pub(super) struct KeyCopy<'a> {
    pub(super) old: &'a ForeignKey,
    /// Under its temporary name, over the new columns.
    pub(super) copy: ForeignKey,
    certain: bool,
}

impl KeyCopy<'_> {
    /// Both tables: the referenced one first, as every step of ours locks them in this order.
    pub(super) fn tables(&self) -> Vec<&TableName> {
        let mut tables = vec![&self.old.to];
        if self.old.from != self.old.to {
            tables.push(&self.old.from);
        }
        tables
    }

    /// What `table` is to the key, in words.
    pub(super) fn role(&self, table: &TableName) -> &'static str {
        if *table == self.old.from { "referencing table" } else { "referenced table" }
    }
}

/// Makes the copies; what cannot be copied goes into the draft as a problem.
pub(super) fn copies<'a>(duals: &[Dual<'a>], cx: Context<'_>, draft: &mut Draft) -> Vec<KeyCopy<'a>> {
    let mut made: Vec<KeyCopy<'a>> = Vec::new();
    for dual in duals {
        let table = dual.change.table;
        let column = &dual.change.column.name;
        let held = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) if key.from_columns.contains(column) => Some(key),
            _ => None,
        });
        let pointing = table.referenced_by.iter().filter(|key| key.to_columns.contains(column));
        for key in held.chain(pointing) {
            if made.iter().any(|copy| copy.old.from == key.from && copy.old.name == key.name) {
                continue;
            }
            let ends = Ends { duals, key };
            ends.refuse(cx, draft);
            made.push(KeyCopy { old: key, copy: ends.copy(), certain: ends.changed().all(Dual::is_certain) });
        }
    }
    made
}

/// A key and the columns at its ends that are replaced.
struct Ends<'d, 'a> {
    duals: &'d [Dual<'a>],
    key: &'d ForeignKey,
}

impl<'d, 'a> Ends<'d, 'a> {
    fn dual(&self, side: &TableName, name: &Ident) -> Option<&'d Dual<'a>> {
        self.duals.iter().find(|dual| dual.change.table.name == *side && dual.change.column.name == *name)
    }

    fn pairs(&self) -> impl Iterator<Item = (&Ident, &Ident)> {
        self.key.from_columns.iter().zip(&self.key.to_columns)
    }

    fn changed(&self) -> impl Iterator<Item = &'d Dual<'a>> {
        self.pairs()
            .flat_map(|(from, to)| [self.dual(&self.key.from, from), self.dual(&self.key.to, to)].into_iter().flatten())
    }

    fn copy(&self) -> ForeignKey {
        let over = |side: &TableName, columns: &[Ident]| -> Vec<Ident> {
            columns
                .iter()
                .map(|name| self.dual(side, name).map_or_else(|| name.clone(), |dual| dual.new.clone()))
                .collect()
        };
        ForeignKey {
            name: names::copy_of(&self.key.name),
            from_columns: over(&self.key.from, &self.key.from_columns),
            to_columns: over(&self.key.to, &self.key.to_columns),
            on_delete_columns: over(&self.key.from, &self.key.on_delete_columns),
            ..self.key.clone()
        }
    }

    fn refuse(&self, cx: Context<'_>, draft: &mut Draft) {
        let key = self.key;
        let (from, to) = (key.from.display(), key.to.display());
        let named = format!("foreign key {} of {from}", key.name.as_str());
        for dual in self.changed().filter(|dual| !dual.change.conversion.is_cast()) {
            if !self.both_alike(dual) {
                draft.problems.push(cx.problem(
                    format!("{named} links {}, and its new value is an expression", dual.place()),
                    "whether the linked values stay equal cannot be known",
                    "drop the foreign key first and add it again afterwards",
                ));
            }
        }
        if key.from_partitioned && cx.server().major() < PARTITIONED_NOT_VALID {
            draft.problems.push(cx.problem(
                format!("{named}: {from} is partitioned"),
                "before PostgreSQL 18 a partitioned table takes no foreign key NOT VALID, so that it could only be added \
                 while writers wait",
                "drop the foreign key first and add it again afterwards",
            ));
        }
        if !key.from_owned_by_us {
            draft.problems.push(cx.problem(
                format!("{named} points here, and {from} does not belong to {}", cx.server().role),
                "a second foreign key must be added there, which only its owner may",
                format!("connect as a role that is a member of the owners of {from} and {to}"),
            ));
        }
        for (from, to) in self.pairs() {
            self.refuse_unlike(from, to, cx, draft);
        }
    }

    /// Both ends are converted by the same expression: equal values stay equal.
    fn both_alike(&self, dual: &Dual<'_>) -> bool {
        let shape = |dual: &Dual<'_>| {
            let text = dual.change.conversion.written()?;
            let anonymous = crate::dialect::postgres::planner::expression::rebound(text, &|name| {
                let own = *name == dual.change.column.name;
                crate::text::Sql::raw(if own { "$" } else { name.as_str() })
            });
            anonymous.ok()
        };
        let pair = self.pairs().find_map(|(from, to)| {
            let ends = (self.dual(&self.key.from, from)?, self.dual(&self.key.to, to)?);
            (std::ptr::eq(ends.0, dual) || std::ptr::eq(ends.1, dual)).then_some(ends)
        });
        pair.is_some_and(|(from, to)| shape(from).is_some() && shape(from) == shape(to))
    }

    /// PostgreSQL must be able to compare both ends once the columns have their new types.
    fn refuse_unlike(&self, from: &Ident, to: &Ident, cx: Context<'_>, draft: &mut Draft) {
        if self.dual(&self.key.from, from).is_none() && self.dual(&self.key.to, to).is_none() {
            return;
        }
        let after = |side: &TableName, name: &Ident| -> Option<(String, u32)> {
            if let Some(dual) = self.dual(side, name) {
                return Some((dual.change.to.canonical.clone(), dual.change.to.oid));
            }
            cx.named(side)?.column(name).map(|column| (column.type_sql.clone(), column.type_oid))
        };
        let (from_name, to_name) = (self.key.from.display(), self.key.to.display());
        let (Some(one), Some(other)) = (after(&self.key.from, from), after(&self.key.to, to)) else {
            draft.problems.push(cx.problem(
                format!(
                    "foreign key {} links {from_name} to {to_name}, which could not be read",
                    self.key.name.as_str()
                ),
                "",
                "check the rights of this role",
            ));
            return;
        };
        let casts = &cx.facts.casts;
        let implicit = casts.iter().any(|cast| cast.from == one.1 && cast.to == other.1 && cast.context == 'i');
        if one.1 == other.1 || implicit || comparable(&one.0, &other.0) {
            return;
        }
        draft.problems.push(cx.problem(
            format!(
                "foreign key {} would link {from_name}.{} ({}) to {to_name}.{} ({})",
                self.key.name.as_str(),
                from.as_str(),
                one.0,
                to.as_str(),
                other.0
            ),
            "PostgreSQL has no operator that compares the two types",
            "change the type of both columns in one migration",
        ));
    }
}

fn comparable(from: &str, to: &str) -> bool {
    const WHOLE: [&str; 3] = ["smallint", "integer", "bigint"];
    const FAMILIES: [&[&str]; 4] = [
        &WHOLE,
        &["real", "double precision"],
        &["text", "character varying", "character"],
        &["date", "timestamp without time zone", "timestamp with time zone"],
    ];
    let (from, to) = (Shape::of(from).base, Shape::of(to).base);
    let within = |family: &&[&str]| family.contains(&from.as_str()) && family.contains(&to.as_str());
    let widened = WHOLE.contains(&from.as_str()) && matches!(to.as_str(), "numeric" | "real" | "double precision");
    from == to || widened || FAMILIES.iter().any(within)
}

/// The steps that add and prove the copies.
pub(super) fn seeds(group: &Group<'_>, draft: &mut Draft) {
    for key in &group.keys {
        draft.steps.push(add(group, key));
        if key.old.validated {
            draft.steps.push(validate(group, key));
        }
    }
}

fn add(group: &Group<'_>, key: &KeyCopy<'_>) -> Seed {
    let locks =
        |mode: LockMode| -> Vec<TableLock> { key.tables().into_iter().map(|table| lock(table, mode)).collect() };
    let mut statements = vec![constraint::add_foreign_key_not_valid(&key.copy)];
    if let Some(text) = &key.old.comment {
        statements.push(constraint::comment(&key.copy.from, &key.copy.name, text));
    }
    let title = format!(
        "add a second foreign key beside {} of {}, over the new columns",
        key.old.name.as_str(),
        key.old.from.display()
    );
    let mut seed = Seed::brief(constraining(key.certain), title, locks(LockMode::ShareRowExclusive), statements)
        .undone_with(
            locks(LockMode::AccessExclusive),
            vec![constraint::drop_if_exists(&key.copy.from, &key.copy.name)],
        );
    for table in key.tables().into_iter().filter(|table| !group.changes_table(table)) {
        seed = seed.locking(table, LockMode::ShareRowExclusive, Held::Moment, key.role(table));
    }
    seed
}

fn validate(group: &Group<'_>, key: &KeyCopy<'_>) -> Seed {
    let from = &key.copy.from;
    let bytes = group.cx.named(from).map_or(0, |table| heap_bytes(table, group.cx.server()));
    let seed = Seed::patient(
        proving(key.certain),
        format!("prove for the rows that exist: {} refers to rows that exist", key.old.name.as_str()),
        vec![constraint::validate(from, &key.copy.name)],
        Cost::Scan { bytes },
    )
    .locking(from, LockMode::ShareUpdateExclusive, Held::Work, "referencing table");
    if key.copy.to == *from {
        return seed;
    }
    seed.locking(&key.copy.to, LockMode::RowShare, Held::Work, "referenced table")
}
