//! Whether two catalogues say the same, and where they do not.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ConstraintKind, Table};

impl Table {
    /// The table without what differs between two copies of the same schema (oids, sizes, column numbers, the role that looks,
    /// slots), every list sorted whose order means nothing: equal fingerprints mean equal catalogues, column order aside.
    #[must_use]
    pub fn fingerprint(&self) -> Self {
        let ours = Self { owned_by_us: true, schema_open_to_us: true, ..self.clone() };
        let mut copy = Self { oid: 0, blocks: 0, total_bytes: 0, estimated_rows: 0, ..ours };
        copy.children.sort();
        copy.columns.sort_by(|a, b| a.name.cmp(&b.name));
        for column in &mut copy.columns {
            column.number = 0;
            column.type_oid = 0;
            column.grants.sort();
            column.options.sort();
            column.owned_sequences.sort_by(|a, b| a.name.cmp(&b.name));
            for sequence in
                column.identity.iter_mut().map(|identity| &mut identity.sequence).chain(&mut column.owned_sequences)
            {
                sequence.oid = 0;
                sequence.grants.sort();
            }
        }
        copy.indexes.sort_by(|a, b| a.name.cmp(&b.name));
        for index in &mut copy.indexes {
            index.oid = 0;
            index.bytes = 0;
            index.depends_on.sort();
        }
        copy.constraints.sort_by(|a, b| a.name.cmp(&b.name));
        for constraint in &mut copy.constraints {
            match &mut constraint.kind {
                // The server lists the columns of an expression by their numbers.
                ConstraintKind::Check { .. } => constraint.columns.sort(),
                ConstraintKind::ForeignKey(key) => key.from_owned_by_us = true,
                _ => {}
            }
        }
        for key in &mut copy.referenced_by {
            key.from_owned_by_us = true;
        }
        copy.referenced_by.sort_by(|a, b| (&a.from, &a.name).cmp(&(&b.from, &b.name)));
        copy.triggers.sort_by(|a, b| a.name.cmp(&b.name));
        copy.dependents.sort_by(|a, b| {
            (&a.kind, &a.name, &a.column, &a.constraint).cmp(&(&b.kind, &b.name, &b.column, &b.constraint))
        });
        copy.policies.sort_by(|a, b| a.name.cmp(&b.name));
        copy.policies.iter_mut().for_each(|policy| policy.columns.sort());
        copy.grants.sort();
        copy.statistics.sort_by(|a, b| a.name.cmp(&b.name));
        copy.statistics.iter_mut().for_each(|statistics| statistics.columns.sort());
        copy.publications.sort_by(|a, b| a.name.cmp(&b.name));
        copy.publications.iter_mut().for_each(|publication| publication.has_slots = false);
        copy.options.sort();
        copy.row_type_uses.sort();
        copy
    }
}

/// Where two tables differ, by their fingerprints: one line for each difference, `path: before → after`. Empty where they are
/// equal.
#[must_use]
pub fn diff(before: &Table, after: &Table) -> Vec<String> {
    let (before, after) = (before.fingerprint(), after.fingerprint());
    if before == after {
        return Vec::new();
    }
    // A record of plain values cannot fail to become JSON.
    let value = |table: &Table| serde_json::to_value(table).unwrap_or_default();
    let mut lines = Vec::new();
    compare(&before.name.display(), &value(&before), &value(&after), &mut lines);
    lines
}

fn compare(path: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    if before == after {
        return;
    }
    let members = match (before, after) {
        (Value::Object(before), Value::Object(after)) if qualified(before).is_none() => {
            Some((members(before), members(after)))
        }
        (Value::Array(before), Value::Array(after)) => named(before).zip(named(after)),
        _ => None,
    };
    let Some((before_members, after_members)) = members else {
        lines.push(format!("{path}: {} → {}", shown(before), shown(after)));
        return;
    };
    for (name, value) in &before_members {
        let path = format!("{path}.{name}");
        match after_members.get(name) {
            Some(other) => compare(&path, value, other, lines),
            None => lines.push(format!("{path}: {} → nothing", shown(value))),
        }
    }
    for (name, value) in after_members.iter().filter(|(name, _)| !before_members.contains_key(*name)) {
        lines.push(format!("{path}.{name}: nothing → {}", shown(value)));
    }
}

fn members(object: &Map<String, Value>) -> BTreeMap<String, &Value> {
    object.iter().map(|(name, value)| (name.clone(), value)).collect()
}

/// The members of a list by their names, where each has one that no other has.
fn named(list: &[Value]) -> Option<BTreeMap<String, &Value>> {
    let by_name: BTreeMap<String, &Value> =
        list.iter().map(|item| Some((name_of(item.as_object()?)?, item))).collect::<Option<_>>()?;
    (by_name.len() == list.len()).then_some(by_name)
}

fn name_of(item: &Map<String, Value>) -> Option<String> {
    if let Some(name) = qualified(item) {
        return Some(name);
    }
    let own = match item.get("name") {
        Some(Value::String(name)) => Some(name.clone()),
        Some(Value::Object(name)) => qualified(name),
        _ => None,
    };
    // What a foreign key, a dependent or a grant is told apart by.
    let rest = ["from", "kind", "column", "grantee", "privilege", "grantor"].iter().filter_map(|field| {
        let value = item.get(*field)?;
        value.as_str().map(str::to_owned).or_else(|| value.as_object().and_then(qualified))
    });
    let parts: Vec<String> = own.into_iter().chain(rest).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A qualified name as people write it.
fn qualified(object: &Map<String, Value>) -> Option<String> {
    match (object.len(), object.get("schema")?.as_str()?, object.get("name")?.as_str()?) {
        (2, "public", name) => Some(name.to_owned()),
        (2, schema, name) => Some(format!("{schema}.{name}")),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(object) => qualified(object).unwrap_or_else(|| value.to_string()),
        other => other.to_string(),
    }
}
