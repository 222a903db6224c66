//! On a terminal: finished steps scroll up, the one under way moves at the bottom.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use shoofly_engine::Event;
use shoofly_engine::plan::StepId;

use super::line;
use crate::output::Reader;
use crate::output::text::{self, Paint};

/// Redraws per second.
const FRAMES: u8 = 10;

/// A moving line at the bottom of the terminal.
pub(in crate::output) struct Live {
    screen: MultiProgress,
    paint: Paint,
    under_way: Option<UnderWay>,
    /// The last line of all.
    footer: Option<ProgressBar>,
    /// Lines below the moving one: who is in the way.
    below: Vec<ProgressBar>,
    /// The migration whose name was printed last.
    named: String,
    /// How long each step's conflicting locks were held, for the step's last line.
    locked: BTreeMap<StepId, Duration>,
}

struct UnderWay {
    bar: ProgressBar,
    title: String,
    began: Instant,
}

impl Live {
    /// On stderr.
    pub(in crate::output) fn new() -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(FRAMES));
        Self {
            screen,
            paint: Paint::for_stderr(),
            under_way: None,
            footer: None,
            named: String::new(),
            below: Vec::new(),
            locked: BTreeMap::new(),
        }
    }

    fn print(&self, line: impl AsRef<str>) {
        // Fails only where the terminal is gone, and then nobody reads it.
        self.screen.println(line).ok();
    }

    fn began(&mut self, title: String) {
        self.end();
        let bar = self.add();
        bar.set_style(style("  {spinner} {wide_msg}"));
        bar.set_message(line::under_way(self.paint, &title, Duration::ZERO));
        self.under_way = Some(UnderWay { bar, title, began: Instant::now() });
    }

    /// The step under way is done: whatever comes next says so.
    fn over(&mut self) {
        if let Some(under_way) = &self.under_way {
            let (title, took) = (under_way.title.clone(), under_way.began.elapsed());
            self.end();
            self.print(line::done(self.paint, &title, Some(took), None));
        }
    }

    fn end(&mut self) {
        self.clear_below();
        if let Some(under_way) = self.under_way.take() {
            under_way.bar.finish_and_clear();
            self.screen.remove(&under_way.bar);
        }
    }

    /// Puts a bar above the footer.
    fn add(&self) -> ProgressBar {
        let bar = ProgressBar::new_spinner();
        match &self.footer {
            Some(footer) => self.screen.insert_before(footer, bar),
            None => self.screen.add(bar),
        }
    }

    fn clear_below(&mut self) {
        for bar in self.below.drain(..) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
    }

    /// Shows these lines below the step.
    fn say(&mut self, lines: &[String]) {
        while self.below.len() > lines.len() {
            if let Some(bar) = self.below.pop() {
                bar.finish_and_clear();
                self.screen.remove(&bar);
            }
        }
        while self.below.len() < lines.len() {
            let bar = self.add();
            bar.set_style(style("                 {wide_msg}"));
            self.below.push(bar);
        }
        for (at, (bar, line)) in self.below.iter().zip(lines).enumerate() {
            bar.set_message(if at == 0 { self.paint.yellow(line) } else { self.paint.dim(line) });
        }
    }

    fn bar(&mut self, done: u64, total: u64, message: String) {
        self.clear_below();
        let Some(under_way) = &self.under_way else { return };
        if under_way.bar.length() != Some(total) {
            under_way.bar.set_length(total);
            let template = "  {spinner} {prefix}\n                 {bar:24.green/dim} {wide_msg}";
            under_way.bar.set_style(style(template).progress_chars("━╸─"));
            under_way.bar.set_prefix(line::under_way(self.paint, &under_way.title, under_way.began.elapsed()));
        }
        under_way.bar.set_position(done.min(total));
        under_way.bar.set_message(message);
    }

    fn step_done(&mut self, step: &StepId, title: &str, took: Option<Duration>) {
        self.end();
        let locked = self.locked.remove(step);
        self.print(line::done(self.paint, title, took, locked));
    }
}

impl Reader for Live {
    fn event(&mut self, event: Event) {
        match event {
            Event::RunBegan { migration, resumed, .. } => {
                if self.named != migration {
                    self.print(line::run(self.paint, &migration, resumed));
                    self.named = migration;
                }
            }
            Event::PhaseBegan { phase } => {
                self.over();
                self.print(line::phase(self.paint, phase));
            }
            Event::StepBegan { title, .. } => {
                self.over();
                self.began(title);
            }
            Event::StepDone { step, title, took } => self.step_done(&step, &title, took),
            Event::LockWaiting { table, mode, blockers, waited, .. } => {
                self.say(&line::waiting(&table.display(), mode, waited, &blockers));
            }
            Event::SessionEnded { blocker, .. } => self.remark(&line::ended(&blocker)),
            Event::LockMissed { asked, .. } => self.say(&[line::missed(asked)]),
            Event::LockReleased { step, total, .. } => {
                let longest = self.locked.entry(step).or_default();
                *longest = total.max(*longest);
            }
            Event::FillProgress(progress) => {
                self.bar(progress.blocks_done, progress.blocks_total, line::fill(&progress));
                // The bar has cleared what stood below.
                self.say(progress.because.as_slice());
            }
            Event::FillWaiting { because } => self.say(&[because]),
            Event::CheckProgress { claim, blocks_done, blocks_total } => {
                if self.under_way.is_none() {
                    self.began(line::PROOF.to_owned());
                }
                let message = format!("{:.1} %   {claim}", text::percent(blocks_done, blocks_total));
                self.bar(blocks_done, blocks_total, message);
            }
            Event::Proved { claim } => {
                let mark = self.paint.green("✓");
                self.print(format!("  {mark}              {}", self.paint.dim(&claim)));
            }
            Event::Notice { text } => self.remark(&text),
            Event::Ready => {
                self.over();
                self.print(line::ready(self.paint));
            }
            Event::RunEnded { .. } => self.over(),
        }
    }

    fn line(&mut self, text: &str) {
        self.print(text);
    }

    fn remark(&mut self, text: &str) {
        self.print(format!("  {} {text}", self.paint.yellow("·")));
    }

    fn footer(&mut self, text: &str) {
        if self.footer.is_none() {
            let bar = self.screen.add(ProgressBar::new_spinner());
            bar.set_style(style("  {wide_msg}"));
            self.footer = Some(bar);
        }
        if let Some(bar) = &self.footer {
            bar.set_message(self.paint.dim(text));
        }
    }

    fn tick(&mut self) {
        let Some(under_way) = &self.under_way else { return };
        let text = line::under_way(self.paint, &under_way.title, under_way.began.elapsed());
        if under_way.bar.length().is_none() {
            under_way.bar.set_message(text);
        } else {
            under_way.bar.set_prefix(text);
        }
        under_way.bar.tick();
    }

    fn finish(&mut self) {
        if let Some(under_way) = &self.under_way {
            let title = under_way.title.clone();
            self.end();
            self.print(line::unfinished(self.paint, &title));
        }
        if let Some(bar) = self.footer.take() {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are literals of this file; a wrong one would show at once.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}
