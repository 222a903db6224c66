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
/// Where there are so many times as many numbers as rows, or more, rows may lie anywhere.
const DENSE: i128 = 2;

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
        let to = match self.reckoned(&end, size) {
            Some(place) => place,
            None => {
                let ahead = key::ahead(index, work.walk(), self.cursor.as_ref(), Some(&end), size);
                let rows = session.rows(ahead.as_str()).await.map_err(|error| error.doing("lay out the copy"))?;
                rows.first().and_then(|row| key::place(work.walk(), row)).unwrap_or_else(|| end.clone())
            }
        };
        self.laid_out = to == end;
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

impl Pieces {
    /// The end of a piece of so many rows, where the key is one whole number and most numbers are taken: to count them would be to
    /// read the whole table once more.
    fn reckoned(&self, end: &Place, size: u64) -> Option<Place> {
        let number = |place: &Place| match place.0.as_slice() {
            [one] => one.parse::<i128>().ok(),
            _ => None,
        };
        let (from, to) = (number(self.cursor.as_ref()?)?, number(end)?);
        let left = i128::from(self.rows_total.saturating_sub(self.rows_laid));
        let span = to - from;
        if left == 0 || span > left * DENSE {
            return None;
        }
        let next = from + span * i128::from(size) / left;
        Some(if next < to { Place(vec![next.to_string()]) } else { end.clone() })
    }
}

/// A place as the ledger keeps it.
pub(super) fn written(place: Option<&Place>) -> Sql {
    // A list of strings is always JSON.
    let text = place.map(|place| serde_json::to_string(place).unwrap_or_default());
    text.map_or_else(|| Sql::raw("NULL"), |text| sql!("{t}", t = Text(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(values: &[&str]) -> Place {
        Place(values.iter().map(|value| (*value).to_owned()).collect())
    }

    fn pieces(cursor: Option<Place>, total: u64, laid: u64) -> Pieces {
        Pieces {
            open: VecDeque::new(),
            cursor,
            end: None,
            laid_out: false,
            next_number: 1,
            rows_laid: laid,
            rows_total: total,
            rows_done: 0,
            rows_written: 0,
        }
    }

    #[test]
    fn numbers_that_are_taken_need_not_be_counted() {
        let some = pieces(Some(place(&["1000"])), 9_000, 1_000);
        assert_eq!(some.reckoned(&place(&["9000"]), 1_000), Some(place(&["2000"])));
        assert_eq!(some.reckoned(&place(&["17000"]), 1_000), Some(place(&["3000"])), "every second one");
        assert_eq!(some.reckoned(&place(&["9000"]), 10_000), Some(place(&["9000"])), "the last piece");
        let negative = pieces(Some(place(&["-5000"])), 9_000, 1_000);
        assert_eq!(negative.reckoned(&place(&["3000"]), 1_000), Some(place(&["-4000"])));
    }

    #[test]
    fn what_cannot_be_reckoned_is_counted() {
        let some = pieces(Some(place(&["1000"])), 9_000, 1_000);
        assert_eq!(some.reckoned(&place(&["18446744073709551615"]), 1_000), None, "rows may lie anywhere");
        assert_eq!(some.reckoned(&place(&["'2026-11-23'"]), 1_000), None);
        assert_eq!(pieces(Some(place(&["1", "2"])), 9_000, 1_000).reckoned(&place(&["9", "9"]), 1_000), None);
        assert_eq!(pieces(None, 9_000, 0).reckoned(&place(&["9000"]), 1_000), None, "nobody knows where it begins");
        let more = pieces(Some(place(&["1000"])), 1_000, 1_000);
        assert_eq!(more.reckoned(&place(&["9000"]), 1_000), None, "there are more rows than the server says");
    }
}
