//! The fill's own connections.

use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult};

use crate::driver::postgres::{Session, Target};
use crate::error::Error;
use crate::plan::UserTriggers;

/// What a lane's session runs under. Lost commits are redone from the ledger, whose row is lost with them: no need to wait for
/// the disk. Rows are reached by their place only, and the chunk's plan must not depend on statistics.
const LANE: &str = "SET shoofly.filling = 'on'; SET synchronous_commit = off; SET lock_timeout = '100ms'; SET jit = off; \
     SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; \
     SET max_parallel_workers_per_gather = 0";

/// A connection lent by the pool.
pub(super) type Connection = Object<Sessions>;

/// Makes sessions of lanes.
#[derive(Debug)]
pub(super) struct Sessions {
    target: Target,
    user_triggers: UserTriggers,
}

impl Manager for Sessions {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session, Error> {
        let session = Session::connect(&self.target, "fill").await?;
        session.batch(LANE).await.map_err(|error| error.doing("prepare a session for the fill"))?;
        if self.user_triggers == UserTriggers::Silenced {
            // The session runs chunks and nothing else, so nothing else loses its triggers and foreign keys.
            session
                .batch("SET session_replication_role = replica")
                .await
                .map_err(|error| error.doing("keep the table's own triggers silent"))?;
        }
        Ok(session)
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Error> {
        if session.is_closed() { Err(RecycleError::message("the connection is closed")) } else { Ok(()) }
    }
}

/// A pool of that many sessions.
pub(super) fn pool(target: &Target, user_triggers: UserTriggers, size: usize) -> Result<Pool<Sessions>, Error> {
    let sessions = Sessions { target: target.clone(), user_triggers };
    Pool::builder(sessions).max_size(size).build().map_err(|error| broken(&error.to_string()))
}

/// Takes a session.
pub(super) async fn take(pool: &Pool<Sessions>) -> Result<Connection, Error> {
    use deadpool::managed::PoolError;
    match pool.get().await {
        Ok(connection) => Ok(connection),
        Err(PoolError::Backend(error)) => Err(error),
        Err(other) => Err(broken(&other.to_string())),
    }
}

fn broken(what: &str) -> Error {
    use crate::error::{DbError, DbErrorKind};
    let source = DbError {
        kind: DbErrorKind::Unavailable,
        code: None,
        message: what.to_owned(),
        detail: String::new(),
        statement: String::new(),
    };
    source.doing("get a connection for the fill")
}
