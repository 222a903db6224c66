//! Checks of rows, counted over a table's blocks in bounded pieces: no long snapshot, no lock that anybody notices.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::dialect::postgres::check as text;
use crate::driver::postgres::Session;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::event::{Event, Events};
use crate::plan::Check;

/// Rows named in a message; counting goes on after them, looking for rows that raise errors does not.
const NAMED: usize = 10;
/// How long reading one piece should take.
const PIECE: Duration = Duration::from_millis(250);
/// Blocks of the first piece, and the bounds within which its size follows the time it takes.
const FIRST_BLOCKS: u64 = 256;
const MOST_BLOCKS: u64 = 65_536;
/// Time between two words of progress.
const SAY_EVERY: Duration = Duration::from_millis(250);

/// Rows that break a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Violations {
    /// How many were found.
    total: u64,
    /// Whether looking was given up before the end of the table.
    more: bool,
    /// Some of them by key, with the server's message where evaluating the row raised an error.
    rows: Vec<String>,
}

impl Violations {
    /// What is wrong, or `None` where the check holds.
    pub(crate) fn problem(&self, check: &Check) -> Option<Problem> {
        if self.total == 0 {
            return None;
        }
        let how_many = match (self.total, self.more) {
            (1, false) => "one row breaks it".to_owned(),
            (total, false) => format!("{total} rows break it"),
            (total, true) => format!("at least {total} rows break it"),
        };
        let rest = if self.total > self.rows.len() as u64 || self.more { "; …" } else { "" };
        Some(Problem {
            what: format!("{how_many}: {}{rest}", self.rows.join("; ")),
            place: check.table.display(),
            why: format!("it must hold that {}", check.claim),
            advice: check.advice.clone(),
        })
    }

    fn add(&mut self, other: Self) {
        self.total += other.total;
        let room = NAMED.saturating_sub(self.rows.len());
        self.rows.extend(other.rows.into_iter().take(room));
    }

    fn enough_errors(&self) -> bool {
        self.rows.len() >= NAMED
    }
}

/// Counts the rows that break `check`; rows for which evaluating it raises an error are found one by one and counted too.
///
/// # Locks
/// ACCESS SHARE on the table, for one piece at a time.
/// # Errors
/// [`Error::Database`], [`Error::Interrupted`].
pub(crate) async fn run(
    session: &Session,
    check: &Check,
    events: &Events,
    stop: &CancellationToken,
) -> Result<Violations, Error> {
    let failed = |error: DbError| error.doing(format!("check that {}", check.claim));
    let mut found = Violations::default();
    let (mut from, mut blocks, mut size) = (0, FIRST_BLOCKS, table_blocks(session, check).await.map_err(failed)?);
    let mut said = Instant::now();
    while from < size {
        if stop.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let to = (from + blocks).min(size);
        let began = Instant::now();
        found.add(piece(session, check, from, to).await.map_err(failed)?);
        if found.more_to_look_for(to, size) {
            found.more = true;
            break;
        }
        blocks = next_size(blocks, began.elapsed());
        from = to;
        if from >= size {
            // Rows may have been written behind the end meanwhile.
            size = table_blocks(session, check).await.map_err(failed)?;
        }
        if said.elapsed() > SAY_EVERY {
            said = Instant::now();
            events.emit(Event::CheckProgress { claim: check.claim.clone(), blocks_done: from, blocks_total: size });
        }
    }
    Ok(found)
}

impl Violations {
    /// Whether enough rows are known to name them, with blocks left that were not read.
    fn more_to_look_for(&self, to: u64, size: u64) -> bool {
        self.enough_errors() && to < size
    }
}

/// Doubles or halves at most, so that one odd measurement does no harm.
fn next_size(blocks: u64, took: Duration) -> u64 {
    let ideal = blocks as f64 * PIECE.as_secs_f64() / took.as_secs_f64().max(0.001);
    // The cast is of a number between the clamp's bounds.
    (ideal.clamp(blocks as f64 / 2.0, blocks as f64 * 2.0) as u64).clamp(1, MOST_BLOCKS)
}

async fn table_blocks(session: &Session, check: &Check) -> Result<u64, DbError> {
    let rows = session.simple_rows(text::table_blocks(&check.table).as_str()).await?;
    Ok(number(&rows, 0))
}

fn number(rows: &[Vec<Option<String>>], column: usize) -> u64 {
    rows.first().and_then(|row| row.get(column)?.as_deref()?.parse().ok()).unwrap_or(0)
}

/// Counts in `[from, to)`; where some row raises an error, halves the piece until the row is found.
async fn piece(session: &Session, check: &Check, from: u64, to: u64) -> Result<Violations, DbError> {
    let mut found = Violations::default();
    let mut left = vec![(from, to)];
    while let Some((from, to)) = left.pop() {
        if found.enough_errors() {
            found.more = true;
            break;
        }
        match session.simple_rows(text::count(check, from, to, NAMED).as_str()).await {
            Ok(rows) => found.add(counted(&rows)),
            Err(error) if !about_a_row(&error) => return Err(error),
            Err(_) if to - from > 1 => {
                let middle = from.midpoint(to);
                left.push((middle, to));
                left.push((from, middle));
            }
            Err(_) => found.add(block(session, check, from).await?),
        }
    }
    Ok(found)
}

fn counted(rows: &[Vec<Option<String>>]) -> Violations {
    let named = rows.iter().filter_map(|row| row.get(1).cloned().flatten()).collect();
    Violations { total: number(rows, 0), more: false, rows: named }
}

/// Row by row through one block.
async fn block(session: &Session, check: &Check, block: u64) -> Result<Violations, DbError> {
    let mut found = Violations::default();
    let rows = session.simple_rows(text::rows_of_block(check, block).as_str()).await?;
    for row in rows {
        let [Some(ctid), Some(key)] = <[Option<String>; 2]>::try_from(row).unwrap_or_default() else { continue };
        match session.simple_rows(text::breaks(check, &ctid).as_str()).await {
            Ok(answer) if number(&answer, 0) > 0 => found.add(Violations { total: 1, more: false, rows: vec![key] }),
            Ok(_) => {}
            Err(error) if about_a_row(&error) => {
                let named = format!("{key} ({})", error.message);
                found.add(Violations { total: 1, more: false, rows: vec![named] });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Whether an error was raised by a value and not by the state of the server.
fn about_a_row(error: &DbError) -> bool {
    match error.kind {
        DbErrorKind::Data | DbErrorKind::Constraint => true,
        // An exception raised by a function of the user's.
        DbErrorKind::Other => error.code.as_deref().is_some_and(|code| code.starts_with("P0")),
        _ => false,
    }
}
