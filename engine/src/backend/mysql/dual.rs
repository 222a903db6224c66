//! A column that was filled takes another one's place.

use super::claim::Claim;
use super::exchange::{Exchange, Exchanged};
use super::executor::exclusive;
use super::ledger;
use crate::dialect::mysql::conflict;
use crate::dialect::mysql::rows::names;
use crate::driver::mysql::catalogue;
use crate::error::{DbError, Error, Problem};
use crate::event::Event;
use crate::failpoint;
use crate::plan::rows::{Rows, RowsStage};
use crate::plan::{Action, Check, Plan, Step};
use crate::run::StepState;
use crate::schema::mysql::{Table, TablePath};
use crate::sql;
use crate::sql::mysql::name::WrittenName;
use crate::text::Sql;

/// Lines of the ledger that one statement deletes.
const AT_ONCE: usize = 1_000;

/// What the plan's other steps have to say about the same column.
struct Others {
    /// What makes the triggers.
    follow: Vec<Sql>,
    proofs: Vec<Check>,
}

impl Claim {
    /// The triggers go and the column takes over, in one moment in which nobody writes, and only where no trigger has noted a
    /// value that the new type does not take.
    pub(super) async fn replace(
        &self,
        step: &Step,
        rows: &Rows,
        statements: &[Sql],
        known: Option<StepState>,
    ) -> Result<(), Error> {
        let others = others(&ledger::plan(&self.session, self.hold.run).await?, rows);
        if known.is_some() {
            if self.swapped(step).await? {
                return self.finish(step).await;
            }
            self.catch_up(step, rows, &others).await?;
        }
        let list = conflict::list(&rows.table);
        let against = sql!("SELECT id FROM {list} LIMIT 1", list = list);
        loop {
            self.unchanged(step, rows).await?;
            self.settle(&list, &others.proofs).await?;
            self.begin(step, None).await?;
            failpoint::pass("column.before").await;
            let exchange = Exchange { table: &rows.table, against: &against, statements, back: &others.follow };
            match self.guarded(&step.id).exchange(&[exclusive(&rows.table)], &exchange).await {
                Ok(Exchanged::Done) => break,
                // Whether that row is still as it was noted is for the proof to say.
                Ok(Exchanged::Not) => self.forget_begin(step).await?,
                Err(error) if self.unchanged(step, rows).await.is_ok() => {
                    return Err(self.not_done(step, &rows.table, error).await);
                }
                Err(error) => return Err(error),
            }
        }
        failpoint::pass("column.after").await;
        self.finish(step).await
    }

    async fn forget_begin(&self, step: &Step) -> Result<(), Error> {
        let doing = format!("record step {}", step.id);
        ledger::record(&self.session, self.hold, &doing, &[ledger::unbegun(self.hold, &step.id)]).await
    }

    /// An earlier attempt may have ended between the triggers and the exchange: what was written since has passed them by.
    async fn catch_up(&self, step: &Step, rows: &Rows, others: &Others) -> Result<(), Error> {
        let text =
            format!("the triggers of {} are made again, and rows written without them filled", rows.table.display());
        self.events.emit(Event::Notice { text });
        self.at_once(step, rows, &others.follow).await?;
        failpoint::pass("column.followed").await;
        let doing = format!("begin the fill of {} again", rows.table.display());
        ledger::record(&self.session, self.hold, &doing, &ledger::unfilled(self.hold, &step.id)).await?;
        self.fill(step, rows).await?;
        self.count(&others.proofs).await?;
        self.await_snapshots(&step.id).await
    }

    /// Values that a trigger could not write are of no account where every row is right by now; else the proof names the rows.
    async fn settle(&self, list: &TablePath, proofs: &[Check]) -> Result<(), Error> {
        let looking = |error: DbError| error.doing("look for conflicts");
        let lines = self.session.rows(sql!("SELECT id FROM {list}", list = list).as_str()).await.map_err(looking)?;
        let ids: Vec<String> = lines.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.count(proofs).await?;
        for some in ids.chunks(AT_ONCE) {
            let forget = sql!("DELETE FROM {list} WHERE id IN ({ids})", list = list, ids = Sql::raw(some.join(", ")));
            ledger::record(&self.session, self.hold, "forget conflicts that were settled", &[forget]).await?;
        }
        Ok(())
    }

    /// Whether the column is still the one that the plan was made for, and the triggers keep the other one in step.
    async fn unchanged(&self, step: &Step, rows: &Rows) -> Result<(), Error> {
        let reading = |error: DbError| error.doing(format!("look at {}", rows.table.display()));
        let written = WrittenName { database: Some(rows.table.database.clone()), name: rows.table.name.clone() };
        let known = catalogue::read(&self.session, &[written]).await.map_err(reading)?;
        let Some(table) = known.table(&rows.table) else {
            return Err(changed(step, rows, "the table is gone"));
        };
        if !is_as_planned(table, rows) {
            return Err(changed(step, rows, "the column was changed by somebody else while the run was under way"));
        }
        match self.missing_trigger(&names(&rows.table), &rows.table).await? {
            Some(name) => Err(changed(step, rows, &format!("the trigger {} is gone", name.display()))),
            None => Ok(()),
        }
    }
}

fn is_as_planned(table: &Table, rows: &Rows) -> bool {
    let same = rows.replaces.as_ref().is_none_or(|before| table.column(before.name.as_str()) == Some(&**before));
    same && rows.set.iter().all(|set| table.column(set.column.name.as_str()).is_some())
}

fn others(plan: &Plan, rows: &Rows) -> Others {
    let mut others = Others { follow: Vec::new(), proofs: Vec::new() };
    for step in plan.steps() {
        match &step.action {
            Action::Rows { stage: RowsStage::Follow, rows: its, statements } if its.table == rows.table => {
                others.follow.clone_from(statements);
            }
            Action::Verify { proofs } => {
                let table = rows.table.qualified();
                others.proofs.extend(proofs.iter().filter(|proof| proof.table == table).cloned());
            }
            _ => {}
        }
    }
    others
}

fn changed(step: &Step, rows: &Rows, what: &str) -> Error {
    Error::Divergence(vec![Problem {
        what: what.to_owned(),
        place: format!("{}, step {}", rows.table.display(), step.id),
        why: "the new column was made and filled from what was there before".to_owned(),
        advice: "roll the run back and start it anew".to_owned(),
    }])
}
