//! One whole change by the engine, and where its time goes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, bail};
use shoofly_engine::driver::Target;
use shoofly_engine::plan::{Direction, Hazard, PhaseKind};
use shoofly_engine::run::Outcome;
use shoofly_engine::settings::FillSettings;
use shoofly_engine::sql::Dialect;
use shoofly_engine::{Engine, Event, Events, Settings, source};
use shoofly_sandbox::Server;
use tokio_util::sync::CancellationToken;

use super::{CLAUSE, table};
use crate::{LONGEST, figures};

/// Parts of a change, in order.
const PARTS: [&str; 7] = ["plan", "make", "copy", "indexes", "compare", "compare again", "swap and clean"];

/// Seconds that each part of a change took. They are all there is: their sum is the change's wall time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Took([f64; PARTS.len()]);

/// A whole change.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) took: Took,
    pub(super) locks: Vec<Lock>,
    /// When each step began.
    pub(super) steps: Vec<(Instant, String)>,
}

/// A lock of ours in the application's way, from the moment it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    pub(super) time: (Instant, Instant),
    pub(super) step: String,
}

/// When parts began.
type Marks = Arc<Mutex<Vec<(usize, Instant)>>>;

impl Took {
    fn between(marks: &[(usize, Instant)], end: Instant) -> Self {
        let mut seconds = [0.0; PARTS.len()];
        let ends = marks.iter().skip(1).map(|(_, at)| *at).chain([end]);
        for ((part, began), ended) in marks.iter().zip(ends) {
            seconds[*part] += ended.duration_since(*began).as_secs_f64();
        }
        Self(seconds)
    }

    /// Wall time from the beginning of `start` to the end of `complete`.
    pub(super) fn total(&self) -> f64 {
        self.0.iter().sum()
    }

    /// Part by part.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static str, f64)> {
        PARTS.into_iter().zip(self.0)
    }

    /// Of each part on its own.
    pub(super) fn median(many: &[Self]) -> Self {
        Self(std::array::from_fn(|part| figures::median(many.iter().map(|took| took.0[part]))))
    }
}

/// Runs the change from `start` to the end of `complete`.
pub(super) async fn run(server: &Server, settings: FillSettings) -> anyhow::Result<Made> {
    let migration = source::parse_statement(Dialect::MySql, &format!("ALTER TABLE bench {CLAUSE}"))?;
    let mut all = Settings { fill: settings, ..Settings::default() };
    all.accept.extend(Hazard::ALL);
    let marks = Marks::default();
    let heard = Arc::clone(&marks);
    let locks: Arc<Mutex<Vec<Lock>>> = Arc::default();
    let steps: Arc<Mutex<Vec<(Instant, String)>>> = Arc::default();
    let (locked, begun) = (Arc::clone(&locks), Arc::clone(&steps));
    let events = Events::to(move |event| match event {
        Event::PhaseBegan { phase } => mark(&heard, part(phase)),
        Event::StepBegan { step, .. } => {
            begun.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), step.0));
        }
        Event::LockReleased { total: held, step, .. } | Event::LockMissed { asked: held, step } => {
            let to = Instant::now();
            let time = (to.checked_sub(held).unwrap_or(to), to);
            locked.lock().unwrap_or_else(PoisonError::into_inner).push(Lock { time, step: step.0 });
        }
        _ => {}
    });
    let engine = Engine::new(Target::parse(&server.socket_url(table::NAME))?, all, events, CancellationToken::new());
    let whole = async {
        mark(&marks, 0);
        let started = engine.start(&migration, Direction::Up).await?;
        mark(&marks, 5);
        // As `alter` does it.
        anyhow::Ok([started, engine.clone().at_once().complete(None).await?])
    };
    let done = tokio::time::timeout(LONGEST, whole).await.context("the change takes longer than 15 minutes")??;
    let ended = Instant::now();
    if done.contains(&Outcome::AlreadyDone) {
        bail!("the change had been made before");
    }
    let took = Took::between(&marks.lock().unwrap_or_else(PoisonError::into_inner), ended);
    let locks = locks.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let steps = steps.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Made { took, locks, steps })
}

/// The place among [`PARTS`].
fn part(phase: PhaseKind) -> usize {
    match phase {
        PhaseKind::Expand => 1,
        PhaseKind::Backfill => 2,
        PhaseKind::Build => 3,
        PhaseKind::Verify => 4,
        PhaseKind::Contract => 6,
    }
}

fn mark(marks: &Marks, part: usize) {
    marks.lock().unwrap_or_else(PoisonError::into_inner).push((part, Instant::now()));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn parts_add_up() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let took = Took::between(&[(0, at(0)), (2, at(1)), (6, at(4))], at(9));
        assert_eq!(took.0, [1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 5.0]);
        assert_eq!((took.total(), Took::median(&[took]).0), (9.0, took.0));
    }
}
