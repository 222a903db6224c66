//! Holding a run: a lock of a session says that a live process has it, the epoch keeps an earlier one from committing.
//!
//! How a server keeps that is its session's matter (`Holding`). Who waits for whom, how long, and what is said about it is here.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::error::{DbError, DbErrorKind, Error, Problem};
use crate::event::{Event, Events};
use crate::name::QualifiedName;
use crate::run::RunStatus;

/// How long a killed process's session may take to notice.
const TAKE_OVER_WITHIN: Duration = Duration::from_secs(15);
/// Time between two tries.
const TRY_EVERY: Duration = Duration::from_millis(100);
/// How long a server may be gone before a run gives up.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(60);

/// A run's identity and the epoch under which this process holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The run.
    pub run: i64,
    /// The epoch.
    pub epoch: i64,
}

/// What a session must be able to do for a run to be held by it.
pub(super) trait Holding {
    /// Tries to take the run's lock, which lasts as long as the session.
    async fn try_lock(&self, run: i64) -> Result<bool, DbError>;

    /// Raises the epoch: waits for transactions of an earlier holder that are under way, and fences all later ones.
    async fn take_over(&self, run: i64) -> Result<Hold, DbError>;

    /// Ends an earlier session of this process, which may hold the run's lock long after its connection has broken. Nothing
    /// happens where somebody else holds the run by now.
    async fn end_earlier(&self, hold: Hold, earlier: &Self) -> Result<(), DbError>;

    /// Every run that the ledger has.
    async fn runs(&self) -> Result<Vec<RunStatus>, DbError>;
}

/// Takes a run over: waits for a dead holder's session to go, then raises the epoch.
///
/// # Errors
/// [`Error::Busy`] where a live process holds the run; [`Error::Interrupted`].
pub(super) async fn acquire(session: &impl Holding, run: i64, stop: &CancellationToken) -> Result<Hold, Error> {
    let began = Instant::now();
    while !session.try_lock(run).await.map_err(|error| error.doing("claim the run"))? {
        if began.elapsed() > TAKE_OVER_WITHIN {
            return Err(taken(run, &holder(session, run).await));
        }
        pause(TRY_EVERY, stop).await?;
    }
    session.take_over(run).await.map_err(|error| error.doing("claim the run"))
}

/// Takes a run back whose connection has broken.
///
/// # Errors
/// [`Error::Busy`] where another process has held it meanwhile.
pub(super) async fn regain<S: Holding>(
    session: &S,
    earlier: &S,
    hold: Hold,
    stop: &CancellationToken,
) -> Result<Hold, Error> {
    // Best effort: without the right to, the server notices the broken connection by itself a little later.
    if let Err(error) = session.end_earlier(hold, earlier).await {
        tracing::debug!(%error, "the earlier connection's session was left alone");
    }
    let regained = acquire(session, hold.run, stop).await?;
    if regained.epoch == hold.epoch + 1 {
        Ok(regained)
    } else {
        Err(taken(hold.run, "another process took the run over meanwhile"))
    }
}

/// Connects again after an error that was about the connection, for as long as the server may be gone.
///
/// # Errors
/// The error itself, where the server does not come back.
pub(super) async fn reconnect<T, F: Future<Output = Result<T, Error>>>(
    error: Error,
    events: &Events,
    stop: &CancellationToken,
    connect: impl Fn() -> F,
) -> Result<T, Error> {
    events.emit(Event::Notice { text: format!("connection lost, trying again: {error}") });
    let began = Instant::now();
    let mut wait = Duration::from_millis(100);
    loop {
        pause(wait, stop).await?;
        match connect().await {
            Err(Error::Connect { source, .. }) if comes_back(source.kind) && began.elapsed() < COMES_BACK_WITHIN => {
                wait = (wait * 2).min(Duration::from_secs(2));
            }
            Err(Error::Connect { .. }) => return Err(error),
            done => return done,
        }
    }
}

/// Whether an error says that the connection is gone.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Database { source, .. } | Error::Connect { source, .. } => {
            matches!(source.kind, DbErrorKind::ConnectionLost | DbErrorKind::Unavailable)
        }
        _ => false,
    }
}

/// Whether a refused connection may be accepted a little later.
fn comes_back(kind: DbErrorKind) -> bool {
    matches!(kind, DbErrorKind::ConnectionLost | DbErrorKind::Unavailable | DbErrorKind::Other)
}

async fn pause(time: Duration, stop: &CancellationToken) -> Result<(), Error> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Error::Interrupted),
        () = tokio::time::sleep(time) => Ok(()),
    }
}

/// The run as the ledger has it now.
///
/// # Errors
/// [`Error::Busy`] where the ledger has it no more.
pub(super) async fn status(session: &impl Holding, run: i64) -> Result<RunStatus, Error> {
    let runs = session.runs().await.map_err(|error| error.doing("read the ledger"))?;
    let own = runs.into_iter().find(|status| status.run == run);
    own.ok_or_else(|| taken(run, "the run is gone from the ledger"))
}

async fn holder(session: &impl Holding, run: i64) -> String {
    let runs = session.runs().await.unwrap_or_default();
    let holder = runs.into_iter().find(|known| known.run == run).and_then(|known| known.held_by);
    holder.map_or_else(|| "a live process holds it".to_owned(), |holder| format!("{holder} is running it"))
}

/// Another process has the run.
pub(super) fn taken(run: i64, what: &str) -> Error {
    Error::Busy(vec![Problem {
        what: what.to_owned(),
        place: format!("run {run}"),
        why: "one process at a time carries a run out".to_owned(),
        advice: "let it finish or stop it (SIGTERM), then run the same command again".to_owned(),
    }])
}

/// Which runs are active on these tables, for one that wants them.
pub(super) async fn busy(session: &impl Holding, tables: &[QualifiedName]) -> Error {
    let runs = session.runs().await.unwrap_or_default();
    let mut problems = Vec::new();
    for run in runs.iter().filter(|run| run.state.is_active()) {
        for table in run.tables.iter().filter(|table| tables.contains(table)) {
            problems.push(Problem {
                what: format!("run {} ({}) is active, {}", run.run, run.migration, run.state.word()),
                place: table.display(),
                why: "two changes of one table at a time could each undo the other's triggers".to_owned(),
                advice: format!(
                    "complete it or roll it back first: shoofly complete {0} / shoofly rollback {0}",
                    run.migration
                ),
            });
        }
    }
    if problems.is_empty() {
        problems.push(Problem {
            what: "another run on one of its tables has just ended or begun".to_owned(),
            place: tables.iter().map(QualifiedName::display).collect::<Vec<_>>().join(", "),
            why: String::new(),
            advice: "try again".to_owned(),
        });
    }
    Error::Busy(problems)
}
