//! Names of ours: beside a table, and in the ledger's database.

use sha2::{Digest, Sha256};

use crate::schema::mysql::TablePath;
use crate::sql::mysql::name::{MAX_NAME_CHARS, Name};

/// The database of the ledger, in which shapes lie too.
pub const LEDGER: &str = "shoofly";

/// A name of ours made from a table's: it sorts after it byte by byte, also where it had to be cut.
#[must_use]
pub fn derived(name: &Name, suffix: &str) -> Name {
    cut_to_fit(name.as_str(), suffix).unwrap_or_else(|| name.clone())
}

/// `None` where the text has characters that no name has.
fn cut_to_fit(text: &str, suffix: &str) -> Option<Name> {
    let whole = format!("{text}{suffix}");
    if let Ok(name) = whole.parse() {
        return Some(name);
    }
    let digest = Sha256::digest(text.as_bytes());
    let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let room = |mark: char| MAX_NAME_CHARS.saturating_sub(format!("{mark}{hash}{suffix}").chars().count());
    // `~` is the last of the printable characters of ASCII, and U+FFFD the last that a name has: what was cut still sorts after
    // the table.
    let next = text.chars().nth(room('~')).unwrap_or('~');
    let mark = if next < '~' { '~' } else { '\u{fffd}' };
    let kept: String = text.chars().take(room(mark)).collect();
    format!("{kept}{mark}{hash}{suffix}").parse().ok()
}

/// A table of the ledger's database.
#[must_use]
pub fn in_ledger(name: &str) -> Option<TablePath> {
    Some(TablePath::new(LEDGER.parse().ok()?, name.parse().ok()?))
}

/// A table of the ledger's database that belongs to a table. Tables of one name may be in several databases.
#[must_use]
pub fn in_ledger_of(path: &TablePath, suffix: &str) -> TablePath {
    let of = format!("{}.{}", path.database.as_str(), path.name.as_str());
    // Both are made of names' own characters, so that neither falls back.
    let database = LEDGER.parse().unwrap_or_else(|_| path.database.clone());
    TablePath::new(database, cut_to_fit(&of, suffix).unwrap_or_else(|| path.name.clone()))
}

/// A copy in the ledger's database that is there while the lock `shoofly.try` is held, and nobody's else.
#[must_use]
pub fn tried_of(path: &TablePath) -> TablePath {
    let digest = Sha256::digest(format!("{}.{}", path.database.as_str(), path.name.as_str()).as_bytes());
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    // Letters and digits: a name.
    in_ledger(&format!("try_{hash}")).unwrap_or_else(|| path.clone())
}

/// Whether a statement may give names that are unique in a database, to foreign keys or (on MySQL) to CHECK constraints.
#[must_use]
pub fn may_name_constraints(sql: &str) -> bool {
    sql.to_ascii_uppercase().contains("CONSTRAINT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_names_sort_after_the_table() {
        for name in ["t", "orders", &"x".repeat(64), &"é".repeat(64), "a~"] {
            let name: Name = name.parse().unwrap();
            for suffix in ["_shoofly", "_shoofly_old"] {
                let made = derived(&name, suffix);
                assert!(made.as_str().as_bytes() > name.as_str().as_bytes(), "{made:?} {name:?}");
            }
        }
    }

    #[test]
    fn tables_of_one_name_have_tables_of_their_own_in_the_ledger() {
        for name in ["t", &"x".repeat(60), &"é".repeat(64)] {
            let of = |database: &str| {
                in_ledger_of(&TablePath::new(database.parse().unwrap(), name.parse().unwrap()), "_shape")
            };
            assert_eq!(of("shop").database.as_str(), "shoofly");
            assert_ne!(of("shop"), of("shop_b"));
            assert_eq!(of("shop"), of("shop"));
        }
    }
}
