//! Swap after swap on MySQL and MariaDB, while an application has long transactions on the table and readers hold the table that
//! is about to take its place: no write is lost, and nobody finds the table gone.
//!
//! `SHOOFLY_TEST_SWAPS` says how many swaps there are on each product. With 0 the application is alone for two minutes: what it feels
//! then is the machine's doing. In every run, those who have nothing to do with the table witness when machine and server
//! stood still.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "what the application felt is for whoever reads the test's output")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use shoofly_engine::Event;
use shoofly_engine::run::{Direction, Outcome};
use shoofly_engine::source::parse_text;
use shoofly_engine::sql::Dialect;
use shoofly_sandbox::stall::Times;
use shoofly_tests::database::EngineOptions;
use shoofly_tests::mysql::app::Row;
use shoofly_tests::mysql::session::{Failure, Felt, Protocol, SLOW, Session, Slow};
use shoofly_tests::mysql::witness::Witnesses;
use shoofly_tests::mysql::writers::Rows;
use shoofly_tests::mysql::{App, MyDatabase, MyWriters, connect, rows};
use shoofly_tests::random::Random;
use shoofly_tests::{Flavor, My, mysql_matrix};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Rows of the writers.
const ROWS: u32 = 400;
/// Rows behind those, one for each long transaction.
const LONG: [i64; 1] = [401];
/// Swaps of one table: it grows, as its writers do not rest.
const OF_ONE: u64 = 10;
/// How long the application is alone.
const ALONE: Duration = Duration::from_secs(120);
/// How long a statement may take on a machine that has others to serve. The number itself is printed.
const LONGEST: Duration = Duration::from_secs(5);
/// Deadlocks that a short run may have by chance, beside one in a thousand transactions.
const BY_CHANCE: u64 = 3;

fn swaps() -> u64 {
    std::env::var("SHOOFLY_TEST_SWAPS").map_or(8, |swaps| swaps.parse().expect("SHOOFLY_TEST_SWAPS is a number"))
}

fn app() -> App {
    App::new("t").auto_increment("id").writes("c", "{v}").writes("d", "CONCAT('d', {v})").unique("u", "{v}")
}

/// Whoever is at work until told to stop.
struct Others {
    stop: CancellationToken,
    long: JoinSet<(Felt, u64)>,
    peeking: JoinSet<u64>,
}

impl Others {
    fn start(live: &MyDatabase, mirror: &MyDatabase) -> Self {
        let stop = CancellationToken::new();
        let (mut long, mut peeking) = (JoinSet::new(), JoinSet::new());
        for number in LONG {
            long.spawn(stay_long(live.url(), mirror.url(), live.my().flavor(), number, stop.clone()));
        }
        peeking.spawn(peek(live.url(), stop.clone()));
        Self { stop, long, peeking }
    }

    /// What those felt who have long transactions, how many these were, and how often the shadow was held.
    async fn stop(self) -> (Felt, u64, u64) {
        self.stop.cancel();
        let (mut felt, mut transactions) = (Felt::default(), 0);
        for (its, done) in self.long.join_all().await {
            felt.add(&its);
            transactions += done;
        }
        (felt, transactions, self.peeking.join_all().await.into_iter().sum())
    }
}

/// Transactions of 0.2 to 0.8 seconds, coming and going.
async fn stay_long(live: String, mirror: String, flavor: Flavor, number: i64, stop: CancellationToken) -> (Felt, u64) {
    let app = app();
    let mut live = Session::open(&live, Protocol::Text).await.unwrap();
    let mut mirror = Session::open(&mirror, Protocol::Text).await.unwrap();
    let mut random = Random::seeded(number.unsigned_abs());
    let mut transactions = 0;
    while !stop.is_cancelled() {
        let value = i64::try_from(random.below(1_000_000)).unwrap();
        let write = app.update(0, Row { number, value });
        let length = Duration::from_millis(200 + random.below(600));
        let mut transaction = async || -> Result<(), Failure> {
            live.command("BEGIN").await?;
            live.run(&app.read(number)).await?;
            tokio::time::sleep(length / 2).await;
            live.run(&write).await?;
            tokio::time::sleep(length / 2).await;
            live.command("COMMIT").await
        };
        match transaction().await {
            Ok(()) => drop(mirror.run(&write).await.unwrap()),
            Err(failure) if failure.is_bearable(flavor) => live.felt.deadlocks += 1,
            Err(failure) => panic!("a long transaction failed: {failure}"),
        }
        transactions += 1;
        tokio::time::sleep(Duration::from_millis(100 + random.below(500))).await;
    }
    let felt = live.felt.clone();
    live.close().await;
    mirror.close().await;
    (felt, transactions)
}

/// Holds the shadow in open transactions, whenever there is one: how often it did.
async fn peek(url: String, stop: CancellationToken) -> u64 {
    let mut conn = connect(&url).await.unwrap();
    let mut random = Random::seeded(9);
    let mut held = 0;
    while !stop.is_cancelled() {
        // It may be gone, or be another one: nobody but us has any business with it.
        if conn.query_drop("BEGIN; SELECT COUNT(*) FROM t_shoofly").await.is_ok() {
            held += 1;
            tokio::time::sleep(Duration::from_millis(20 + random.below(60))).await;
        }
        conn.query_drop("ROLLBACK").await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    conn.disconnect().await.unwrap();
    held
}

/// What the server says of the last one.
async fn last_deadlock(db: &MyDatabase) -> String {
    let mut conn = connect(&db.url()).await.unwrap();
    let status: Option<(String, String, String)> = conn.query_first("SHOW ENGINE INNODB STATUS").await.unwrap();
    conn.disconnect().await.unwrap();
    let (_, _, text) = status.unwrap();
    let deadlock = text.split_once("LATEST DETECTED DEADLOCK").map_or("", |(_, rest)| rest);
    deadlock.split_once("\nTRANSACTIONS\n").map_or(deadlock, |(deadlock, _)| deadlock).to_owned()
}

/// What was felt by those who were at work meanwhile.
#[derive(Debug, Default)]
struct Seen {
    swaps: u64,
    took: Duration,
    transactions: u64,
    long: u64,
    held: u64,
    /// The longest time that a lock in the application's way was asked for and held.
    locked: Duration,
    felt: Felt,
    /// What is left of that without the stalls.
    alone: Alone,
}

/// What is left of locks and slow statements without the time in which the machine or the server stood still for others too.
#[derive(Debug, Default)]
struct Alone {
    /// The longest lock.
    locked: Duration,
    /// How many statements still are slow.
    slow: usize,
    longest: Duration,
    statement: String,
    /// The longest time of one statement, slow or not without the stalls, in which there was such a lock.
    waited: Duration,
    /// The step that had it.
    step: String,
    /// The step that was under way while the longest statement was.
    during: String,
    /// How many were slow while a step of contract was: tables were swapped, and the old one was dropped.
    swapping: usize,
}

/// A lock of ours, from the moment it was asked for.
struct Lock {
    from: Instant,
    to: Instant,
    step: String,
}

impl Alone {
    fn told(slow: &[Slow], locks: &[Lock], steps: &[(Instant, String)], stalls: &Times) -> Self {
        let mut alone = Self::default();
        for Slow { begun, took, statement } in slow {
            let longest = took.saturating_sub(stalls.within(*begun, *begun + *took));
            let during = under_way(steps, *begun + *took);
            let slow = usize::from(longest > SLOW);
            alone.add(&Self {
                slow,
                longest,
                statement: statement.clone(),
                swapping: if during.starts_with("contract.") { slow } else { 0 },
                during,
                ..Self::default()
            });
        }
        for Lock { from, to, step } in locks {
            let ours = Times::new(vec![(*from, *to)]).without(stalls);
            let waited =
                slow.iter().map(|slow| ours.within(slow.begun, slow.begun + slow.took)).max().unwrap_or_default();
            alone.add(&Self { locked: ours.within(*from, *to), waited, step: step.clone(), ..Self::default() });
        }
        alone
    }

    fn add(&mut self, other: &Self) {
        self.locked = self.locked.max(other.locked);
        self.slow += other.slow;
        self.swapping += other.swapping;
        if other.waited > self.waited {
            self.waited = other.waited;
            self.step.clone_from(&other.step);
        }
        if other.longest > self.longest {
            self.longest = other.longest;
            self.statement.clone_from(&other.statement);
            self.during.clone_from(&other.during);
        }
    }
}

/// The step that was under way then, by when each of them began, or that was the last.
fn under_way(steps: &[(Instant, String)], at: Instant) -> String {
    let begun = steps.iter().rev().find(|(begun, _)| *begun < at);
    begun.map_or("none", |(_, step)| step).to_owned()
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.swaps += other.swaps;
        self.took += other.took;
        self.transactions += other.transactions;
        self.long += other.long;
        self.held += other.held;
        self.locked = self.locked.max(other.locked);
        self.felt.add(&other.felt);
        self.alone.add(&other.alone);
    }

    fn say(&self, flavor: Flavor) {
        let Self { swaps, took, transactions, long, held, locked, felt, alone } = self;
        eprintln!(
            "{flavor:?}: {swaps} swaps in {took:.1?}, {transactions} transactions ({long} long ones), shadow held {held} times, \
             {} deadlocks, {} stale snapshots; longest lock {locked:.1?}; {} statements of more than {SLOW:?}, the longest \
             {:.1?}: {}\n  without what stopped others too: longest lock {:.1?}; {} statements of more than {SLOW:?}, the \
             longest {:.1?} ({}): {}; {} of them while tables were swapped; no slow one met a lock for more than {:.1?} ({})",
            felt.deadlocks,
            felt.stale,
            felt.slow.len(),
            felt.longest,
            felt.longest_statement,
            alone.locked,
            alone.slow,
            alone.longest,
            alone.during,
            alone.statement,
            alone.swapping,
            alone.waited,
            alone.step
        );
    }
}

/// So many swaps of one table.
async fn swap(my: &My, swaps: u64) -> Seen {
    let live = MyDatabase::create(my, "swaps").await;
    let mirror = MyDatabase::create(my, "swaps_m").await;
    for db in [&live, &mirror] {
        db.run("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d varchar(20), u int UNIQUE)").await;
        db.run(&app().load(ROWS + 1)).await;
    }
    let locks: Arc<Mutex<Vec<Lock>>> = Arc::default();
    let steps: Arc<Mutex<Vec<(Instant, String)>>> = Arc::default();
    let (heard, begun) = (Arc::clone(&locks), Arc::clone(&steps));
    let mut options = EngineOptions::new(&live.url()).listen(move |event| match event {
        Event::LockReleased { total: held, step, .. } | Event::LockMissed { asked: held, step } => {
            let to = Instant::now();
            heard.lock().unwrap().push(Lock { from: to.checked_sub(held).unwrap(), to, step: step.0 });
        }
        Event::StepBegan { step, .. } => begun.lock().unwrap().push((Instant::now(), step.0)),
        _ => {}
    });
    options.settings.locks.give_up_after = Duration::from_secs(120);
    let engine = options.build();
    let writers = MyWriters::start(&app(), &live, &mirror, Rows::loaded(ROWS));
    let others = Others::start(&live, &mirror);
    let witnesses = Witnesses::start(my).await;
    let began = Instant::now();
    for swap in 0..swaps {
        let name = format!("swap_{swap}");
        let ddl = format!("ALTER TABLE t MODIFY c {}", if swap % 2 == 0 { "bigint" } else { "int" });
        let migration = parse_text(Dialect::MySql, &name, None, &ddl).unwrap();
        let started = engine.start(&migration, Direction::Up).await;
        assert_eq!(started.unwrap_or_else(|error| panic!("start {swap}: {error}")), Outcome::Done);
        let completed = engine.complete(Some(&name)).await;
        assert_eq!(completed.unwrap_or_else(|error| panic!("complete {swap}: {error}")), Outcome::Done);
        writers.progress(20).await;
    }
    if swaps == 0 {
        tokio::time::sleep(ALONE).await;
    }
    let took = began.elapsed();
    let mut transactions = writers.transactions();
    let (mut felt, long, held) = others.stop().await;
    transactions += long;
    felt.add(&writers.stop().await.0);
    let stalls = witnesses.stop().await;
    if felt.deadlocks > 0 {
        eprintln!("{}", last_deadlock(&live).await);
    }
    live.assert_nothing_left("in the end").await;
    rows::assert_mirrored(&live, &mirror, "in the end", &[]).await;
    live.drop().await;
    mirror.drop().await;
    let locks = locks.lock().unwrap();
    let locked = locks.iter().map(|lock| lock.to - lock.from).max().unwrap_or_default();
    let alone = Alone::told(&felt.slow, &locks, &steps.lock().unwrap(), &stalls);
    Seen { swaps, took, transactions, long, held, locked, felt, alone }
}

async fn many_swaps_lose_nothing(flavor: Flavor) {
    let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
    let (wanted, mut seen) = (swaps(), Seen::default());
    loop {
        seen.add(&swap(&my, OF_ONE.min(wanted - seen.swaps)).await);
        seen.say(flavor);
        if seen.swaps == wanted {
            break;
        }
    }
    let Seen { transactions, long, held, felt, .. } = seen;
    assert!(wanted == 0 || held > 0 && long > 0, "nobody was in the way");
    assert!(felt.longest < LONGEST, "{:?}: {}", felt.longest, felt.longest_statement);
    // On MariaDB none: the writers would have failed.
    assert!(felt.deadlocks <= BY_CHANCE + transactions / 1_000, "{} in {transactions}", felt.deadlocks);
}

mysql_matrix!(many_swaps_lose_nothing);
