//! Lines on a page of a given width, and numbers as they stand there.

use crate::text::Sql;

/// Columns that a line may have.
const WIDTH: usize = 110;

/// A page on its way.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// What stands on it.
    pub(crate) text: String,
}

impl Page {
    /// One line, wrapped at its own indentation.
    pub(crate) fn line(&mut self, indent: usize, text: &str) {
        self.wrapped(indent, indent, text);
    }

    /// One line, or several whose continuations stand at `rest`.
    pub(crate) fn wrapped(&mut self, first: usize, rest: usize, text: &str) {
        let mut indent = first;
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.push(indent, &line);
                line.clear();
                indent = rest;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.push(indent, &line);
    }

    fn push(&mut self, indent: usize, line: &str) {
        self.text.push_str(&" ".repeat(if line.is_empty() { 0 } else { indent }));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A heading, with an empty line before it.
    pub(crate) fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(0, text);
    }

    /// A statement, broken only where white space is no part of a string or a name.
    pub(crate) fn sql(&mut self, statement: &Sql) {
        let text = format!("{};", statement.as_str());
        let mut indent = 2;
        let mut rest = text.as_str();
        loop {
            let room = WIDTH - indent;
            let line_end = rest.find('\n');
            let fits = line_end.unwrap_or(rest.len()) <= room;
            let cut = if fits { line_end } else { last_break(rest, room).or(line_end) };
            match cut {
                Some(cut) => {
                    self.push(indent, rest[..cut].trim_end_matches(' '));
                    let was_line_end = rest.as_bytes().get(cut) == Some(&b'\n');
                    rest = &rest[cut + 1..];
                    indent = if was_line_end { 2 } else { 6 };
                }
                None => {
                    self.push(indent, rest);
                    return;
                }
            }
        }
    }
}

/// The last space before `room` that stands outside quotes.
fn last_break(text: &str, room: usize) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut found = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '\'' | '"' | '`') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None, ' ') if at <= room && at > 0 => found = Some(at),
            (None, '\n') => break,
            _ => {}
        }
        if at > room && found.is_some() {
            break;
        }
    }
    found
}

/// Bytes as people read them.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut whole = bytes;
    let mut unit = 0;
    while whole >= 10 * 1024 && unit + 1 < UNITS.len() {
        whole = whole.div_ceil(1024);
        unit += 1;
    }
    format!("{whole} {}", UNITS[unit])
}

/// A count with thin groups: `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
