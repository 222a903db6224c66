//! What stops an application on a busy table's server, beside locks: who has nothing to do with that table is stopped too.

use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::session::{Protocol, Session};
use super::{My, MyDatabase};

/// What a nap or a round trip takes beyond the usual to count as a stall.
const STALL: Duration = Duration::from_millis(10);
/// Between two looks.
const NAP: Duration = Duration::from_millis(1);

/// Times, each from and to, that do not overlap and are in order.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<(Instant, Instant)>);

impl Times {
    /// All of these, which may overlap.
    #[must_use]
    pub fn new(mut times: Vec<(Instant, Instant)>) -> Self {
        times.sort_unstable();
        let mut merged: Vec<(Instant, Instant)> = Vec::new();
        for (from, to) in times {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    /// How much of these times is inside `from` and `to`.
    #[must_use]
    pub fn within(&self, from: Instant, to: Instant) -> Duration {
        self.0.iter().map(|time| time.1.min(to).saturating_duration_since(time.0.max(from))).sum()
    }

    /// What is left of these times outside of the others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        let mut left = Vec::new();
        for &(begun, to) in &self.0 {
            let mut from = begun;
            for other in others.0.iter().filter(|other| other.1 > begun && other.0 < to) {
                left.push((from, other.0.max(from)));
                from = other.1;
            }
            left.push((from, to.max(from)));
        }
        left.retain(|(from, to)| from < to);
        Self(left)
    }
}

/// A thread for each of the machine's processors that sleeps and looks at the clock, and a session that writes to a table in a
/// database of its own.
#[derive(Debug)]
pub struct Witnesses {
    stop: CancellationToken,
    sleepers: Vec<thread::JoinHandle<Vec<(Instant, Instant)>>>,
    bystander: JoinHandle<Vec<(Instant, Instant)>>,
    database: MyDatabase,
}

impl Witnesses {
    /// Lets them begin.
    ///
    /// # Panics
    /// Where there is no thread or table to be had.
    pub async fn start(my: &My) -> Self {
        let stop = CancellationToken::new();
        let database = MyDatabase::create(my, "bystander").await;
        database.run("CREATE TABLE b (id int PRIMARY KEY, n int NOT NULL); INSERT INTO b VALUES (1, 0)").await;
        let ours = sched_getaffinity(None).unwrap();
        let processors = (0..CpuSet::MAX_CPU).filter(|processor| ours.is_set(*processor));
        let sleep_on = |processor| {
            let stop = stop.clone();
            thread::spawn(move || sleep(processor, &stop))
        };
        let sleepers = processors.map(sleep_on).collect();
        let bystander = tokio::spawn(write(database.url(), stop.clone()));
        Self { stop, sleepers, bystander, database }
    }

    /// When one of them stood still.
    ///
    /// # Panics
    /// Where one of them has failed.
    pub async fn stop(self) -> Times {
        self.stop.cancel();
        let mut stalls = self.bystander.await.unwrap();
        for sleeper in self.sleepers {
            stalls.extend(sleeper.join().unwrap());
        }
        self.database.drop().await;
        Times::new(stalls)
    }
}

/// Looks whether the processor is there: another machine may have it.
fn sleep(processor: usize, stop: &CancellationToken) -> Vec<(Instant, Instant)> {
    let mut only = CpuSet::new();
    only.set(processor);
    sched_setaffinity(None, &only).unwrap();
    let mut stalls = Vec::new();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        thread::sleep(NAP);
        note(&mut stalls, begun, NAP);
    }
    stalls
}

/// Looks whether the server answers, and writes to its disk.
async fn write(url: String, stop: CancellationToken) -> Vec<(Instant, Instant)> {
    let mut session = Session::open(&url, Protocol::Text).await.unwrap();
    let mut stalls = Vec::new();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        session.command("UPDATE b SET n = n + 1 WHERE id = 1").await.unwrap();
        note(&mut stalls, begun, Duration::ZERO);
        tokio::time::sleep(NAP).await;
    }
    session.close().await;
    stalls
}

fn note(stalls: &mut Vec<(Instant, Instant)>, begun: Instant, usual: Duration) {
    let ended = Instant::now();
    if ended - begun > usual + STALL {
        stalls.push((begun, ended));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_overlap_count_once() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let times =
            Times::new(vec![(at(50), at(60)), (at(0), at(30)), (at(90), at(200)), (at(20), at(25)), (at(55), at(62))]);
        assert_eq!(times.within(at(20), at(100)), Duration::from_millis(10 + 12 + 10));
        assert_eq!(times.within(at(30), at(50)), Duration::ZERO);
        assert_eq!(Times::default().within(at(0), at(100)), Duration::ZERO);
        let locks = Times::new(vec![(at(25), at(52)), (at(61), at(70)), (at(100), at(110)), (at(199), at(205))]);
        let left = locks.without(&times);
        assert_eq!(left.0, [(at(30), at(50)), (at(62), at(70)), (at(200), at(205))]);
    }
}
