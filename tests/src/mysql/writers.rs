//! An application at work.
//!
//! Each writer knows its rows: a statement that does not find exactly them has failed. What it has committed it does to the
//! mirror as well, which is another database with the same tables and nobody else in it. So a lost, doubled or wrong write
//! shows as a difference between the two ([`rows`](super::rows)) whenever the writers are at rest.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Flavor;
use super::app::{App, Statement};
use super::database::MyDatabase;
use super::elder::Elder;
use super::session::{Failure, Felt, Protocol, Session};
use super::transaction::{End, Own, Transaction};
use crate::random::Random;
use crate::wait::until;

/// How many connections write.
const WRITERS: usize = 4;
/// Pause between two transactions of a writer: the machine has others to serve.
const PAUSE: Duration = Duration::from_millis(2);

/// Rows between those of two writers, which nobody writes and [`Elder`]s read.
const APART: i64 = 4;

/// The rows that each writer has to itself.
#[derive(Debug, Clone)]
pub struct Rows {
    own: [Own; WRITERS],
    /// Numbers of rows that are never written.
    constant: Vec<i64>,
}

impl Rows {
    /// Those of a table that [`App::load`] has filled.
    #[must_use]
    pub fn loaded(rows: u32) -> Self {
        let each = i64::from(rows) / WRITERS as i64;
        let first = |index: usize| 1 + each * index as i64;
        Self {
            own: std::array::from_fn(|index| Own::loaded(first(index)..first(index + 1) - APART)),
            constant: (1..=WRITERS).flat_map(|index| first(index) - APART..first(index)).collect(),
        }
    }
}

/// Writers at work, until they are stopped.
#[derive(Debug)]
pub struct MyWriters {
    shared: Arc<Shared>,
    tasks: JoinSet<(usize, Own, Felt)>,
    elder: JoinSet<Felt>,
    constant: Vec<i64>,
}

#[derive(Debug)]
struct Shared {
    live: String,
    mirror: String,
    flavor: Flavor,
    app: App,
    stop: CancellationToken,
    /// Held by each writer for the time of a transaction, and by whoever needs rest.
    gate: Arc<RwLock<()>>,
    transactions: AtomicU64,
    failures: Mutex<Vec<String>>,
}

struct Writer {
    shared: Arc<Shared>,
    index: usize,
    random: Random,
    own: Own,
    felt: Felt,
}

impl MyWriters {
    /// Starts writers of `app` on these rows, which are there in both databases.
    #[must_use]
    pub fn start(app: &App, live: &MyDatabase, mirror: &MyDatabase, rows: Rows) -> Self {
        let shared = Arc::new(Shared {
            live: live.url(),
            mirror: mirror.url(),
            flavor: live.my().flavor(),
            app: app.clone(),
            stop: CancellationToken::new(),
            gate: Arc::default(),
            transactions: AtomicU64::new(0),
            failures: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for (index, own) in rows.own.into_iter().enumerate() {
            let random = Random::seeded(index as u64 + 1);
            let shared = Arc::clone(&shared);
            tasks.spawn(Writer { shared, index, random, own, felt: Felt::default() }.work());
        }
        let mut elder = JoinSet::new();
        elder.spawn(grow_old(Arc::clone(&shared), rows.constant.clone()));
        Self { shared, tasks, elder, constant: rows.constant }
    }

    /// Waits until so many more transactions are done.
    ///
    /// # Panics
    /// Where a writer has failed.
    pub async fn progress(&self, transactions: u64) {
        let goal = self.shared.transactions.load(Ordering::Relaxed) + transactions;
        until("writers make progress", async || {
            self.assert_well();
            self.shared.transactions.load(Ordering::Relaxed) >= goal
        })
        .await;
    }

    /// How many transactions were done so far.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        self.shared.transactions.load(Ordering::Relaxed)
    }

    /// Fails where a writer has failed.
    ///
    /// # Panics
    /// With what happened to it.
    pub fn assert_well(&self) {
        // A copy: who fails with the lock in hand would fail the writers too.
        let failures = self.shared.failures.lock().unwrap().clone();
        assert!(failures.is_empty(), "the application failed:\n  {}", failures.join("\n  "));
    }

    /// Lets all writers come to the end of a transaction and begin no other while the answer is held. Then the mirror has
    /// all that the live tables have.
    pub async fn rest(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.shared.gate).write_owned().await
    }

    /// Stops the writers between two transactions: what they felt, and their rows.
    ///
    /// # Panics
    /// Where a writer has failed.
    pub async fn stop(mut self) -> (Felt, Rows) {
        self.shared.stop.cancel();
        let mut felt = Felt::default();
        let mut own: [Own; WRITERS] = Default::default();
        while let Some(ended) = self.tasks.join_next().await {
            let (index, its, it) = ended.unwrap();
            own[index] = its;
            felt.add(&it);
        }
        while let Some(ended) = self.elder.join_next().await {
            felt.add(&ended.unwrap());
        }
        self.assert_well();
        (felt, Rows { own, constant: self.constant })
    }
}

impl Writer {
    async fn work(mut self) -> (usize, Own, Felt) {
        if let Err(failure) = self.session().await {
            let failure = failure.explained(&self.shared.live).await;
            self.shared.failures.lock().unwrap().push(failure);
        }
        (self.index, self.own, self.felt)
    }

    async fn session(&mut self) -> Result<(), Failure> {
        let protocol = if self.index % 2 == 1 { Protocol::Prepared } else { Protocol::Text };
        let mut live = Session::open(&self.shared.live, protocol).await?;
        let mut mirror = Session::open(&self.shared.mirror, Protocol::Text).await?;
        // Writers do not meet on the mirror, so they need no locks beyond their rows.
        mirror.command("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
        let done = self.transactions(&mut live, &mut mirror).await;
        self.felt = live.felt.clone();
        live.close().await;
        mirror.close().await;
        done
    }

    async fn transactions(&mut self, live: &mut Session, mirror: &mut Session) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        while !shared.stop.is_cancelled() {
            let working = shared.gate.read().await;
            // The same numbers again, should it have to be done again.
            let random = self.random.clone();
            let mut transaction = Transaction::new(&shared.app, live, &mut self.random, &self.own);
            let ended = transaction.run().await;
            let (own, mirrored) = (transaction.own, transaction.mirrored);
            match ended {
                Ok(End::RolledBack) => self.own = self.own.clone().rolled_back(&own),
                Ok(End::Committed) => {
                    self.own = own;
                    reflect(mirror, &mirrored).await?;
                }
                Err(failure) if failure.is_bearable(shared.flavor) => {
                    // The server has rolled everything back.
                    live.felt.deadlocks += 1;
                    self.random = random;
                    self.own = self.own.clone().rolled_back(&own);
                    continue;
                }
                Err(failure) => return Err(failure),
            }
            drop(working);
            shared.transactions.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// Reads with an old snapshot until the work ends.
async fn grow_old(shared: Arc<Shared>, constant: Vec<i64>) -> Felt {
    let reading = async || {
        let mut elder = Elder::open(&shared.live, constant).await?;
        while !shared.stop.is_cancelled() {
            let working = shared.gate.read().await;
            elder.read(&shared.app, shared.flavor).await?;
            drop(working);
            tokio::time::sleep(PAUSE).await;
        }
        Ok::<_, Failure>(elder.close().await)
    };
    match reading().await {
        Ok(felt) => felt,
        Err(failure) => {
            let failure = failure.explained(&shared.live).await;
            shared.failures.lock().unwrap().push(format!("with an old snapshot: {failure}"));
            Felt::default()
        }
    }
}

/// Does to the mirror what was done, again and again until it is done: the mirror's deadlocks are the harness's own.
async fn reflect(mirror: &mut Session, statements: &[Statement]) -> Result<(), Failure> {
    loop {
        match reflect_once(mirror, statements).await {
            Err(failure) if failure.is_deadlock() => {}
            done => return done,
        }
    }
}

async fn reflect_once(mirror: &mut Session, statements: &[Statement]) -> Result<(), Failure> {
    mirror.command("BEGIN").await?;
    for statement in statements {
        mirror.run(statement).await?;
    }
    mirror.command("COMMIT").await
}
