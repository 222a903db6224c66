//! The application: clients of the bank that make entries in its books at a given rate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use shoofly_sandbox::Server;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::database::Database;
use super::entry::{Bank, Entry, Random};
use super::stage::{self, APP};
use crate::args::DemoArgs;
use crate::command::demo::latency::Transaction;
use crate::command::demo::traffic::{Sent, Traffic, footer};
use crate::output::{Footer, Progress};

/// Connections.
const CLIENTS: u32 = 4;
/// How long a client may take to end its last transaction.
const LAST: Duration = Duration::from_secs(60);

/// How many deadlocks over locks of rows the server has found; those over locks of tables are not in it.
const DEADLOCKS: &str = "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'";

/// Clients at work.
pub(in crate::command::demo) struct Clients {
    shared: Arc<Shared>,
    tasks: JoinSet<mysql_async::Result<Vec<Transaction>>>,
    ticker: JoinHandle<()>,
    root: Database,
    deadlocks: i64,
}

#[derive(Debug)]
struct Shared {
    bank: Bank,
    /// Mean time between two transactions of a client.
    gap: Duration,
    stop: CancellationToken,
    done: AtomicU64,
    complaints: Mutex<Vec<String>>,
}

impl Clients {
    /// Connects and starts them.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn start(server: &Server, args: &DemoArgs, progress: &Progress) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            bank: Bank { branches: args.scale.get() },
            gap: Duration::from_secs(1) * CLIENTS / args.tps.get(),
            stop: CancellationToken::new(),
            done: AtomicU64::new(0),
            complaints: Mutex::default(),
        });
        let mut root = Database::open(&server.url(APP)).await?;
        let deadlocks = row_deadlocks(&mut root).await?;
        let url = stage::application_url(server);
        let mut tasks = JoinSet::new();
        for number in 1..=CLIENTS {
            let client = Client::open(&url, args.protocol).await.context("a client could not connect")?;
            tasks.spawn(Arc::clone(&shared).work(client, Random::seeded(number.into())));
        }
        let ticker = tokio::spawn(tell(Arc::clone(&shared), progress.footer()));
        Ok(Self { shared, tasks, ticker, root, deadlocks })
    }

    async fn remarks(&mut self, sent: &[Transaction]) -> anyhow::Result<Vec<String>> {
        let repeated: u64 = sent.iter().map(|one| u64::from(one.repeated)).sum();
        let over_rows = row_deadlocks(&mut self.root).await? - self.deadlocks;
        Ok(remark(repeated, over_rows).into_iter().collect())
    }
}

/// What transactions were begun anew for.
fn remark(repeated: u64, over_rows: i64) -> Option<String> {
    let times = match repeated {
        0 => return None,
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    let over = match over_rows {
        0 => "none over rows: a lock of the table was being waited for".to_owned(),
        n => format!("{n} over rows, any others while a lock of the table was being waited for"),
    };
    Some(format!("{times} the application was a deadlock's victim (error 1213) and tried again, as it must; {over}"))
}

async fn row_deadlocks(root: &mut Database) -> anyhow::Result<i64> {
    let [found] = root.numbers(DEADLOCKS).await?;
    Ok(found.unwrap_or(0))
}

impl Shared {
    /// Makes entries until it is told to stop.
    async fn work(self: Arc<Self>, mut client: Client, mut random: Random) -> mysql_async::Result<Vec<Transaction>> {
        let mut sent = Vec::new();
        let mut due = Instant::now();
        loop {
            due += self.next(&mut random);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep_until(due) => {}
            }
            let entry = Entry::any(self.bank, &mut random);
            let done = client.enter(&entry).await?;
            sent.push(done.transaction);
            self.done.fetch_add(1, Ordering::Relaxed);
            if let Some(complaint) = done.complaint {
                self.complaints.lock().unwrap_or_else(PoisonError::into_inner).push(complaint);
            }
        }
        client.close().await;
        Ok(sent)
    }

    /// Time to the next transaction: anything up to twice the mean.
    fn next(&self, random: &mut Random) -> Duration {
        let most = u64::try_from(self.gap.as_micros()).unwrap_or(u64::MAX).saturating_mul(2);
        Duration::from_micros(random.below(most + 1))
    }

    fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Traffic for Clients {
    async fn flow(&mut self, time: Duration) -> anyhow::Result<()> {
        tokio::select! {
            Some(ended) = self.tasks.join_next() => {
                ended?.context("a client could not go on")?;
                bail!("a client ended by itself; {}", self.shared.complaints().join("; "))
            }
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    async fn stop(mut self) -> anyhow::Result<Sent> {
        self.shared.stop.cancel();
        let all = async {
            let mut transactions = Vec::new();
            while let Some(ended) = self.tasks.join_next().await {
                transactions.extend(ended?.context("a client could not go on")?);
            }
            anyhow::Ok(transactions)
        };
        let transactions = tokio::time::timeout(LAST, all).await.context("a client did not stop within 60 s")??;
        let remarks = self.remarks(&transactions).await?;
        Ok(Sent { transactions, complaints: self.shared.complaints(), remarks })
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.ticker.abort();
    }
}

/// Says each second how many transactions there were.
async fn tell(shared: Arc<Shared>, bottom: Footer) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await;
    let (mut told, mut at) = (0, Instant::now());
    loop {
        second.tick().await;
        let (done, now) = (shared.done.load(Ordering::Relaxed), Instant::now());
        let failed = shared.complaints.lock().unwrap_or_else(PoisonError::into_inner).len();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_second = (done - told) as f64 / (now - at).as_secs_f64();
        bottom.show(&footer(per_second, &failed.to_string()));
        (told, at) = (done, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlocks_are_named() {
        assert_eq!(remark(0, 0), None);
        assert!(
            remark(1, 0).unwrap().starts_with("once the application")
                && remark(1, 0).unwrap().contains("none over rows")
        );
        assert!(remark(3, 2).unwrap().starts_with("3 times") && remark(3, 2).unwrap().contains("2 over rows"));
    }
}
