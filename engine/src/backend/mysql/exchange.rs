//! Several statements under one write lock.

use std::time::Instant;

use super::guard::{Guarded, Work};
use super::ledger;
use crate::dialect::mysql::lock;
use crate::error::{DbError, Error};
use crate::failpoint;
use crate::plan::TableLock;
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::text::Sql;

/// What is done under one write lock, if nothing speaks against it.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    /// The table that is locked.
    pub(super) table: &'a TablePath,
    /// A query; any row that it gives speaks against it.
    pub(super) against: &'a Sql,
    /// What is done, one by one.
    pub(super) statements: &'a [Sql],
    /// What takes back those that have taken effect, where a later one fails.
    pub(super) back: &'a [Sql],
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchanged {
    /// It is done.
    Done,
    /// Nothing was done.
    Not,
}

impl Guarded<'_> {
    /// Runs statements one by one under one write lock on the first of the tables, when nobody is in the way.
    ///
    /// # Locks
    /// `LOCK TABLES … WRITE`, from the first statement to the last.
    /// # Errors
    /// As [`Guarded::run`].
    pub(super) async fn under(&self, locks: &[TableLock], table: &TablePath, statements: &[Sql]) -> Result<(), Error> {
        self.locked(locks, table, async || self.one_by_one(statements).await).await
    }

    /// The same, unless a reason against it is found once the lock is held: nobody who writes to the table can add to that any
    /// more. A table that the triggers write to is locked with theirs, and can be asked.
    ///
    /// # Locks
    /// As [`Guarded::under`].
    /// # Errors
    /// As [`Guarded::run`]; statements that had taken effect were taken back, unless the connection is lost.
    pub(super) async fn exchange(&self, locks: &[TableLock], exchange: &Exchange<'_>) -> Result<Exchanged, Error> {
        let work = async || {
            if !self.session.rows(exchange.against.as_str()).await?.is_empty() {
                return Ok(Exchanged::Not);
            }
            let done = self.one_by_one(exchange.statements).await;
            if done.is_err()
                && let Err(error) = self.one_by_one(exchange.back).await
            {
                tracing::debug!(%error, "what was done under the lock could not be taken back");
            }
            done.map(|()| Exchanged::Done)
        };
        self.locked(locks, exchange.table, work).await
    }

    async fn locked<T>(
        &self,
        locks: &[TableLock],
        table: &TablePath,
        work: impl AsyncFnOnce() -> Result<T, DbError>,
    ) -> Result<T, Error> {
        let lock = sql!("{lock}; SET {heard_from}", lock = lock::write(table), heard_from = Sql::raw(lock::HEARD_FROM));
        let (acquiring, began) = (self.hold(locks, &lock, Work::Brief).await?, Instant::now());
        let done = self.give_back(work().await).await;
        self.released(acquiring, acquiring + began.elapsed());
        done
    }

    async fn one_by_one(&self, statements: &[Sql]) -> Result<(), DbError> {
        for (at, statement) in statements.iter().enumerate() {
            self.session.execute(statement.as_str()).await?;
            failpoint::pass(&format!("under.after:{}#{at}", self.step)).await;
        }
        Ok(())
    }

    /// Gives the write lock back, whatever has become of what was done under it.
    async fn give_back<T>(&self, done: Result<T, DbError>) -> Result<T, Error> {
        let doing = |error: DbError| error.doing(format!("run step {}", self.step));
        if done.is_err() {
            ledger::abandon(self.session).await;
            self.reset().await.map_err(doing)?;
        } else {
            let unlock = format!("UNLOCK TABLES; SET {}", lock::UNHEARD);
            self.session.execute(&unlock).await.map_err(doing)?;
        }
        done.map_err(doing)
    }
}
