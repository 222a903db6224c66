//! A statement's tokens, and a place among them.

use std::ops::Range;

use super::mode::Mode;
use super::name::{Name, NameError, WrittenName};
use super::token::{Token, TokenKind, tokens};
use crate::sql::Flaw;

/// A statement's text, and those of its tokens that mean something.
pub(super) struct Source<'a> {
    pub(super) sql: &'a str,
    pub(super) tokens: Vec<Token>,
    /// The two ends of each version comment.
    versions: Vec<(Range<usize>, Range<usize>)>,
}

impl<'a> Source<'a> {
    /// # Errors
    /// Everything broken in the text.
    pub(super) fn new(sql: &'a str, mode: Mode) -> Result<Self, Vec<Flaw>> {
        let (mut made, mut flaws) = (Vec::new(), Vec::new());
        let (mut versions, mut open) = (Vec::new(), Vec::new());
        for token in tokens(sql, mode) {
            match token.kind {
                TokenKind::VersionOpen => open.push(token.range),
                TokenKind::VersionClose => versions.extend(open.pop().map(|opening| (opening, token.range))),
                TokenKind::Broken => flaws.push(broken(sql, &token)),
                _ if token.is_trivia() => {}
                _ => made.push(token),
            }
        }
        let endless = |range| Flaw::new(range, "the version comment has no end", "end it with `*/`");
        flaws.extend(open.into_iter().map(endless));
        if flaws.is_empty() { Ok(Self { sql, tokens: made, versions }) } else { Err(flaws) }
    }

    pub(super) fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).and_then(|token| self.sql.get(token.range.clone())).unwrap_or_default()
    }

    /// The bytes of the tokens `range`. A version comment that reaches in is taken whole.
    ///
    /// # Errors
    /// The comment holds other tokens too: it cannot be cut.
    pub(super) fn span(&self, range: Range<usize>) -> Result<Range<usize>, Flaw> {
        let mut bytes = self.rough(range.clone());
        // From the inside out: taking one comment whole may reach into the one around it.
        for (opening, closing) in &self.versions {
            let inside = |end: &Range<usize>| bytes.start <= end.start && end.end <= bytes.end;
            let (opens, closes) = (inside(opening), inside(closing));
            let foreign = if opens && !closes {
                self.tokens.get(range.end).is_some_and(|next| next.range.start < closing.start)
            } else if closes && !opens {
                range.start > 0 && self.tokens[range.start - 1].range.end > opening.end
            } else {
                continue;
            };
            if foreign {
                let what = "the version comment begins or ends in the middle of a part of the statement";
                return Err(Flaw::new(opening.clone(), what, "let it hold whole clauses, or a part of one clause"));
            }
            bytes = bytes.start.min(opening.start)..bytes.end.max(closing.end);
        }
        Ok(bytes)
    }

    /// The bytes from the first to the last of the tokens `range`; empty, at its beginning, where there are none.
    pub(super) fn rough(&self, range: Range<usize>) -> Range<usize> {
        let end_of = |at: usize| self.tokens.get(at).map_or(self.sql.len(), |token| token.range.end);
        let start = self.tokens.get(range.start).map_or(self.sql.len(), |token| token.range.start);
        if range.is_empty() { start..start } else { start..end_of(range.end - 1) }
    }
}

fn broken(sql: &str, token: &Token) -> Flaw {
    let (what, advice) = if !token.is_endless(sql) {
        ("MySQL and MariaDB have no such character outside of strings", "remove it")
    } else if token.text(sql).starts_with("/*") {
        ("the comment has no end", "end it with `*/`")
    } else {
        ("the string or name has no end", "end it with the quote that it begins with")
    };
    Flaw::new(token.range.clone(), what, advice)
}

/// A place among the tokens of a source, and where to stop. All places are indexes of tokens.
#[derive(Clone)]
pub(super) struct Cursor<'r, 'a> {
    pub(super) source: &'r Source<'a>,
    pub(super) at: usize,
    pub(super) end: usize,
}

impl<'r, 'a> Cursor<'r, 'a> {
    pub(super) fn new(source: &'r Source<'a>) -> Self {
        Self { source, at: 0, end: source.tokens.len() }
    }

    /// The same text, other bounds.
    pub(super) fn within(&self, range: Range<usize>) -> Self {
        Self { source: self.source, at: range.start, end: range.end }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    /// The token `ahead` places further on.
    pub(super) fn peek(&self, ahead: usize) -> Option<&'r Token> {
        let at = self.at + ahead;
        if at < self.end { self.source.tokens.get(at) } else { None }
    }

    pub(super) fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.is_word(self.source.sql, word))
    }

    pub(super) fn is_mark(&self, ahead: usize, mark: u8) -> bool {
        self.peek(ahead).is_some_and(|token| token.is_mark(mark))
    }

    /// Whether one of `words` comes now.
    pub(super) fn is_any(&self, ahead: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(ahead, word))
    }

    /// Takes `words` where all of them come now, in this order.
    pub(super) fn eat(&mut self, words: &[&str]) -> bool {
        let all = words.iter().enumerate().all(|(ahead, word)| self.is_word(ahead, word));
        if all {
            self.at += words.len();
        }
        all
    }

    /// Takes one of `words`, and says which.
    pub(super) fn eat_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        let found = words.iter().copied().find(|word| self.is_word(0, word))?;
        self.at += 1;
        Some(found)
    }

    pub(super) fn eat_mark(&mut self, mark: u8) -> bool {
        let found = self.is_mark(0, mark);
        self.at += usize::from(found);
        found
    }

    /// Takes `=` (or `:=`, which `UPDATE` allows).
    pub(super) fn eat_equals(&mut self) -> bool {
        let found = self.peek(0).is_some_and(|token| matches!(token.text(self.source.sql), "=" | ":="));
        self.at += usize::from(found);
        found
    }

    /// A flaw at the token that comes now.
    pub(super) fn expected(&self, what: &str) -> Flaw {
        match self.peek(0) {
            Some(token) => {
                let found = format!("unexpected `{}`", token.text(self.source.sql));
                Flaw::new(token.range.clone(), found, format!("write {what} here"))
            }
            None => {
                let end = self.source.rough(self.at.saturating_sub(1)..self.at).end;
                Flaw::new(end..end, "something is missing", format!("write {what} here"))
            }
        }
    }

    /// Whether a name comes now. Which unquoted words are reserved is left to the server.
    pub(super) fn is_name(&self, ahead: usize) -> bool {
        self.peek(ahead)
            .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedName | TokenKind::Introducer))
    }

    /// One name.
    pub(super) fn name(&mut self, what: &str) -> Result<Name, Flaw> {
        let Some(token) = self.peek(0).filter(|_| self.is_name(0)) else { return Err(self.expected(what)) };
        let name = name_of(self.source.sql, token)
            .map_err(|error| Flaw::new(token.range.clone(), error.to_string(), "use a name that the server accepts"))?;
        self.at += 1;
        Ok(name)
    }

    /// A name with its database where one is written.
    pub(super) fn written_name(&mut self, what: &str) -> Result<WrittenName, Flaw> {
        let first = self.name(what)?;
        if !self.eat_mark(b'.') {
            return Ok(WrittenName { database: None, name: first });
        }
        let name = self.name(what)?;
        if self.is_mark(0, b'.') {
            return Err(self.expected("`database.name`, or the name alone,"));
        }
        Ok(WrittenName { database: Some(first), name })
    }

    /// `( … )`: the tokens between the two.
    pub(super) fn group(&mut self, what: &str) -> Result<Range<usize>, Flaw> {
        if !self.is_mark(0, b'(') {
            return Err(self.expected(what));
        }
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(token) = self.peek(0) {
            self.at += 1;
            match token.kind {
                TokenKind::Mark(b'(') => depth += 1,
                TokenKind::Mark(b')') => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(start + 1..self.at - 1);
                    }
                }
                _ => {}
            }
        }
        let range = self.source.rough(start..start + 1);
        Err(Flaw::new(range, "the bracket is not closed", "add `)`"))
    }

    /// Goes on to the first token outside of brackets at which `stop` says so, or to the end.
    pub(super) fn skip_until(&mut self, stop: impl Fn(&Self) -> bool) -> Result<(), Flaw> {
        while !self.is_done() {
            if stop(self) {
                return Ok(());
            }
            if self.is_mark(0, b'(') {
                self.group("`(`")?;
            } else if self.is_mark(0, b')') {
                return Err(Flaw::new(
                    self.source.rough(self.at..self.at + 1),
                    "nothing opens this bracket",
                    "remove it",
                ));
            } else {
                self.at += 1;
            }
        }
        Ok(())
    }

    /// The parts between commas outside of brackets. None of them may be empty.
    pub(super) fn list(&mut self, what: &str) -> Result<Vec<Range<usize>>, Flaw> {
        let mut parts = Vec::new();
        loop {
            let start = self.at;
            self.skip_until(|cursor| cursor.is_mark(0, b','))?;
            if self.at == start {
                return Err(self.expected(what));
            }
            parts.push(start..self.at);
            if !self.eat_mark(b',') {
                return Ok(parts);
            }
        }
    }
}

/// The name that a token stands for.
pub(super) fn name_of(sql: &str, token: &Token) -> Result<Name, NameError> {
    let text = token.text(sql);
    let Some(quote) = text.chars().next().filter(|_| token.kind == TokenKind::QuotedName) else { return text.parse() };
    let inner = text.get(1..text.len() - 1).unwrap_or_default();
    inner.replace(&format!("{quote}{quote}"), &quote.to_string()).parse()
}
