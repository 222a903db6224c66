//! The lexical structure of MySQL and MariaDB: any text becomes a row of tokens that covers it, however broken it is.
//!
//! A version comment (`/*! … */`) is code for the server that runs it, so its content is cut into tokens like everything
//! else; only its two ends are tokens of their own kind, which mean nothing by themselves.

use std::ops::Range;

use super::keyword::is_reserved;
use super::mode::{DoubleQuotes, Mode};
use crate::sql::Backslash;

mod scan;

use scan::{block_comment, is_space, operator, quoted, skip, skipped_version, version_opening};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// White space.
    Space,
    /// `# …` or `-- …`, without the end of the line.
    LineComment,
    /// `/* … */`, and a version comment that the server of [`Mode::server`] does not run.
    BlockComment,
    /// `/*!`, `/*!80013` or `/*M!100508`: what follows is code.
    VersionOpen,
    /// The `*/` that ends it.
    VersionClose,
    /// A keyword or an unquoted name.
    Word,
    /// `` `…` ``, and `"…"` where double quotes are names.
    QuotedName,
    /// A string, a national one (`N'…'`) too.
    Text,
    /// A character set before a string: `_utf8mb4`.
    Introducer,
    /// A number.
    Number,
    /// `x'…'`, `0x…`, `b'…'`, `0b…`.
    Bits,
    /// `@a`, `` @`a` ``, `@@global.a`; also the host of an account.
    Variable,
    /// `?`.
    Parameter,
    /// An operator.
    Operator,
    /// One of `( ) , ; . : { }`.
    Mark(u8),
    /// A comment, name or string without its end, or a character that SQL does not know.
    Broken,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub range: Range<usize>,
}

impl Token {
    /// Whether it is white space or a comment.
    #[must_use]
    pub fn is_trivia(&self) -> bool {
        matches!(self.kind, TokenKind::Space | TokenKind::LineComment | TokenKind::BlockComment)
    }

    /// Whether it is an end of a version comment.
    #[must_use]
    pub fn is_version_end(&self) -> bool {
        matches!(self.kind, TokenKind::VersionOpen | TokenKind::VersionClose)
    }

    /// Whether it is a comment, name or string without its end.
    pub(super) fn is_endless(&self, source: &str) -> bool {
        let text = self.text(source);
        self.kind == TokenKind::Broken && (text.starts_with("/*") || text.contains(['`', '\'', '"']))
    }

    /// Its text in the text that was read.
    #[must_use]
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        source.get(self.range.clone()).unwrap_or_default()
    }

    /// Whether it is the keyword `word`.
    #[must_use]
    pub fn is_word(&self, source: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(source).eq_ignore_ascii_case(word)
    }

    /// Whether it is the mark `mark`.
    #[must_use]
    pub fn is_mark(&self, mark: u8) -> bool {
        self.kind == TokenKind::Mark(mark)
    }
}

/// Cuts `text` into tokens. Together they cover it.
#[must_use]
pub fn tokens(text: &str, mode: Mode) -> Vec<Token> {
    let mut lexer = Lexer::new(text, mode);
    let mut made = Vec::new();
    while let Some(token) = lexer.token() {
        made.push(token);
    }
    made
}

/// The tokens that mean something: neither trivia nor an end of a version comment.
#[must_use]
pub fn significant(text: &str, mode: Mode) -> Vec<Token> {
    let mut made = tokens(text, mode);
    made.retain(|token| !token.is_trivia() && !token.is_version_end());
    made
}

/// `text` without comments and white space, words that cannot be names in lower case. Names are kept as written: the case
/// of databases and tables counts on some servers.
pub(crate) fn normalised(text: &str, mode: Mode) -> String {
    let mut made = tokens(text, mode);
    made.retain(|token| !token.is_trivia());
    let mut after_dot = false;
    let texts = made.iter().map(|token| {
        let written = token.text(text);
        let keyword = token.kind == TokenKind::Word && !after_dot && is_reserved(written);
        after_dot = token.is_mark(b'.');
        if keyword { written.to_ascii_lowercase() } else { written.to_owned() }
    });
    texts.collect::<Vec<String>>().join("\u{1f}")
}

/// Reads one token after the other; can be told to go on at another place.
pub(super) struct Lexer<'a> {
    text: &'a str,
    mode: Mode,
    at: usize,
    /// Version comments that are open.
    open: usize,
    /// What the last token was, where the next one touches it.
    before: Option<TokenKind>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, mode: Mode) -> Self {
        Self { text, mode, at: 0, open: 0, before: None }
    }

    /// Goes on at byte `at`, which begins a character, outside of any version comment.
    pub(super) fn restart(&mut self, at: usize) {
        (self.at, self.open, self.before) = (at, 0, None);
    }

    pub(super) fn token(&mut self) -> Option<Token> {
        let start = self.at;
        if start >= self.text.len() {
            return None;
        }
        let (kind, end) = self.next();
        let mut end = end.clamp(start + 1, self.text.len());
        // A character that SQL does not know may be several bytes long.
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        match kind {
            TokenKind::VersionOpen => self.open += 1,
            TokenKind::VersionClose => self.open -= 1,
            _ => {}
        }
        (self.at, self.before) = (end, Some(kind));
        Some(Token { kind, range: start..end })
    }

    fn next(&self) -> (TokenKind, usize) {
        let (bytes, at) = (self.text.as_bytes(), self.at);
        let peek = |offset: usize| bytes.get(at + offset).copied().unwrap_or(0);
        match bytes[at] {
            byte if is_space(byte) => (TokenKind::Space, skip(bytes, at, is_space)),
            b'#' => (TokenKind::LineComment, skip(bytes, at, |byte| byte != b'\n')),
            // The server wants white space or a control character behind the two dashes: `1--1` is a difference.
            b'-' if peek(1) == b'-'
                && bytes.get(at + 2).is_none_or(|byte| *byte == b' ' || byte.is_ascii_control()) =>
            {
                (TokenKind::LineComment, skip(bytes, at, |byte| byte != b'\n'))
            }
            b'/' if peek(1) == b'*' => self.comment(),
            b'*' if peek(1) == b'/' && self.open > 0 => (TokenKind::VersionClose, at + 2),
            b'`' => quoted(bytes, at, TokenKind::QuotedName, Backslash::Plain),
            b'\'' => quoted(bytes, at, TokenKind::Text, self.mode.backslash),
            b'"' => match self.mode.double_quotes {
                DoubleQuotes::Text => quoted(bytes, at, TokenKind::Text, self.mode.backslash),
                DoubleQuotes::Name => quoted(bytes, at, TokenKind::QuotedName, Backslash::Plain),
            },
            // What touches a name's dot is a name, whatever it looks like: `t.1`, `t.select`.
            byte if self.before == Some(TokenKind::Mark(b'.')) && is_word(byte) => {
                (TokenKind::Word, skip(bytes, at, is_word))
            }
            b'x' | b'X' | b'b' | b'B' if peek(1) == b'\'' => quoted(bytes, at + 1, TokenKind::Bits, Backslash::Plain),
            b'n' | b'N' if peek(1) == b'\'' => quoted(bytes, at + 1, TokenKind::Text, self.mode.backslash),
            byte if byte.is_ascii_digit() => scan::number_or_word(bytes, at),
            b'.' if peek(1).is_ascii_digit() && !self.touches_name() => (TokenKind::Number, scan::fraction(bytes, at)),
            byte if is_word(byte) => self.word(),
            b'@' => self.variable(),
            b'?' => (TokenKind::Parameter, at + 1),
            byte @ (b'(' | b')' | b',' | b';' | b'.' | b'{' | b'}') => (TokenKind::Mark(byte), at + 1),
            b':' if peek(1) != b'=' => (TokenKind::Mark(b':'), at + 1),
            byte => operator(bytes, at, byte),
        }
    }

    /// Whether the last token is a name and directly before this one.
    fn touches_name(&self) -> bool {
        matches!(self.before, Some(TokenKind::Word | TokenKind::QuotedName))
    }

    fn word(&self) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        let end = skip(bytes, self.at, is_word);
        let charset = bytes[self.at] == b'_' && scan::is_charset(self.text.get(self.at + 1..end).unwrap_or_default());
        (if charset { TokenKind::Introducer } else { TokenKind::Word }, end)
    }

    fn comment(&self) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        match version_opening(bytes, self.at) {
            None => block_comment(bytes, self.at),
            Some(opening) if self.mode.runs(opening.product, opening.version) => (TokenKind::VersionOpen, opening.end),
            Some(opening) => skipped_version(bytes, opening.end),
        }
    }

    /// `@` alone is broken.
    fn variable(&self) -> (TokenKind, usize) {
        let (bytes, at) = (self.text.as_bytes(), self.at);
        let name = |from: usize| match bytes.get(from) {
            Some(b'`') => quoted(bytes, from, TokenKind::Variable, Backslash::Plain),
            Some(b'\'' | b'"') => quoted(bytes, from, TokenKind::Variable, self.mode.backslash),
            Some(byte) if is_word(*byte) || *byte == b'.' => {
                (TokenKind::Variable, skip(bytes, from, |byte| is_word(byte) || byte == b'.'))
            }
            _ => (TokenKind::Broken, from),
        };
        name(if bytes.get(at + 1) == Some(&b'@') { at + 2 } else { at + 1 })
    }
}

/// What an unquoted name may consist of.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

#[cfg(test)]
mod tests;
