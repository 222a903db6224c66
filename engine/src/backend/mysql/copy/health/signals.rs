//! What the server is asked, and what its answers mean.

use crate::backend::mysql::copy::Job;
use crate::backend::mysql::holders::blocker;
use crate::dialect::mysql::{health, lock};
use crate::driver::mysql::{Session, catalogue};
use crate::error::{DbError, DbErrorKind, Error};
use crate::event::Event;
use crate::settings::HealthSettings;
use crate::sql::mysql::mode::Product;
use crate::text::Sql;
use crate::throttle::{CALM, History, PendingLocks, Pressure, RowWaits, Sessions};

/// A transaction that is older, in seconds, may be what holds old row versions.
const OLD: f64 = 10.0;

/// One of those that not every user may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Running,
    Waits,
    Pending,
    /// The same by what sessions say of themselves.
    SeemsPending,
    History,
}

impl Signal {
    fn word(self) -> &'static str {
        match self {
            Self::Running => "the number of running sessions",
            Self::Waits => "who waits for rows of ours",
            Self::Pending | Self::SeemsPending => "who waits for a metadata lock on the table",
            Self::History => "the length of the history list",
        }
    }
}

/// Those that can be read, with their limits.
pub(super) struct Signals {
    read: Vec<Signal>,
    running: Sessions,
    waits: RowWaits,
    history: History,
}

/// A session for reading, of which no statement takes long.
///
/// # Errors
/// The server's.
pub(super) async fn connect(job: &Job, signals: &mut Signals) -> Result<Session, Error> {
    let session = Session::connect(&job.target, "health").await?;
    session.execute(health::brief(session.product()).as_str()).await.map_err(doing)?;
    signals.choose(job, &session).await.map_err(doing)?;
    Ok(session)
}

fn doing(error: DbError) -> Error {
    error.doing("read how the server is")
}

impl Signals {
    pub(super) fn new(settings: &HealthSettings) -> Self {
        Self {
            read: vec![Signal::Running, Signal::Waits, Signal::Pending, Signal::History],
            running: Sessions::new(settings.threads_running),
            waits: RowWaits::new(settings.row_waits),
            history: History::new(settings.history_length),
        }
    }

    /// Metadata locks are only seen where they are instrumented. MySQL's other tables of `performance_schema` are then filled too.
    async fn choose(&mut self, job: &Job, session: &Session) -> Result<(), DbError> {
        if !self.read.contains(&Signal::Pending) || catalogue::sees_metadata_locks(session).await? {
            return Ok(());
        }
        match session.product() {
            Product::MariaDb => {
                self.read.retain(|one| *one != Signal::Pending);
                self.read.push(Signal::SeemsPending);
            }
            Product::MySql => {
                for signal in [Signal::Running, Signal::Waits, Signal::Pending] {
                    self.leave_out(job, signal, "performance_schema is off, or may not be read");
                }
            }
        }
        Ok(())
    }

    /// From now on, and said once.
    fn leave_out(&mut self, job: &Job, signal: Signal, why: &str) {
        if self.read.contains(&signal) {
            self.read.retain(|one| *one != signal);
            let text = format!("the pace does not heed {}: {why}", signal.word());
            job.events.emit(Event::Notice { text });
        }
    }

    /// Asks for all that can be read.
    ///
    /// # Errors
    /// The server's; what may not be read is none.
    pub(super) async fn read(&mut self, job: &Job, session: &Session) -> Result<Vec<Pressure>, Error> {
        let ours = job.health.ours();
        let table = job.work.table();
        let mut readings = Vec::new();
        for signal in self.read.clone() {
            let query = match signal {
                Signal::Running => health::running(session.product(), &ours),
                Signal::Waits => health::row_waits(session.product(), &ours),
                Signal::Pending => health::pending(table, &ours),
                Signal::SeemsPending => health::seems_pending(table, &ours),
                Signal::History => health::history(session.product()),
            };
            let value = match number(session, &query).await {
                Ok(Some(value)) => value,
                Ok(None) => {
                    self.leave_out(job, signal, "the server does not count it");
                    continue;
                }
                Err(error) if matches!(error.kind, DbErrorKind::Privilege | DbErrorKind::Missing) => {
                    self.leave_out(job, signal, &error.message);
                    continue;
                }
                // For this moment: a statement of somebody's that the server cannot show.
                Err(error) if error.is_unshowable() => continue,
                Err(error) => return Err(doing(error)),
            };
            readings.push(match signal {
                Signal::Running => self.running.read(value),
                Signal::Waits => self.waits.read(value),
                Signal::Pending | Signal::SeemsPending => PendingLocks.read(&table.display(), value),
                Signal::History => self.history(session, value).await,
            });
        }
        Ok(readings)
    }

    async fn history(&self, session: &Session, length: u64) -> Pressure {
        let calm = self.history.read(length, None);
        if calm.share < CALM {
            return calm;
        }
        let rows = session.rows(lock::transactions().as_str()).await.unwrap_or_default();
        let oldest = rows.into_iter().next().and_then(blocker).filter(|oldest| oldest.transaction_age >= OLD);
        self.history.read(length, oldest.map(|oldest| oldest.to_string()).as_deref())
    }
}

/// The first field of the first row, a number.
async fn number(session: &Session, query: &Sql) -> Result<Option<u64>, DbError> {
    let rows = session.rows(query.as_str()).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok()))
}
