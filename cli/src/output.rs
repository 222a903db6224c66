//! The only place that prints. Results go to stdout, progress and errors to stderr.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use shoofly_engine::error::Problem;
use shoofly_engine::{Error, Event, Events, Exit};

use crate::args::{Args, Format};
use crate::settings::usage;

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod text;

/// How this call prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
}

impl Output {
    /// What the flags ask for.
    ///
    /// # Errors
    /// [`Error::Usage`] for a format that no verb prints yet.
    pub(crate) fn new(args: &Args) -> Result<Self, Error> {
        match args.format {
            Format::Human | Format::Json => Ok(Self { format: args.format, quiet: args.quiet }),
            Format::Markdown | Format::Github | Format::Sarif => Err(usage(
                "this format is for reports about files, and no such report exists yet",
                "--format",
                "",
                "use --format human or --format json",
            )),
        }
    }

    /// Whether results are for programs.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// A result: the text for people, or the value for programs.
    pub(crate) fn result(self, text: &str, value: &impl Serialize) {
        if self.is_json() { json::pretty(value) } else { stdout(text) }
    }

    /// A result of a verb that also prints events: as JSON it is one more line.
    pub(crate) fn ending(self, text: &str, value: &impl Serialize) {
        if self.is_json() { json::line(value) } else { stdout(text) }
    }

    /// A remark for people, beside the results.
    pub(crate) fn remark(self, text: &str) {
        if !self.quiet && !self.is_json() {
            stderr(text);
        }
    }

    /// Starts showing progress.
    pub(crate) fn progress(self) -> Progress {
        let reader: Box<dyn Reader> = match self.format {
            Format::Json => Box::new(json::Lines),
            _ if self.quiet => Box::new(Silent),
            _ if std::io::stderr().is_terminal() => Box::new(human::Live::new()),
            _ => Box::new(human::Lines::new()),
        };
        Progress::new(reader)
    }
}

/// Reads events and shows them.
pub(crate) trait Reader: Send {
    /// Something happened.
    fn event(&mut self, event: Event);
    /// A line of the command line itself.
    fn line(&mut self, text: &str);
    /// A remark of the command line itself.
    fn remark(&mut self, text: &str);
    /// A line that stays at the bottom and changes.
    fn footer(&mut self, text: &str);
    /// Some time passed.
    fn tick(&mut self);
    /// Nothing more will come: clear what moves.
    fn finish(&mut self);
}

/// Shows nothing.
struct Silent;

impl Reader for Silent {
    fn event(&mut self, _: Event) {}
    fn line(&mut self, _: &str) {}
    fn remark(&mut self, _: &str) {}
    fn footer(&mut self, _: &str) {}
    fn tick(&mut self) {}
    fn finish(&mut self) {}
}

enum Message {
    Event(Event),
    Line(String),
    Remark(String),
    Footer(String),
    Finish,
}

/// A thread that shows events, so that a slow or stopped terminal never holds the engine up.
pub(crate) struct Progress {
    sender: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

/// How often what moves is redrawn.
const TICK: Duration = Duration::from_millis(100);

impl Progress {
    fn new(mut reader: Box<dyn Reader>) -> Self {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            loop {
                match receiver.recv_timeout(TICK) {
                    Ok(Message::Event(event)) => reader.event(event),
                    Ok(Message::Line(text)) => reader.line(&text),
                    Ok(Message::Remark(text)) => reader.remark(&text),
                    Ok(Message::Footer(text)) => reader.footer(&text),
                    Err(RecvTimeoutError::Timeout) => reader.tick(),
                    Ok(Message::Finish) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            reader.finish();
        });
        Self { sender, thread: Some(thread) }
    }

    /// Where the engine's events go. `also` sees each one first.
    pub(crate) fn events_seen_by(&self, also: impl Fn(&Event) + Send + Sync + 'static) -> Events {
        let sender = self.sender.clone();
        Events::to(move |event| {
            also(&event);
            // The thread ends only after everybody who could send has been told to stop.
            sender.send(Message::Event(event)).ok();
        })
    }

    /// Where the engine's events go.
    pub(crate) fn events(&self) -> Events {
        self.events_seen_by(|_| ())
    }

    /// A line at the bottom that others may write.
    pub(crate) fn footer(&self) -> Footer {
        Footer(self.sender.clone())
    }

    /// A line among the progress.
    pub(crate) fn line(&self, text: impl Into<String>) {
        self.sender.send(Message::Line(text.into())).ok();
    }

    /// A remark among the progress.
    pub(crate) fn remark(&self, text: impl Into<String>) {
        self.sender.send(Message::Remark(text.into())).ok();
    }
}

/// A line at the bottom of the progress.
#[derive(Clone)]
pub(crate) struct Footer(Sender<Message>);

impl Footer {
    /// Shows this text from now on.
    pub(crate) fn show(&self, text: &str) {
        self.0.send(Message::Footer(text.to_owned())).ok();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.sender.send(Message::Finish).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// The last words of a call that failed.
pub(crate) fn error(error: &anyhow::Error, exit: Exit, format: Format) {
    let engine = error.downcast_ref::<Error>();
    // The engine's errors say what they come from; others keep it in their chain.
    let message = if engine.is_some() { error.to_string() } else { format!("{error:#}") };
    if format == Format::Json {
        json::line(&Failure {
            event: "error",
            exit: exit as u8,
            message,
            problems: engine.map(problems).unwrap_or_default(),
        });
        return;
    }
    let paint = text::Paint::for_stderr();
    // An excerpt of a file with its mistake begins with the word.
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    stderr(&format!("{} {message}", paint.red("error:")));
    if let Some(Error::Lock { .. } | Error::Outwaited { .. } | Error::Data(_) | Error::Database { .. }) = engine {
        stderr("\n`shoofly status` shows where it stands: the same command resumes, `shoofly rollback` takes it back.");
    }
}

#[derive(Serialize)]
struct Failure<'a> {
    event: &'static str,
    exit: u8,
    message: String,
    problems: &'a [Problem],
}

fn problems(error: &Error) -> &[Problem] {
    match error {
        Error::Usage(list)
        | Error::Refused(list)
        | Error::Divergence(list)
        | Error::Data(list)
        | Error::Unfit(list)
        | Error::Busy(list) => list,
        Error::Syntax(_)
        | Error::Connect { .. }
        | Error::Lock { .. }
        | Error::Outwaited { .. }
        | Error::Interrupted
        | Error::Database { .. } => &[],
    }
}

/// A line on stdout. A reader that has gone away is not our failure.
pub(crate) fn stdout(text: &str) {
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

/// A line on stderr.
pub(crate) fn stderr(text: &str) {
    writeln!(std::io::stderr().lock(), "{text}").ok();
}
