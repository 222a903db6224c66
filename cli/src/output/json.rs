//! For programs: one JSON object per line while something runs.

use serde::Serialize;
use shoofly_engine::Event;

use super::{Reader, stdout};

/// Prints each event as one line.
pub(super) struct Lines;

impl Reader for Lines {
    fn event(&mut self, event: Event) {
        line(&event);
    }

    fn line(&mut self, text: &str) {
        self.remark(text);
    }

    fn remark(&mut self, text: &str) {
        line(&Event::Notice { text: text.to_owned() });
    }

    fn footer(&mut self, _: &str) {}

    fn tick(&mut self) {}

    fn finish(&mut self) {}
}

/// Prints a value on one line.
pub(crate) fn line(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => stdout(&text),
        Err(error) => super::stderr(&format!("could not print a result as JSON: {error}")),
    }
}

/// Prints a value over several lines.
pub(crate) fn pretty(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => stdout(&text),
        Err(error) => super::stderr(&format!("could not print a result as JSON: {error}")),
    }
}
