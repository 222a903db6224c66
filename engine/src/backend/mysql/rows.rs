//! The stages of an `UPDATE` that holds for every row.

use super::claim::Claim;
use super::copy::{self, Work};
use super::executor::exclusive;
use crate::dialect::mysql::lock;
use crate::dialect::mysql::rows::Filled;
use crate::error::{Error, Problem};
use crate::failpoint;
use crate::plan::Step;
use crate::plan::rows::{Rows, RowsStage};
use crate::run::StepState;
use crate::text::Sql;

impl Claim {
    /// Carries a stage out. Each can be repeated.
    pub(super) async fn rows(
        &self,
        step: &Step,
        stage: RowsStage,
        rows: &Rows,
        statements: &[Sql],
        known: Option<StepState>,
    ) -> Result<(), Error> {
        if stage == RowsStage::Replace {
            return self.replace(step, rows, statements, known).await;
        }
        self.begin(step, None).await?;
        failpoint::pass(&format!("rows.before:{}", step.id)).await;
        match stage {
            RowsStage::Follow => {
                self.list_conflicts(&rows.table).await?;
                self.at_once(step, rows, statements).await?;
            }
            RowsStage::Fill => self.fill(step, rows).await?,
            RowsStage::Clean => self.at_once(step, rows, statements).await?,
            RowsStage::Replace => {}
        }
        failpoint::pass(&format!("rows.after:{}", step.id)).await;
        self.finish(step).await
    }

    /// Gives the rows that exist their values.
    pub(super) async fn fill(&self, step: &Step, rows: &Rows) -> Result<(), Error> {
        let filled = Filled::of(rows).ok_or_else(|| unwalkable(step, rows))?;
        copy::run(self, &step.id, Work::Fill(Box::new(filled))).await
    }

    /// All statements in one moment in which nobody writes.
    pub(super) async fn at_once(&self, step: &Step, rows: &Rows, statements: &[Sql]) -> Result<(), Error> {
        let batch = lock::under(&rows.table, statements);
        self.guarded(&step.id).run(&[exclusive(&rows.table)], &batch).await
    }
}

fn unwalkable(step: &Step, rows: &Rows) -> Error {
    Error::Divergence(vec![Problem {
        what: "the plan's key cannot be walked".to_owned(),
        place: format!("{}, step {}", rows.table.display(), step.id),
        why: "another version of the program made the plan".to_owned(),
        advice: "roll the run back and start it anew".to_owned(),
    }])
}
