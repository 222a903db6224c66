//! What is done with the rows of a chunk: copied into a second table, or given values where they are.

use std::collections::HashSet;
use std::time::Duration;

use super::Inserting;
use crate::backend::mysql::ledger;
use crate::dialect::mysql::by_rows;
use crate::dialect::mysql::key::{self, KeyColumn, Place};
use crate::dialect::mysql::lock;
use crate::dialect::mysql::rows::Filled;
use crate::dialect::mysql::shadow::Pair;
use crate::dialect::mysql::trigger::MIRRORING;
use crate::driver::mysql::Session;
use crate::error::DbError;
use crate::schema::mysql::TablePath;
use crate::sql::mysql::name::Name;
use crate::text::Sql;

/// Rows that one statement names by their keys: a range for each is remembered by the server while it plans.
const NAMED_AT_ONCE: usize = 500;

/// What a job does with rows.
#[derive(Debug)]
pub(in crate::backend::mysql) enum Work {
    /// Into the new table.
    Copy(Box<Pair>),
    /// In their place.
    Fill(Box<Filled>),
}

/// What was done with a chunk.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Rows written.
    pub(super) rows: u64,
    /// Rows that somebody held.
    pub(super) held: Vec<Place>,
}

impl Work {
    pub(super) fn table(&self) -> &TablePath {
        match self {
            Self::Copy(pair) => &pair.shadow().table,
            Self::Fill(filled) => &filled.rows().table,
        }
    }

    pub(super) fn key_index(&self) -> &Name {
        match self {
            Self::Copy(pair) => &pair.shadow().key_index,
            Self::Fill(filled) => &filled.rows().key_index,
        }
    }

    pub(super) fn walk(&self) -> &[KeyColumn] {
        match self {
            Self::Copy(pair) => pair.walk(),
            Self::Fill(filled) => filled.walk(),
        }
    }

    /// How long a chunk should take, where the migration says so.
    pub(super) fn chunk_time(&self) -> Option<Duration> {
        match self {
            Self::Copy(pair) => pair.shadow().chunk,
            Self::Fill(filled) => filled.rows().chunk,
        }
    }

    /// What the server shows of its sessions.
    pub(super) fn purpose(&self) -> &'static str {
        match self {
            Self::Copy(_) => "copy",
            Self::Fill(_) => "fill",
        }
    }

    /// What a session needs besides.
    pub(in crate::backend::mysql) fn preparation(&self) -> Option<String> {
        match self {
            // What foreign keys the rows have was checked when they were written.
            Self::Copy(_) => Some(format!("SET foreign_key_checks = 0; SET {MIRRORING} = 1")),
            Self::Fill(_) => None,
        }
    }

    pub(super) fn doing(&self) -> String {
        match self {
            Self::Copy(_) => format!("copy the rows of {}", self.table().display()),
            Self::Fill(_) => format!("fill the rows of {}", self.table().display()),
        }
    }

    /// Why a row stops it, and what can be done.
    pub(super) fn refusal(&self) -> (&'static str, &'static str) {
        match self {
            Self::Copy(_) => {
                ("the new shape does not take this row", "correct the row and run the same command again, or roll back")
            }
            Self::Fill(_) => (
                "the row does not take its new value",
                "correct the row and run the same command again, or roll back and leave such rows out by a condition",
            ),
        }
    }

    /// The first row of a range, by its key.
    pub(super) fn named_between(&self, from: Option<&Place>, to: &Place) -> Sql {
        match self {
            Self::Copy(pair) => pair.named_between(from, to),
            Self::Fill(filled) => filled.named_between(from, to),
        }
    }

    /// One row, waiting for whoever holds it.
    pub(in crate::backend::mysql) fn one(&self, place: &Place) -> Sql {
        match self {
            Self::Copy(pair) if by_rows::is_possible(pair.shadow()) => by_rows::copy_one(pair, place),
            Self::Copy(pair) => pair.copy_one(place),
            Self::Fill(filled) => filled.fill_one(place),
        }
    }

    /// How rows are inserted where others were in the way.
    pub(super) fn patiently(&self) -> Inserting {
        match self {
            Self::Copy(pair) if by_rows::is_possible(pair.shadow()) => Inserting::ByRows,
            _ => Inserting::AtOnce,
        }
    }

    /// Opens a transaction and works through the rows after `from` up to `to`, of which there were `counted`.
    /// No row is waited for.
    pub(super) async fn chunk(
        &self,
        session: &Session,
        (from, to): (Option<&Place>, &Place),
        (counted, inserting): (u64, Inserting),
    ) -> Result<Done, DbError> {
        match self {
            Self::Copy(pair) => copy(pair, session, (from, to), (counted, inserting)).await,
            Self::Fill(filled) => fill(filled, session, (from, to)).await,
        }
    }
}

async fn copy(
    pair: &Pair,
    session: &Session,
    (from, to): (Option<&Place>, &Place),
    (counted, inserting): (u64, Inserting),
) -> Result<Done, DbError> {
    let rows = match inserting {
        Inserting::New | Inserting::AtOnce => {
            let insert = match inserting {
                Inserting::New => pair.copy_new(from, Some(to)),
                _ => pair.copy(from, Some(to)),
            };
            session.execute(&format!("START TRANSACTION; {}", insert.as_str())).await?
        }
        Inserting::ByRows => {
            let insert = by_rows::copy(pair, from, Some(to));
            let shown = session.rows(&format!("START TRANSACTION; {}", insert.as_str())).await?;
            u64::try_from(ledger::number(&shown)).unwrap_or(0)
        }
    };
    // Each row that is inserted was counted, and had no partner: where all were, nobody was left out.
    if counted == rows {
        return Ok(Done { rows, held: Vec::new() });
    }
    let missing = session.rows(pair.missing(from, Some(to)).as_str()).await?;
    Ok(Done { rows, held: missing.iter().filter_map(|row| key::place(pair.walk(), row)).collect() })
}

/// Rows are locked first and then named by their keys: an `UPDATE` that waits for rows one after the other would meet others in
/// deadlocks, which the server ends at their cost.
async fn fill(filled: &Filled, session: &Session, (from, to): (Option<&Place>, &Place)) -> Result<Done, DbError> {
    let places = |rows: Vec<Vec<Option<String>>>| -> Vec<Place> {
        rows.iter().filter_map(|row| key::place(filled.walk(), row)).collect()
    };
    let lock = format!("START TRANSACTION; {}", filled.lock(from, to).as_str());
    let locked = places(session.rows(&lock).await?);
    // Whatever is committed and not among them, somebody else holds.
    let known: HashSet<&[String]> = locked.iter().map(|place| place.0.as_slice()).collect();
    let mut held = places(session.rows(filled.pending(from, to).as_str()).await?);
    held.retain(|place| !known.contains(place.0.as_slice()));
    let mut rows = 0;
    for some in locked.chunks(NAMED_AT_ONCE) {
        let fill = lock::unwaited(session.product(), &filled.fill(some));
        rows += session.execute(fill.as_str()).await?;
    }
    Ok(Done { rows, held })
}
