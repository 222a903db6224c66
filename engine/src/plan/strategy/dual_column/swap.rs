//! The transaction in which the new column takes the old one's place.

use super::Dual;
use crate::dialect::postgres::constraint::{self, Inherit, Timing};
use crate::dialect::postgres::{column, index, sequence, statistics, trigger};
use crate::name::TableName;
use crate::plan::draft::{Seed, Slot, lock};
use crate::plan::expression::Unusable;
use crate::plan::{Held, LockMode, TableLock, Undo};
use crate::schema::{Column, Constraint, ConstraintKind, Identity};
use crate::text::Sql;

/// The first version whose NOT NULL is a constraint with a name.
const NAMED_NOT_NULL: u32 = 18;

/// The step. The order of its statements is part of the design: the trigger goes before the columns that it names, the old
/// column before the rename, the rename before the keys, and the proof of NOT NULL stays until the keys have used it.
pub(super) fn seed(dual: &Dual<'_>) -> Result<Seed, Unusable> {
    let table = dual.change.table;
    let name = &table.name;
    let old = dual.change.column;
    let mut statements = vec![trigger::drop(name, &dual.trigger), trigger::drop_function(&dual.function, &[])];
    if !dual.certain() {
        statements.push(trigger::drop_function(&dual.value_function, &dual.parameters()));
    }
    statements.extend(dual.keys.iter().map(|key| constraint::drop(&key.old.from, &key.old.name)));
    statements.extend(hand_over_values(dual));
    statements.extend(owned_keys(dual).map(|key| constraint::drop(name, &key.name)));
    statements.push(column::drop(name, &old.name));
    statements.push(column::rename(name, &dual.new, &old.name));
    if old.not_null {
        statements.extend(not_null(dual));
    }
    statements.extend(keys(dual));
    if old.not_null {
        statements.push(constraint::drop(name, &dual.not_null_check()));
    }
    statements.extend(renames(dual));
    if let Some(identity) = &old.identity {
        statements.extend(identity_again(dual, identity));
    }
    statements.extend(markers(dual));

    let seed = Seed::brief(
        Slot::Swap,
        format!("put {} in the place of {}", dual.new.as_str(), dual.place()),
        lock_first(dual),
        statements,
    )
    .undone_by(Undo::Impossible {
        why: "the new column has taken the old one's place; a migration back is needed".to_owned(),
    });
    Ok(with_locks(dual, seed))
}

fn lock_first(dual: &Dual<'_>) -> Vec<TableLock> {
    let changed = &dual.change.table.name;
    let mut tables: Vec<TableName> = vec![changed.clone()];
    for table in dual.keys.iter().flat_map(|key| key.tables(changed)) {
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables.iter().map(|table| lock(table, LockMode::AccessExclusive)).collect()
}

fn with_locks(dual: &Dual<'_>, mut seed: Seed) -> Seed {
    let changed = &dual.change.table.name;
    for key in &dual.keys {
        for table in key.tables(changed).iter().filter(|table| *table != changed) {
            let why = if *table == key.old.from { "referencing table" } else { "referenced table" };
            seed = seed.locking(table, LockMode::AccessExclusive, Held::Moment, why);
        }
    }
    for copy in &dual.indexes {
        let why = "index of the old column, which goes with it";
        seed = seed.locking(&copy.old.name, LockMode::AccessExclusive, Held::Moment, why);
        seed = seed.locking(&copy.temporary, LockMode::ShareUpdateExclusive, Held::Moment, "takes its place");
    }
    let old = dual.change.column;
    if let Some(identity) = &old.identity {
        let why = "the identity's sequence";
        seed = seed.locking(&identity.sequence.name, LockMode::AccessExclusive, Held::Moment, why);
    }
    for owned in &old.owned_sequences {
        let why = "the sequence that the column owns";
        seed = seed.locking(&owned.name, LockMode::ShareRowExclusive, Held::Moment, why);
    }
    seed
}

/// Default, sequences, identity: whatever gives the column its values from now on. Before the old column goes, as an owned
/// sequence would go with it.
fn hand_over_values(dual: &Dual<'_>) -> Vec<Sql> {
    let name = &dual.change.table.name;
    let old = dual.change.column;
    let mut made = Vec::new();
    if let Some(default) = &old.default {
        made.push(column::set_default(name, &dual.new, &Sql::raw(default)));
    }
    made.extend(old.owned_sequences.iter().map(|owned| sequence::own(&owned.name, name, &dual.new)));
    if let Some(identity) = &old.identity {
        made.push(sequence::hold(&identity.sequence));
        made.push(sequence::note_position(&identity.sequence));
        made.push(sequence::drop_identity(name, &old.name));
    }
    made
}

/// Keys whose indexes have been built anew.
fn owned_keys<'a>(dual: &'a Dual<'_>) -> impl Iterator<Item = &'a Constraint> {
    dual.indexes.iter().filter_map(|copy| copy.constraint)
}

/// The proof of the check spares the scan. Since 18 the constraint has a name, which may not be the one that the server
/// would choose.
fn not_null(dual: &Dual<'_>) -> Vec<Sql> {
    let table = dual.change.table;
    let old: &Column = dual.change.column;
    if dual.cx.server().major() < NAMED_NOT_NULL {
        return vec![column::set_not_null(&table.name, &old.name)];
    }
    let named = table
        .constraints
        .iter()
        .find(|constraint| constraint.kind == ConstraintKind::NotNull && constraint.columns == [old.name.clone()]);
    let Some(named) = named else { return vec![column::set_not_null(&table.name, &old.name)] };
    let inherit = if named.no_inherit { Inherit::No } else { Inherit::Yes };
    let mut made = vec![constraint::not_null_named(&table.name, &named.name, &old.name, inherit)];
    made.extend(named.comment.as_deref().map(|text| constraint::comment(&table.name, &named.name, text)));
    made
}

fn keys(dual: &Dual<'_>) -> Vec<Sql> {
    let table = &dual.change.table.name;
    let mut made = Vec::new();
    for copy in &dual.indexes {
        let Some(key) = copy.constraint else { continue };
        let timing = Timing::of(key.deferrable, key.deferred);
        let index = &copy.temporary.name;
        made.push(match key.kind {
            ConstraintKind::PrimaryKey { .. } => constraint::primary_key_using(table, &key.name, index, timing),
            _ => constraint::unique_using(table, &key.name, index, timing),
        });
        made.extend(key.comment.as_deref().map(|text| constraint::comment(table, &key.name, text)));
    }
    made
}

fn renames(dual: &Dual<'_>) -> Vec<Sql> {
    let table = &dual.change.table.name;
    let indexes = dual
        .indexes
        .iter()
        .filter(|copy| copy.constraint.is_none())
        .map(|copy| index::rename(&copy.temporary, &copy.old.name.name));
    let checks = dual.checks.iter().map(|copy| constraint::rename(table, &copy.temporary, &copy.old.name));
    let keys = dual.keys.iter().map(|key| constraint::rename(&key.copy.from, &key.copy.name, &key.old.name));
    let kept = dual.statistics.iter().map(|copy| statistics::rename(&copy.temporary, &copy.old.name.name));
    indexes.chain(checks).chain(keys).chain(kept).collect()
}

/// An identity's sequence cannot change hands: it is made anew under its name, with its options and its position. As plain
/// DDL would, a wider type takes the limits along that were the old type's.
fn identity_again(dual: &Dual<'_>, identity: &Identity) -> Vec<Sql> {
    let name = &dual.change.table.name;
    let widened = widened(identity, &dual.change.to.canonical);
    let mut made = vec![sequence::add_identity(name, &dual.change.column.name, &widened)];
    made.push(sequence::restore_position(&identity.sequence));
    made.extend(sequence::carried(&identity.sequence));
    made
}

fn widened(identity: &Identity, type_sql: &str) -> Identity {
    let mut widened = identity.clone();
    let limits = |type_sql: &str| match type_sql {
        "smallint" => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
        "integer" => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
        "bigint" => Some((i64::MIN, i64::MAX)),
        _ => None,
    };
    let sequence = &mut widened.sequence;
    if let (Some(old), Some(new)) = (limits(&sequence.type_sql), limits(type_sql)) {
        if sequence.min == old.0 {
            sequence.min = new.0;
        }
        if sequence.max == old.1 {
            sequence.max = new.1;
        }
    }
    type_sql.clone_into(&mut sequence.type_sql);
    widened
}

/// `CLUSTER` and `REPLICA IDENTITY USING INDEX` name an index, and lose it with the old column.
fn markers(dual: &Dual<'_>) -> Vec<Sql> {
    let table = &dual.change.table.name;
    let mut made = Vec::new();
    for copy in &dual.indexes {
        if copy.old.clustered {
            made.push(index::cluster_on(table, &copy.old.name.name));
        }
        if copy.old.replica_identity {
            made.push(index::replica_identity(table, &copy.old.name.name));
        }
    }
    made
}
