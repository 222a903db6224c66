//! Copying anew the rows of a shadow table that differ.

use super::key::{self, KeyColumn, Place};
use super::shadow::Pair;
use crate::sql;
use crate::text::Sql;

/// A pair, with the key by the new table's names.
#[derive(Debug, Clone)]
pub struct Repair<'a> {
    pair: &'a Pair,
    after: Vec<KeyColumn>,
}

impl<'a> Repair<'a> {
    /// `None` where the new key has a type whose values cannot be written down exactly.
    #[must_use]
    pub fn of(pair: &'a Pair) -> Option<Self> {
        let after = pair.shadow().key.iter().map(|copied| KeyColumn::of(&copied.after)).collect::<Option<Vec<_>>>()?;
        Some(Self { pair, after })
    }

    /// The keys of the rows at these places that nobody has locked, for [`key::place`].
    ///
    /// Lock: shared row locks until the transaction's end, none of them waited for.
    #[must_use]
    pub fn hold(&self, places: &[Place]) -> Sql {
        sql!(
            "SELECT {shown} {rows}",
            shown = key::shown(self.pair.walk(), "t."),
            rows = self.pair.sharing_these(&self.at_any(places))
        )
    }

    /// Drops what the new table has for these rows, which the transaction holds: nobody writes to either.
    ///
    /// Lock: exclusive row locks in the new table until the transaction's end.
    #[must_use]
    pub fn clear(&self, places: &[Place]) -> Sql {
        let shadow = self.pair.shadow();
        sql!(
            "DELETE b FROM {t} AS a STRAIGHT_JOIN {s} AS b ON {on} WHERE {these}",
            t = shadow.table,
            s = shadow.shadow,
            on = self.pair.on(),
            these = any(self.pair.walk(), "a.", places),
        )
    }

    /// Keys of rows that only the new table has, for [`Repair::ghost`].
    ///
    /// Lock: none.
    #[must_use]
    pub fn ghosts(&self, limit: usize) -> Sql {
        sql!(
            "SELECT {shown} {ghosts} LIMIT {limit}",
            shown = key::shown(&self.after, "b."),
            ghosts = self.pair.only_after(),
            limit = limit
        )
    }

    /// The place that [`Repair::ghosts`] showed.
    #[must_use]
    pub fn ghost(&self, row: &[Option<String>]) -> Option<Place> {
        key::place(&self.after, row)
    }

    /// Locks a row of the new table.
    ///
    /// Lock: an exclusive row lock until the transaction's end, waited for.
    #[must_use]
    pub fn hold_ghost(&self, place: &Place) -> Sql {
        sql!(
            "SELECT 1 FROM {s} AS b WHERE {at} FOR UPDATE",
            s = self.pair.shadow().shadow,
            at = key::at(&self.after, "b.", place)
        )
    }

    /// `1` while the table does not have the row of the new one.
    ///
    /// Lock: none. Whoever is about to insert it has not committed, and its trigger waits for the row that [`Repair::hold_ghost`]
    /// has locked.
    #[must_use]
    pub fn is_ghost(&self, place: &Place) -> Sql {
        sql!(
            "SELECT COUNT(*) {ghosts} AND {at}",
            ghosts = self.pair.only_after(),
            at = key::at(&self.after, "b.", place)
        )
    }

    /// Drops it.
    ///
    /// Lock: as [`Repair::hold_ghost`].
    #[must_use]
    pub fn lay(&self, place: &Place) -> Sql {
        sql!("DELETE FROM {s} WHERE {at}", s = self.pair.shadow().shadow, at = key::at(&self.after, "", place))
    }

    fn at_any(&self, places: &[Place]) -> Sql {
        any(self.pair.walk(), "t.", places)
    }
}

fn any(key: &[KeyColumn], of: &str, places: &[Place]) -> Sql {
    let each: Vec<Sql> = places.iter().map(|place| key::at(key, of, place)).collect();
    sql!("({each})", each = Sql::join(&each, " OR "))
}
