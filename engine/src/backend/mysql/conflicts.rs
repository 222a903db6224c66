//! The lists of what triggers could not write: made before the triggers, dropped with the run.

use std::collections::BTreeSet;

use super::claim::Claim;
use super::ledger;
use crate::dialect::mysql::conflict;
use crate::error::{DbError, Error};
use crate::plan::{Action, Plan};
use crate::schema::mysql::TablePath;
use crate::sql;

impl Claim {
    /// An empty list for triggers to come.
    pub(super) async fn list_conflicts(&self, of: &TablePath) -> Result<(), Error> {
        let doing = |error: DbError| error.doing(format!("make the list of conflicts of {}", of.display()));
        self.session.execute(conflict::create(of).as_str()).await.map_err(doing)?;
        let forget = sql!("DELETE FROM {list}", list = conflict::list(of));
        ledger::record(&self.session, self.hold, "forget old conflicts", &[forget]).await
    }

    /// Drops the lists of a run that ends, whose triggers are gone. One that somebody is looking at stays: the next run of the same
    /// table empties it.
    pub(super) async fn drop_conflicts(&self) -> Result<(), Error> {
        for of in listed(&ledger::plan(&self.session, self.hold.run).await?) {
            if let Err(error) = self.session.execute(conflict::drop(&of).as_str()).await {
                tracing::debug!(%error, "a list of conflicts stays");
            }
        }
        Ok(())
    }
}

/// The tables that a plan's triggers note rows of.
fn listed(plan: &Plan) -> BTreeSet<TablePath> {
    plan.every_step()
        .filter_map(|step| match &step.action {
            Action::Shadow { shadow, .. } => Some(shadow.noted().clone()),
            Action::Rows { rows, .. } => Some(rows.table.clone()),
            _ => None,
        })
        .collect()
}
