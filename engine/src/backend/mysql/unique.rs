//! Building unique indexes while rows may exchange their values.
//!
//! A server that builds a unique index beside writers reads rows one after the other and then follows what was written meanwhile.
//! Rows that exchange values may then seem to have the same one, and the build fails with a duplicate that there never was. So a
//! duplicate is believed when one statement, which sees one moment of the table, finds it too.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::claim::Claim;
use super::guard::{Guarded, Work};
use crate::dialect::mysql::unique;
use crate::driver::mysql::catalogue;
use crate::error::{DbError, Error, Problem};
use crate::event::Event;
use crate::plan::shadow::{NativeAlter, Shadow};
use crate::plan::{Step, TableLock};
use crate::schema::mysql::{Index, TablePath};
use crate::sql::mysql::name::WrittenName;
use crate::text::Sql;

/// Between two builds, at first and at most.
const PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// A statement that builds indexes, whatever else it does.
pub(super) struct Build<'a> {
    pub(super) step: &'a Step,
    pub(super) locks: &'a [TableLock],
    pub(super) statement: &'a Sql,
    pub(super) work: Work,
    /// See [`Guarded::company`].
    pub(super) company: Option<&'a CancellationToken>,
}

/// Whose unique indexes the table will have.
#[derive(Clone, Copy)]
pub(super) enum UniqueOf<'a> {
    /// Those of a shadow table's shape.
    Shape(&'a Shadow),
    /// Those that a change makes of a table like this.
    Change(&'a str, &'a NativeAlter),
}

impl Claim {
    /// Runs it on the table; again and again where rows only seemed to be duplicates under the unique indexes that it will have.
    ///
    /// # Errors
    /// [`Error::Data`] with the duplicates; [`Error::Outwaited`] where none were found and `give_up_after` has passed. Nothing is
    /// built then.
    pub(super) async fn build(&self, build: Build<'_>, table: &TablePath, indexes: UniqueOf<'_>) -> Result<(), Error> {
        let began = Instant::now();
        let mut pause = PAUSE;
        loop {
            let guarded = Guarded { company: build.company, ..self.guarded(&build.step.id) };
            let source = match guarded.work(build.locks, build.statement, build.work).await {
                Err(Error::Database { source, .. }) if source.is_duplicate() => {
                    let problems = self.duplicates(build.step, table, &self.unique(indexes).await?).await?;
                    if !problems.is_empty() {
                        return Err(Error::Data(problems));
                    }
                    source
                }
                built => return built,
            };
            let waited = began.elapsed();
            if waited > self.settings.locks.give_up_after {
                let (step, what) =
                    (build.step.id.clone(), "a moment in which no rows exchange values of a unique index");
                return Err(Error::Outwaited { step, what, waited, in_the_way: Vec::new() });
            }
            let text = format!(
                "{}: {source}; no rows are alike, so the index is built again: rows have exchanged values meanwhile",
                table.display()
            );
            self.events.emit(Event::Notice { text });
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Error::Interrupted),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONG_PAUSE);
        }
    }

    /// Values that several rows have under these indexes, in one moment.
    async fn duplicates(&self, step: &Step, table: &TablePath, unique: &[Index]) -> Result<Vec<Problem>, Error> {
        let failed = |error: DbError| error.doing(format!("look for duplicates (step {})", step.id));
        let mut problems = Vec::new();
        for index in unique {
            let Some(text) = unique::duplicates(table, index) else { continue };
            let rows = self.session.rows(text.as_str()).await.map_err(failed)?;
            if !rows.is_empty() {
                problems.push(problem(table, index, rows));
            }
        }
        Ok(problems)
    }

    async fn unique(&self, of: UniqueOf<'_>) -> Result<Vec<Index>, Error> {
        let table = match of {
            UniqueOf::Shape(shadow) => {
                let shape = &shadow.shape;
                let failed = |error: DbError| error.doing(format!("read {}", shape.display()));
                let name = WrittenName { database: Some(shape.database.clone()), name: shape.name.clone() };
                catalogue::read(&self.session, &[name]).await.map_err(failed)?.table(shape).cloned()
            }
            UniqueOf::Change(before, alter) => self.made_of(before, alter).await?,
        };
        Ok(table.into_iter().flat_map(|table| table.indexes).filter(|index| index.unique).collect())
    }
}

fn problem(table: &TablePath, index: &Index, rows: Vec<Vec<Option<String>>>) -> Problem {
    let more = if rows.len() > unique::NAMED { "; …" } else { "" };
    let values = rows.into_iter().take(unique::NAMED).filter_map(|row| {
        let [value, rows] = <[Option<String>; 2]>::try_from(row).ok()?;
        Some(format!("{} ({} rows)", value?, rows?))
    });
    Problem {
        what: format!(
            "duplicates for the unique index {}: {}{more}",
            index.name.as_str(),
            values.collect::<Vec<_>>().join("; ")
        ),
        place: table.display(),
        why: "rows have the same values there; no index was built".to_owned(),
        advice: "correct them and run the same command again, or roll back".to_owned(),
    }
}
