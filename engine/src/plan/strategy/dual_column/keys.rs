//! Copies of the foreign keys that the column holds and of those that point to it.

use super::Dual;
use crate::dialect::postgres::constraint;
use crate::name::{Ident, TableName};
use crate::plan::context::Context;
use crate::plan::conversion::Shape;
use crate::plan::draft::{Draft, Seed, lock};
use crate::plan::strategy::alter_column_type::Change;
use crate::plan::{Cost, Held, LockMode, TableLock, names};
use crate::schema::{ConstraintKind, ForeignKey};

/// The first version whose partitioned tables take a foreign key NOT VALID.
const PARTITIONED_NOT_VALID: u32 = 18;

/// A foreign key, and the one that is to take its place.
#[derive(Debug)]
pub(super) struct KeyCopy<'a> {
    pub(super) old: &'a ForeignKey,
    /// Under its temporary name, over the new column.
    pub(super) copy: ForeignKey,
}

impl KeyCopy<'_> {
    /// Both tables, the one whose column changes first.
    pub(super) fn tables(&self, changed: &TableName) -> Vec<TableName> {
        let mut tables = vec![changed.clone()];
        for table in [&self.old.from, &self.old.to] {
            if !tables.contains(table) {
                tables.push(table.clone());
            }
        }
        tables
    }
}

/// Makes the copies; what cannot be copied goes into the draft as a problem.
pub(super) fn copies<'a>(change: &Change<'a>, cx: &Context<'_>, draft: &mut Draft) -> Vec<KeyCopy<'a>> {
    let table = change.table;
    let column = &change.column.name;
    let held = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) if key.from_columns.contains(column) => Some(key),
        _ => None,
    });
    let pointing = table.referenced_by.iter().filter(|key| key.to_columns.contains(column));
    let mut made: Vec<KeyCopy<'a>> = Vec::new();
    for key in held.chain(pointing) {
        if made.iter().any(|copy| copy.old.from == key.from && copy.old.name == key.name) {
            continue;
        }
        refuse(change, key, cx, draft);
        made.push(KeyCopy { old: key, copy: copy_of(change, key) });
    }
    made
}

fn copy_of(change: &Change<'_>, key: &ForeignKey) -> ForeignKey {
    let table = &change.table.name;
    let column = &change.column.name;
    let new = names::new_column(column);
    let over = |side: &TableName, columns: &[Ident]| -> Vec<Ident> {
        columns.iter().map(|name| if side == table && name == column { new.clone() } else { name.clone() }).collect()
    };
    ForeignKey {
        name: names::copy_of(&key.name),
        from_columns: over(&key.from, &key.from_columns),
        to_columns: over(&key.to, &key.to_columns),
        on_delete_columns: over(&key.from, &key.on_delete_columns),
        ..key.clone()
    }
}

fn refuse(change: &Change<'_>, key: &ForeignKey, cx: &Context<'_>, draft: &mut Draft) {
    let (from, to) = (key.from.display(), key.to.display());
    let named = format!("foreign key {} of {from}", key.name.as_str());
    if !change.conversion.is_cast() {
        draft.problems.push(cx.problem(
            format!("{named} links the column, and its new value is an expression"),
            "whether the linked values stay equal cannot be known",
            "drop the foreign key first and add it again afterwards",
        ));
    }
    if key.from_partitioned && cx.server().major() < PARTITIONED_NOT_VALID {
        draft.problems.push(cx.problem(
            format!("{named}: {from} is partitioned"),
            "before PostgreSQL 18 a partitioned table takes no foreign key NOT VALID, so it could only be added while writers wait",
            "drop the foreign key first and add it again afterwards",
        ));
    }
    if key.from != change.table.name && !key.from_owned_by_us {
        draft.problems.push(cx.problem(
            format!("{named} points here, and {from} does not belong to {}", cx.server().role),
            "a second foreign key must be added there, which only its owner may",
            format!("connect as a role that is a member of the owners of {from} and {to}"),
        ));
    }
    for (from_column, to_column) in key.from_columns.iter().zip(&key.to_columns) {
        unlike(change, key, from_column, to_column, cx, draft);
    }
}

/// The types of both sides once the column has its new one: PostgreSQL must be able to compare them.
fn unlike(
    change: &Change<'_>,
    key: &ForeignKey,
    from_column: &Ident,
    to_column: &Ident,
    cx: &Context<'_>,
    draft: &mut Draft,
) {
    let table = &change.table.name;
    let column = &change.column.name;
    let changed = |side: &TableName, name: &Ident| side == table && name == column;
    if !changed(&key.from, from_column) && !changed(&key.to, to_column) {
        return;
    }
    let after = |side: &TableName, name: &Ident| -> Option<(String, u32)> {
        if changed(side, name) {
            return Some((change.to.canonical.clone(), change.to.oid));
        }
        cx.named(side)?.column(name).map(|column| (column.type_sql.clone(), column.type_oid))
    };
    let (Some(from), Some(to)) = (after(&key.from, from_column), after(&key.to, to_column)) else {
        draft.problems.push(cx.problem(
            format!("foreign key {} links a column that could not be read", key.name.as_str()),
            "",
            "check the rights of this role",
        ));
        return;
    };
    let implicit = cx.facts.casts.iter().any(|cast| cast.from == from.1 && cast.to == to.1 && cast.context == 'i');
    if implicit || comparable(&from.0, &to.0) {
        return;
    }
    draft.problems.push(cx.problem(
        format!(
            "foreign key {} would link {}.{} ({}) to {}.{} ({})",
            key.name.as_str(),
            key.from.display(),
            from_column.as_str(),
            from.0,
            key.to.display(),
            to_column.as_str(),
            to.0
        ),
        "PostgreSQL has no operator that compares the two types",
        "drop the foreign key, change both columns, and add it again",
    ));
}

fn comparable(from: &str, to: &str) -> bool {
    const FAMILIES: [&[&str]; 4] = [
        &["smallint", "integer", "bigint"],
        &["real", "double precision"],
        &["text", "character varying", "character"],
        &["date", "timestamp without time zone", "timestamp with time zone"],
    ];
    let (from, to) = (Shape::of(from).base, Shape::of(to).base);
    from == to
        || FAMILIES.iter().any(|family| family.contains(&from.as_str()) && family.contains(&to.as_str()))
        || (FAMILIES[0].contains(&from.as_str()) && matches!(to.as_str(), "numeric" | "real" | "double precision"))
}

/// The steps that add and prove the copies.
pub(super) fn seeds(dual: &Dual<'_>, draft: &mut Draft) {
    for key in &dual.keys {
        add(dual, key, draft);
        if key.old.validated {
            draft.steps.push(validate(dual, key));
        }
    }
}

fn add(dual: &Dual<'_>, key: &KeyCopy<'_>, draft: &mut Draft) {
    let changed = &dual.change.table.name;
    let locks =
        |mode: LockMode| -> Vec<TableLock> { key.tables(changed).iter().map(|table| lock(table, mode)).collect() };
    let mut statements = vec![constraint::add_foreign_key_not_valid(&key.copy)];
    if let Some(text) = &key.old.comment {
        statements.push(constraint::comment(&key.copy.from, &key.copy.name, text));
    }
    let mut seed = Seed::brief(
        dual.constraining(),
        format!(
            "add a second foreign key beside {} of {}, over {}",
            key.old.name.as_str(),
            key.old.from.display(),
            dual.new.as_str()
        ),
        locks(LockMode::ShareRowExclusive),
        statements,
    )
    .undone_with(locks(LockMode::AccessExclusive), vec![constraint::drop_if_exists(&key.copy.from, &key.copy.name)]);
    for table in key.tables(changed).iter().filter(|table| *table != changed) {
        let why = if *table == key.old.from { "referencing table" } else { "referenced table" };
        seed = seed.locking(table, LockMode::ShareRowExclusive, Held::Moment, why);
    }
    draft.steps.push(seed);
}

fn validate(dual: &Dual<'_>, key: &KeyCopy<'_>) -> Seed {
    let from = &key.copy.from;
    let bytes = dual.cx.named(from).map_or(0, |table| crate::plan::draft::heap_bytes(table, dual.cx.server()));
    let seed = Seed::patient(
        dual.proving(),
        format!("prove for the rows that exist: {} refers to existing rows", key.old.name.as_str()),
        vec![constraint::validate(from, &key.copy.name)],
        Cost::Scan { bytes },
    )
    .locking(from, LockMode::ShareUpdateExclusive, Held::Work, "referencing table");
    if key.copy.to == *from {
        return seed;
    }
    seed.locking(&key.copy.to, LockMode::RowShare, Held::Work, "referenced table")
}
