//! Comparing both tables beside the build of the new one's indexes, where nobody writes.
//!
//! A build keeps one processor busy, and a comparison as many as there are readers. But at its end the build asks for a lock that
//! readers have: it has to wait for them, and whoever writes has to wait behind it. So the readers read little at a time, nobody
//! must have written for a while, and at the first sign of somebody they leave: then the comparison has a step of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::claim::Claim;
use super::compare::{FRESH, Reading};
use super::guard::Work;
use super::quiet::Quiet;
use super::{files, ledger};
use crate::dialect::mysql::shadow::{self, Pair};
use crate::error::{DbError, Error};
use crate::failpoint;
use crate::plan::Step;
use crate::plan::shadow::Shadow;
use crate::text::Sql;

/// How long a statement of the comparison should take, and how much less than a build waits for its lock at least.
const LITTLE: Duration = Duration::from_millis(10);
const ROOM: u32 = 2;

/// A comparison that has found all rows alike, and when.
#[derive(Debug, Default)]
pub(super) struct Proved(Mutex<Option<(Shadow, Instant)>>);

impl Proved {
    fn set(&self, shadow: &Shadow) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((shadow.clone(), Instant::now()));
    }

    /// How long ago these tables were compared; once.
    fn take(&self, shadow: &Shadow) -> Option<Duration> {
        let proved = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        proved.filter(|(of, _)| of == shadow).map(|(_, at)| at.elapsed())
    }
}

impl Claim {
    /// Builds the new table's indexes, and compares both tables meanwhile if nobody writes.
    ///
    /// # Errors
    /// Those of the build. What the comparison finds is left to the step whose task it is.
    pub(super) async fn index_and_compare(
        &self,
        step: &Step,
        shadow: &Shadow,
        statements: &[Sql],
    ) -> Result<(), Error> {
        let (pair, quiet) = (self.pair(shadow)?, self.quiet.of(&shadow.table));
        let failed = |error: DbError| error.doing(format!("look who writes to {}", shadow.table.display()));
        let beside = pair.counts_side_by_side()
            && Work::Apart.patience(&self.settings.locks) >= LITTLE * ROOM
            && quiet.is(&self.session).await.map_err(failed)?;
        let company = self.stop.child_token();
        // On the heap: both are large, and they are polled deep in a stack.
        let building = Box::pin(self.index(step, shadow, statements, beside.then_some(&company)));
        if !beside {
            return building.await;
        }
        let building = async {
            let built = building.await;
            if built.is_err() {
                company.cancel();
            }
            built
        };
        let comparing = Box::pin(self.compare_beside(&pair, quiet, &company));
        let both = async { tokio::join!(building, comparing).0 };
        files::watched(&self.watcher, both).await
    }

    async fn compare_beside(&self, pair: &Pair, quiet: Arc<Quiet>, company: &CancellationToken) {
        failpoint::pass("compare.beside").await;
        match self.read(pair, Reading { time: LITTLE, quiet: Some(quiet) }, company.clone()).await {
            Ok(found) if found.nothing() => self.proved.set(pair.shadow()),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "tables are not compared while indexes are built"),
        }
    }

    /// Compares every row, unless that was done while indexes were built and nothing speaks against it since.
    ///
    /// # Locks
    /// None that anybody notices.
    /// # Errors
    /// [`Error::Data`] with rows that differ.
    pub(super) async fn compare_once(&self, shadow: &Shadow) -> Result<(), Error> {
        let failed = |error: DbError| error.doing(format!("count the rows of {}", shadow.table.display()));
        let proved = match self.proved.take(shadow) {
            Some(age) if age <= FRESH => true,
            Some(age) if age <= self.settings.proof_age => self.as_many(shadow).await.map_err(failed)?,
            _ => false,
        };
        match proved {
            true => self.alike(shadow).await,
            false => self.compare(shadow).await,
        }
    }

    /// Whether both tables have as many rows.
    pub(super) async fn as_many(&self, shadow: &Shadow) -> Result<bool, DbError> {
        let rows = self.session.rows(shadow::as_many(shadow).as_str()).await?;
        Ok(ledger::first(&rows) == Some("1"))
    }
}
