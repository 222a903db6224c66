//! An application at work.
//!
//! Each transaction does the same to the live tables and to the copies in schema `mirror`, so that a lost, doubled or wrong
//! write shows as a difference between the two, at any moment and in one query.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_postgres::{Client, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;

use crate::database::describe;
use crate::random::Random;
use crate::wait::until;

/// A statement of the application's. Placeholders: `{k}` a key among the rows that exist from the start, `{n}` a number never
/// used before, `{r}` any number from 0 to 2^31 − 1, `{last}` (on the mirror) the first value that the live statement returned.
///
/// A writer has its `{k}` and `{n}` to itself, so that writers never lock each other out and any conflict is with us.
#[derive(Debug, Clone)]
pub struct Write {
    live: String,
    mirror: String,
}

impl Write {
    /// The same on both.
    #[must_use]
    pub fn same(sql: &str) -> Self {
        Self::pair(sql, sql)
    }

    /// A statement on the live tables, and what amounts to it on the mirror.
    #[must_use]
    pub fn pair(live: &str, mirror: &str) -> Self {
        Self { live: live.to_owned(), mirror: mirror.to_owned() }
    }
}

/// How many connections write.
const WRITERS: u64 = 4;
/// Pause between two transactions of a writer: the machine has others to serve.
const PAUSE: Duration = Duration::from_millis(2);

/// What happens to a writer that loses its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnects {
    /// It has failed.
    Fail,
    /// The server was stopped on purpose: it connects again.
    Expected,
}

/// Writers at work, until they are stopped.
#[derive(Debug)]
pub struct Writers {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    url: String,
    keys: u64,
    disconnects: Disconnects,
    stop: CancellationToken,
    transactions: AtomicU64,
    slowest_micros: AtomicU64,
    failures: Mutex<Vec<String>>,
    fresh: Arc<AtomicU64>,
}

/// One writer's state.
struct Writer {
    shared: Arc<Shared>,
    index: u64,
    random: Random,
    writes: Vec<Write>,
}

/// One statement with its numbers.
struct Bound {
    live: String,
    mirror: String,
    returns: bool,
}

impl Writers {
    /// Starts writers on `url`, whose tables hold keys 1 to `keys`.
    #[must_use]
    pub fn start(url: &str, keys: u64, writes: &[Write], disconnects: Disconnects) -> Self {
        // Fresh numbers stay fresh over several sets of writers in one test process.
        static FRESH: AtomicU64 = AtomicU64::new(100_000);
        let shared = Arc::new(Shared {
            url: url.to_owned(),
            keys,
            disconnects,
            stop: CancellationToken::new(),
            transactions: AtomicU64::new(0),
            slowest_micros: AtomicU64::new(0),
            failures: Mutex::default(),
            fresh: Arc::new(AtomicU64::new(FRESH.fetch_add(100_000, Ordering::Relaxed))),
        });
        let mut tasks = JoinSet::new();
        for index in 0..WRITERS {
            let random = Random::seeded(index + 1);
            let writer = Writer { shared: Arc::clone(&shared), index, random, writes: writes.to_vec() };
            tasks.spawn(writer.work());
        }
        Self { shared, tasks }
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

    /// Fails where a writer has failed.
    ///
    /// # Panics
    /// With what happened to it.
    pub fn assert_well(&self) {
        let failures = self.shared.failures.lock().unwrap();
        assert!(failures.is_empty(), "the application failed:\n  {}", failures.join("\n  "));
    }

    /// Stops the writers between two transactions; the slowest transaction is returned.
    ///
    /// # Panics
    /// Where a writer has failed.
    pub async fn stop(mut self) -> Duration {
        self.shared.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.assert_well();
        Duration::from_micros(self.shared.slowest_micros.load(Ordering::Relaxed))
    }
}

impl Writer {
    async fn work(mut self) {
        while !self.shared.stop.is_cancelled() {
            let Err(error) = self.session().await else { return };
            let expected = error.is_closed() || error.code().is_some_and(|code| code.code().starts_with("57P"));
            if self.shared.disconnects == Disconnects::Fail || !(expected || error.as_db_error().is_none()) {
                self.shared.failures.lock().unwrap().push(describe(&error));
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Writes over one connection until it is lost or the work ends.
    async fn session(&mut self) -> Result<(), tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.shared.url, tokio_postgres::NoTls).await?;
        let driver = tokio::spawn(connection);
        let result = self.transactions(&client).await;
        drop(client);
        driver.await.ok();
        result
    }

    async fn transactions(&mut self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let prepared = self.index % 2 == 1;
        if prepared {
            for (number, write) in self.writes.iter().enumerate() {
                client.batch_execute(&format!("PREPARE w{number} AS {}", parameters(&write.live))).await?;
            }
        }
        while !self.shared.stop.is_cancelled() {
            let begun = Instant::now();
            self.transaction(client, prepared).await?;
            let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.shared.slowest_micros.fetch_max(took, Ordering::Relaxed);
            self.shared.transactions.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// One to three statements, in one batch or one by one, mostly committed.
    async fn transaction(&mut self, client: &Client, prepared: bool) -> Result<(), tokio_postgres::Error> {
        let count = 1 + self.random.below(3);
        let bound: Vec<Bound> = (0..count).map(|_| self.bind(prepared)).collect();
        let end = if self.random.below(8) == 0 { "ROLLBACK" } else { "COMMIT" };
        if self.random.below(2) == 0 && bound.iter().all(|write| !write.returns) {
            let live: Vec<&str> = bound.iter().map(|write| write.live.as_str()).collect();
            let mirror: Vec<&str> = bound.iter().map(|write| write.mirror.as_str()).collect();
            let (live, mirror) = (live.join("; "), mirror.join("; "));
            return client
                .batch_execute(&format!("BEGIN; {live}; SET LOCAL search_path = mirror; {mirror}; {end}"))
                .await;
        }
        client.batch_execute("BEGIN").await?;
        let mut mirrored = Vec::new();
        for write in bound {
            let messages = client.simple_query(&write.live).await?;
            let last = messages.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            mirrored.push(write.mirror.replace("{last}", last.unwrap_or("NULL")));
        }
        client.batch_execute(&format!("SET LOCAL search_path = mirror; {}", mirrored.join("; "))).await?;
        client.batch_execute(end).await
    }

    fn bind(&mut self, prepared: bool) -> Bound {
        let number = usize::try_from(self.random.below(self.writes.len() as u64)).unwrap_or(0);
        let own = |value: u64| value - value % WRITERS + self.index;
        let key = own(WRITERS + self.random.below(self.shared.keys - WRITERS));
        let fresh = own(self.shared.fresh.fetch_add(1, Ordering::Relaxed) * WRITERS);
        let any = self.random.below(1 << 31);
        let values = [("{k}", key), ("{n}", fresh), ("{r}", any)];
        let fill = |template: &str| {
            values.iter().fold(template.to_owned(), |sql, (name, value)| sql.replace(name, &value.to_string()))
        };
        let write = &self.writes[number];
        let live = if prepared { execute(number, &write.live, &values) } else { fill(&write.live) };
        Bound { live, mirror: fill(&write.mirror), returns: write.mirror.contains("{last}") }
    }
}

/// Placeholders in the order in which they first appear.
fn used<'a>(template: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut used: Vec<(usize, &str)> = names.filter_map(|name| Some((template.find(name)?, name))).collect();
    used.sort_unstable();
    used.into_iter().map(|(_, name)| name).collect()
}

/// The template with `$1`, `$2` … in the placeholders' stead.
fn parameters(template: &str) -> String {
    let names = used(template, ["{k}", "{n}", "{r}"].into_iter());
    let numbered = names.iter().enumerate();
    numbered.fold(template.to_owned(), |sql, (at, name)| sql.replace(name, &format!("${}", at + 1)))
}

fn execute(number: usize, template: &str, values: &[(&str, u64)]) -> String {
    let names = used(template, values.iter().map(|(name, _)| *name));
    let arguments: Vec<String> = names
        .iter()
        .filter_map(|name| values.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_string()))
        .collect();
    if arguments.is_empty() {
        format!("EXECUTE w{number}")
    } else {
        format!("EXECUTE w{number}({})", arguments.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_parameters_as_they_appear() {
        let template = "UPDATE t SET c = {r}::int, d = {r}::int WHERE id = {k}";
        assert_eq!(parameters(template), "UPDATE t SET c = $1::int, d = $1::int WHERE id = $2");
        assert_eq!(execute(3, template, &[("{k}", 7), ("{n}", 8), ("{r}", 9)]), "EXECUTE w3(9, 7)");
    }
}
