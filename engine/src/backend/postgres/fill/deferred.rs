//! Rows that somebody held when their turn came.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chunk::Part;
use super::lane::{End, Job, Worker};
use super::patience::Tries;
use super::ranges::Lane;
use super::size::Class;
use super::span::Tid;
use crate::dialect::postgres::check::key_text;
use crate::error::{Blocker, Error};
use crate::event::Event;
use crate::plan::LockMode;
use crate::sql;

/// Blocks taken up at a time.
const AT_ONCE: i64 = 1000;
/// Between two tellings of who is in the way.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Fills what was deferred, again and again until nothing is left.
///
/// # Errors
/// [`Error::Lock`] with the rows and whoever holds them, once the patience is used up.
pub(super) async fn catch_up(job: Arc<Job>, lane: Lane) -> Result<End, Error> {
    let mut worker = Worker::hire(Arc::clone(&job)).await?;
    let began = Instant::now();
    let mut told: Option<Instant> = None;
    for attempt in 1.. {
        let blocks = worker.deferred().await?;
        if blocks.is_empty() {
            break;
        }
        job.progress.caught_up();
        let mut left = None;
        for (from, to) in ranges(&blocks) {
            let mut at = from;
            while at < to {
                let chunk = worker.chunk(Class::Plain, (at, to), Part::Rest, &lane).await?;
                let Some((written, end)) = chunk else { return Ok(End::NewFile) };
                if written.deferred > 0 {
                    left = left.or(Some((at, end)));
                }
                at = end;
            }
        }
        let Some(range) = left else { continue };
        if began.elapsed() >= job.give_up_after {
            return Err(worker.given_up(range, attempt, began.elapsed()).await?);
        }
        if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            told = Some(Instant::now());
            let holders = worker.holders(range).await?;
            let who: Vec<String> = holders.iter().map(ToString::to_string).collect();
            let because = format!("rows are locked, trying again: {}", who.join("; "));
            job.events.emit(Event::FillWaiting { because });
        }
        job.back_off(attempt).await?;
    }
    job.progress.caught_up();
    Ok(End::Filled)
}

impl Worker {
    async fn deferred(&mut self) -> Result<Vec<u64>, Error> {
        let text = "SELECT block FROM shoofly.deferred WHERE run = $1 AND step = $2 ORDER BY block LIMIT $3";
        let rows = self
            .connection
            .query(text, &[&self.job.hold.run, &self.job.step.0, &AT_ONCE])
            .await
            .map_err(|error| error.doing("read the deferred blocks"))?;
        Ok(rows.iter().filter_map(|row| u64::try_from(row.get::<_, i64>(0)).ok()).collect())
    }

    /// Who holds the rows of these blocks that still need work. Row locks stand in the rows themselves: `xmax`.
    async fn holders(&mut self, (from, to): (u64, u64)) -> Result<Vec<Blocker>, Error> {
        let fill = &self.job.fill;
        let text = sql!(
            "SELECT r._shoofly_row, coalesce(a.pid, 0), coalesce(a.usename::text, ''), coalesce(a.application_name, ''), \
             coalesce(a.state, 'prepared, or several sessions'), \
             coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8, \
             coalesce(left(regexp_replace(a.query, '\\s+', ' ', 'g'), 200), '') \
             FROM (SELECT {key} AS _shoofly_row, xmax AS _shoofly_holder FROM ONLY {t} WHERE ctid >= $1 AND ctid < $2 AND ({pending}\n) LIMIT 10) AS r \
             LEFT JOIN pg_catalog.pg_locks l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = r._shoofly_holder \
             LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid",
            key = key_text(&fill.key),
            t = fill.table,
            pending = fill.pending,
        );
        let mut tries = Tries::begin();
        let rows = loop {
            match self.connection.query(text.as_str(), &[&Tid::block(from), &Tid::block(to)]).await {
                Ok(rows) => break rows,
                Err(error) => self.job.again(error, &mut tries, "look for whoever holds rows").await?,
            }
        };
        Ok(rows
            .iter()
            .map(|row| Blocker {
                pid: row.get(1),
                user: row.get(2),
                application: row.get(3),
                state: row.get(4),
                transaction_age: row.get(5),
                query: row.get(6),
                holds: format!("the row {}", row.get::<_, String>(0)),
            })
            .collect())
    }

    async fn given_up(&mut self, range: (u64, u64), attempts: u32, waited: Duration) -> Result<Error, Error> {
        let in_the_way = self.holders(range).await?;
        Ok(Error::Lock {
            step: self.job.step.clone(),
            table: self.job.fill.table.clone(),
            mode: LockMode::RowExclusive,
            attempts,
            waited,
            in_the_way,
        })
    }
}

/// Neighbouring blocks as ranges.
fn ranges(blocks: &[u64]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &block in blocks {
        match ranges.last_mut() {
            Some((_, end)) if *end == block => *end += 1,
            _ => ranges.push((block, block + 1)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_taken_together() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), [(1, 4), (7, 8), (9, 11)]);
        assert_eq!(ranges(&[]), []);
    }
}
