//! What is said of all this: each pause with its reason, and nothing so often that nobody reads it.

use std::time::Duration;

use super::Advice;

/// Between two words about the same pause; and between two changes of which neither is a pause.
const EVERY: Duration = Duration::from_secs(10);
/// Between two words about the same lesser pace.
const SELDOM: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Go,
    Shorter,
    Slow,
    Stop,
}

/// Remembers what was said last.
#[derive(Debug, Clone)]
pub struct Herald {
    kind: Kind,
    said: Option<Duration>,
    stopped: Duration,
}

impl Default for Herald {
    fn default() -> Self {
        Self { kind: Kind::Go, said: None, stopped: Duration::ZERO }
    }
}

impl Herald {
    /// What is to be said of this advice at `now`, which counts from when the controller began.
    pub fn hear(&mut self, now: Duration, advice: &Advice) -> Option<String> {
        let (kind, text) = match advice {
            Advice::Go => (Kind::Go, "the server has come to rest: on with it".to_owned()),
            Advice::Shorter { because } => (Kind::Shorter, format!("shorter chunks: {because}")),
            Advice::Slow { because, .. } => (Kind::Slow, format!("slower: {because}")),
            Advice::Stop { because } => (Kind::Stop, format!("paused: {because}")),
        };
        let long = |least: Duration| self.said.is_none_or(|said| now.saturating_sub(said) >= least);
        let is_due = match (self.kind, kind) {
            (Kind::Go, Kind::Go) => false,
            (Kind::Stop, Kind::Stop) => long(EVERY),
            (Kind::Stop, _) | (_, Kind::Stop) => true,
            (before, after) if before == after => long(SELDOM),
            _ => long(EVERY),
        };
        if !is_due {
            return None;
        }
        let text = match (self.kind, kind) {
            (Kind::Stop, Kind::Stop) => {
                let so_far = now.saturating_sub(self.stopped).as_secs();
                format!("{text} (for {so_far} s so far)")
            }
            _ => text,
        };
        if self.kind != Kind::Stop {
            self.stopped = now;
        }
        (self.kind, self.said) = (kind, Some(now));
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(advices: &[(u64, Advice)]) -> Vec<(u64, String)> {
        let mut herald = Herald::default();
        let said = advices
            .iter()
            .filter_map(|(second, advice)| Some((*second, herald.hear(Duration::from_secs(*second), advice)?)));
        said.collect()
    }

    fn stop() -> Advice {
        Advice::Stop { because: "busy".to_owned() }
    }

    fn slow() -> Advice {
        Advice::Slow { times: 1.0, because: "busy".to_owned() }
    }

    #[test]
    fn a_pause_is_said_at_once_and_now_and_then_and_its_end() {
        let mut advices: Vec<(u64, Advice)> = (1..25).map(|second| (second, stop())).collect();
        advices.extend([(25, Advice::Go), (26, Advice::Go)]);
        let said = heard(&advices);
        let seconds: Vec<u64> = said.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [1, 11, 21, 25]);
        assert_eq!(said[1].1, "paused: busy (for 10 s so far)");
        assert_eq!(said[2].1, "paused: busy (for 20 s so far)");
    }

    #[test]
    fn who_is_now_slower_and_now_not_does_not_say_so_each_time() {
        let flapping: Vec<(u64, Advice)> =
            (1..=60).map(|second| (second, if second % 2 == 0 { Advice::Go } else { slow() })).collect();
        assert!(heard(&flapping).len() <= 6);
        assert_eq!(heard(&[(1, Advice::Go)]), []);
    }
}
