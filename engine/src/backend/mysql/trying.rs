//! Asking the server what it does with a statement, by trying it on an empty copy of the table.

use std::future::Future;
use std::time::{Duration, Instant};

use super::{files, holders};
use crate::dialect::mysql::dual::{Dual, Wanted};
use crate::dialect::mysql::planner::{Trial, Tried};
use crate::dialect::mysql::{names, shape};
use crate::driver::mysql::{Session, catalogue};
use crate::error::{DbError, DbErrorKind, Error};
use crate::event::Event;
use crate::failpoint;
use crate::plan::shadow::NativeWay;
use crate::plan::{LockMode, StepId};
use crate::run::Engine;
use crate::schema::mysql::{Catalogue, Table, TablePath};
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::WrittenName;
use crate::text::Sql;

/// Between two attempts.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// Drops the copies that killed processes have left. One with a foreign key is nobody's while the lock of [`alone`] is held.
const LEFT: &str = "SELECT \
     CONCAT('SET foreign_key_checks = 0; DROP TABLE IF EXISTS shoofly.', c.TABLE_NAME, '; SET foreign_key_checks = 1') \
     FROM information_schema.TABLES AS c WHERE c.TABLE_SCHEMA = 'shoofly' AND c.TABLE_NAME LIKE 'try\\_%' \
     AND (NOT EXISTS (SELECT 1 FROM information_schema.PROCESSLIST AS p WHERE CONCAT('try_', p.ID) = c.TABLE_NAME) \
     OR EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS AS k WHERE k.TABLE_SCHEMA = 'shoofly' \
     AND k.TABLE_NAME = c.TABLE_NAME AND k.CONSTRAINT_TYPE = 'FOREIGN KEY'))";

/// Tries a statement; `None` for a table that is not known. A table that somebody has locked cannot be copied, even without its
/// rows: that is waited for.
///
/// # Errors
/// [`Error::Lock`] with whoever is in the way after `give_up_after`; [`Error::Interrupted`]; [`Error::Database`] where the copy
/// cannot be made. It is dropped in any case.
pub(super) async fn patiently(
    session: &Session,
    engine: &Engine,
    trial: &Trial,
    known: &Catalogue,
) -> Result<Option<Tried>, Error> {
    let began = Instant::now();
    for attempts in 1_u32.. {
        let error = match attempt(session, engine, trial, known).await {
            Err(error) if locked_out(&error) => error,
            done => return done,
        };
        let (Some(table), waited) = (path(trial, known), began.elapsed()) else { return Err(error) };
        let (step, mode) = (StepId("plan".to_owned()), LockMode::SharedRead);
        let in_the_way = holders::in_the_way(session, std::slice::from_ref(&table)).await;
        if waited >= engine.settings.locks.give_up_after {
            return Err(Error::Lock { step, table: table.qualified(), mode, attempts, waited, in_the_way });
        }
        let table = table.qualified();
        engine.events.emit(Event::LockWaiting { step, table, mode, blockers: in_the_way, waited });
        tokio::select! {
            biased;
            () = engine.stop.cancelled() => break,
            () = tokio::time::sleep(TRY_EVERY) => {}
        }
    }
    Err(Error::Interrupted)
}

fn locked_out(error: &Error) -> bool {
    matches!(error, Error::Database { source, .. } if source.kind == DbErrorKind::LockTimeout)
}

fn path(trial: &Trial, known: &Catalogue) -> Option<TablePath> {
    let database = trial.table.database.clone().or_else(|| known.server.database.clone());
    database.map(|database| TablePath::new(database, trial.table.name.clone()))
}

/// Tries a statement; `None` for a table that is not known.
///
/// # Errors
/// [`Error::Database`] where the copy cannot be made; it is dropped in any case.
async fn attempt(session: &Session, engine: &Engine, trial: &Trial, known: &Catalogue) -> Result<Option<Tried>, Error> {
    let Some(table) = path(trial, known).and_then(|path| known.table(&path)).filter(|table| table.kind == "BASE TABLE")
    else {
        return Ok(None);
    };
    let Some(copy) = names::in_ledger(&format!("try_{}", session.id())) else { return Ok(None) };
    let doing = |error: DbError| error.doing(format!("try the change of {} on an empty copy", table.path.display()));
    files::between_bursts(session, &engine.stop).await.map_err(doing)?;
    let work = async {
        let tried = Trying { session, table, copy: &copy, trial }.all().await;
        failpoint::pass("try.made").await;
        let dropped = session.execute(shape::drop(&copy).as_str()).await;
        let tried = tried?;
        dropped.map(|_| Some(tried))
    };
    alone(session, &trial.whole, work).await.map_err(doing)
}

/// Names of constraints are unique in a database, and every copy is made in the ledger's: whoever tries something that may name
/// one does so alone, and drops copies first whose sessions have gone.
///
/// Lock: the user lock `shoofly.try`, which is waited for.
///
/// # Errors
/// Those of the work, and the server's.
pub(super) async fn alone<T>(
    session: &Session,
    sql: &str,
    work: impl Future<Output = Result<T, DbError>>,
) -> Result<T, DbError> {
    if !names::may_name_constraints(sql) {
        return work.await;
    }
    session.rows("SELECT GET_LOCK('shoofly.try', 30)").await?;
    let done = async {
        for left in session.rows(LEFT).await?.into_iter().flatten().flatten() {
            session.execute(&left).await?;
        }
        work.await
    };
    let done = done.await;
    let released = session.rows("SELECT RELEASE_LOCK('shoofly.try')").await;
    let done = done?;
    released.map(|_| done)
}

struct Trying<'a> {
    session: &'a Session,
    table: &'a Table,
    copy: &'a TablePath,
    trial: &'a Trial,
}

impl Trying<'_> {
    async fn all(&self) -> Result<Tried, DbError> {
        let mut tried = Tried { refused: None, after: None, parts: Vec::new(), reason: String::new(), beside: None };
        self.anew().await?;
        let whole = self.trial.whole.clone();
        if let Err(error) = self.alter(&whole, None).await {
            if about_us(&error) {
                return Err(error);
            }
            tried.refused = Some(error.message);
            return Ok(tried);
        }
        tried.after = self.read().await?;
        if let Some(refused) = self.apart(tried.after.as_ref()).await? {
            tried.refused = Some(refused);
            return Ok(tried);
        }
        tried.beside = self.beside(tried.after.as_ref()).await?;
        self.anew().await?;
        match self.cheapest(&whole).await? {
            Ok(way) => tried.parts = vec![(self.trial.places.clone(), way)],
            Err(reason) => {
                tried.reason = reason;
                if self.trial.clauses.len() > 1 {
                    tried.parts = self.one_by_one().await?;
                }
            }
        }
        Ok(tried)
    }

    /// What keeps several statements from being carried out as one: one after the other must come to the same.
    async fn apart(&self, together: Option<&Table>) -> Result<Option<String>, DbError> {
        if self.trial.sequence.len() < 2 {
            return Ok(None);
        }
        self.anew().await?;
        for clauses in &self.trial.sequence {
            if let Err(error) = self.alter(clauses, None).await {
                return if about_us(&error) { Err(error) } else { Ok(Some(error.message)) };
            }
        }
        let one_by_one = self.read().await?;
        let made = |table: Option<&Table>| table.map(|table| shape::fingerprint(&table.create_sql));
        let same = made(together) == made(one_by_one.as_ref());
        Ok((!same).then(|| {
            "taken as one, the statements about this table come to something else; use migrations of their own"
                .to_owned()
        }))
    }

    /// Why a column beside cannot take the column's place at once, or would not make the table what the statement makes it.
    async fn beside(&self, after: Option<&Table>) -> Result<Option<String>, DbError> {
        let (Some([from, to]), Some(after)) = (&self.trial.beside, after) else { return Ok(None) };
        let (Some(before), Some(wanted)) = (self.table.column(from.as_str()), Wanted::of(after, to)) else {
            return Ok(None);
        };
        // What there can be no such column for is told by the planner.
        let Ok(dual) = Dual::of(self.session.product(), before, wanted) else { return Ok(None) };
        self.anew().await?;
        for clauses in [dual.add(), dual.replace()] {
            match self.alter(clauses.as_str(), Some(NativeWay::Instant)).await {
                Ok(()) => {}
                Err(error) if about_us(&error) => return Err(error),
                Err(error) => return Ok(Some(error.message)),
            }
        }
        let made = self.read().await?.map(|table| shape::fingerprint(&table.create_sql));
        let same = made == Some(shape::fingerprint(&after.create_sql));
        Ok((!same).then(|| "the table would not be the one that the statement makes of it".to_owned()))
    }

    /// A fresh copy, without rows.
    async fn anew(&self) -> Result<(), DbError> {
        let like = sql!("CREATE TABLE {copy} LIKE {t}", copy = self.copy, t = self.table.path);
        self.session.execute(&format!("{}; {}", shape::drop(self.copy).as_str(), like.as_str())).await?;
        Ok(())
    }

    async fn read(&self) -> Result<Option<Table>, DbError> {
        let name = WrittenName { database: Some(self.copy.database.clone()), name: self.copy.name.clone() };
        let found = catalogue::read(self.session, &[name]).await?;
        Ok(found.table(self.copy).cloned())
    }

    async fn alter(&self, clauses: &str, way: Option<NativeWay>) -> Result<(), DbError> {
        let how = way.map_or("", NativeWay::sql);
        let text = sql!("ALTER TABLE {t} {how}{c}", t = self.copy, how = Sql::raw(how), c = Sql::raw(clauses));
        self.session.execute(text.as_str()).await.map(|_| ())
    }

    /// Carries clauses out in the cheapest way that the server knows; else why it has to copy, and nothing is changed.
    async fn cheapest(&self, clauses: &str) -> Result<Result<NativeWay, String>, DbError> {
        let ways: &[NativeWay] = match self.session.product() {
            Product::MySql => &[NativeWay::Instant, NativeWay::InPlace],
            Product::MariaDb => &[NativeWay::Instant, NativeWay::NoCopy],
        };
        let mut reason = String::new();
        for way in ways {
            let before = self.table_ids().await?;
            match self.alter(clauses, Some(*way)).await {
                Ok(()) if *way == NativeWay::InPlace && !kept(&before, &self.table_ids().await?) => {
                    return Ok(Err("it would rebuild the whole table in one go".to_owned()));
                }
                Ok(()) => return Ok(Ok(*way)),
                Err(error) if about_us(&error) => return Err(error),
                Err(error) if error.code.as_deref().is_some_and(|code| code.starts_with("1064")) => {
                    reason = "its grammar does not let it be told to do without a copy".to_owned();
                }
                Err(error) => reason = error.message,
            }
        }
        Ok(Err(reason))
    }

    /// Each clause for itself, in order; empty where one of them needs a copy, or they cannot be told apart.
    async fn one_by_one(&self) -> Result<Vec<(Vec<usize>, NativeWay)>, DbError> {
        self.anew().await?;
        let mut parts = Vec::new();
        for (clause, place) in self.trial.clauses.iter().zip(&self.trial.places) {
            match self.cheapest(clause).await? {
                Ok(way) => parts.push((vec![*place], way)),
                Err(_) => return Ok(Vec::new()),
            }
        }
        Ok(parts)
    }

    /// InnoDB's numbers of the copy and its partitions: a rebuilt table has others. Empty where they may not be seen.
    async fn table_ids(&self) -> Result<Vec<Vec<Option<String>>>, DbError> {
        let source = match self.session.product() {
            Product::MySql => "INNODB_TABLES",
            Product::MariaDb => "INNODB_SYS_TABLES",
        };
        let name = format!("{}/{}", self.copy.database.as_str(), self.copy.name.as_str());
        let text = format!(
            "SELECT TABLE_ID FROM information_schema.{source} WHERE NAME = '{name}' OR NAME LIKE '{name}#%' ORDER BY NAME"
        );
        match self.session.rows(&text).await {
            Err(error) if error.kind == DbErrorKind::Privilege => Ok(Vec::new()),
            other => other,
        }
    }
}

/// Whether no part of a table was made anew: new ones may have come, as partitions do. No where they were not seen.
fn kept(before: &[Vec<Option<String>>], after: &[Vec<Option<String>>]) -> bool {
    !before.is_empty() && before.iter().all(|part| after.contains(part))
}

/// Whether an error says nothing about the statement.
fn about_us(error: &DbError) -> bool {
    matches!(
        error.kind,
        DbErrorKind::ConnectionLost
            | DbErrorKind::Unavailable
            | DbErrorKind::LockTimeout
            | DbErrorKind::Deadlock
            | DbErrorKind::Cancelled
            | DbErrorKind::Resources
            | DbErrorKind::ReadOnly
            | DbErrorKind::Privilege
    )
}
