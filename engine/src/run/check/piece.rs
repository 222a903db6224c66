//! One piece of a check: counted by one statement; where a row raises an error, searched for that row.

use tokio_util::sync::CancellationToken;

use super::{NAMED, Violations, row_name};
use crate::driver::postgres::Session;
use crate::error::{DbError, DbErrorKind, Error};
use crate::name::QualifiedName;
use crate::plan::Check;
use crate::run::fill::span::{Span, Tid, halves, lines};
use crate::sql;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Go,
    /// Enough rows that raise errors were found.
    Enough,
}

/// Where and what to count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) session: &'a Session,
    pub(super) table: &'a QualifiedName,
    pub(super) check: &'a Check,
    pub(super) block_size: u32,
}

impl Piece<'_> {
    /// Adds the violations in blocks `from` to `to` to `found`.
    pub(super) async fn count(
        &self,
        (from, to): (u64, u64),
        found: &mut Violations,
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        let lines = lines(self.block_size);
        let mut due = vec![Span::blocks(from, to)];
        let mut raised = 0;
        while let Some(span) = due.pop() {
            if stop.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let error = match self.look(span, found).await {
                Ok(()) => continue,
                Err(error) => error,
            };
            if !belongs_to_a_row(error.kind) {
                return Err(error.doing(format!("check that {}", self.check.claim)));
            }
            if let Some((low, high)) = halves(span, lines) {
                due.extend([high, low]);
                continue;
            }
            let name = self.name(span.from).await;
            found.total += 1;
            raised += 1;
            if found.rows.len() < NAMED {
                found.rows.push(format!("{name} ({})", error.message));
            }
            if raised >= NAMED {
                return Ok(Step::Enough);
            }
        }
        Ok(Step::Go)
    }

    async fn look(&self, span: Span, found: &mut Violations) -> Result<(), DbError> {
        // Left of the names that there is still place for; the count is of all.
        let text = sql!(
            "SELECT count(*), coalesce(array_agg(name) FILTER (WHERE number <= {named}), '{{}}') \
             FROM (SELECT {key} AS name, row_number() OVER () AS number FROM ONLY {t} \
             WHERE ctid >= $1 AND ctid < $2 AND ({violation})) AS bad",
            named = NAMED - found.rows.len(),
            key = row_name(&self.check.key),
            t = self.table,
            violation = self.check.violation,
        );
        let row = self.session.query_one(text.as_str(), &[&span.from, &span.to]).await?;
        found.total += u64::try_from(row.get::<_, i64>(0)).unwrap_or(0);
        found.rows.extend(row.get::<_, Vec<String>>(1));
        Ok(())
    }

    async fn name(&self, tid: Tid) -> String {
        let text = sql!("SELECT {key} FROM ONLY {t} WHERE ctid = $1", key = row_name(&self.check.key), t = self.table);
        let named = self.session.query_opt(text.as_str(), &[&tid]).await;
        named.ok().flatten().map_or_else(|| format!("ctid ({},{})", tid.block, tid.line), |row| row.get(0))
    }
}

/// Errors that evaluating a row can raise: anything that user code raises, but none of the server's own troubles.
fn belongs_to_a_row(kind: DbErrorKind) -> bool {
    match kind {
        DbErrorKind::Data | DbErrorKind::Constraint | DbErrorKind::Other => true,
        DbErrorKind::LockTimeout
        | DbErrorKind::Deadlock
        | DbErrorKind::ConnectionLost
        | DbErrorKind::Unavailable
        | DbErrorKind::Authentication
        | DbErrorKind::Privilege
        | DbErrorKind::Missing
        | DbErrorKind::Resources
        | DbErrorKind::ReadOnly
        | DbErrorKind::Statement
        | DbErrorKind::Cancelled => false,
    }
}
