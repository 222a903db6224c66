//! One connection of the application, and what it felt.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Params};

use super::Flavor;
use super::app::{Effect, Statement};

/// "Deadlock found when trying to get lock; try restarting transaction".
const DEADLOCK: u16 = 1213;
/// "Table definition has changed, please retry transaction".
const STALE: u16 = 1412;

/// How statements go to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// As texts.
    Text,
    /// Prepared once, then by number.
    Prepared,
}

/// What an application may notice.
pub const SLOW: Duration = Duration::from_millis(50);

/// A statement that took longer than [`SLOW`].
#[derive(Debug, Clone)]
pub struct Slow {
    /// When it was sent.
    pub begun: Instant,
    /// Until it was answered.
    pub took: Duration,
    /// Its text.
    pub statement: String,
}

/// What an application felt of all that was done to its table.
#[derive(Debug, Clone, Default)]
pub struct Felt {
    /// Transactions that were the victim of a deadlock, and were done again.
    pub deadlocks: u64,
    /// Readers whose snapshot was older than the table's definition, and who were told so.
    pub stale: u64,
    /// Statements that took longer than [`SLOW`].
    pub slow: Vec<Slow>,
    /// How long the longest statement took.
    pub longest: Duration,
    /// Which one that was.
    pub longest_statement: String,
}

impl Felt {
    /// With what another one felt.
    pub fn add(&mut self, other: &Self) {
        self.deadlocks += other.deadlocks;
        self.stale += other.stale;
        self.slow.extend_from_slice(&other.slow);
        if other.longest > self.longest {
            self.longest = other.longest;
            self.longest_statement.clone_from(&other.longest_statement);
        }
    }
}

/// A statement that did not do what it should.
#[derive(Debug)]
pub struct Failure {
    statement: String,
    error: Wrong,
}

#[derive(Debug)]
enum Wrong {
    Server(mysql_async::Error),
    Rows { wanted: u64, found: u64 },
}

impl Failure {
    fn new(statement: &str, error: mysql_async::Error) -> Self {
        Self { statement: statement.to_owned(), error: Wrong::Server(error) }
    }

    /// Whether it was the victim of a deadlock.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        self.has_code(DEADLOCK)
    }

    /// Whether its snapshot was older than the table's definition.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.has_code(STALE)
    }

    fn has_code(&self, code: u16) -> bool {
        matches!(&self.error, Wrong::Server(mysql_async::Error::Server(error)) if error.code == code)
    }

    /// Whether the application has to live with it, and does the transaction again. On MySQL, where nobody can ask for a table
    /// without waiting, any change of a table may make a deadlock with those who have read it: how often is counted. On MariaDB
    /// nobody has to live with one.
    #[must_use]
    pub fn is_bearable(&self, flavor: Flavor) -> bool {
        flavor == Flavor::MySql && self.is_deadlock()
    }

    /// As text; of a deadlock, with what the server at `url` says of its latest one: who had which lock and waited for which.
    pub async fn explained(&self, url: &str) -> String {
        let latest = if self.is_deadlock() { latest_deadlock(url).await } else { None };
        format!("{self}{}", latest.map_or_else(String::new, |latest| format!("\n{latest}")))
    }
}

/// The part of `SHOW ENGINE INNODB STATUS` on the latest deadlock.
async fn latest_deadlock(url: &str) -> Option<String> {
    let mut conn = Conn::from_url(url).await.ok()?;
    let shown: Option<(String, String, String)> = conn.query_first("SHOW ENGINE INNODB STATUS").await.ok()?;
    let (_, _, status) = shown?;
    let from = status.split_once("LATEST DETECTED DEADLOCK")?.1;
    Some(from.split("\nTRANSACTIONS\n").next().unwrap_or(from).to_owned())
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.error {
            Wrong::Server(error) => write!(f, "{error}\n    in {}", self.statement),
            Wrong::Rows { wanted, found } => write!(f, "{found} rows instead of {wanted}\n    in {}", self.statement),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub struct Session {
    conn: Conn,
    protocol: Protocol,
    /// What it felt so far.
    pub felt: Felt,
}

impl Session {
    /// A new connection to `url`.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub async fn open(url: &str, protocol: Protocol) -> Result<Self, Failure> {
        let fail = |error| Failure::new("connect", error);
        let opts = Opts::from_url(url).map_err(|error| fail(error.into()))?;
        // Rows found, not rows changed: an update to the same value is no lost row.
        let opts = OptsBuilder::from_opts(opts).prefer_socket(false).client_found_rows(true);
        let conn = Conn::new(opts).await.map_err(fail)?;
        Ok(Self { conn, protocol, felt: Felt::default() })
    }

    /// Does one statement; the first number that the server gave to a row, if it did.
    ///
    /// # Errors
    /// What the server says, or that other rows were found than there should be.
    pub async fn run(&mut self, statement: &Statement) -> Result<Option<i64>, Failure> {
        let begun = Instant::now();
        let rows = match self.protocol {
            Protocol::Text => self.conn.query(&statement.text).await,
            Protocol::Prepared => {
                let values = Params::Positional(statement.values.iter().map(|value| (*value).into()).collect());
                self.conn.exec(statement.prepared.as_str(), values).await
            }
        };
        self.time(begun, &statement.text);
        let rows: Vec<mysql_async::Row> = rows.map_err(|error| Failure::new(&statement.text, error))?;
        let found = match statement.effect {
            Effect::Returns => rows.len() as u64,
            Effect::Changes => self.conn.affected_rows(),
        };
        if found != statement.rows {
            let error = Wrong::Rows { wanted: statement.rows, found };
            return Err(Failure { statement: statement.text.clone(), error });
        }
        Ok(self.conn.last_insert_id().and_then(|id| i64::try_from(id).ok()))
    }

    /// Does what belongs to transactions: `BEGIN`, `COMMIT`, `ROLLBACK`, `SET`.
    ///
    /// # Errors
    /// What the server says.
    pub async fn command(&mut self, sql: &str) -> Result<(), Failure> {
        let begun = Instant::now();
        let done = self.conn.query_drop(sql).await;
        self.time(begun, sql);
        done.map_err(|error| Failure::new(sql, error))
    }

    fn time(&mut self, begun: Instant, sql: &str) {
        let took = begun.elapsed();
        if took > SLOW {
            self.felt.slow.push(Slow { begun, took, statement: sql.to_owned() });
        }
        if took > self.felt.longest {
            self.felt.longest = took;
            sql.clone_into(&mut self.felt.longest_statement);
        }
    }

    /// Says goodbye.
    pub async fn close(self) {
        self.conn.disconnect().await.ok();
    }
}
