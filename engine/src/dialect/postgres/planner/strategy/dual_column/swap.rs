//! The transaction in which the new columns take the old ones' places.

use super::Group;
use super::column::Dual;
use crate::dialect::postgres::constraint::{self, Inherit, Timing};
use crate::dialect::postgres::planner::draft::{Seed, Slot, lock};
use crate::dialect::postgres::{column, index, sequence, statistics};
use crate::name::{Ident, TableName};
use crate::plan::{Held, LockMode, TableLock, Undo};
use crate::schema::{ConstraintKind, Identity};
use crate::text::Sql;

/// The first version whose NOT NULL is a constraint with a name.
const NAMED_NOT_NULL: u32 = 18;

/// The step. The order of its statements is part of the design: the trigger goes before the columns that it names, the old
/// column before the rename, the rename before the keys, and the proof of NOT NULL stays until the keys have used it.
pub(super) fn seed(group: &Group<'_>) -> Seed {
    let mut statements: Vec<Sql> = group.duals.iter().flat_map(Dual::drop_trigger).collect();
    statements.extend(group.keys.iter().map(|key| constraint::drop(&key.old.from, &key.old.name)));
    statements.extend(group.duals.iter().flat_map(hand_over_values));
    for copy in &group.indexes {
        statements.extend(copy.constraint.map(|key| constraint::drop(&copy.table.name, &key.name)));
    }
    for dual in &group.duals {
        let (table, old) = (&dual.change.table.name, &dual.change.column.name);
        statements.push(column::drop(table, old));
        statements.push(column::rename(table, &dual.new, old));
    }
    statements.extend(group.duals.iter().flat_map(not_null));
    statements.extend(keys(group));
    for dual in group.duals.iter().filter(|dual| dual.change.column.not_null) {
        statements.push(constraint::drop(&dual.change.table.name, &dual.not_null_check()));
    }
    statements.extend(renames(group));
    for dual in &group.duals {
        statements.extend(dual.change.column.identity.iter().flat_map(|identity| identity_again(dual, identity)));
    }
    statements.extend(markers(group));

    let places: Vec<String> = group.duals.iter().map(Dual::place).collect();
    let title = format!("put the new column in the place of {}", places.join(", "));
    let undo =
        Undo::Impossible { why: "the new column has taken the old one's place; a migration back is needed".to_owned() };
    with_locks(group, Seed::brief(Slot::Swap, title, lock_first(group), statements).undone_by(undo))
}

fn lock_first(group: &Group<'_>) -> Vec<TableLock> {
    let mut tables: Vec<TableName> = Vec::new();
    let changed = group.tables().into_iter().map(|table| &table.name);
    for table in changed.chain(group.keys.iter().flat_map(|key| key.tables())) {
        if !tables.contains(table) {
            tables.push(table.clone());
        }
    }
    tables.iter().map(|table| lock(table, LockMode::AccessExclusive)).collect()
}

fn with_locks(group: &Group<'_>, mut seed: Seed) -> Seed {
    for key in &group.keys {
        for table in key.tables().into_iter().filter(|table| !group.changes_table(table)) {
            seed = seed.locking(table, LockMode::AccessExclusive, Held::Moment, key.role(table));
        }
    }
    for copy in &group.indexes {
        let why = "index of the old column, which goes with it";
        seed = seed.locking(&copy.old.name, LockMode::AccessExclusive, Held::Moment, why);
        seed = seed.locking(&copy.temporary, LockMode::AccessExclusive, Held::Moment, "takes its place");
    }
    for dual in &group.duals {
        if let Some(identity) = &dual.change.column.identity {
            let why = "the identity's sequence";
            seed = seed.locking(&identity.sequence.name, LockMode::AccessExclusive, Held::Moment, why);
        }
        for owned in &dual.change.column.owned_sequences {
            let why = "the sequence that the column owns";
            seed = seed.locking(&owned.name, LockMode::ShareRowExclusive, Held::Moment, why);
        }
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
        made.push(sequence::note_position(&identity.sequence, dual.change.cx.number));
        made.push(sequence::drop_identity(name, &old.name));
    }
    made
}

/// The proof of the check spares the scan. Since 18 the constraint has a name, which may not be the one that the server
/// would choose.
fn not_null(dual: &Dual<'_>) -> Vec<Sql> {
    let table = dual.change.table;
    let old = dual.change.column;
    if !old.not_null {
        return Vec::new();
    }
    let named = table
        .constraints
        .iter()
        .find(|constraint| constraint.kind == ConstraintKind::NotNull && constraint.columns == [old.name.clone()])
        .filter(|_| dual.change.cx.server().major() >= NAMED_NOT_NULL);
    let Some(named) = named else { return vec![column::set_not_null(&table.name, &old.name)] };
    let inherit = if named.no_inherit { Inherit::No } else { Inherit::Yes };
    let mut made = vec![constraint::not_null_named(&table.name, &named.name, &old.name, inherit)];
    made.extend(named.comment.as_deref().map(|text| constraint::comment(&table.name, &named.name, text)));
    made
}

fn keys(group: &Group<'_>) -> Vec<Sql> {
    let mut made = Vec::new();
    for copy in &group.indexes {
        let Some(key) = copy.constraint else { continue };
        let table = &copy.table.name;
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

fn renames(group: &Group<'_>) -> Vec<Sql> {
    let indexes = group
        .indexes
        .iter()
        .filter(|copy| copy.constraint.is_none())
        .map(|copy| index::rename(&copy.temporary, &copy.old.name.name));
    let checks = group.checks.iter().map(|copy| constraint::rename(&copy.table.name, &copy.temporary, &copy.old.name));
    let keys = group.keys.iter().map(|key| constraint::rename(&key.copy.from, &key.copy.name, &key.old.name));
    let kept = group.statistics.iter().map(|copy| statistics::rename(&copy.temporary, &copy.old.name.name));
    let mut made: Vec<Sql> = indexes.chain(checks).chain(keys).chain(kept).collect();
    made.extend(index_columns(group));
    made
}

/// An index keeps the names that its columns had when it was built, whatever the table's columns are called later. A
/// column that comes again has a number after its name.
fn index_columns(group: &Group<'_>) -> Vec<Sql> {
    let mut made = Vec::new();
    for copy in &group.indexes {
        if copy.old.has_expressions {
            made.push(index::name_columns(&copy.old.name, &copy.old.column_names));
            continue;
        }
        for dual in group.of_table(&copy.table.name) {
            let old = &dual.change.column.name;
            let times =
                copy.old.key_columns.iter().chain(&copy.old.include_columns).filter(|name| *name == old).count();
            for time in 0..times {
                let numbered = |name: &Ident| match time {
                    0 => name.clone(),
                    time => Ident::derived(&format!("{}{time}", name.as_str()), &[]),
                };
                made.push(index::rename_column(&copy.old.name, &numbered(&dual.new), &numbered(old)));
            }
        }
    }
    made
}

/// An identity's sequence cannot change hands: it is made anew under its name, with its options and its position. As plain
/// DDL would, a wider type takes the limits along that were the old type's.
fn identity_again(dual: &Dual<'_>, identity: &Identity) -> Vec<Sql> {
    let name = &dual.change.table.name;
    let widened = widened(identity, &dual.change.to.canonical);
    let mut made = vec![sequence::add_identity(name, &dual.change.column.name, &widened)];
    made.push(sequence::restore_position(&identity.sequence, dual.change.cx.number));
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
fn markers(group: &Group<'_>) -> Vec<Sql> {
    let mut made = Vec::new();
    for copy in &group.indexes {
        if copy.old.clustered {
            made.push(index::cluster_on(&copy.table.name, &copy.old.name.name));
        }
        if copy.old.replica_identity {
            made.push(index::replica_identity(&copy.table.name, &copy.old.name.name));
        }
    }
    made
}
