//! A file's text → sections → statements with the directives above them, all by byte ranges.

use std::ops::Range;

use crate::sql::scrap::{Scanner, Scrap, ScrapKind};
use crate::sql::{Dialect, Flaw};

/// Which way a section goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Up,
    Down,
}

/// A directive line: what stands after `shoofly:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) range: Range<usize>,
}

/// A statement's bytes, without the semicolon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) section: Section,
    pub(super) range: Range<usize>,
    pub(super) directives: Vec<Line>,
}

/// What was cut.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) pieces: Vec<Piece>,
    /// Whether sections are marked, and which.
    pub(super) up: bool,
    pub(super) down: bool,
    pub(super) flaws: Vec<Flaw>,
}

/// Who wrote the section marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    Migrate,
    Goose,
}

/// Cuts `text`.
pub(super) fn cut(dialect: Dialect, text: &str) -> Cut {
    let mut cutter = Cutter {
        text,
        scanner: dialect.scanner(text),
        made: Cut::default(),
        section: None,
        marks: None,
        directives: Vec::new(),
        open: None,
        marked: false,
    };
    while let Some(scrap) = cutter.scanner.scrap() {
        cutter.scrap(&scrap);
    }
    cutter.close();
    cutter.unused_directives();
    if cutter.marked {
        let end = text.len();
        cutter.flaw(end..end, "StatementBegin without StatementEnd", "add `-- +goose StatementEnd`");
    }
    cutter.made.flaws.extend(cutter.scanner.into_flaws());
    cutter.made
}

struct Cutter<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    made: Cut,
    section: Option<Section>,
    marks: Option<Marks>,
    directives: Vec<Line>,
    /// First byte and last significant byte of the statement that is being read.
    open: Option<(usize, usize)>,
    /// Whether semicolons do not end a statement: between `StatementBegin` and `StatementEnd`.
    marked: bool,
}

impl Cutter<'_> {
    fn scrap(&mut self, scrap: &Scrap) {
        match scrap.kind {
            ScrapKind::Blank => {}
            ScrapKind::LineComment => self.comment(&scrap.range),
            ScrapKind::End if !self.marked => self.close(),
            ScrapKind::Code | ScrapKind::End => {
                let start = self.open.map_or(scrap.range.start, |(start, _)| start);
                self.open = Some((start, scrap.range.end));
            }
        }
    }

    /// The statement that is being read ends.
    fn close(&mut self) {
        self.scanner.ended();
        let Some((start, end)) = self.open.take() else { return };
        let directives = std::mem::take(&mut self.directives);
        let section = self.section.unwrap_or(Section::Up);
        self.made.pieces.push(Piece { section, range: start..end, directives });
    }

    fn comment(&mut self, range: &Range<usize>) {
        let comment = self.text.get(range.clone()).unwrap_or_default();
        let hash = comment.starts_with('#');
        let said = comment.trim_start_matches(if hash { '#' } else { '-' }).trim().to_ascii_lowercase();
        let directive = said.strip_prefix("shoofly").map(str::trim_start);
        let assigned = directive.is_some_and(|rest| rest.starts_with(':') || is_assignment(rest));
        if hash {
            if assigned || said.starts_with("migrate:") || said.starts_with("+goose") {
                self.flaw(range.clone(), "this looks like a directive or a mark and is none", "begin it with `-- `");
            }
        } else if let Some(mark) = said.strip_prefix("migrate:") {
            self.migrate(range, mark);
        } else if let Some(mark) = said.strip_prefix("+goose") {
            self.goose(range, mark.trim());
        } else if let Some(directive) = directive.and_then(|rest| rest.strip_prefix(':')) {
            self.directive(range, directive.len());
        } else if assigned {
            let advice = "write `-- shoofly: key = value`, or another comment";
            self.flaw(range.clone(), "this looks like a directive and is none: the colon is missing", advice);
        }
    }

    /// `length` bytes of the comment, counted from its end, stand after the colon.
    fn directive(&mut self, range: &Range<usize>, length: usize) {
        if self.open.is_some() || !self.starts_line(range) {
            let advice = "put it on a line of its own, directly above the statement";
            self.flaw(range.clone(), "a directive stands inside of a statement or behind one", advice);
            return;
        }
        let whole = self.text.get(range.clone()).unwrap_or_default();
        let end = range.start + whole.trim_end().len();
        self.directives.push(Line { range: end.saturating_sub(length)..end });
    }

    fn starts_line(&self, range: &Range<usize>) -> bool {
        let before = self.text.get(..range.start).unwrap_or_default();
        before.rsplit(['\n', '\r']).next().is_none_or(|line| line.trim().is_empty())
    }

    fn migrate(&mut self, range: &Range<usize>, mark: &str) {
        let mut words = mark.split_whitespace();
        let section = match words.next() {
            Some("up") => Section::Up,
            Some("down") => Section::Down,
            _ => {
                return self.flaw(range.clone(), "unknown section", "write `-- migrate:up` or `-- migrate:down`");
            }
        };
        if let Some(option) = words.find(|word| !matches!(*word, "transaction:false" | "transaction:true")) {
            let what = format!("unknown option {option} of a section");
            self.flaw(range.clone(), what, "leave it away: shoofly makes its own transactions");
        }
        self.section(range, section, Marks::Migrate);
    }

    fn goose(&mut self, range: &Range<usize>, mark: &str) {
        match mark {
            "up" => self.section(range, Section::Up, Marks::Goose),
            "down" => self.section(range, Section::Down, Marks::Goose),
            "statementbegin" => {
                self.close();
                self.marked = true;
            }
            "statementend" if self.marked => {
                self.trim_semicolon();
                self.marked = false;
                self.close();
            }
            "no transaction" => {}
            _ => {
                let advice = "shoofly knows Up, Down, StatementBegin, StatementEnd and NO TRANSACTION";
                self.flaw(range.clone(), "unknown annotation", advice);
            }
        }
    }

    /// Between `StatementBegin` and `StatementEnd` the last semicolon belongs to the statement's text; it is not wanted.
    fn trim_semicolon(&mut self) {
        if let Some((start, end)) = self.open {
            let text = self.text.get(start..end).unwrap_or_default().trim_end_matches(';').trim_end();
            self.open = (!text.is_empty()).then_some((start, start + text.len()));
        }
    }

    fn section(&mut self, range: &Range<usize>, section: Section, marks: Marks) {
        self.close();
        self.unused_directives();
        if self.marks.is_none() && !self.made.pieces.is_empty() {
            let first = self.made.pieces.remove(0).range;
            self.made.pieces.clear();
            self.flaw(first, "a statement stands above the first section", "move it below the mark of a section");
        }
        if self.marks.is_some_and(|known| known != marks) {
            self.flaw(
                range.clone(),
                "sections are marked in two ways",
                "use `-- migrate:…` or `-- +goose …`, not both",
            );
        }
        let seen = match section {
            Section::Up => std::mem::replace(&mut self.made.up, true),
            Section::Down => std::mem::replace(&mut self.made.down, true),
        };
        if seen {
            self.flaw(range.clone(), "the section is marked twice", "put its statements together");
        }
        (self.section, self.marks) = (Some(section), Some(marks));
    }

    fn unused_directives(&mut self) {
        for line in std::mem::take(&mut self.directives) {
            self.flaw(line.range, "the directive stands above no statement", "put it directly above one, or remove it");
        }
    }

    fn flaw(&mut self, range: Range<usize>, what: impl Into<String>, advice: &str) {
        self.made.flaws.push(Flaw::new(range, what, advice));
    }
}

/// `word = …`
fn is_assignment(text: &str) -> bool {
    let word = text.trim_start_matches(|char: char| char.is_ascii_alphabetic());
    word.len() < text.len() && word.trim_start().starts_with('=')
}
