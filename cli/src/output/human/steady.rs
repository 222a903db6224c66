//! Not on a terminal: a line when something happens, and one every ten seconds while it goes on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use shoofly_engine::Event;
use shoofly_engine::plan::StepId;

use super::line;
use crate::output::text::{self, Paint};
use crate::output::{Reader, stderr};

/// Time between two lines about the same thing.
const EVERY: Duration = Duration::from_secs(10);
/// Time between two lines that a wait is worth at once.
const SELDOM: Duration = Duration::from_secs(60);

/// Plain lines.
pub(in crate::output) struct Lines {
    paint: Paint,
    said: Instant,
    /// What the next line will say.
    waiting: Option<String>,
    /// Whether this step has been reported as waiting for a lock: the first wait is said at once.
    waited: bool,
    /// When a fill last said at once why it waits.
    paused: Option<Instant>,
    /// The migration whose name was printed last.
    named: String,
    under_way: Option<(String, Instant)>,
    locked: BTreeMap<StepId, Duration>,
}

impl Lines {
    /// On stderr.
    pub(in crate::output) fn new() -> Self {
        let paint = Paint::for_stderr();
        Self {
            paint,
            said: Instant::now(),
            waiting: None,
            waited: false,
            paused: None,
            named: String::new(),
            under_way: None,
            locked: BTreeMap::new(),
        }
    }

    fn say(&mut self, line: &str) {
        stderr(line);
        self.said = Instant::now();
        self.waiting = None;
    }

    /// The step under way is done: whatever comes next says so.
    fn over(&mut self) {
        if let Some((title, began)) = self.under_way.take() {
            self.say(&line::done(self.paint, &title, Some(began.elapsed()), None));
        }
    }

    fn later(&mut self, line: String) {
        self.waiting = Some(line);
        self.tick();
    }
}

impl Reader for Lines {
    fn event(&mut self, event: Event) {
        match event {
            Event::RunBegan { migration, resumed, .. } => {
                if self.named != migration {
                    self.say(&line::run(self.paint, &migration, resumed));
                    self.named = migration;
                }
            }
            Event::PhaseBegan { phase } => {
                self.over();
                self.say(&line::phase(self.paint, phase));
            }
            Event::StepBegan { title, .. } => {
                self.over();
                self.waited = false;
                self.later(format!("                 {title} …"));
                self.under_way = Some((title, Instant::now()));
            }
            Event::StepDone { step, title, took } => {
                self.under_way = None;
                let locked = self.locked.remove(&step);
                self.say(&line::done(self.paint, &title, took, locked));
            }
            Event::LockWaiting { table, mode, blockers, waited, .. } => {
                let lines = line::waiting(&table.display(), mode, waited, &blockers);
                let said = lines.iter().map(|line| format!("                 {line}")).collect::<Vec<_>>().join("\n");
                if std::mem::replace(&mut self.waited, true) { self.later(said) } else { self.say(&said) }
            }
            Event::SessionEnded { blocker, .. } => self.remark(&line::ended(&blocker)),
            Event::LockMissed { asked, .. } => self.later(format!("                 {}", line::missed(asked))),
            Event::LockReleased { step, total, .. } => {
                let longest = self.locked.entry(step).or_default();
                *longest = total.max(*longest);
            }
            Event::FillProgress(progress) => {
                let because = progress.because.iter().map(|because| format!("\n                 {because}"));
                self.later(format!("                 {}{}", line::fill(&progress), because.collect::<String>()));
            }
            Event::FillWaiting { because } => {
                let line = format!("                 {because}");
                // A pause is said when it begins: progress comes too often for anything else to be said later. While it lasts,
                // progress gives the reason.
                match self.paused.is_none_or(|at| at.elapsed() >= SELDOM) {
                    true => {
                        self.paused = Some(Instant::now());
                        self.say(&line);
                    }
                    false => self.later(line),
                }
            }
            Event::CheckProgress { claim, blocks_done, blocks_total } => {
                self.later(format!("                 {:.1} %   {claim}", text::percent(blocks_done, blocks_total)));
            }
            Event::Proved { claim } => self.say(&format!("  ✓              {claim}")),
            Event::Notice { text } => self.remark(&text),
            Event::Ready => {
                self.over();
                self.say(&line::ready(self.paint));
            }
            Event::RunEnded { .. } => self.over(),
        }
    }

    fn line(&mut self, text: &str) {
        self.say(text);
    }

    fn remark(&mut self, text: &str) {
        self.say(&format!("  · {text}"));
    }

    /// What changes all the time is for screens.
    fn footer(&mut self, _: &str) {}

    fn tick(&mut self) {
        if self.said.elapsed() >= EVERY
            && let Some(line) = self.waiting.take()
        {
            self.say(&line);
        }
    }

    fn finish(&mut self) {
        if let Some((title, _)) = self.under_way.take() {
            self.say(&line::unfinished(self.paint, &title));
        }
    }
}
