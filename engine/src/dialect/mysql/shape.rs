//! Tables of ours: the shape that the server makes of the user's clauses, the shadow, and what tells that they are there.

use super::literal::Text;
use super::{names, trigger};
use crate::plan::shadow::{CarriedKey, ChildKey, Shadow};
use crate::schema::mysql::{Index, Table, TablePath};
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::Name;
use crate::text::{List, Sql};

/// Makes the shape: an empty table like the first one, with the user's clauses applied. Made anew where it is there already.
///
/// Lock: none but `SHARED_READ` (metadata) on the table for a moment; where there is a copy that [`named`] tells, the user lock
/// `shoofly.try`.
#[must_use]
pub fn create(shadow: &Shadow) -> Vec<Sql> {
    let like = |made: &TablePath, table: &TablePath| {
        vec![drop(made), sql!("CREATE TABLE {made} LIKE {table}", made = made, table = table)]
    };
    let first = named(shadow).unwrap_or_else(|| shadow.shape.clone());
    let mut statements = like(&first, &shadow.table);
    statements.push(sql!("ALTER TABLE {first} {clauses}", first = first, clauses = shadow.clauses));
    if first != shadow.shape {
        statements.extend(like(&shadow.shape, &first));
        statements.push(drop(&first));
    }
    statements
}

/// The copy that has the names which the clauses give, for a moment. On MySQL a CHECK constraint's name is unique in a database,
/// and the ledger's has the shapes of all runs: the shape itself has names of the server's.
#[must_use]
pub fn named(shadow: &Shadow) -> Option<TablePath> {
    let names = shadow.product == Product::MySql && names::may_name_constraints(shadow.clauses.as_str());
    names.then(|| names::tried_of(&shadow.table))
}

/// Makes the shadow from the shape, without the indexes that are built later; with the table's foreign keys under names of ours.
///
/// Lock: `SHARED_READ` (metadata) on the tables that foreign keys refer to; nobody knows the shadow yet.
#[must_use]
pub fn create_shadow(shadow: &Shadow, later: &[&Index]) -> Vec<Sql> {
    let mut statements = vec![
        sql!("DROP TABLE IF EXISTS {s}", s = shadow.shadow),
        sql!("CREATE TABLE {s} LIKE {shape}", s = shadow.shadow, shape = shadow.shape),
    ];
    let mut clauses: Vec<Sql> = later.iter().map(|index| sql!("DROP INDEX {i}", i = index.name)).collect();
    if let Some(name) = &shadow.own_key {
        let columns: Vec<&Name> = shadow.key.iter().map(|key| &key.after.name).collect();
        clauses.push(sql!("ADD UNIQUE KEY {k} ({columns})", k = name, columns = List(&columns)));
    }
    if !clauses.is_empty() {
        statements.push(sql!("ALTER TABLE {s} {c}", s = shadow.shadow, c = Sql::join(&clauses, ", ")));
    }
    let others = shadow.foreign_keys.iter().filter(|key| key.referenced != shadow.table);
    let keys: Vec<Sql> = others.map(|key| add_key(key, &key.interim)).collect();
    if !keys.is_empty() {
        statements.push(sql!("ALTER TABLE {s} {keys}", s = shadow.shadow, keys = Sql::join(&keys, ", ")));
    }
    statements.extend(shadow.triggers.iter().map(|carried| trigger::create_interim(shadow, carried)));
    statements
}

/// Adds the foreign keys from the table to itself, which would refuse rows as long as those that they refer to are missing.
///
/// Lock: `EXCLUSIVE` (metadata) on the shadow for a moment; the rows are not looked at: they were checked in the old table.
#[must_use]
pub fn add_own_references(shadow: &Shadow) -> Option<Sql> {
    let own = shadow.foreign_keys.iter().filter(|key| key.referenced == shadow.table);
    let keys: Vec<Sql> = own
        .map(|key| {
            let definition = referring_to(&key.definition, &shadow.table, &shadow.shadow);
            sql!("ADD CONSTRAINT {name} {d}", name = key.interim, d = definition)
        })
        .collect();
    (!keys.is_empty()).then(|| unchecked(&shadow.shadow, &keys))
}

/// A foreign key's text with another table in it. The server writes a table of the same database without that.
fn referring_to(definition: &Sql, from: &TablePath, to: &TablePath) -> Sql {
    let names = [sql!("REFERENCES {t} ", t = from.name), sql!("REFERENCES {t} ", t = from)];
    let found = names.iter().find(|words| definition.as_str().contains(words.as_str()));
    match found {
        Some(words) => {
            Sql::raw(definition.as_str().replacen(words.as_str(), sql!("REFERENCES {t} ", t = to).as_str(), 1))
        }
        None => definition.clone(),
    }
}

/// A change of foreign keys without a look at the rows, which another key has kept.
fn unchecked(table: &TablePath, clauses: &[Sql]) -> Sql {
    sql!(
        "SET SESSION foreign_key_checks = 0; ALTER TABLE {t} {clauses}, ALGORITHM=INPLACE, LOCK=NONE; \
         SET SESSION foreign_key_checks = 1",
        t = table,
        clauses = Sql::join(clauses, ", ")
    )
}

/// Makes another table's foreign key refer to the new table: in one statement, so that there is no moment without a key. The
/// triggers write in the transaction of what they follow, so that both tables hold the same rows at every commit.
///
/// Lock: `EXCLUSIVE` (metadata) on that table, and on both that the key refers to, for a moment.
#[must_use]
pub fn repoint(shadow: &Shadow, child: &ChildKey) -> Sql {
    let definition = referring_to(&child.key.definition, &shadow.table, &shadow.shadow);
    let clauses = [
        sql!("DROP FOREIGN KEY {f}", f = child.key.name),
        sql!("ADD CONSTRAINT {f} {d}", f = child.key.interim, d = definition),
    ];
    unchecked(&child.table, &clauses)
}

/// Gives another table's foreign key its name back, once the new table has its own.
///
/// Lock: as [`repoint`].
#[must_use]
pub fn point_back(child: &ChildKey) -> Sql {
    let clauses = [sql!("DROP FOREIGN KEY {f}", f = child.key.interim), add_key(&child.key, &child.key.name)];
    unchecked(&child.table, &clauses)
}

fn add_key(key: &CarriedKey, name: &Name) -> Sql {
    sql!("ADD CONSTRAINT {name} {definition}", name = name, definition = key.definition)
}

/// Gives the foreign keys their own names, once the old table is gone. Their rows were checked all along.
///
/// Lock: `EXCLUSIVE` (metadata) on the table and on those that the keys refer to.
#[must_use]
pub fn rename_keys(shadow: &Shadow) -> Option<Sql> {
    if shadow.foreign_keys.is_empty() {
        return None;
    }
    let swaps: Vec<Sql> = shadow
        .foreign_keys
        .iter()
        .flat_map(|key| [sql!("DROP FOREIGN KEY {f}", f = key.interim), add_key(key, &key.name)])
        .collect();
    Some(unchecked(&shadow.table, &swaps))
}

/// Adds indexes to the shadow by the server's own words for them.
///
/// Lock: `EXCLUSIVE` (metadata) on the shadow at the begin and at the end; reads and writes go on in between.
#[must_use]
pub fn add_indexes(shadow: &Shadow, definitions: &[Sql]) -> Option<Sql> {
    if definitions.is_empty() {
        return None;
    }
    let adds: Vec<Sql> = definitions.iter().map(|definition| sql!("ADD {d}", d = definition)).collect();
    Some(sql!("ALTER TABLE {s} {adds}, ALGORITHM=INPLACE, LOCK=NONE", s = shadow.shadow, adds = Sql::join(&adds, ", ")))
}

/// The indexes of a table that are left out while it is filled: all where building them afterwards pays, and unique ones always.
/// For each row that is inserted the server locks the neighbours of a unique value, in which the copy and the application's
/// triggers would meet deadlocks. And rows may break a new one, which then is ours to hear.
///
/// What the server cannot build beside writers, cannot do without, or would put into another place among the others, is not
/// among them.
#[must_use]
pub fn deferrable<'a>(shape: &'a Table, key: &[Name], size: Size) -> Vec<&'a Index> {
    let mut later = Vec::new();
    let mut staying = Vec::new();
    // From the last one on: servers keep the order in which indexes were added, but for their kinds.
    let order = index_definitions(&shape.create_sql);
    let mut indexes: Vec<&Index> = shape.indexes.iter().filter(|index| !index.is_primary()).collect();
    indexes.sort_by_key(|index| order.iter().position(|(name, _)| index.name.same_as(name)).unwrap_or(usize::MAX));
    for index in indexes.into_iter().rev() {
        let kind = (index.unique, shape.has_nullable(index));
        match can_wait(index, shape, key) && (index.unique || size == Size::Large) && !staying.contains(&kind) {
            true => later.push(index),
            false => staying.push(kind),
        }
    }
    later.reverse();
    later
}

fn can_wait(index: &Index, shape: &Table, key: &[Name]) -> bool {
    let first = index.parts.first().and_then(|part| part.column.as_ref());
    let counts = first.and_then(|name| shape.column(name.as_str())).is_some_and(|column| column.auto_increment);
    let names_rows = index.unique
        && index.parts.len() == key.len()
        && index.parts.iter().zip(key).all(|(part, name)| {
            part.prefix.is_none() && part.column.as_ref().is_some_and(|column| column.same_as(name.as_str()))
        });
    let of_columns = index.parts.iter().all(|part| part.column.is_some());
    index.kind == "BTREE" && of_columns && !counts && !names_rows
}

/// Whether a table is so large that building its indexes at the end pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// It is not.
    Small,
    /// It is.
    Large,
}

/// What is left over once the new table is in place: the old one with its triggers, the shape, a key of ours; and foreign keys
/// get their names.
///
/// Lock: `EXCLUSIVE` (metadata) on the old table, which nobody knows any more; on the table and what its foreign keys refer to
/// where a key is dropped or renamed.
#[must_use]
pub fn clean(shadow: &Shadow) -> Vec<Sql> {
    let mut statements: Vec<Sql> = shadow.children.iter().map(point_back).collect();
    statements.push(drop(&shadow.old));
    if !shadow.triggers.is_empty() {
        statements.push(super::lock::write(&shadow.table));
        statements.extend(trigger::settle(shadow));
        statements.push(Sql::raw("UNLOCK TABLES"));
    }
    statements.extend(shadow.own_key.as_ref().map(|key| super::native::drop_index_if_there(&shadow.table, key)));
    statements.extend(rename_keys(shadow));
    statements.push(drop(&shadow.shape));
    statements
}

/// Gives indexes the names that they have in the shape: those that the server makes for foreign keys get other ones with them.
///
/// Lock: `EXCLUSIVE` (metadata) on the table for a moment.
#[must_use]
pub fn rename_indexes(table: &TablePath, now: &str, shape: &str) -> Option<Sql> {
    let parts = |text: &str| -> Vec<(String, String)> {
        let named = index_definitions(text).into_iter();
        named
            .map(|(name, definition)| {
                let quoted = format!("`{}`", name.replace('`', "``"));
                (name, definition.as_str().replacen(&quoted, "", 1))
            })
            .collect()
    };
    let (now, wanted) = (parts(now), parts(shape));
    let mut free: Vec<&(String, String)> =
        now.iter().filter(|(name, _)| wanted.iter().all(|(known, _)| known != name)).collect();
    let mut renames = Vec::new();
    for (name, definition) in wanted.iter().filter(|(name, _)| now.iter().all(|(known, _)| known != name)) {
        let Some(at) = free.iter().position(|(_, other)| other == definition) else { continue };
        let (old, _) = free.remove(at);
        let (Ok(old), Ok(new)) = (old.parse::<Name>(), name.parse::<Name>()) else { continue };
        renames.push(sql!("RENAME INDEX {old} TO {new}", old = old, new = new));
    }
    (!renames.is_empty()).then(|| sql!("ALTER TABLE {t} {r}", t = table, r = Sql::join(&renames, ", ")))
}

/// Name and definition of each foreign key in the words of `SHOW CREATE TABLE`.
#[must_use]
pub fn key_definitions(create_sql: &str) -> Vec<(String, Sql)> {
    named_lines(create_sql, &["CONSTRAINT `"])
        .into_iter()
        .filter_map(|(name, line)| {
            let at = line.find("` FOREIGN KEY ")?;
            Some((name, Sql::raw(&line[at + 2..])))
        })
        .collect()
}

/// Name and definition of each index in the words of `SHOW CREATE TABLE`, which has one on each line.
#[must_use]
pub fn index_definitions(create_sql: &str) -> Vec<(String, Sql)> {
    let starts = ["KEY `", "UNIQUE KEY `", "FULLTEXT KEY `", "SPATIAL KEY `", "VECTOR KEY `"];
    named_lines(create_sql, &starts).into_iter().map(|(name, line)| (name, Sql::raw(line))).collect()
}

/// Lines that begin with one of these words, and the name in backticks behind them.
fn named_lines<'a>(create_sql: &'a str, starts: &[&str]) -> Vec<(String, &'a str)> {
    let mut found = Vec::new();
    for line in create_sql.lines().map(str::trim) {
        let line = line.strip_suffix(',').unwrap_or(line);
        let Some(rest) = starts.iter().find_map(|start| line.strip_prefix(*start)) else { continue };
        let mut name = String::new();
        let mut chars = rest.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '`' if chars.peek() == Some(&'`') => {
                    chars.next();
                    name.push('`');
                }
                '`' => break,
                other => name.push(other),
            }
        }
        found.push((name, line));
    }
    found
}

/// What a table is made of, in the server's words: without the number that it counts on with, and without its name.
#[must_use]
pub fn fingerprint(create_sql: &str) -> String {
    let body = create_sql.find('(').map_or(create_sql, |at| &create_sql[at..]);
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    // It stands among the table's options, behind the last bracket at a line's begin.
    if let Some(at) = rest.rfind("\n)") {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
    }
    match rest.find(" AUTO_INCREMENT=") {
        None => text.push_str(rest),
        Some(at) => {
            text.push_str(&rest[..at]);
            let number = &rest[at + " AUTO_INCREMENT=".len()..];
            text.push_str(number.trim_start_matches(|char: char| char.is_ascii_digit()));
        }
    }
    text
}

/// The [`fingerprint`] of a copy in another database, as it would be in the table's own: there the server leaves out the database
/// of the tables that foreign keys refer to.
#[must_use]
pub fn at_home(create_sql: &str, table: &TablePath) -> String {
    let named = sql!("REFERENCES {d}.", d = table.database);
    fingerprint(create_sql).replace(named.as_str(), "REFERENCES ")
}

/// Whether a table of that name is there, as an expression.
#[must_use]
pub fn exists(table: &TablePath) -> Sql {
    sql!(
        "EXISTS (SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {d} AND TABLE_NAME = {n})",
        d = Text(table.database.as_str()),
        n = Text(table.name.as_str()),
    )
}

/// Drops a table of ours.
///
/// Lock: `EXCLUSIVE` (metadata) on it.
#[must_use]
pub fn drop(table: &TablePath) -> Sql {
    sql!("DROP TABLE IF EXISTS {t}", t = table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_forgets_the_counter_and_the_name_only() {
        let text = "CREATE TABLE `t` (\n  `a` int COMMENT ' AUTO_INCREMENT=5'\n) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=x";
        let other = "CREATE TABLE `u` (\n  `a` int COMMENT ' AUTO_INCREMENT=5'\n) ENGINE=InnoDB DEFAULT CHARSET=x";
        assert_eq!(fingerprint(text), fingerprint(other));
        assert!(fingerprint(text).contains("AUTO_INCREMENT=5"));
    }

    #[test]
    fn indexes_are_read_line_by_line() {
        let text = "CREATE TABLE `t` (\n  `KEY` int,\n  PRIMARY KEY (`KEY`),\n  UNIQUE KEY `a``b` (`KEY`,`x`(3)),\n  KEY `k` (`x`) COMMENT 'a, b'\n) ENGINE=InnoDB";
        let found = index_definitions(text);
        assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a`b", "k"]);
        assert_eq!(found[1].1.as_str(), "KEY `k` (`x`) COMMENT 'a, b'");
    }
}
