//! One transaction of the application: random, and its rows known before and after.

use std::sync::atomic::{AtomicI64, Ordering};

use super::app::{App, Row, SPACING, Statement};
use super::session::{Failure, Session};
use crate::random::Random;

/// Values that are not unique are below it.
const ANY: u64 = 10_000_000;

/// What belongs to one writer alone, so that writers never lock each other out and any conflict is with us.
///
/// Its unique values are neighbours of each other and of nobody else's, because a server that has to see whether a value is
/// unique locks the values next to it.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Its rows.
    rows: Vec<Row>,
    /// The first of its values, and the first one that is not.
    first: i64,
    end: i64,
    /// How many new values it has made.
    made: i64,
}

impl Own {
    /// Rows of these numbers, as [`App::load`] makes them.
    #[must_use]
    pub fn loaded(numbers: std::ops::Range<i64>) -> Self {
        let end = Row::loaded(numbers.end).value;
        let rows: Vec<Row> = numbers.map(Row::loaded).collect();
        let first = rows.first().map_or(0, |row| row.value);
        Self { rows, first, end, made: 0 }
    }

    /// A value between those that the table was filled with, never used before.
    fn value(&mut self) -> i64 {
        let (many, one) = (self.made / (SPACING - 1), self.made % (SPACING - 1));
        self.made += 1;
        let value = self.first + many * SPACING + one + 1;
        assert!(value < self.end, "a writer has made all its values: such a long test needs more rows");
        value
    }

    /// As after a transaction that was not committed: what it has made is not made again.
    #[must_use]
    pub fn rolled_back(self, after: &Self) -> Self {
        Self { made: after.made, ..self }
    }
}

/// A number for a new row, beyond those that any table is filled with, used once in a test process.
fn number() -> i64 {
    static NUMBERS: AtomicI64 = AtomicI64::new(1_000_000);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// What is done, and what is to be done to the mirror once it is committed.
#[derive(Debug)]
pub struct Transaction<'a> {
    app: &'a App,
    session: &'a mut Session,
    random: &'a mut Random,
    /// What the writer has if this is committed.
    pub own: Own,
    /// The same statements, for the mirror.
    pub mirrored: Vec<Statement>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It has happened.
    Committed,
    /// It has not.
    RolledBack,
}

impl<'a> Transaction<'a> {
    /// A transaction over what belongs to this writer.
    #[must_use]
    pub fn new(app: &'a App, session: &'a mut Session, random: &'a mut Random, own: &Own) -> Self {
        Self { app, session, random, own: own.clone(), mirrored: Vec::new() }
    }

    /// Does it: one statement by itself, or several that are mostly committed.
    ///
    /// # Errors
    /// That of a statement.
    pub async fn run(&mut self) -> Result<End, Failure> {
        if self.random.below(3) == 0 {
            self.any().await?;
            return Ok(End::Committed);
        }
        let rolled_back = self.random.below(8) == 0;
        self.session.command("BEGIN").await?;
        match self.random.below(6) {
            0 => self.several_rows().await?,
            1 => self.swap().await?,
            2 => self.lock_then_write().await?,
            3 => self.read_then_write().await?,
            _ => {
                for _ in 0..=self.random.below(3) {
                    self.any().await?;
                }
            }
        }
        self.session.command(if rolled_back { "ROLLBACK" } else { "COMMIT" }).await?;
        Ok(if rolled_back { End::RolledBack } else { End::Committed })
    }

    /// One statement that writes.
    async fn any(&mut self) -> Result<(), Failure> {
        match self.random.below(10) {
            0..=2 if self.app.inserts_rows() => self.insert(1).await,
            3 if self.app.inserts_rows() => self.insert(3).await,
            4 if self.app.changes_keys() => self.change_key().await,
            5 => self.update_unique().await,
            6 if self.app.deletes() => self.delete().await,
            _ => {
                let at = self.row();
                self.update_of(at).await
            }
        }
    }

    /// A row of the writer's, by its place.
    fn row(&mut self) -> usize {
        let count = self.own.rows.len() as u64;
        assert!(count > 0, "a writer has no rows left");
        usize::try_from(self.random.below(count)).unwrap()
    }

    /// On the live table, and later on the mirror.
    async fn both(&mut self, statement: Statement) -> Result<(), Failure> {
        self.session.run(&statement).await?;
        self.mirrored.push(statement);
        Ok(())
    }

    async fn insert(&mut self, count: usize) -> Result<(), Failure> {
        let mut rows: Vec<Row> = (0..count).map(|_| Row { number: number(), value: self.own.value() }).collect();
        if self.app.is_numbered_by_server() {
            let first = self.session.run(&self.app.insert_numbered(&rows)).await?.unwrap();
            // Rows of one statement get numbers that follow each other.
            for (row, number) in rows.iter_mut().zip(first..) {
                row.number = number;
            }
            self.mirrored.push(self.app.insert(&rows));
        } else {
            self.both(self.app.insert(&rows)).await?;
        }
        self.own.rows.extend(rows);
        Ok(())
    }

    async fn update_of(&mut self, at: usize) -> Result<(), Failure> {
        let plain = self.app.plain();
        if plain.is_empty() {
            return Ok(());
        }
        let place = plain[usize::try_from(self.random.below(plain.len() as u64)).unwrap()];
        let value = i64::try_from(self.random.below(ANY)).unwrap();
        self.both(self.app.update(place, Row { value, ..self.own.rows[at] })).await
    }

    async fn update_unique(&mut self) -> Result<(), Failure> {
        let at = self.row();
        let value = self.own.value();
        self.give(at, value).await
    }

    /// All unique columns of a row have values made of one number.
    async fn give(&mut self, at: usize, value: i64) -> Result<(), Failure> {
        self.own.rows[at].value = value;
        for place in self.app.uniques() {
            self.both(self.app.update(place, self.own.rows[at])).await?;
        }
        Ok(())
    }

    async fn change_key(&mut self) -> Result<(), Failure> {
        let at = self.row();
        let to = number() * if self.app.is_numbered_by_server() { -1 } else { 1 };
        self.both(self.app.change_key(self.own.rows[at].number, to)).await?;
        self.own.rows[at].number = to;
        Ok(())
    }

    async fn delete(&mut self) -> Result<(), Failure> {
        let at = self.row();
        let row = self.own.rows.swap_remove(at);
        self.both(self.app.delete(row.number)).await
    }

    /// A few rows, upwards or downwards.
    async fn several_rows(&mut self) -> Result<(), Failure> {
        let mut places = [self.row(), self.row(), self.row()];
        places.sort_by_key(|at| self.own.rows[*at].number);
        if self.random.below(2) == 0 {
            places.reverse();
        }
        for at in places {
            self.update_of(at).await?;
        }
        Ok(())
    }

    /// Two rows exchange their unique values.
    async fn swap(&mut self) -> Result<(), Failure> {
        let (one, other) = (self.row(), self.row());
        if one == other {
            return self.update_of(one).await;
        }
        let (first, second) = (self.own.rows[one].value, self.own.rows[other].value);
        let between = self.own.value();
        self.give(one, between).await?;
        self.give(other, first).await?;
        self.give(one, second).await
    }

    async fn lock_then_write(&mut self) -> Result<(), Failure> {
        let at = self.row();
        self.session.run(&self.app.lock(self.own.rows[at].number)).await?;
        self.update_of(at).await
    }

    async fn read_then_write(&mut self) -> Result<(), Failure> {
        let at = self.row();
        self.session.run(&self.app.read(self.own.rows[at].number)).await?;
        self.update_of(at).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_values_lie_between_old_ones() {
        let mut own = Own::loaded(3..6);
        let values: Vec<i64> = (0..1_001).map(|_| own.value()).collect();
        assert_eq!((values[0], values[998], values[999], values[1_000]), (3_001, 3_999, 4_001, 4_002));
        let again = Own::loaded(3..6).rolled_back(&own).value();
        assert_eq!(again, 4_003);
    }
}
