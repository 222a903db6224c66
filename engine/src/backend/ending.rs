//! Sessions of others that stand in the way of a lock, and that the operator lets us end.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::{Blocker, DbError};
use crate::event::{Event, Events};
use crate::plan::StepId;
use crate::settings::{EndBlockers, LockSettings};

/// How connections of ours begin to call themselves.
const OURS: &str = "shoofly";

/// What has been ended for one lock.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    allowed: Option<EndBlockers>,
    step: &'a StepId,
    events: &'a Events,
    tried: BTreeSet<i32>,
    ended: u32,
    /// What was said already.
    said: BTreeSet<String>,
}

impl<'a> Ending<'a> {
    pub(super) fn of(settings: &LockSettings, step: &'a StepId, events: &'a Events) -> Self {
        Self { allowed: settings.end, step, events, tried: BTreeSet::new(), ended: 0, said: BTreeSet::new() }
    }

    /// How old a transaction must be; nothing where nobody is ended.
    pub(super) fn after(&self) -> Option<Duration> {
        self.allowed.map(|allowed| allowed.after)
    }

    /// The next one of those in the way: of somebody's application, old enough, and not one too many.
    pub(super) fn next<'b>(&mut self, in_the_way: &'b [Blocker]) -> Option<&'b Blocker> {
        let allowed = self.allowed?;
        let due = in_the_way.iter().find(|blocker| self.is_due(blocker, allowed))?;
        if self.ended >= allowed.most.get() {
            self.say(format!("sessions ended for this lock: {}; no more are, and others are in the way", self.ended));
            return None;
        }
        self.tried.insert(due.pid);
        Some(due)
    }

    /// Autovacuum, replication and prepared transactions have no user, or no process that could be ended.
    fn is_due(&self, blocker: &Blocker, allowed: EndBlockers) -> bool {
        blocker.transaction_age >= allowed.after.as_secs_f64()
            && blocker.pid > 0
            && !self.tried.contains(&blocker.pid)
            && !matches!(blocker.user.split('@').next(), None | Some("" | "system user" | "event_scheduler"))
            && !blocker.application.starts_with(OURS)
    }

    /// Says what has become of it. One that was gone by itself does not count.
    pub(super) fn done(&mut self, blocker: &Blocker, ended: Result<bool, DbError>) {
        match ended {
            Ok(true) => {
                self.ended += 1;
                metrics::counter!("shoofly_sessions_ended_total").increment(1);
                tracing::warn!(%blocker, step = %self.step, "ended a session that was in the way");
                self.events.emit(Event::SessionEnded { step: self.step.clone(), blocker: blocker.clone() });
            }
            Ok(false) => {}
            Err(error) => self.say(format!("pid {} could not be ended: {}", blocker.pid, error.message)),
        }
    }

    /// Nobody is ended for a guess.
    pub(super) fn blind(&mut self) {
        if self.allowed.is_some() {
            self.say(
                "nobody is ended: the server does not tell who holds the lock (`shoofly plan` says why)".to_owned(),
            );
        }
    }

    fn say(&mut self, text: String) {
        if self.said.insert(text.clone()) {
            self.events.emit(Event::Notice { text });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn blocker(pid: i32, user: &str, application: &str, age: f64) -> Blocker {
        Blocker {
            pid,
            user: user.to_owned(),
            application: application.to_owned(),
            state: String::new(),
            transaction_age: age,
            query: String::new(),
            holds: String::new(),
        }
    }

    #[test]
    fn only_old_sessions_of_applications_are_due_and_not_too_many() {
        let allowed = EndBlockers { after: Duration::from_secs(10), most: 2.try_into().unwrap() };
        let settings = LockSettings { end: Some(allowed), ..LockSettings::default() };
        let (step, events) = (StepId("contract.1".to_owned()), Events::ignored());
        let mut ending = Ending::of(&settings, &step, &events);
        let nobody = [
            blocker(1, "app", "web", 9.9),
            blocker(0, "app", "prepared", 99.0),
            blocker(2, "", "autovacuum worker", 99.0),
            blocker(3, "system user@", "", 99.0),
            blocker(4, "dba", "shoofly lane 1", 99.0),
        ];
        assert!(ending.next(&nobody).is_none());
        let some: Vec<Blocker> = (5..9).map(|pid| blocker(pid, "app", "web", 11.0)).collect();
        for pid in [5, 6, 7] {
            let next = ending.next(&some).unwrap().clone();
            assert_eq!(next.pid, pid, "each is tried once");
            // The second one was gone.
            ending.done(&next, Ok(pid != 6));
        }
        assert!(ending.next(&some).is_none(), "two were ended");
        assert!(Ending::of(&LockSettings::default(), &step, &events).next(&some).is_none());
    }
}
