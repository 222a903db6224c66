//! Who shares the application's server or machine, and has nothing to do with the table that is changed. What stops those two
//! as well is not the change's lock.

use std::thread;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::session::{Protocol, Session, Slow};
use super::{My, MyDatabase};

/// A round trip, or a nap's excess, that counts as a stall.
const STALL: Duration = Duration::from_millis(10);
/// Between two looks.
const NAP: Duration = Duration::from_millis(1);

/// When one of them was stopped: one after the other.
#[derive(Debug, Clone, Default)]
pub struct Stalls(Vec<(Instant, Instant)>);

impl Stalls {
    fn note(&mut self, begun: Instant, usual: Duration) {
        let ended = Instant::now();
        if ended - begun > usual + STALL {
            self.0.push((begun, ended));
        }
    }

    /// What remains of a statement's time without what was a stall here too.
    #[must_use]
    pub fn without(&self, slow: &Slow) -> Duration {
        let ended = slow.begun + slow.took;
        let shared = |&(from, to): &(Instant, Instant)| to.min(ended).saturating_duration_since(from.max(slow.begun));
        slow.took.saturating_sub(self.0.iter().map(shared).sum())
    }
}

/// The two at work.
#[derive(Debug)]
pub struct Witnesses {
    stop: CancellationToken,
    machine: thread::JoinHandle<Stalls>,
    bystander: JoinHandle<Stalls>,
    database: MyDatabase,
}

impl Witnesses {
    /// A thread that only sleeps, and a session that writes to a table in a database of its own.
    pub async fn start(my: &My) -> Self {
        let stop = CancellationToken::new();
        let database = MyDatabase::create(my, "bystander").await;
        database.run("CREATE TABLE b (id int PRIMARY KEY, n int NOT NULL); INSERT INTO b VALUES (1, 0)").await;
        let machine = thread::spawn({
            let stop = stop.clone();
            move || sleep(&stop)
        });
        let bystander = tokio::spawn(write(database.url(), stop.clone()));
        Self { stop, machine, bystander, database }
    }

    /// When the machine stood still, and when the bystander's statements took long.
    ///
    /// # Panics
    /// Where one of them has failed.
    pub async fn stop(self) -> (Stalls, Stalls) {
        self.stop.cancel();
        let bystander = self.bystander.await.unwrap();
        let machine = self.machine.join().unwrap();
        self.database.drop().await;
        (machine, bystander)
    }
}

fn sleep(stop: &CancellationToken) -> Stalls {
    let mut stalls = Stalls::default();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        thread::sleep(NAP);
        stalls.note(begun, NAP);
    }
    stalls
}

async fn write(url: String, stop: CancellationToken) -> Stalls {
    let mut session = Session::open(&url, Protocol::Text).await.unwrap();
    let mut stalls = Stalls::default();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        session.command("UPDATE b SET n = n + 1 WHERE id = 1").await.unwrap();
        stalls.note(begun, Duration::ZERO);
        tokio::time::sleep(NAP).await;
    }
    session.close().await;
    stalls
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_a_statement_has_for_itself() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let stalls = Stalls(vec![(at(0), at(30)), (at(50), at(60)), (at(90), at(200))]);
        let slow = Slow { begun: at(20), took: Duration::from_millis(80), statement: String::new() };
        assert_eq!(stalls.without(&slow), Duration::from_millis(80 - 10 - 10 - 10));
        assert_eq!(Stalls::default().without(&slow), slow.took);
    }
}
