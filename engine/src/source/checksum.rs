//! What makes two migrations the same: their tokens.

use sha2::{Digest, Sha256};

use crate::name::WrittenName;
use crate::op::Operation;

/// Longest part of a made name.
const PART: usize = 30;

/// The hex digest of normalised parts.
pub(super) fn of(parts: &[String]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name for a statement: what it does to what, and eight digits of its checksum.
pub(super) fn name_of(operations: &[Operation], checksum: &str) -> String {
    let columns = |operation: &Operation| operation.columns().first().map(|column| column.as_str().to_owned());
    let table = |name: &WrittenName| name.name.as_str().to_owned();
    let parts = match operations.first() {
        Some(Operation::CreateIndex(op)) => {
            let named = op.name.as_ref().map(|name| name.as_str().to_owned());
            ["create_index".to_owned(), named.unwrap_or_else(|| table(&op.table)), String::new()]
        }
        Some(Operation::DropIndex(op)) => ["drop_index".to_owned(), table(&op.index), String::new()],
        Some(operation @ Operation::UpdateRows(op)) => {
            ["update".to_owned(), table(&op.table), columns(operation).unwrap_or_default()]
        }
        Some(operation) => {
            let table = operation.table().map(table).unwrap_or_default();
            ["alter".to_owned(), table, columns(operation).unwrap_or_default()]
        }
        None => ["statement".to_owned(), String::new(), String::new()],
    };
    let mut name = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        name.push_str(&slug(part));
        name.push('_');
    }
    name.push_str(checksum.get(..8).unwrap_or(checksum));
    name
}

fn slug(part: &str) -> String {
    let plain = part.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '_' });
    plain.take(PART).collect()
}
