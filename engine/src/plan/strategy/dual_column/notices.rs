//! What the operator must know about a dual column.

use super::Dual;
use crate::plan::context::Text;
use crate::plan::draft::Draft;
use crate::plan::{Finding, Hazard, census};

/// Adds every finding.
pub(super) fn add(dual: &Dual<'_>, draft: &mut Draft) {
    let table = dual.change.table;
    draft.findings.extend(census::column_order(table, &dual.change.column.name, dual.cx));
    draft.findings.extend(census::another_column(table, dual.cx));
    draft.findings.extend(identity(dual));
    draft.findings.extend(sequence_ends(dual));
    draft.findings.extend(narrow_references(dual));
    draft.findings.extend(deferred_keys(dual));
    draft.findings.push(prepared_statements(dual));
}

fn identity(dual: &Dual<'_>) -> Option<Finding> {
    let identity = dual.change.column.identity.as_ref()?;
    let sequence = identity.sequence.name.display();
    Some(dual.cx.hazard(
        Hazard::IdentitySequence,
        Text {
            what: format!("{} is an identity column", dual.place()),
            place: format!("sequence {sequence}"),
            why: "its sequence is made anew under the same name: a session that inserted before the swap and asks currval or \
                  lastval() after it gets an error (55000) until its next insert"
                .to_owned(),
            advice: "use INSERT … RETURNING, or accept it".to_owned(),
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

fn narrow_references(dual: &Dual<'_>) -> Vec<Finding> {
    let limit = |type_sql: &str| match type_sql {
        "smallint" => Some(i64::from(i16::MAX)),
        "integer" => Some(i64::from(i32::MAX)),
        "bigint" => Some(i64::MAX),
        _ => None,
    };
    let table = dual.change.table;
    let mut found = Vec::new();
    let Some(ours) = limit(&dual.change.to.canonical) else { return found };
    for key in dual.keys.iter().filter(|key| key.old.to == table.name) {
        for (from, to) in key.old.from_columns.iter().zip(&key.old.to_columns) {
            let held_by_us = key.old.from == table.name && *from == dual.change.column.name;
            if *to != dual.change.column.name || held_by_us {
                continue;
            }
            let theirs =
                dual.cx.named(&key.old.from).and_then(|table| table.column(from)).map(|column| &column.type_sql);
            if let Some((type_sql, theirs)) =
                theirs.and_then(|type_sql| Some((type_sql, limit(type_sql)?))).filter(|(_, theirs)| *theirs < ours)
            {
                let name = format!("{}.{}", key.old.from.display(), from.as_str());
                found.push(
                    Text {
                        what: format!("{name} refers to the column and stays {type_sql}"),
                        place: format!("foreign key {}", key.old.name.as_str()),
                        why: format!("values above {theirs} cannot be referenced"),
                        advice: format!("change {name} too"),
                    }
                    .finding(),
                );
            }
        }
    }
    found
}

fn deferred_keys(dual: &Dual<'_>) -> Vec<Finding> {
    let keys = dual.indexes.iter().filter_map(|copy| copy.constraint).filter(|key| key.deferrable);
    keys.map(|key| {
        dual.cx.hazard(
            Hazard::DeferredKeys,
            Text {
                what: format!("{} is DEFERRABLE", key.name.as_str()),
                place: dual.change.table.name.display(),
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
