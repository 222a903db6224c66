//! Whether replaced row versions can be pruned: without that, passes over the same pages gain nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::driver::postgres::Session;
use crate::error::{DbError, DbErrorKind, Error};
use crate::event::{Event, Events};
use crate::name::TableName;
use crate::sql;

const HOLDER: &str = include_str!("horizon.sql");
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// A wait that is longer is told.
const TELL_AFTER: Duration = Duration::from_secs(1);
/// Between two tellings.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How long VACUUM may wait for its lock.
const VACUUM_LOCK: &str = "SET lock_timeout = '1s'";

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody was in the way.
    Free,
    /// Somebody was and has gone.
    Cleared,
    /// Somebody is, and the patience is used up.
    Held,
}

/// Watches the horizon on a connection of its own, for all lanes.
#[derive(Debug, Clone)]
pub(super) struct Horizon {
    shared: Arc<Mutex<Watch>>,
    events: Events,
    stop: CancellationToken,
    patience: Duration,
}

#[derive(Debug)]
struct Watch {
    session: Session,
    /// The transaction whose replaced versions somebody still holds, once the patience for them was used up.
    held_at: Option<String>,
}

impl Horizon {
    pub(super) fn new(session: Session, events: &Events, stop: &CancellationToken, patience: Duration) -> Self {
        let shared = Arc::new(Mutex::new(Watch { session, held_at: None }));
        Self { shared, events: events.clone(), stop: stop.clone(), patience }
    }

    /// Waits until everything replaced so far can be pruned, or until the patience is used up.
    ///
    /// # Errors
    /// [`Error::Interrupted`], [`Error::Database`].
    pub(super) async fn settle(&self) -> Result<Verdict, Error> {
        let mut watch = self.shared.lock().await;
        let began = Instant::now();
        if let Some(mark) = watch.held_at.clone() {
            if self.holder(&watch.session, &mark).await?.is_some() {
                return Ok(Verdict::Held);
            }
            watch.held_at = None;
            return Ok(Verdict::Cleared);
        }
        let mark: String = watch
            .session
            .query_one("SELECT pg_snapshot_xmax(pg_current_snapshot())::text", &[])
            .await
            .map_err(looking)?
            .get(0);
        let mut told: Option<Instant> = None;
        let mut found = Verdict::Free;
        while let Some(holder) = self.holder(&watch.session, &mark).await? {
            found = Verdict::Cleared;
            let waited = began.elapsed();
            if waited >= self.patience {
                self.tell(&holder, "filling without waiting for it, with VACUUM in between");
                watch.held_at = Some(mark);
                return Ok(Verdict::Held);
            }
            if waited >= TELL_AFTER && told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
                told = Some(Instant::now());
                self.tell(&holder, &format!("waiting up to {} s for it to end", self.patience.as_secs()));
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Error::Interrupted),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(found)
    }

    fn tell(&self, holder: &str, consequence: &str) {
        let because =
            format!("{holder} keeps replaced rows from being cleaned up, so the table would grow: {consequence}");
        self.events.emit(Event::FillWaiting { because });
    }

    async fn holder(&self, session: &Session, mark: &str) -> Result<Option<String>, Error> {
        // Chunks of other lanes are short and end by themselves.
        let own = [session.backend_pid()];
        let row = session.query_opt(HOLDER, &[&mark, &own.as_slice()]).await.map_err(looking)?;
        Ok(row.map(|row| {
            let (pid, role, application): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
            let (state, age): (String, f64) = (row.get(3), row.get(4));
            format!("pid {pid} ({role} / {application}, {state}, transaction open for {age:.0} s)")
        }))
    }

    /// Cleans the table up as far as that is possible. What keeps it from that is told and does no harm.
    ///
    /// # Locks
    /// `SHARE UPDATE EXCLUSIVE` on the table, asked for with a timeout.
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Database`] where the connection is lost.
    pub(super) async fn vacuum(&self, table: &TableName) -> Result<(), Error> {
        let watch = self.shared.lock().await;
        let token = watch.session.cancel_token();
        let text = sql!("VACUUM (TRUNCATE false) {t}", t = table);
        let vacuum = async {
            watch.session.batch(VACUUM_LOCK).await?;
            watch.session.batch(text.as_str()).await
        };
        tokio::pin!(vacuum);
        let (done, stopped) = tokio::select! {
            done = &mut vacuum => (done, false),
            () = self.stop.cancelled() => {
                Session::cancel(&token, watch.session.target()).await?;
                (vacuum.await, true)
            }
        };
        match done {
            _ if stopped => Err(Error::Interrupted),
            Ok(()) => Ok(()),
            Err(error) if error.kind == DbErrorKind::ConnectionLost => Err(error.doing("clean the table up")),
            Err(error) => {
                let text = format!("{} was not cleaned up between chunks: {error}", table.display());
                self.events.emit(Event::Notice { text });
                Ok(())
            }
        }
    }
}

fn looking(error: DbError) -> Error {
    error.doing("look for old snapshots")
}
