//! What the operator must know about a dual column.

use super::Group;
use super::column::Dual;
use super::keys::KeyCopy;
use crate::dialect::postgres::planner::census;
use crate::dialect::postgres::planner::context::Text;
use crate::dialect::postgres::planner::draft::Draft;
use crate::name::{Ident, TableName};
use crate::plan::{Finding, Hazard};

/// Adds every finding.
pub(super) fn add(group: &Group<'_>, draft: &mut Draft) {
    for dual in &group.duals {
        draft.findings.extend(census::column_order(dual.change.table, &dual.change.column.name, &dual.change.cx));
        draft.findings.extend(identity(dual));
        draft.findings.extend(sequence_ends(dual));
        draft.findings.push(prepared_statements(dual));
    }
    for table in group.tables() {
        draft.findings.extend(census::another_column(table, &group.cx));
    }
    for key in &group.keys {
        draft.findings.extend(narrow_reference(group, key));
    }
    draft.findings.extend(deferred_keys(group));
}

fn identity(dual: &Dual<'_>) -> Option<Finding> {
    let identity = dual.change.column.identity.as_ref()?;
    let sequence = identity.sequence.name.display();
    Some(dual.change.cx.hazard(
        Hazard::IdentitySequence,
        Text {
            what: format!("{} is an identity column", dual.place()),
            place: format!("sequence {sequence}"),
            why: "its sequence is made anew under the same name: a session that inserted before the swap and asks currval or \
                  lastval() after it gets an error (55000) until its next insert"
                .to_owned(),
            advice: "use INSERT … RETURNING, then accept it".to_owned(),
        },
    ))
}

fn sequence_ends(dual: &Dual<'_>) -> Vec<Finding> {
    if dual.change.to.canonical != "bigint" {
        return Vec::new();
    }
    let owned = dual.change.column.owned_sequences.iter();
    owned
        .filter(|sequence| sequence.type_sql != "bigint")
        .map(|sequence| {
            Text {
                what: format!("sequence {} still ends at {}", sequence.name.display(), sequence.max),
                place: dual.place(),
                why: format!("it is of type {}, which a change of the column's type does not touch", sequence.type_sql),
                advice: format!("ALTER SEQUENCE {} AS bigint", sequence.name.display()),
            }
            .finding()
        })
        .collect()
}

/// A referencing column keeps its type, as with plain DDL, and may be too narrow for the new values.
fn narrow_reference(group: &Group<'_>, key: &KeyCopy<'_>) -> Vec<Finding> {
    let limit = |type_sql: &str| match type_sql {
        "smallint" => Some(i64::from(i16::MAX)),
        "integer" => Some(i64::from(i32::MAX)),
        "bigint" => Some(i64::MAX),
        _ => None,
    };
    let after = |table: &TableName, column: &Ident| {
        let dual = group.of_table(table).find(|dual| dual.change.column.name == *column);
        match dual {
            Some(dual) => Some(dual.change.to.canonical.clone()),
            None => Some(group.cx.named(table)?.column(column)?.type_sql.clone()),
        }
    };
    let mut found = Vec::new();
    for (from, to) in key.old.from_columns.iter().zip(&key.old.to_columns) {
        let types = after(&key.old.from, from).zip(after(&key.old.to, to));
        let limits = types.as_ref().and_then(|(from, to)| limit(from).zip(limit(to)));
        if let Some(((type_sql, _), (theirs, ours))) = types.zip(limits).filter(|(_, (theirs, ours))| theirs < ours) {
            let name = format!("{}.{}", key.old.from.display(), from.as_str());
            let column = format!("{}.{}", key.old.to.display(), to.as_str());
            found.push(
                Text {
                    what: format!("{name} refers to {column} and stays {type_sql}"),
                    place: format!("foreign key {}", key.old.name.as_str()),
                    why: format!("values above {theirs} (up to {ours}) cannot be referenced"),
                    advice: format!("change {name} too"),
                }
                .finding(),
            );
        }
    }
    found
}

fn deferred_keys(group: &Group<'_>) -> Vec<Finding> {
    let keys = group.indexes.iter().filter_map(|copy| Some((copy.table, copy.constraint?)));
    keys.filter(|(_, key)| key.deferrable).map(|(table, key)| {
        group.cx.hazard(
            Hazard::DeferredKeys,
            Text {
                what: format!("{} is DEFERRABLE", key.name.as_str()),
                place: table.name.display(),
                why: "the index that is to take it over checks at once until the swap: a transaction that passes through \
                      duplicates fails meanwhile"
                    .to_owned(),
                advice: "make sure that no transaction relies on the deferral, and accept it".to_owned(),
            },
        )
    })
    .collect()
}

fn prepared_statements(dual: &Dual<'_>) -> Finding {
    Text {
        what: format!(
            "prepared statements that return {} must be prepared again after the swap",
            dual.change.column.name.as_str()
        ),
        place: dual.change.table.name.display(),
        why: "any change of a type does this: cached plan must not change result type (0A000)".to_owned(),
        advice: "most drivers do so by themselves; else reconnect after `complete`".to_owned(),
    }
    .finding()
}
