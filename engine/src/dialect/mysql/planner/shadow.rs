//! A second table: made, kept in step, filled, proved, swapped in.

use super::change::Change;
use super::{Context, Draft, refuse, steps, window};
use crate::dialect::mysql::literal::Text;
use crate::dialect::mysql::shadow::Pair;
use crate::dialect::mysql::{names, shape};
use crate::plan::Strategy;
use crate::plan::shadow::{CarriedKey, CarriedTrigger, ChildKey, Copied, Rivals, Shadow, Way};
use crate::schema::mysql::{ForeignKey, Index, Table, TablePath};
use crate::sql;
use crate::sql::mysql::Name;
use crate::text::Sql;

/// Rows from which on indexes are built after the copy: that is faster, and asks once more for a lock.
const LARGE: u64 = 100_000;
/// The key of ours, where the new shape has none over the same columns.
const OWN_KEY: &str = "shoofly_k";

/// Plans the copy. `reason` says why there must be one.
pub(super) fn draft(change: &Change, table: &Table, reason: &str, cx: &Context<'_>, draft: &mut Draft) {
    draft.strategy = Some(Strategy::ShadowTable);
    refuse::shadow(table, change, cx, draft);
    let after = cx.tried.and_then(|tried| tried.after.clone()).unwrap_or_else(|| imagined(change, table));
    let Some(shadow) = shadow(change, table, &after, cx, draft) else { return };
    refuse::taken(&[&shadow.shadow, &shadow.old], cx, draft);
    refuse::children(table, &shadow, cx, draft);
    refuse::stored_by_own_key(&after, &shadow, cx, draft);
    refuse::reading_defaults(&after, &shadow, cx, draft);
    if Pair::of(&shadow).is_none() {
        draft.problems.push(cx.problem(
            format!("the key {} of {} cannot be walked", shadow.key_index.as_str(), table.path.display()),
            "its values have a type whose text is not exact",
            "give the table a key of numbers, text, bytes or dates",
        ));
        return;
    }
    findings(table, reason, cx, draft);
    let size = if table.estimated_rows >= LARGE { shape::Size::Large } else { shape::Size::Small };
    let key: Vec<Name> = shadow.key.iter().map(|key| key.after.name.clone()).collect();
    let later = shape::deferrable(&after, &key, size);
    let words = shape::index_definitions(&after.create_sql);
    let definitions: Vec<Sql> = words
        .into_iter()
        .filter(|(name, _)| later.iter().any(|index| index.name.same_as(name)))
        .map(|(_, definition)| definition)
        .collect();
    let mut make = shape::create(&shadow);
    make.extend(shape::create_shadow(&shadow, &later));
    let steps = steps::all(&shadow, table, make, &definitions);
    if let Some(clean) = steps.last() {
        window::draft(&shadow, table, &after, &clean.step, cx, draft);
    }
    draft.steps.extend(steps);
}

fn shadow(change: &Change, table: &Table, after: &Table, cx: &Context<'_>, draft: &mut Draft) -> Option<Shadow> {
    let identity = table.identity()?;
    let columns: Vec<Copied> = table
        .columns
        .iter()
        .filter_map(|before| {
            let name = change.renamed(before)?;
            let after = after.column(name.as_str()).filter(|after| after.generated.is_none())?;
            Some(Copied { before: before.clone(), after: after.clone() })
        })
        .collect();
    let names: Vec<Name> = identity.parts.iter().filter_map(|part| part.column.clone()).collect();
    let key: Vec<Copied> = names
        .iter()
        .filter_map(|name| columns.iter().find(|copied| copied.before.name.same_as(name.as_str())).cloned())
        .collect();
    let kept: Vec<Name> = key.iter().map(|copied| copied.before.name.clone()).collect();
    refuse::lost_key(&names, &kept, cx, draft);
    let database = &table.path.database;
    let beside = |suffix: &str| TablePath::new(database.clone(), names::derived(&table.path.name, suffix));
    let rival = after.indexes.iter().any(|index| index.unique && !is_over(index, &key));
    let own_key = if has_key(after, &key) { None } else { OWN_KEY.parse().ok() };
    Some(Shadow {
        product: cx.server().product,
        table: table.path.clone(),
        shadow: beside("_shoofly"),
        old: beside("_shoofly_old"),
        shape: names::in_ledger_of(&table.path, "_shape"),
        clauses: change.without_keys(),
        columns,
        key,
        key_index: identity.name.clone(),
        own_key,
        foreign_keys: carried(change, table),
        children: children(table, cx),
        triggers: triggers(table),
        zone: cx.server().time_zone.clone(),
        chunk: cx.statement.options.chunk,
        rivals: if rival { Rivals::Some } else { Rivals::None },
        way: Way::Forth,
    })
}

/// Whether the new shape has a unique key over just these columns.
fn has_key(after: &Table, key: &[Copied]) -> bool {
    after.indexes.iter().any(|index| index.unique && is_over(index, key))
}

/// Whether an index is over just these columns, in this order.
pub(super) fn is_over(index: &Index, key: &[Copied]) -> bool {
    index.parts.len() == key.len()
        && index.parts.iter().zip(key).all(|(part, key)| {
            part.prefix.is_none() && part.column.as_ref().is_some_and(|column| column.same_as(key.after.name.as_str()))
        })
}

fn carried(change: &Change, table: &Table) -> Vec<CarriedKey> {
    let kept = table.foreign_keys.iter().filter(|key| !change.drops_key(&key.name));
    kept.filter_map(|key| carried_key(key, table)).collect()
}

/// A foreign key in the server's words, with a name for the meantime.
fn carried_key(key: &ForeignKey, table: &Table) -> Option<CarriedKey> {
    let words = shape::key_definitions(&table.create_sql);
    let (_, definition) = words.iter().find(|(name, _)| key.name.same_as(name))?;
    Some(CarriedKey {
        name: key.name.clone(),
        interim: names::derived(&key.name, "_shoofly"),
        definition: definition.clone(),
        referenced: key.referenced.clone(),
    })
}

fn children(table: &Table, cx: &Context<'_>) -> Vec<ChildKey> {
    let others = table.referenced_by.iter().filter(|key| key.table != table.path);
    others
        .filter_map(|key| {
            let child = cx.facts.catalogue.table(&key.table)?;
            Some(ChildKey { table: key.table.clone(), key: carried_key(key, child)? })
        })
        .collect()
}

fn triggers(table: &Table) -> Vec<CarriedTrigger> {
    let account = |definer: &str| {
        let (user, host) = definer.rsplit_once('@').unwrap_or((definer, "%"));
        sql!("{user}@{host}", user = Text(user), host = Text(host))
    };
    table
        .triggers
        .iter()
        .map(|trigger| CarriedTrigger {
            name: trigger.name.clone(),
            interim: names::derived(&trigger.name, "_shoofly"),
            when: format!("{} {}", trigger.timing, trigger.event),
            create_sql: Sql::raw(trigger.create_sql.clone()),
            // A server that was sent several statements at once has kept the semicolon behind it.
            body: Sql::raw(trigger.body.trim_end().trim_end_matches(';')),
            definer: account(&trigger.definer),
            sql_mode: trigger.sql_mode.clone(),
            charset: trigger.charset.clone(),
            collation: trigger.collation.clone(),
        })
        .collect()
}

/// The new shape as far as it is known without asking the server: names, but not types.
fn imagined(change: &Change, table: &Table) -> Table {
    let mut after = table.clone();
    after.columns.retain_mut(|column| match change.renamed(column) {
        Some(name) => {
            column.name = name;
            true
        }
        None => false,
    });
    after
}

fn findings(table: &Table, reason: &str, cx: &Context<'_>, draft: &mut Draft) {
    draft.findings.push(cx.finding(
        None,
        cx.problem(
            format!("{} is copied", table.path.display()),
            format!("the server cannot change it in place: {reason}"),
            "reads and writes go on; there must be room for a second table of its size",
        ),
    ));
    if cx.tried.is_none() {
        draft.findings.push(cx.finding(
            None,
            cx.problem(
                "the new shape is not known yet",
                "a command that only reads does not try the statement",
                "`shoofly start` makes an empty table of that shape first; where the server can do without a copy, it does",
            ),
        ));
    }
    refuse::snapshot_isolation(cx, draft);
    refuse::locks_unseen(cx, draft);
}
