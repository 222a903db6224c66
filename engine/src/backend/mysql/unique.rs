//! Building indexes of a shadow table while rows may exchange their values.
//!
//! A server that builds a unique index beside writers reads rows one after the other and then follows what was written meanwhile.
//! Rows that exchange values may then seem to have the same one, and the build fails with a duplicate that there never was. So a
//! duplicate is believed when one statement, which sees one moment of the table, finds it too.

use std::time::{Duration, Instant};

use super::claim::Claim;
use super::executor::exclusive;
use super::guard::Work;
use crate::dialect::mysql::unique;
use crate::driver::mysql::catalogue;
use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::event::Event;
use crate::plan::Step;
use crate::plan::shadow::Shadow;
use crate::schema::mysql::Index;
use crate::sql::mysql::name::WrittenName;
use crate::text::Sql;

/// Between two builds, at first and at most.
const PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(5);

impl Claim {
    /// Builds indexes of the new table; again and again where rows only seemed to be duplicates.
    ///
    /// Lock: `EXCLUSIVE` (metadata) on the new table, guarded.
    ///
    /// # Errors
    /// [`Error::Data`] with the duplicates; [`Error::Database`] where none were found and `give_up_after` has passed. Nothing is
    /// built then.
    pub(super) async fn build(&self, step: &Step, shadow: &Shadow, statement: &Sql) -> Result<(), Error> {
        let locks = [exclusive(&shadow.shadow)];
        let began = Instant::now();
        let mut pause = PAUSE;
        loop {
            let error = match self.guarded(&step.id).work(&locks, statement, Work::Long).await {
                Err(Error::Database { doing, source }) if source.kind == DbErrorKind::Constraint => {
                    let problems = self.duplicates(step, shadow).await?;
                    if !problems.is_empty() {
                        return Err(Error::Data(problems));
                    }
                    Error::Database { doing, source }
                }
                built => return built,
            };
            if began.elapsed() > self.settings.locks.give_up_after {
                return Err(error);
            }
            let text = format!(
                "{}: {error}; no row is one, so the index is built again: rows have exchanged values meanwhile",
                shadow.shadow.display()
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

    /// Values that several rows of the new table have under its unique indexes, in one moment.
    async fn duplicates(&self, step: &Step, shadow: &Shadow) -> Result<Vec<Problem>, Error> {
        let failed = |error: DbError| error.doing(format!("look for duplicates (step {})", step.id));
        let name = WrittenName { database: Some(shadow.shape.database.clone()), name: shadow.shape.name.clone() };
        let known = catalogue::read(&self.session, &[name]).await.map_err(failed)?;
        let mut problems = Vec::new();
        for index in known.table(&shadow.shape).iter().flat_map(|shape| &shape.indexes).filter(|index| index.unique) {
            let Some(text) = unique::duplicates(&shadow.shadow, index) else { continue };
            let rows = self.session.rows(text.as_str()).await.map_err(failed)?;
            if !rows.is_empty() {
                problems.push(problem(shadow, index, rows));
            }
        }
        Ok(problems)
    }
}

fn problem(shadow: &Shadow, index: &Index, rows: Vec<Vec<Option<String>>>) -> Problem {
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
        place: shadow.table.display(),
        why: "rows of the new table have the same values there; no index was built".to_owned(),
        advice: "correct them and run the same command again, or roll back".to_owned(),
    }
}
