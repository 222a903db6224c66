//! When the machine stood still: threads that only sleep are told late.
//!
//! On a machine whose processors others have a share in, whoever measures the longest time of anything measures that share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// What a nap or a round trip takes beyond the usual to count as a stall.
const STALL: Duration = Duration::from_millis(10);
/// Between two looks.
pub const NAP: Duration = Duration::from_millis(1);

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

/// A thread for each of this process's processors that sleeps and looks at the clock.
#[derive(Debug)]
pub struct Sleepers {
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<Vec<(Instant, Instant)>>>,
}

impl Sleepers {
    /// Lets them begin.
    ///
    /// # Errors
    /// Where the system does not say which processors there are.
    pub fn start() -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let ours = sched_getaffinity(None)?;
        let processors = (0..CpuSet::MAX_CPU).filter(|processor| ours.is_set(*processor));
        let sleep_on = |processor| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || sleep(processor, &stop))
        };
        Ok(Self { threads: processors.map(sleep_on).collect(), stop })
    }

    /// When one of them stood still.
    #[must_use]
    pub fn stop(self) -> Vec<(Instant, Instant)> {
        self.stop.store(true, Ordering::Relaxed);
        // Who has panicked has seen nothing.
        self.threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    }
}

/// Looks whether the processor is there: another machine may have it.
fn sleep(processor: usize, stop: &AtomicBool) -> Vec<(Instant, Instant)> {
    let mut only = CpuSet::new();
    only.set(processor);
    let mut stalls = Vec::new();
    // On another processor than its own it would witness for that one.
    if sched_setaffinity(None, &only).is_err() {
        return stalls;
    }
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        thread::sleep(NAP);
        note(&mut stalls, begun, NAP);
    }
    stalls
}

/// Notes what began then and ends now, if it took much longer than usual.
pub fn note(stalls: &mut Vec<(Instant, Instant)>, begun: Instant, usual: Duration) {
    let ended = Instant::now();
    if ended.duration_since(begun) > usual + STALL {
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
