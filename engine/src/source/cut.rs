//! A file's text → sections → statements with the directives above them, all by byte ranges.

use std::ops::Range;

use crate::sql::Flaw;
use crate::sql::postgres::token::{Token, TokenKind, tokens};

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
enum Dialect {
    Migrate,
    Goose,
}

/// Cuts `text`.
pub(super) fn cut(text: &str) -> Cut {
    let mut cutter = Cutter {
        text,
        made: Cut::default(),
        section: None,
        dialect: None,
        directives: Vec::new(),
        open: None,
        depth: 0,
        body: Body::None,
    };
    for token in tokens(text) {
        cutter.token(&token);
    }
    cutter.close();
    cutter.unused_directives();
    if cutter.body == Body::Marked {
        let end = text.len();
        cutter.flaw(end..end, "StatementBegin without StatementEnd", "add `-- +goose StatementEnd`");
    }
    cutter.made
}

/// Where semicolons do not end a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    None,
    /// Between `StatementBegin` and `StatementEnd`.
    Marked,
    /// `BEGIN ATOMIC … END` of a function, with the number of `CASE`s open in it.
    Atomic(usize),
}

struct Cutter<'a> {
    text: &'a str,
    made: Cut,
    section: Option<Section>,
    dialect: Option<Dialect>,
    directives: Vec<Line>,
    /// First byte and last significant byte of the statement that is being read.
    open: Option<(usize, usize)>,
    depth: usize,
    body: Body,
}

impl Cutter<'_> {
    fn token(&mut self, token: &Token) {
        match token.kind {
            TokenKind::Space | TokenKind::BlockComment => {}
            TokenKind::LineComment => self.comment(token),
            TokenKind::Mark(b';') if self.depth == 0 && self.body == Body::None => self.close(),
            _ => {
                self.follow(token);
                let start = self.open.map_or(token.range.start, |(start, _)| start);
                self.open = Some((start, token.range.end));
            }
        }
    }

    /// Brackets and function bodies.
    fn follow(&mut self, token: &Token) {
        match token.kind {
            TokenKind::Mark(b'(' | b'[') => self.depth += 1,
            TokenKind::Mark(b')' | b']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        let word = |word| token.is_word(self.text, word);
        self.body = match self.body {
            Body::None if word("atomic") && self.last_word_was_begin() => Body::Atomic(0),
            Body::Atomic(cases) if word("case") => Body::Atomic(cases + 1),
            Body::Atomic(0) if word("end") => Body::None,
            Body::Atomic(cases) if word("end") => Body::Atomic(cases - 1),
            other => other,
        };
    }

    fn last_word_was_begin(&self) -> bool {
        let so_far = self.open.and_then(|(start, end)| self.text.get(start..end)).unwrap_or_default();
        so_far.len() > 5 && so_far.get(so_far.len() - 5..).is_some_and(|word| word.eq_ignore_ascii_case("begin"))
    }

    /// The statement that is being read ends.
    fn close(&mut self) {
        (self.depth, self.body) = (0, if self.body == Body::Marked { Body::Marked } else { Body::None });
        let Some((start, end)) = self.open.take() else { return };
        let directives = std::mem::take(&mut self.directives);
        let section = self.section.unwrap_or(Section::Up);
        self.made.pieces.push(Piece { section, range: start..end, directives });
    }

    fn comment(&mut self, token: &Token) {
        let said = token.text(self.text).trim_start_matches('-').trim();
        let lower = said.to_ascii_lowercase();
        if let Some(mark) = lower.strip_prefix("migrate:") {
            self.migrate(token, mark);
        } else if let Some(mark) = lower.strip_prefix("+goose") {
            self.goose(token, mark.trim());
        } else if let Some(rest) = lower.strip_prefix("shoofly") {
            let rest = rest.trim_start();
            if let Some(directive) = rest.strip_prefix(':') {
                self.directive(token, directive.len());
            } else if is_assignment(rest) {
                let advice = "write `-- shoofly: key = value`, or another comment";
                self.flaw(token.range.clone(), "this looks like a directive and is none: the colon is missing", advice);
            }
        }
    }

    /// `length` bytes of the comment, counted from its end, stand after the colon.
    fn directive(&mut self, token: &Token, length: usize) {
        if self.open.is_some() || !self.starts_line(token) {
            let advice = "put it on a line of its own, directly above the statement";
            self.flaw(token.range.clone(), "a directive stands inside of a statement or behind one", advice);
            return;
        }
        let whole = token.text(self.text);
        let end = token.range.start + whole.trim_end().len();
        self.directives.push(Line { range: end.saturating_sub(length)..end });
    }

    fn starts_line(&self, token: &Token) -> bool {
        let before = self.text.get(..token.range.start).unwrap_or_default();
        before.rsplit(['\n', '\r']).next().is_none_or(|line| line.trim().is_empty())
    }

    fn migrate(&mut self, token: &Token, mark: &str) {
        let mut words = mark.split_whitespace();
        let section = match words.next() {
            Some("up") => Section::Up,
            Some("down") => Section::Down,
            _ => {
                return self.flaw(token.range.clone(), "unknown section", "write `-- migrate:up` or `-- migrate:down`");
            }
        };
        if let Some(option) = words.find(|word| !matches!(*word, "transaction:false" | "transaction:true")) {
            let what = format!("unknown option {option} of a section");
            self.flaw(token.range.clone(), what, "leave it away: shoofly makes its own transactions");
        }
        self.section(token, section, Dialect::Migrate);
    }

    fn goose(&mut self, token: &Token, mark: &str) {
        match mark {
            "up" => self.section(token, Section::Up, Dialect::Goose),
            "down" => self.section(token, Section::Down, Dialect::Goose),
            "statementbegin" => {
                self.close();
                self.body = Body::Marked;
            }
            "statementend" if self.body == Body::Marked => {
                self.trim_semicolon();
                self.body = Body::None;
                self.close();
            }
            "no transaction" => {}
            _ => {
                let advice = "shoofly knows Up, Down, StatementBegin, StatementEnd and NO TRANSACTION";
                self.flaw(token.range.clone(), "unknown annotation", advice);
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

    fn section(&mut self, token: &Token, section: Section, dialect: Dialect) {
        self.close();
        self.unused_directives();
        let range = token.range.clone();
        if self.dialect.is_none() && !self.made.pieces.is_empty() {
            let first = self.made.pieces.remove(0).range;
            self.made.pieces.clear();
            self.flaw(first, "a statement stands above the first section", "move it below the mark of a section");
        }
        if self.dialect.is_some_and(|known| known != dialect) {
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
            self.flaw(range, "the section is marked twice", "put its statements together");
        }
        (self.section, self.dialect) = (Some(section), Some(dialect));
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
