//! Looking after the server while lanes work: a connection of its own reads how it is, once a second.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior};

use super::Job;
use crate::driver::mysql::Session;
use crate::error::Error;
use crate::event::Event;
use crate::throttle::{Advice, Controller, Herald, Pressure};

mod signals;

use signals::Signals;

/// Between two readings.
const READ_EVERY: Duration = Duration::from_secs(1);
/// A reading that takes longer is given up, with its connection: the way to the server may be broken. Its statements are ended
/// by the server long before.
const READ_WITHIN: Duration = Duration::from_secs(20);
/// Between two looks of a lane that waits.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What lanes ask before their next chunk.
#[derive(Debug)]
pub(super) struct Health {
    began: Instant,
    controller: Mutex<Controller>,
    /// Connections of lanes.
    ours: Mutex<Vec<u64>>,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), controller: Mutex::default(), ours: Mutex::default() }
    }

    /// A connection of ours: its work is no load of the application's, and whoever waits for it waits for us.
    pub(super) fn know(&self, session: &Session) {
        held(&self.ours).push(session.id());
    }

    /// How long a chunk is to take, of the time that it may.
    pub(super) fn chunk(&self, most: Duration) -> Duration {
        most.mul_f64(held(&self.controller).chunk())
    }

    fn ours(&self) -> Vec<u64> {
        held(&self.ours).clone()
    }

    fn advice(&self) -> Advice {
        held(&self.controller).advice(self.began.elapsed())
    }
}

/// Nothing that is done under these locks can panic.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Job {
    /// Rests for as long as the server's health asks for, after a chunk that has taken so long; returns how long that was.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(super) async fn heed(&self, took: Duration) -> Result<Duration, Error> {
        let began = Instant::now();
        loop {
            let rest = match self.health.advice() {
                Advice::Go | Advice::Shorter { .. } => Duration::ZERO,
                Advice::Slow { times, .. } => took.mul_f64(times).saturating_sub(began.elapsed()),
                Advice::Stop { .. } => LOOK_EVERY,
            };
            if rest.is_zero() {
                return Ok(began.elapsed());
            }
            // A long rest ends early when the server comes to rest.
            self.pause(rest.min(LOOK_EVERY)).await?;
        }
    }
}

/// Reads and says, until it is dropped.
pub(super) async fn watch(job: &Job) -> Infallible {
    let mut signals = Signals::new(&job.settings.health);
    let mut session: Option<Session> = None;
    let mut voice = Voice { herald: Herald::default(), ticks: tokio::time::interval(READ_EVERY) };
    voice.ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        voice.ticks.tick().await;
        let read = voice.while_it_lasts(job, read(job, &mut signals, &mut session)).await;
        match read {
            Ok(readings) => held(&job.health.controller).learn(job.health.began.elapsed(), readings),
            // Without readings the lanes slow down by themselves.
            Err(why) => {
                held(&job.health.controller).fail(why);
                session = session.filter(|session| !session.is_closed());
            }
        }
        voice.say(job);
    }
}

async fn read(job: &Job, signals: &mut Signals, kept: &mut Option<Session>) -> Result<Vec<Pressure>, Error> {
    let session = match kept {
        Some(session) => session,
        None => kept.insert(signals::connect(job, signals).await?),
    };
    signals.read(job, session).await
}

/// Tells of the controller's advice.
struct Voice {
    herald: Herald,
    ticks: Interval,
}

impl Voice {
    /// Waits for a reading, and does not fall silent meanwhile.
    async fn while_it_lasts(
        &mut self,
        job: &Job,
        reading: impl Future<Output = Result<Vec<Pressure>, Error>>,
    ) -> Result<Vec<Pressure>, String> {
        let reading = tokio::time::timeout(READ_WITHIN, reading);
        tokio::pin!(reading);
        loop {
            tokio::select! {
                read = &mut reading => return match read {
                    Ok(read) => read.map_err(|error| error.to_string()),
                    Err(_) => Err(format!("no answer within {} s", READ_WITHIN.as_secs())),
                },
                _ = self.ticks.tick() => self.say(job),
            }
        }
    }

    fn say(&mut self, job: &Job) {
        let advice = job.health.advice();
        job.progress.rests(match &advice {
            Advice::Go => None,
            Advice::Shorter { because } | Advice::Slow { because, .. } | Advice::Stop { because } => {
                Some(because.clone())
            }
        });
        if let Some(because) = self.herald.hear(job.health.began.elapsed(), &advice) {
            job.events.emit(Event::FillWaiting { because });
        }
    }
}
