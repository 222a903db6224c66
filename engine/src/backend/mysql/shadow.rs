//! The stages of a shadow table.

use tokio_util::sync::CancellationToken;

use super::claim::Claim;
use super::executor::exclusive;
use super::guard::Work;
use super::swap::changed;
use super::unique::{Build, UniqueOf};
use super::{copy, files, ledger, trying};
use crate::dialect::mysql::literal::Text;
use crate::dialect::mysql::shadow::Pair;
use crate::dialect::mysql::{lock, native, shape, trigger};
use crate::error::Error;
use crate::failpoint;
use crate::plan::shadow::{Shadow, ShadowStage};
use crate::plan::{Step, StepId, TableLock};
use crate::run::StepState;
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::sql::mysql::Name;
use crate::sql::mysql::mode::Product;
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
        if matches!(stage, ShadowStage::Swap | ShadowStage::Exchange) {
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
            ShadowStage::Mirror => self.mirror(&step.id, shadow, statements, known).await?,
            ShadowStage::Copy => copy::run(self, &step.id, copy::Work::Copy(Box::new(self.pair(shadow)?))).await?,
            ShadowStage::Index => self.index_and_compare(step, shadow, statements).await?,
            ShadowStage::Compare => self.compare_once(shadow).await?,
            ShadowStage::Repoint => self.repoint(step, shadow).await?,
            ShadowStage::Clean => self.clean(&step.id, shadow).await?,
            ShadowStage::MirrorBack => self.mirror_back(&step.id, shadow, statements).await?,
            ShadowStage::Release => self.release(&step.id, shadow, statements).await?,
            ShadowStage::Swap | ShadowStage::Exchange => {}
        }
        failpoint::pass(&format!("shadow.after:{}", step.id)).await;
        self.finish(step).await
    }

    /// The table as it was copied is kept with the first stage: what others do to it afterwards must not be lost in the swap. So
    /// is the new one, once it has the name.
    async fn fingerprint_of(&self, stage: ShadowStage, shadow: &Shadow) -> Result<Option<String>, Error> {
        match stage {
            ShadowStage::Make | ShadowStage::Release => self.fingerprint(&shadow.table).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Made anew each time: until there are triggers, nobody knows it.
    async fn make(&self, step: &StepId, shadow: &Shadow, statements: &[Sql]) -> Result<(), Error> {
        self.list_conflicts(shadow.noted()).await?;
        let parents: Vec<TableLock> = shadow.foreign_keys.iter().map(|key| exclusive(&key.referenced)).collect();
        let named = shape::named(shadow);
        let names =
            |statement: &Sql| named.as_ref().is_some_and(|copy| statement.as_str().contains(copy.name.as_str()));
        let shaped = statements.iter().rposition(names).map_or(0, |last| last + 1);
        let (shape, others) = statements.split_at(shaped);
        if !shape.is_empty() {
            let quiet = files::between_bursts(&self.session, &self.stop).await;
            quiet.map_err(|error| error.doing(format!("run step {step}")))?;
            let work = async { Ok(self.each(step, &[], shape).await) };
            let made = trying::alone(&self.session, shadow.clauses.as_str(), work).await;
            made.map_err(|error| error.doing(format!("run step {step}")))??;
        }
        self.each(step, &parents, others).await?;
        self.follow_counter(step, shadow).await
    }

    /// The new table goes on counting where the old one is, or where the user wants it. From the triggers on both count alike.
    async fn follow_counter(&self, step: &StepId, shadow: &Shadow) -> Result<(), Error> {
        let counts = |pair: &crate::plan::shadow::Copied| pair.before.auto_increment && pair.after.auto_increment;
        if !shadow.columns.iter().any(counts) {
            return Ok(());
        }
        let wanted = self.counter(&shadow.table).await?.max(self.counter(&shadow.shape).await?);
        if wanted > self.counter(&shadow.shadow).await? {
            let set = sql!("ALTER TABLE {s} AUTO_INCREMENT = {n}", s = shadow.shadow, n = wanted);
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

    /// Makes the triggers.
    ///
    /// On MySQL each is made in a moment of its own: a third of the time under the lock. What deletes comes first, then what
    /// updates: the new table gets no row that others could not follow, and what others insert until all are there is copied. On
    /// MariaDB all are made in one moment, see [`lock::under`].
    async fn mirror(
        &self,
        step: &StepId,
        shadow: &Shadow,
        statements: &[Sql],
        known: Option<StepState>,
    ) -> Result<(), Error> {
        if known.is_some() {
            self.unmirror(step, shadow).await?;
        }
        let (drops, creates) = statements.split_at(statements.len() / 2);
        let batches: Vec<Vec<Sql>> = match shadow.product {
            Product::MySql => {
                drops.iter().cloned().zip(creates.iter().cloned()).map(|(drop, create)| vec![drop, create]).collect()
            }
            Product::MariaDb => vec![statements.to_vec()],
        };
        for (at, batch) in batches.iter().enumerate() {
            self.guarded(step).run(&[exclusive(&shadow.table)], &lock::under(&shadow.table, batch)).await?;
            failpoint::pass(&format!("mirror.part#{at}")).await;
        }
        failpoint::pass("mirror.made").await;
        self.follow_counter(step, shadow).await
    }

    /// The triggers of an earlier attempt go, and then all that they have written: one that is there brings rows over which
    /// others may not follow while those are made.
    async fn unmirror(&self, step: &StepId, shadow: &Shadow) -> Result<(), Error> {
        let drop = lock::under(&shadow.table, &trigger::drop(shadow));
        self.guarded(step).run(&[exclusive(&shadow.table)], &drop).await?;
        failpoint::pass("mirror.dropped").await;
        let empty = sql!("TRUNCATE TABLE {s}", s = shadow.shadow);
        self.guarded(step).run(&[exclusive(&shadow.shadow)], &empty).await
    }

    /// Builds the new table's indexes and brings its statistics up to date, beside readers of our own where it has company.
    pub(super) async fn index(
        &self,
        step: &Step,
        shadow: &Shadow,
        statements: &[Sql],
        company: Option<&CancellationToken>,
    ) -> Result<(), Error> {
        let now = self.create_sql(&shadow.shadow).await?;
        let there = shape::index_definitions(&now);
        for statement in statements {
            let built = there
                .iter()
                .any(|(_, definition)| statement.as_str().contains(&format!("ADD {}", definition.as_str())));
            let key = shadow
                .foreign_keys
                .iter()
                .find(|key| statement.as_str().contains(&format!("ADD CONSTRAINT `{}`", key.interim.as_str())));
            if built || key.is_some_and(|key| now.contains(&format!("`{}`", key.interim.as_str()))) {
                continue;
            }
            // A foreign key asks for the parent as well, which the application reads and writes.
            let work = if key.is_some() { Work::Long } else { Work::Apart };
            if let Some(company) = company.filter(|_| work == Work::Long) {
                company.cancel();
            }
            let build = Build { step, locks: &[exclusive(&shadow.shadow)], statement, work, company };
            if let Err(error) = self.build(build, &shadow.shadow, UniqueOf::Shape(shadow)).await {
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

    /// The statements of [`shape::clean`], each as far as an earlier attempt has not done it.
    async fn clean(&self, step: &StepId, shadow: &Shadow) -> Result<(), Error> {
        // Written in the moment of the swap, behind the last look: the old table is the only one that has it.
        self.nothing_left_behind(shadow, &shadow.old).await?;
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
