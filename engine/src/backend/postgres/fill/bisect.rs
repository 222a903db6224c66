//! Finding the rows that a chunk fails on.

use std::sync::Arc;

use super::chunk::{Mark, Part};
use super::lane::Worker;
use super::patience::Tries;
use super::span::{Span, Tid, halves, lines};
use crate::dialect::postgres::check::key_text;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::sql;

/// Rows named at most.
const NAMED: usize = 10;

impl Worker {
    /// Fills the failed chunk in ever smaller pieces, so that only the rows at fault are left, and names them.
    pub(super) async fn culprits(
        &mut self,
        cause: DbError,
        (from, to): (u64, u64),
        part: Part,
        mark: &Mark<'_>,
    ) -> Error {
        match self.narrow(Span::blocks(from, to), part, mark).await {
            Err(error) => error,
            Ok(found) if found.is_empty() => cause.doing(format!("fill {}", self.job.fill.table.display())),
            Ok(found) => Error::Data(found),
        }
    }

    async fn narrow(&mut self, whole: Span, part: Part, mark: &Mark<'_>) -> Result<Vec<Problem>, Error> {
        let job = Arc::clone(&self.job);
        let lines = lines(job.block_size);
        let mut due = vec![whole];
        let mut found = Vec::new();
        while let Some(span) = due.pop() {
            if job.stop.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let Err(error) = self.chunks.run(&mut self.connection, span, part, mark).await else { continue };
            if !matches!(error.kind, DbErrorKind::Data | DbErrorKind::Constraint | DbErrorKind::Other) {
                return Err(error.doing(format!("fill {}", job.fill.table.display())));
            }
            if let Some((low, high)) = halves(span, lines) {
                due.extend([high, low]);
                continue;
            }
            found.push(self.named(span.from, &error).await?);
            if found.len() == NAMED {
                break;
            }
        }
        Ok(found)
    }

    async fn named(&mut self, tid: Tid, error: &DbError) -> Result<Problem, Error> {
        let fill = &self.job.fill;
        let name = sql!("SELECT {key} FROM ONLY {t} WHERE ctid = $1", key = key_text(&fill.key), t = fill.table);
        let mut tries = Tries::begin();
        let row = loop {
            match self.connection.query_opt(name.as_str(), &[&tid]).await {
                Ok(row) => break row,
                Err(error) => self.job.again(error, &mut tries, "name the row that cannot be filled").await?,
            }
        };
        let row = row.map_or_else(|| format!("ctid ({},{})", tid.block, tid.line), |row| row.get(0));
        Ok(Problem {
            what: error.message.clone(),
            place: format!("{}, row {row}", fill.table.display()),
            why: "the new value of this row cannot be computed or stored".to_owned(),
            advice: "correct the row and run the same command again, or roll back".to_owned(),
        })
    }
}
