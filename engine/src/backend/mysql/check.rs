//! Checks of rows, counted over ranges of a table's key: no long snapshot, no lock that anybody notices.

use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::{ledger, range};
use crate::dialect::mysql::check::Walked;
use crate::dialect::mysql::key::Place;
use crate::driver::mysql::{Session, catalogue};
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::plan::Check;
use crate::sql::mysql::name::WrittenName;

/// Rows named in a message.
const NAMED: usize = 10;
/// Rows of the first range, and the most of one.
const FIRST_ROWS: u64 = 1_000;
const MOST_ROWS: u64 = 50_000;

/// Rows that break a check.
#[derive(Debug, Default)]
struct Found {
    rows: u64,
    /// Some of them by key, with the server's message where computing raised an error.
    named: Vec<String>,
}

/// Counts the rows that break `check`: what is wrong, or `None` where it holds.
///
/// # Locks
/// `SHARED_READ` (metadata) on the table, for one range at a time.
/// # Errors
/// [`Error::Database`], [`Error::Interrupted`].
pub(super) async fn run(session: &Session, check: &Check, stop: &CancellationToken) -> Result<Option<Problem>, Error> {
    let failed = |error: DbError| error.doing(format!("check that {}", check.claim));
    let problem = |what: String| Problem {
        what,
        place: check.table.display(),
        why: format!("it must hold that {}", check.claim),
        advice: check.advice.clone(),
    };
    // The names of a plan came from the server's own catalogue.
    let (Ok(database), Ok(name)) = (check.table.schema.as_str().parse(), check.table.name.as_str().parse()) else {
        return Ok(Some(problem("its name cannot be read".to_owned())));
    };
    let written = WrittenName { database: Some(database), name };
    let known = catalogue::read(session, std::slice::from_ref(&written)).await.map_err(failed)?;
    let table = known.tables.iter().find(|table| table.path.qualified() == check.table);
    let Some(walked) = table.and_then(|table| Walked::of(check, table)) else {
        return Ok(Some(problem("the table, or the key that its rows are told apart by, is gone".to_owned())));
    };
    let found = all(session, &walked, stop).await?.map_err(failed)?;
    let how_many = match found.rows {
        0 => return Ok(None),
        1 => "one row breaks it".to_owned(),
        rows => format!("{rows} rows break it"),
    };
    let rest = if found.rows > found.named.len() as u64 { "; …" } else { "" };
    Ok(Some(problem(format!("{how_many}: {}{rest}", found.named.join("; ")))))
}

/// The outer error is an interruption.
async fn all(
    session: &Session,
    walked: &Walked<'_>,
    stop: &CancellationToken,
) -> Result<Result<Found, DbError>, Error> {
    let mut found = Found::default();
    let (mut from, mut size): (Option<Place>, u64) = (None, FIRST_ROWS);
    loop {
        if stop.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let began = Instant::now();
        let to = match session.rows(walked.ahead(from.as_ref(), size).as_str()).await {
            Ok(rows) => rows.first().and_then(|row| walked.place(row)),
            Err(error) => return Ok(Err(error)),
        };
        match range(session, walked, (from.as_ref(), to.as_ref()), &mut found).await {
            Ok(()) => {}
            // Ever smaller ranges, until the row at fault is alone.
            Err(error) if is_about_rows(&error) && size > 1 => {
                size = (size / 8).max(1);
                continue;
            }
            Err(error) if is_about_rows(&error) => {
                match raising(session, walked, (from.as_ref(), to.as_ref()), &error).await {
                    Ok(Some(row)) => {
                        found.rows += 1;
                        found.named.push(row);
                    }
                    Ok(None) => {}
                    Err(error) => return Ok(Err(error)),
                }
            }
            Err(error) => return Ok(Err(error)),
        }
        // Rows that raise errors are looked for one by one: some are enough.
        if to.is_none() || (found.named.len() >= NAMED && size == 1) {
            found.named.truncate(NAMED);
            return Ok(Ok(found));
        }
        from = to;
        size = range::sized(size, began.elapsed(), range::TIME).clamp(1, MOST_ROWS);
    }
}

async fn range(
    session: &Session,
    walked: &Walked<'_>,
    (from, to): (Option<&Place>, Option<&Place>),
    found: &mut Found,
) -> Result<(), DbError> {
    let rows = session.rows(walked.count(from, to).as_str()).await?;
    let wrong = u64::try_from(ledger::number(&rows)).unwrap_or(0);
    let room = NAMED.saturating_sub(found.named.len());
    if wrong > 0 && room > 0 {
        let named = session.rows(walked.named(from, to, room).as_str()).await?;
        found.named.extend(named.into_iter().filter_map(|row| row.into_iter().next().flatten()));
    }
    found.rows += wrong;
    Ok(())
}

/// The one row of a range, with what the server says about it.
async fn raising(
    session: &Session,
    walked: &Walked<'_>,
    (from, to): (Option<&Place>, Option<&Place>),
    error: &DbError,
) -> Result<Option<String>, DbError> {
    let rows = session.rows(walked.first(from, to).as_str()).await?;
    Ok(ledger::first(&rows).map(|key| format!("{key} ({})", error.message)))
}

/// Whether an error was raised by a value and not by the state of the server.
fn is_about_rows(error: &DbError) -> bool {
    matches!(error.kind, DbErrorKind::Data | DbErrorKind::Constraint)
}
