//! Reading what a plan needs while somebody may have a table for himself alone.
//!
//! Sizes and definitions of a table are read under ACCESS SHARE, which waits behind whoever holds ACCESS EXCLUSIVE or waits for
//! it. Such a wait would last as long as theirs, without a word.

use std::time::{Duration, Instant};

use crate::backend::Trying;
use crate::driver::postgres::{Session, facts, look};
use crate::error::{Blocker, DbError, DbErrorKind, Error};
use crate::event::Event;
use crate::facts::{Facts, Needs};
use crate::name::{Ident, TableName};
use crate::plan::{LockMode, Plan, StepId};
use crate::report::Now;
use crate::run::Engine;

/// How long a verb that only reads goes on trying: whoever asks wants to know who is in the way.
const GLANCE: Duration = Duration::from_secs(1);
/// Between two words about the same wait.
const SAY_EVERY: Duration = Duration::from_secs(1);

/// Reads the facts.
///
/// # Locks
/// ACCESS SHARE on the tables, each waited for no longer than the lock budget.
/// # Errors
/// [`Error::Lock`] with whoever is in the way, after `give_up_after`, or after a second for a verb that only reads.
/// [`Error::Interrupted`]; [`Error::Database`].
pub(super) async fn facts(
    session: &mut Session,
    needs: &Needs,
    engine: &Engine,
    trying: Trying,
) -> Result<Facts, Error> {
    let locks = &engine.settings.locks;
    let patience = match trying {
        Trying::Never => GLANCE.min(locks.give_up_after),
        Trying::Allowed => locks.give_up_after,
    };
    let (began, step) = (Instant::now(), StepId("plan".to_owned()));
    let mut said: Option<Instant> = None;
    let mut attempts = 0;
    loop {
        attempts += 1;
        briefly(session, locks.budget).await?;
        let read = facts::read(session, needs).await;
        briefly(session, Duration::ZERO).await?;
        match read {
            Err(Error::Database { source, .. }) if source.kind == DbErrorKind::LockTimeout => {}
            read => return read,
        }
        let (table, blockers) = in_the_way(session, needs, engine).await.map_err(looking)?;
        let (waited, mode) = (began.elapsed(), LockMode::AccessShare);
        if waited >= patience {
            return Err(Error::Lock { step, table, mode, attempts, waited, in_the_way: blockers });
        }
        if said.is_none_or(|at| at.elapsed() > SAY_EVERY) {
            said = Some(Instant::now());
            engine.events.emit(Event::LockWaiting { step: step.clone(), table, mode, blockers, waited });
        }
        tokio::select! {
            biased;
            () = engine.stop.cancelled() => return Err(Error::Interrupted),
            () = tokio::time::sleep(locks.look_every) => {}
        }
    }
}

/// Looks at what the server is like for a plan: see [`look::now`].
///
/// # Locks
/// ACCESS SHARE on the tables, waited for no longer than a verb that only reads may take.
/// # Errors
/// [`Error::Database`], also where that was not granted.
pub(super) async fn now(session: &Session, plan: &Plan, patience: Duration) -> Result<Now, Error> {
    briefly(session, GLANCE).await?;
    let now = look::now(session, plan, patience).await;
    briefly(session, Duration::ZERO).await?;
    now.map_err(looking)
}

/// How long any lock is waited for from now on; zero is for ever.
async fn briefly(session: &Session, time: Duration) -> Result<(), Error> {
    let set = session.batch(&format!("SET lock_timeout = '{}ms'", time.as_millis())).await;
    set.map_err(|error| error.doing("set how long to wait for locks"))
}

/// The first of the tables, and whoever stands before us there.
async fn in_the_way(session: &Session, needs: &Needs, engine: &Engine) -> Result<(TableName, Vec<Blocker>), DbError> {
    let tables = facts::tables(session, needs).await?;
    let own = [session.backend_pid()];
    let blockers = look::blockers(session, &tables, engine.settings.locks.patience, &own).await?;
    let unknown = || TableName::new(Ident::derived("unknown", &[]), Ident::derived("unknown", &[]));
    Ok((tables.into_iter().next().unwrap_or_else(unknown), blockers))
}

fn looking(error: DbError) -> Error {
    error.doing("look who is in the way")
}
