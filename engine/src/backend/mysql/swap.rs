//! The swap of two tables, back and forth, and what must hold before it.

use super::claim::Claim;
use super::executor::exclusive;
use super::guard::Work;
use super::ledger;
use crate::dialect::mysql::literal::Text;
use crate::dialect::mysql::{conflict, lock, trigger};
use crate::error::{DbError, Error, Problem};
use crate::failpoint;
use crate::plan::shadow::{Shadow, ShadowStage, Way};
use crate::plan::{Action, Probe, Step, StepId};
use crate::run::StepState;
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::text::Sql;

impl Claim {
    /// The triggers of the way back, in one moment: on the table that has not the name yet, where they do nothing.
    pub(super) async fn mirror_back(&self, step: &StepId, back: &Shadow, statements: &[Sql]) -> Result<(), Error> {
        self.list_conflicts(back.noted()).await?;
        let on = trigger::made_on(back);
        let mut all = trigger::drop(back);
        all.extend(statements.iter().cloned());
        self.guarded(step).run(&[exclusive(on)], &lock::under(on, &all)).await?;
        failpoint::pass("mirror-back.made").await;
        Ok(())
    }

    /// Drops the triggers of the table that follows no more.
    pub(super) async fn release(&self, step: &StepId, shadow: &Shadow, statements: &[Sql]) -> Result<(), Error> {
        if shadow.way == Way::Forth {
            self.nothing_left_behind(shadow, &shadow.shadow).await?;
        }
        let on = trigger::found_on(shadow);
        self.guarded(step).run(&[exclusive(on)], &lock::under(on, statements)).await
    }

    /// The new table takes the name, if nothing has come between.
    pub(super) async fn swap(
        &self,
        step: &Step,
        shadow: &Shadow,
        statements: &[Sql],
        known: Option<StepState>,
    ) -> Result<(), Error> {
        // An exchange asks in any case: it is nothing without the triggers of the way back.
        let asks = known.is_some() || stage_of(step) == Some(ShadowStage::Exchange);
        if asks && self.swapped(step).await? {
            return self.finish_swap(step, shadow).await;
        }
        self.untouched(shadow).await?;
        self.begin(step, None).await?;
        failpoint::pass("swap.before").await;
        let mut locks = vec![exclusive(&shadow.table), exclusive(&shadow.shadow)];
        locks.extend(shadow.children.iter().map(|child| exclusive(&child.table)));
        // The lock may be waited for long: what has come up since is looked for once more with every attempt.
        let check = conflict::assert_none(shadow.noted());
        let mut swapped = Ok(());
        for swap in statements {
            let batch = sql!("{check}; {swap}", check = check, swap = swap);
            swapped = self.guarded(&step.id).work(&locks, &batch, Work::Rename).await;
            if swapped.is_err() {
                break;
            }
        }
        failpoint::pass("swap.after").await;
        let Err(error) = swapped else { return self.finish_swap(step, shadow).await };
        let error = self.not_done(step, &shadow.table, error).await;
        self.no_conflicts(shadow).await?;
        Err(error)
    }

    /// What a swap has left behind is looked for by the step that follows it; after the way back there is none.
    async fn finish_swap(&self, step: &Step, shadow: &Shadow) -> Result<(), Error> {
        if shadow.way == Way::Back {
            self.nothing_left_behind(shadow, &shadow.shadow).await?;
        }
        self.finish(step).await
    }

    /// Whether a step's probe says that it has taken effect.
    pub(super) async fn swapped(&self, step: &Step) -> Result<bool, Error> {
        let Probe::Query { query } = &step.probe else { return Ok(false) };
        let rows = self.session.rows(query.as_str()).await;
        let rows = rows.map_err(|error| error.doing(format!("probe step {}", step.id)))?;
        match ledger::first(&rows) {
            Some("applied") => Ok(true),
            Some("absent") => Ok(false),
            _ => Err(changed("tables or triggers of the run are missing", &step.id.0)),
        }
    }

    /// Whether the table is what was copied, or what has taken its place, and its triggers are there.
    pub(super) async fn untouched(&self, shadow: &Shadow) -> Result<(), Error> {
        let reading = |error: DbError| error.doing(format!("look at {}", shadow.table.display()));
        let place = shadow.table.display();
        let plan = ledger::plan(&self.session, self.hold.run).await?;
        let before = match plan.every_step().find(|step| records(step, shadow)) {
            Some(made) => ledger::seen(&self.session, self.hold, &made.id).await.map_err(reading)?,
            None => None,
        };
        let now = self.fingerprint(&shadow.table).await?;
        if before.is_some_and(|before| before != now) {
            return Err(altered(shadow));
        }
        if let Some(name) = self.missing_trigger(&trigger::names(shadow), &shadow.table).await? {
            return Err(changed(&format!("the trigger {} is gone", name.display()), &place));
        }
        self.no_conflicts(shadow).await
    }

    /// The first of these triggers that the table does not have.
    pub(super) async fn missing_trigger(
        &self,
        names: &[TablePath],
        table: &TablePath,
    ) -> Result<Option<TablePath>, Error> {
        for name in names {
            let text = sql!(
                "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {d} AND TRIGGER_NAME = {n} \
                 AND EVENT_OBJECT_TABLE = {t}",
                d = Text(name.database.as_str()),
                n = Text(name.name.as_str()),
                t = Text(table.name.as_str()),
            );
            let found = self.session.rows(text.as_str()).await;
            let found = found.map_err(|error| error.doing(format!("look at {}", table.display())))?;
            if ledger::number(&found) == 0 {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }

    /// What the triggers could not write is not in the other table.
    pub(super) async fn no_conflicts(&self, shadow: &Shadow) -> Result<(), Error> {
        let list = sql!("{list}", list = conflict::list(shadow.noted()));
        let advice = match shadow.way {
            Way::Forth => "correct the row, roll back and start anew".to_owned(),
            Way::Back => format!(
                "change the row so that the old shape takes it, delete its line from {}, and run the same command again; or keep \
                 the new shape: shoofly complete",
                list.as_str()
            ),
        };
        self.no_conflict_but(shadow, &advice).await
    }

    /// Rows that were written in the moment of a swap, behind the last look: the table that has lost its name, and is called
    /// `other` now, is the only one that has them.
    pub(super) async fn nothing_left_behind(&self, shadow: &Shadow, other: &TablePath) -> Result<(), Error> {
        let shape = match shadow.way {
            Way::Forth => "its new shape",
            Way::Back => "its old shape again",
        };
        let list = sql!("{list}", list = conflict::list(shadow.noted()));
        let advice = format!(
            "the table has {shape}: bring the row over from {} by hand, delete its line from {}, and run the same command again",
            other.display(),
            list.as_str(),
        );
        self.no_conflict_but(shadow, &advice).await
    }

    async fn no_conflict_but(&self, shadow: &Shadow, advice: &str) -> Result<(), Error> {
        let text = sql!(
            "SELECT row_key, error_number, error_text FROM {list} ORDER BY id LIMIT 10",
            list = conflict::list(shadow.noted()),
        );
        let rows = self.session.rows(text.as_str()).await.map_err(|error| error.doing("look for conflicts"))?;
        if rows.is_empty() {
            return Ok(());
        }
        let why = match shadow.way {
            Way::Forth => "the application has written it since the run began, and the new shape does not take it",
            Way::Back => {
                "the application has written it since the new shape took over, and the old one does not take it"
            }
        };
        let problems = rows.into_iter().map(|row| {
            let [key, number, message] =
                <[Option<String>; 3]>::try_from(row).unwrap_or_default().map(Option::unwrap_or_default);
            Problem {
                what: format!("{message} (error {number})"),
                place: format!("{}, row {key}", shadow.table.display()),
                why: why.to_owned(),
                advice: advice.to_owned(),
            }
        });
        Err(Error::Data(problems.collect()))
    }
}

/// The step that has kept what a table was made of before others could change it: the first of all for the old one, the end of the
/// swap for the new one.
fn records(step: &Step, shadow: &Shadow) -> bool {
    let wanted = match shadow.way {
        Way::Forth => ShadowStage::Make,
        Way::Back => ShadowStage::Release,
    };
    match &step.action {
        Action::Shadow { stage, shadow: its, .. } => {
            *stage == wanted && its.way == Way::Forth && its.table == shadow.table
        }
        _ => false,
    }
}

fn stage_of(step: &Step) -> Option<ShadowStage> {
    match &step.action {
        Action::Shadow { stage, .. } => Some(*stage),
        _ => None,
    }
}

/// The table is no longer what it was when the other one was made, or gave up its name.
fn altered(shadow: &Shadow) -> Error {
    let place = shadow.table.display();
    match shadow.way {
        Way::Forth => changed("the table's definition was changed while the run was under way", &place),
        Way::Back => Error::Divergence(vec![Problem {
            what: "the table's definition was changed since it took its place".to_owned(),
            place,
            why: "the old table would come back without that change".to_owned(),
            advice: "undo the other change and run the same command again; or keep the new shape: shoofly complete"
                .to_owned(),
        }]),
    }
}

pub(super) fn changed(what: &str, place: &str) -> Error {
    Error::Divergence(vec![Problem {
        what: what.to_owned(),
        place: place.to_owned(),
        why: "the new table was made from what was there before".to_owned(),
        advice: "roll the run back and start it anew".to_owned(),
    }])
}
