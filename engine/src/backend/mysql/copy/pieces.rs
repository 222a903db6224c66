//! The range of the key in pieces, laid out as they are needed and kept in the ledger.

use std::collections::VecDeque;

use super::Work;
use crate::backend::hold::Hold;
use crate::backend::mysql::ledger;
use crate::dialect::mysql::key::{self, Place};
use crate::dialect::mysql::literal::Text;
use crate::driver::mysql::Session;
use crate::error::{DbError, Error};
use crate::plan::StepId;
use crate::sql;
use crate::text::Sql;

/// A piece has such a part of the rows that are left: every one costs a commit, and lanes should end at the same time.
const PART: u64 = 8;
const LEAST_ROWS: u64 = 10_000;
const MOST_ROWS: u64 = 200_000;

/// A range of the key that one lane works through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) number: i32,
    /// Everything up to here is done or deferred; from the beginning without one.
    pub(super) next: Option<Place>,
    /// Its last row.
    pub(super) to: Place,
}

/// What there is to do.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Laid out, and not taken yet by this process.
    open: VecDeque<Piece>,
    /// Where the next one begins.
    cursor: Option<Place>,
    /// The last row that needs it: later ones were inserted after the triggers were there. None for an empty table.
    end: Option<Place>,
    laid_out: bool,
    next_number: i32,
    /// Rows of the pieces that this process has laid out, and of those that are done.
    rows_laid: u64,
    pub(super) rows_total: u64,
    pub(super) rows_done: u64,
    pub(super) rows_written: u64,
}

impl Pieces {
    /// What the ledger has; for a new one the end is looked up.
    pub(super) async fn read(session: &Session, hold: Hold, step: &StepId, work: &Work) -> Result<Self, Error> {
        let failed = |error: DbError| error.doing("lay out the copy");
        let text = sql!(
            "SELECT lane, next_place, to_place, done, rows_done, rows_written FROM shoofly.lane \
             WHERE run = {run} AND step = {step} ORDER BY lane",
            run = hold.run,
            step = Text(&step.0),
        );
        let rows = session.rows(text.as_str()).await.map_err(failed)?;
        let last = session.rows(key::last(work.table(), work.key_index(), work.walk()).as_str()).await;
        let end = last.map_err(failed)?.first().and_then(|row| key::place(work.walk(), row));
        let estimate = sql!(
            "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = {d} AND TABLE_NAME = {t}",
            d = Text(work.table().database.as_str()),
            t = Text(work.table().name.as_str()),
        );
        let estimate = ledger::number(&session.rows(estimate.as_str()).await.map_err(failed)?);
        let mut pieces = Self {
            open: VecDeque::new(),
            cursor: None,
            laid_out: end.is_none(),
            end,
            next_number: 0,
            rows_laid: 0,
            rows_total: u64::try_from(estimate).unwrap_or(0),
            rows_done: 0,
            rows_written: 0,
        };
        for row in rows {
            pieces.known(row);
        }
        pieces.rows_total = pieces.rows_total.max(pieces.rows_done);
        pieces.rows_laid = pieces.rows_done;
        Ok(pieces)
    }

    fn known(&mut self, row: Vec<Option<String>>) {
        let [number, next, to, done, rows, written] = <[Option<String>; 6]>::try_from(row).unwrap_or_default();
        let count = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let place = |text: Option<String>| text.and_then(|text| serde_json::from_str::<Place>(&text).ok());
        let number = i32::try_from(count(number)).unwrap_or(i32::MAX);
        self.next_number = number.saturating_add(1);
        self.rows_done += count(rows);
        self.rows_written += count(written);
        let Some(to) = place(to) else { return };
        self.cursor = Some(to.clone());
        if count(done) == 0 {
            self.open.push_back(Piece { number, next: place(next), to });
        }
    }

    /// The next piece: one that an earlier process has left, or a new one, entered into the ledger.
    pub(super) async fn take(
        &mut self,
        session: &Session,
        (hold, step): (Hold, &StepId),
        work: &Work,
    ) -> Result<Option<Piece>, Error> {
        if let Some(piece) = self.open.pop_front() {
            return Ok(Some(piece));
        }
        let Some(end) = self.end.clone().filter(|_| !self.laid_out) else { return Ok(None) };
        let index = (work.table(), work.key_index());
        let size = (self.rows_total.saturating_sub(self.rows_laid) / PART).clamp(LEAST_ROWS, MOST_ROWS);
        let ahead = key::ahead(index, work.walk(), self.cursor.as_ref(), Some(&end), size);
        let rows = session.rows(ahead.as_str()).await.map_err(|error| error.doing("lay out the copy"))?;
        let to = rows.first().and_then(|row| key::place(work.walk(), row)).unwrap_or_else(|| {
            self.laid_out = true;
            end
        });
        let piece = Piece { number: self.next_number, next: self.cursor.clone(), to: to.clone() };
        let entry = sql!(
            "INSERT INTO shoofly.lane (run, step, lane, epoch, from_place, next_place, to_place, rows_total) \
             VALUES ({run}, {step}, {lane}, {epoch}, {from}, {from}, {to}, {total})",
            run = hold.run,
            step = Text(&step.0),
            lane = piece.number,
            epoch = hold.epoch,
            from = written(piece.next.as_ref()),
            to = written(Some(&piece.to)),
            total = self.rows_total,
        );
        ledger::record(session, hold, "lay out the copy", &[entry]).await?;
        self.next_number += 1;
        self.rows_laid += size;
        self.cursor = Some(to);
        Ok(Some(piece))
    }
}

/// A place as the ledger keeps it.
pub(super) fn written(place: Option<&Place>) -> Sql {
    // A list of strings is always JSON.
    let text = place.map(|place| serde_json::to_string(place).unwrap_or_default());
    text.map_or_else(|| Sql::raw("NULL"), |text| sql!("{t}", t = Text(&text)))
}
