//! The application: clients that read and update rows by key at a steady rate.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Statement};
use shoofly_sandbox::stall::Times;
use tokio::runtime::Builder;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::table;

/// Connections. A transaction that none of them is free for waits, and its wait counts.
const CLIENTS: u64 = 8;
/// Of a hundred transactions.
const READS: u64 = 70;

const READ: &str = "SELECT amount FROM bench WHERE id = ?";
const WRITE: &str = "UPDATE bench SET amount = amount + 1 WHERE id = ?";

/// How one transaction went.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    pub(super) due: Instant,
    pub(super) ended: Instant,
    /// Whether it has only read.
    pub(super) read: bool,
    /// What the server said, where it failed. It is not tried again.
    pub(super) failure: Option<String>,
}

impl Transaction {
    /// Time since it was due.
    pub(super) fn latency(&self) -> Duration {
        self.ended.saturating_duration_since(self.due)
    }

    /// The same without these times.
    pub(super) fn alone(&self, stalls: &Times) -> Duration {
        self.latency().saturating_sub(stalls.within(self.due, self.ended))
    }
}

/// Transactions under way, in a thread and a runtime of their own: the engine's work does not delay them.
pub(super) struct Traffic {
    stop: DropGuard,
    worker: JoinHandle<anyhow::Result<Vec<Transaction>>>,
}

impl Traffic {
    /// Begins: `rate` transactions a second, each of a row between 1 and `rows`.
    pub(super) fn start(url: String, rows: u64, rate: u32) -> Self {
        let stop = CancellationToken::new();
        let seen = stop.clone();
        let worker = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(flow(&url, rows, rate, seen))
        });
        Self { stop: stop.drop_guard(), worker }
    }

    /// Lets what is due end; all transactions, in no order.
    pub(super) async fn stop(self) -> anyhow::Result<Vec<Transaction>> {
        drop(self.stop);
        let ended = tokio::task::spawn_blocking(move || self.worker.join()).await?;
        ended.map_err(|_| anyhow!("the clients panicked"))?.context("the clients could not go on")
    }
}

async fn flow(url: &str, rows: u64, rate: u32, stop: CancellationToken) -> anyhow::Result<Vec<Transaction>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let mut conn = table::open(url).await?;
        let statements = (conn.prep(READ).await?, conn.prep(WRITE).await?);
        let random = Random(number << 32);
        clients.spawn(Client { conn, statements, random, rows }.work(Arc::clone(&receiver)));
    }
    let clock = thread::spawn(move || tick(rate, &stop, &sender));
    let mut all = Vec::new();
    while let Some(sent) = clients.join_next().await {
        all.extend(sent?);
    }
    clock.join().map_err(|_| anyhow!("the clock panicked"))?;
    Ok(all)
}

/// Says when a transaction is due: at random moments, as those of many users are. A thread sleeps more exactly than a runtime.
fn tick(rate: u32, stop: &CancellationToken, due: &mpsc::UnboundedSender<Instant>) {
    let mut random = Random(u64::from(rate));
    let mut at = Instant::now();
    while !stop.is_cancelled() {
        at += Duration::from_secs_f64(-(1.0 - random.share()).ln() / f64::from(rate));
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if due.send(at).is_err() {
            return;
        }
    }
}

/// One connection.
struct Client {
    conn: Conn,
    statements: (Statement, Statement),
    random: Random,
    rows: u64,
}

impl Client {
    async fn work(mut self, due: Arc<Mutex<mpsc::UnboundedReceiver<Instant>>>) -> Vec<Transaction> {
        let mut sent = Vec::new();
        loop {
            let next = due.lock().await.recv().await;
            let Some(at) = next else { return sent };
            let id = self.random.below(self.rows) + 1;
            let read = self.random.below(100) < READS;
            let statement = if read { &self.statements.0 } else { &self.statements.1 };
            let failure = self.conn.exec_drop(statement, (id,)).await.err().map(|error| error.to_string());
            sent.push(Transaction { due: at, ended: Instant::now(), read, failure });
        }
    }
}

/// Numbers that are random enough, and the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// From 0 up to, and without, 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
