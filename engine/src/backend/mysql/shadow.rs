//! The stages of a shadow table.

use super::claim::Claim;
use super::executor::exclusive;
use super::guard::Work;
use super::{copy, ledger};
use crate::dialect::mysql::literal::Text;
use crate::dialect::mysql::shadow::Pair;
use crate::dialect::mysql::{lock, native, shape, trigger};
use crate::error::{DbError, Error, Problem};
use crate::failpoint;
use crate::plan::shadow::{Shadow, ShadowStage};
use crate::plan::{Action, Probe, Step, StepId, TableLock};
use crate::run::StepState;
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::sql::mysql::Name;
use crate::text::Sql;

impl Claim {
    pub(super) async fn shadow(
        &self,
        step: &Step,
        stage: ShadowStage,
        shadow: &Shadow,
        statements: &[Sql],
        known: Option<StepState>,
    ) -> Result<(), Error> {
        if stage == ShadowStage::Swap {
            return self.swap(step, shadow, statements, known).await;
        }
        if stage == ShadowStage::Repoint {
            // Looked at before the step counts as begun: until then the run can be rolled back.
            self.untouched(shadow).await?;
        }
        let seen = self.fingerprint_of(stage, shadow).await?;
        self.begin(step, seen.as_deref()).await?;
        failpoint::pass(&format!("shadow.before:{}", step.id)).await;
        match stage {
            ShadowStage::Make => self.make(&step.id, shadow, statements).await?,
            ShadowStage::Mirror => self.mirror(&step.id, shadow, statements).await?,
            ShadowStage::Copy => copy::run(self, &step.id, copy::Work::Copy(Box::new(self.pair(shadow)?))).await?,
            ShadowStage::Index => self.index(step, shadow, statements).await?,
            ShadowStage::Compare => self.compare(shadow).await?,
            ShadowStage::Repoint => self.repoint(step, shadow).await?,
            ShadowStage::Clean => self.clean(&step.id, shadow).await?,
            ShadowStage::Swap => {}
        }
        failpoint::pass(&format!("shadow.after:{}", step.id)).await;
        self.finish(step).await
    }

    /// The table as it was copied is kept with the first stage: what others do to it afterwards must not be lost in the swap.
    async fn fingerprint_of(&self, stage: ShadowStage, shadow: &Shadow) -> Result<Option<String>, Error> {
        match stage {
            ShadowStage::Make => self.fingerprint(&shadow.table).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Made anew each time: until there are triggers, nobody knows it.
    async fn make(&self, step: &StepId, shadow: &Shadow, statements: &[Sql]) -> Result<(), Error> {
        let forget = sql!(
            "DELETE FROM shoofly.conflict WHERE table_schema = {d} AND table_name = {t}",
            d = Text(shadow.table.database.as_str()),
            t = Text(shadow.table.name.as_str()),
        );
        ledger::record(&self.session, self.hold, "forget old conflicts", &[forget]).await?;
        let parents: Vec<TableLock> = shadow.foreign_keys.iter().map(|key| exclusive(&key.referenced)).collect();
        self.each(step, &parents, statements).await?;
        self.follow_counter(step, shadow).await
    }

    /// The new table goes on counting where the old one is. From the triggers on both count alike.
    async fn follow_counter(&self, step: &StepId, shadow: &Shadow) -> Result<(), Error> {
        let counts = |pair: &crate::plan::shadow::Copied| pair.before.auto_increment && pair.after.auto_increment;
        if !shadow.columns.iter().any(counts) {
            return Ok(());
        }
        let (before, after) = (self.counter(&shadow.table).await?, self.counter(&shadow.shadow).await?);
        if before > after {
            let set = sql!("ALTER TABLE {s} AUTO_INCREMENT = {n}", s = shadow.shadow, n = before);
            self.guarded(step).run(&[exclusive(&shadow.shadow)], &set).await?;
        }
        Ok(())
    }

    async fn counter(&self, table: &TablePath) -> Result<u64, Error> {
        let text = sql!(
            "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = {d} AND TABLE_NAME = {t}",
            d = Text(table.database.as_str()),
            t = Text(table.name.as_str()),
        );
        let rows = self.session.rows(text.as_str()).await;
        let rows = rows.map_err(|error| error.doing(format!("read the counter of {}", table.display())))?;
        Ok(ledger::first(&rows).and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// All three triggers in one moment; those of an earlier attempt go first.
    async fn mirror(&self, step: &StepId, shadow: &Shadow, statements: &[Sql]) -> Result<(), Error> {
        let mut all = trigger::drop(shadow);
        all.extend(statements.iter().cloned());
        let batch = lock::under(&shadow.table, &all);
        self.guarded(step).run(&[exclusive(&shadow.table)], &batch).await?;
        failpoint::pass("mirror.made").await;
        self.follow_counter(step, shadow).await
    }

    async fn index(&self, step: &Step, shadow: &Shadow, statements: &[Sql]) -> Result<(), Error> {
        let now = self.create_sql(&shadow.shadow).await?;
        let there = shape::index_definitions(&now);
        for statement in statements {
            let built = there
                .iter()
                .any(|(_, definition)| statement.as_str().contains(&format!("ADD {}", definition.as_str())));
            let refers = shadow.foreign_keys.iter().any(|key| {
                now.contains(&format!("`{}`", key.interim.as_str()))
                    && statement.as_str().contains(&format!("ADD CONSTRAINT `{}`", key.interim.as_str()))
            });
            if built || refers {
                continue;
            }
            let locks = [exclusive(&shadow.shadow)];
            if let Err(error) = self.guarded(&step.id).work(&locks, statement, Work::Long).await {
                return Err(self.not_done(step, &shadow.shadow, error).await);
            }
        }
        Ok(())
    }

    /// Foreign keys of other tables refer to the new one from here on; the old one is in its place still.
    async fn repoint(&self, step: &Step, shadow: &Shadow) -> Result<(), Error> {
        for child in &shadow.children {
            if self.create_sql(&child.table).await?.contains(&format!("`{}`", child.key.interim.as_str())) {
                continue;
            }
            let locks = [exclusive(&child.table), exclusive(&shadow.table), exclusive(&shadow.shadow)];
            self.guarded(&step.id).run(&locks, &shape::repoint(shadow, child)).await?;
            failpoint::pass("repoint.between").await;
        }
        Ok(())
    }

    /// The new table takes the name, if nothing has come between.
    async fn swap(
        &self,
        step: &Step,
        shadow: &Shadow,
        statements: &[Sql],
        known: Option<StepState>,
    ) -> Result<(), Error> {
        if known.is_some() && self.swapped(step).await? {
            return self.finish(step).await;
        }
        self.untouched(shadow).await?;
        self.begin(step, None).await?;
        failpoint::pass("swap.before").await;
        let mut locks = vec![exclusive(&shadow.table), exclusive(&shadow.shadow)];
        locks.extend(shadow.children.iter().map(|child| exclusive(&child.table)));
        // The lock may be waited for long: what has come up since is looked for once more with every attempt.
        let check = lock::assert_no_conflict(&shadow.table);
        let statements: Vec<Sql> =
            statements.iter().map(|swap| sql!("{check}; {swap}", check = check, swap = swap)).collect();
        let swapped = self.each(&step.id, &locks, &statements).await;
        failpoint::pass("swap.after").await;
        let Err(error) = swapped else { return self.finish(step).await };
        let error = self.not_done(step, &shadow.table, error).await;
        self.no_conflicts(shadow).await?;
        Err(error)
    }

    async fn swapped(&self, step: &Step) -> Result<bool, Error> {
        let Probe::Query { query } = &step.probe else { return Ok(false) };
        let rows = self.session.rows(query.as_str()).await;
        let rows = rows.map_err(|error| error.doing(format!("probe step {}", step.id)))?;
        match ledger::first(&rows) {
            Some("applied") => Ok(true),
            Some("absent") => Ok(false),
            _ => Err(changed("tables of the run are missing", &step.id.0)),
        }
    }

    /// Whether the table is what was copied, and its triggers are there.
    async fn untouched(&self, shadow: &Shadow) -> Result<(), Error> {
        let reading = |error: DbError| error.doing(format!("look at {}", shadow.table.display()));
        let place = shadow.table.display();
        let plan = ledger::plan(&self.session, self.hold.run).await?;
        let makes = |step: &&Step| match &step.action {
            Action::Shadow { stage: ShadowStage::Make, shadow: made, .. } => made.table == shadow.table,
            _ => false,
        };
        let before = match plan.steps().find(makes) {
            Some(made) => ledger::seen(&self.session, self.hold, &made.id).await.map_err(reading)?,
            None => None,
        };
        let now = self.fingerprint(&shadow.table).await?;
        if before.is_some_and(|before| before != now) {
            return Err(changed("the table's definition was changed while the run was under way", &place));
        }
        for name in trigger::names(shadow) {
            let text = sql!(
                "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {d} AND TRIGGER_NAME = {n} \
                 AND EVENT_OBJECT_TABLE = {t}",
                d = Text(name.database.as_str()),
                n = Text(name.name.as_str()),
                t = Text(shadow.table.name.as_str()),
            );
            if ledger::number(&self.session.rows(text.as_str()).await.map_err(reading)?) == 0 {
                return Err(changed(&format!("the trigger {} is gone", name.display()), &place));
            }
        }
        self.no_conflicts(shadow).await
    }

    /// What the triggers could not write is not in the new table.
    pub(super) async fn no_conflicts(&self, shadow: &Shadow) -> Result<(), Error> {
        self.no_conflict_but(shadow, "correct the row, roll back and start anew").await
    }

    async fn no_conflict_but(&self, shadow: &Shadow, advice: &str) -> Result<(), Error> {
        let text = sql!(
            "SELECT row_key, error_number, error_text FROM shoofly.conflict \
             WHERE table_schema = {d} AND table_name = {t} ORDER BY id LIMIT 10",
            d = Text(shadow.table.database.as_str()),
            t = Text(shadow.table.name.as_str()),
        );
        let rows = self.session.rows(text.as_str()).await.map_err(|error| error.doing("look for conflicts"))?;
        if rows.is_empty() {
            return Ok(());
        }
        let problems = rows.into_iter().map(|row| {
            let [key, number, message] =
                <[Option<String>; 3]>::try_from(row).unwrap_or_default().map(Option::unwrap_or_default);
            Problem {
                what: format!("{message} (error {number})"),
                place: format!("{}, row {key}", shadow.table.display()),
                why: "the application has written it since the run began, and the new shape does not take it"
                    .to_owned(),
                advice: advice.to_owned(),
            }
        });
        Err(Error::Data(problems.collect()))
    }

    /// The statements of [`shape::clean`], each as far as an earlier attempt has not done it.
    async fn clean(&self, step: &StepId, shadow: &Shadow) -> Result<(), Error> {
        // Written in the moment of the swap, behind the last look: the old table is the only one that has it.
        let advice = format!(
            "the table has its new shape: bring the row over from {} by hand, delete it from shoofly.conflict, and run the same \
             command again",
            shadow.old.display()
        );
        self.no_conflict_but(shadow, &advice).await?;
        let named = |sql: &str, name: &Name| sql.contains(&format!("`{}`", name.as_str()));
        let old = [exclusive(&shadow.old)];
        let mut tables = vec![exclusive(&shadow.table)];
        tables.extend(shadow.foreign_keys.iter().map(|key| exclusive(&key.referenced)));
        for child in &shadow.children {
            if named(&self.create_sql(&child.table).await?, &child.key.interim) {
                let locks = [exclusive(&child.table), exclusive(&shadow.table)];
                self.guarded(step).run(&locks, &shape::point_back(child)).await?;
                failpoint::pass("clean.between").await;
            }
        }
        self.guarded(step).run(&old, &shape::drop(&shadow.old)).await?;
        failpoint::pass("clean.dropped").await;
        if !shadow.triggers.is_empty() {
            self.guarded(step).under(&tables[..1], &shadow.table, &trigger::settle(shadow)).await?;
            failpoint::pass("clean.triggers").await;
        }
        if let Some(key) = &shadow.own_key {
            let drop = native::drop_index_if_there(&shadow.table, key);
            self.guarded(step).work(&tables[..1], &drop, Work::Long).await?;
        }
        let now = self.create_sql(&shadow.table).await?;
        if let Some(rename) = shape::rename_keys(shadow)
            && shadow.foreign_keys.iter().any(|key| named(&now, &key.interim))
        {
            self.guarded(step).run(&tables, &rename).await?;
            failpoint::pass("clean.keys").await;
        }
        // Where the shape is gone, an earlier attempt has come to its end but for the record.
        if let Ok(shape) = self.create_sql(&shadow.shape).await {
            let now = self.create_sql(&shadow.table).await?;
            if let Some(rename) = shape::rename_indexes(&shadow.table, &now, &shape) {
                self.guarded(step).run(&tables[..1], &rename).await?;
            }
        }
        self.guarded(step).run(&[], &shape::drop(&shadow.shape)).await
    }

    pub(super) fn pair(&self, shadow: &Shadow) -> Result<Pair, Error> {
        Pair::of(shadow).ok_or_else(|| changed("the plan's key cannot be walked", &shadow.table.display()))
    }
}

fn changed(what: &str, place: &str) -> Error {
    Error::Divergence(vec![Problem {
        what: what.to_owned(),
        place: place.to_owned(),
        why: "the new table was made from what was there before".to_owned(),
        advice: "roll the run back and start it anew".to_owned(),
    }])
}
