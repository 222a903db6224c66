//! One client of the bank.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error as Failure, Params, Statement};

use super::database::connect;
use super::entry::{Entry, Kind};
use crate::args::Protocol;
use crate::command::demo::latency::{self, Transaction};

/// How often a transaction is tried again before it has failed.
const TRIES: u32 = 10;

/// "Deadlock found when trying to get lock; try restarting transaction".
const DEADLOCK: u16 = 1213;
/// "Record has changed since last read": under `innodb_snapshot_isolation` MariaDB says so to whoever writes behind a copy.
const STALE_ROW: u16 = 1020;

/// A connection with what it has prepared.
pub(super) struct Client {
    conn: Conn,
    prepared: Option<[Statement; 5]>,
}

/// How a transaction ended.
pub(super) struct Done {
    /// When, how long it took, and how often it was begun anew.
    pub(super) transaction: Transaction,
    /// Why it failed, where it did.
    pub(super) complaint: Option<String>,
}

impl Client {
    /// Connects, and prepares its statements where the protocol is to prepare.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn open(url: &str, protocol: Protocol) -> mysql_async::Result<Self> {
        let mut conn = connect(url).await?;
        let prepared = match protocol {
            Protocol::Simple | Protocol::Extended => None,
            Protocol::Prepared => {
                let [balance, account, teller, branch, history] = Kind::ALL.map(Kind::sql);
                Some([
                    conn.prep(balance).await?,
                    conn.prep(account).await?,
                    conn.prep(teller).await?,
                    conn.prep(branch).await?,
                    conn.prep(history).await?,
                ])
            }
        };
        Ok(Self { conn, prepared })
    }

    /// Makes an entry in one transaction, anew for as long as the server asks for that.
    ///
    /// # Errors
    /// That the connection cannot be used any more.
    pub(super) async fn enter(&mut self, entry: &Entry) -> mysql_async::Result<Done> {
        let began = Instant::now();
        let done = |took: Option<Duration>, repeated, complaint| {
            let took = took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            Done { transaction: Transaction { ended: latency::now(), took, repeated }, complaint }
        };
        let mut repeated = 0;
        loop {
            let Err(wrong) = self.once(entry).await else { return Ok(done(Some(began.elapsed()), repeated, None)) };
            self.conn.query_drop("ROLLBACK").await?;
            if !wrong.asks_again() || repeated == TRIES {
                return Ok(done(None, repeated, Some(wrong.to_string())));
            }
            repeated += 1;
        }
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        // The server has nothing of it to lose.
        self.conn.disconnect().await.ok();
    }

    async fn once(&mut self, entry: &Entry) -> Result<(), Wrong> {
        self.conn.query_drop("BEGIN").await?;
        for (kind, values) in entry.statements() {
            let rows = self.statement(kind, &values).await?;
            if rows != 1 {
                return Err(Wrong::Rows(rows, kind.text(&values)));
            }
        }
        Ok(self.conn.query_drop("COMMIT").await?)
    }

    /// Rows returned or written.
    async fn statement(&mut self, kind: Kind, values: &[i64]) -> mysql_async::Result<u64> {
        let rows: Vec<mysql_async::Row> = match &self.prepared {
            Some(prepared) => {
                let values = Params::Positional(values.iter().map(|value| (*value).into()).collect());
                self.conn.exec(&prepared[kind as usize], values).await?
            }
            None => self.conn.query(kind.text(values)).await?,
        };
        Ok(if kind == Kind::Balance { rows.len() as u64 } else { self.conn.affected_rows() })
    }
}

/// What can be wrong with a statement.
#[derive(Debug)]
enum Wrong {
    Server(Failure),
    /// So many rows instead of one.
    Rows(u64, String),
}

impl Wrong {
    /// Whether the server wants the transaction to be tried again, as any application must.
    fn asks_again(&self) -> bool {
        matches!(self, Self::Server(Failure::Server(said)) if [DEADLOCK, STALE_ROW].contains(&said.code))
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(failure) => write!(f, "{failure}"),
            Self::Rows(rows, statement) => write!(f, "{rows} rows instead of 1: {statement}"),
        }
    }
}
