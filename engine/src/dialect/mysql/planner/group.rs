//! Statements that change one table are carried out as one: the table is copied once at most.

use super::change::Change;
use crate::source::Script;
use crate::sql::mysql::Mode;

/// Statements of a script that belong together.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Their places, in order.
    pub(super) places: Vec<usize>,
    /// Each for itself.
    pub(super) single: Vec<Change>,
    /// All as one; none where they cannot be put together, or are no changes of a table.
    pub(super) whole: Option<Change>,
}

/// The groups of a script, in the order of their first statements.
pub(super) fn groups(script: &Script, mode: Mode) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, statement) in script.statements.iter().enumerate() {
        let change = Change::read(&statement.sql, mode);
        let same = |group: &&mut Group| match (group.single.first(), &change) {
            (Some(first), Some(change)) => first.table() == change.table(),
            _ => false,
        };
        match groups.iter_mut().find(same) {
            Some(group) => {
                group.places.push(at);
                group.single.extend(change);
            }
            None => groups.push(Group { places: vec![at], single: change.into_iter().collect(), whole: None }),
        }
    }
    for group in &mut groups {
        group.whole = Change::merged(&group.single, mode);
    }
    groups
}
