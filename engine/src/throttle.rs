//! How much a fill may take of a server, from what the server says of itself. Pure: readings go in, advice comes out.
//!
//! Each signal has a limit. Below [`CALM`] of it nobody is slowed down; from there to the limit, rests between chunks grow; at the
//! limit no further chunk begins until the server has been calm for [`CALM_READINGS`], or below every limit for
//! [`BELOW_READINGS`]. Whoever waits for our rows makes chunks shorter. A server that does not answer any more is not taken for a
//! healthy one.

use std::time::Duration;

mod herald;
mod history;
mod locks;
mod row_waits;
mod sessions;

pub use herald::Herald;
pub use history::History;
pub use locks::PendingLocks;
pub use row_waits::RowWaits;
pub use sessions::Sessions;

/// Share of a limit up to which there is nothing to do.
pub const CALM: f64 = 0.7;
/// Calm readings in a row after which a fill that was stopped goes on.
pub const CALM_READINGS: u32 = 2;
/// Readings in a row below every limit after which it goes on as well, slowly: a server may never be calmer than that.
pub const BELOW_READINGS: u32 = 10;
/// Without a reading for so long, a fill is slowed down.
pub const STALE: Duration = Duration::from_secs(4);
/// Without a reading for so long, it is stopped.
pub const BLIND: Duration = Duration::from_secs(30);
/// Rest after a chunk just below a limit, in times that the chunk has taken.
const MOST_REST: f64 = 4.0;
/// Chunks become no shorter than this share of what they should take.
const LEAST_CHUNK: f64 = 0.125;
/// By so much they grow again with each reading in which nobody waits for us.
const GROWTH: f64 = 1.25;

/// What helps against a pressure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// To do less.
    Rest,
    /// To hold less at a time; and to do less, where it is near its limit.
    ShorterChunks,
}

/// One signal at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Pressure {
    /// Value over limit: 1 and more stops.
    pub share: f64,
    /// What was read, in words: `60 sessions run at once; the limit is 50`.
    pub words: String,
    /// What helps.
    pub cure: Cure,
}

/// What a lane is to do before its next chunk.
#[derive(Debug, Clone, PartialEq)]
pub enum Advice {
    /// Nothing.
    Go,
    /// Make chunks shorter: see [`Controller::chunk`].
    Shorter {
        /// Why.
        because: String,
    },
    /// Rest for so many times as long as the last chunk took.
    Slow {
        /// So many times.
        times: f64,
        /// Why.
        because: String,
    },
    /// Begin none until told otherwise.
    Stop {
        /// Why.
        because: String,
    },
}

/// All signals of one server together. Moments are times since the controller began.
#[derive(Debug, Clone)]
pub struct Controller {
    read: Duration,
    /// Why the last try to read has failed.
    trouble: Option<String>,
    worst: Option<Pressure>,
    stopped: bool,
    /// Readings in a row that were calm, and that were below every limit.
    calm: u32,
    below: u32,
    /// Share of the time that a chunk should take, and why it is not 1.
    chunk: f64,
    waited: String,
}

impl Default for Controller {
    fn default() -> Self {
        Self {
            read: Duration::ZERO,
            trouble: None,
            worst: None,
            stopped: false,
            calm: 0,
            below: 0,
            chunk: 1.0,
            waited: String::new(),
        }
    }
}

impl Controller {
    /// Takes what all signals that can be read have said at `now`.
    pub fn learn(&mut self, now: Duration, readings: Vec<Pressure>) {
        (self.read, self.trouble) = (now, None);
        match readings.iter().find(|one| one.cure == Cure::ShorterChunks && one.share > 0.0) {
            Some(waits) => {
                self.chunk = (self.chunk / 2.0).max(LEAST_CHUNK);
                self.waited.clone_from(&waits.words);
            }
            None => self.chunk = (self.chunk * GROWTH).min(1.0),
        }
        self.worst = readings.into_iter().max_by(|a, b| a.share.total_cmp(&b.share));
        let share = self.share();
        self.calm = if share < CALM { self.calm.saturating_add(1) } else { 0 };
        self.below = if share < 1.0 { self.below.saturating_add(1) } else { 0 };
        if share >= 1.0 {
            self.stopped = true;
        } else if self.calm >= CALM_READINGS || self.below >= BELOW_READINGS {
            self.stopped = false;
        }
    }

    /// Nothing could be read, and why.
    pub fn fail(&mut self, why: String) {
        self.trouble = Some(why);
    }

    /// What to do at `now`.
    #[must_use]
    pub fn advice(&self, now: Duration) -> Advice {
        let silent = now.saturating_sub(self.read);
        if silent >= BLIND {
            return Advice::Stop { because: self.blind(silent) };
        }
        let (share, words) = (self.share(), self.worst.as_ref().map_or("", |worst| worst.words.as_str()));
        if self.stopped {
            let because = match share {
                calm if calm < CALM => "the server has only just come to rest".to_owned(),
                below if below < 1.0 => format!("the server has hardly come to rest: {words}"),
                _ => words.to_owned(),
            };
            return Advice::Stop { because };
        }
        if silent >= STALE {
            return Advice::Slow { times: MOST_REST, because: self.blind(silent) };
        }
        if share >= CALM {
            return Advice::Slow { times: (share - CALM) / (1.0 - CALM) * MOST_REST, because: words.to_owned() };
        }
        if self.chunk < 1.0 { Advice::Shorter { because: self.waited.clone() } } else { Advice::Go }
    }

    /// Share of the time that a chunk should take.
    #[must_use]
    pub fn chunk(&self) -> f64 {
        self.chunk
    }

    fn share(&self) -> f64 {
        self.worst.as_ref().map_or(0.0, |worst| worst.share)
    }

    fn blind(&self, silent: Duration) -> String {
        let why = self.trouble.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("how the server is could not be read for {} s{why}", silent.as_secs())
    }
}

#[cfg(test)]
mod tests;
