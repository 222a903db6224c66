//! PostgreSQL's lexical structure: any text becomes a row of tokens that covers it, however broken it is.
//!
//! This is what splits files into statements, finds comments, makes checksums blind to white space, bounds what the
//! parser is given, and reads texts that no parser accepts.

use std::ops::Range;

use crate::sql::quoted::{self, Backslash};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// White space.
    Space,
    /// `-- …` without the end of the line.
    LineComment,
    /// `/* … */`, nested.
    BlockComment,
    /// A keyword or an unquoted name.
    Word,
    /// `"…"` or `U&"…"`.
    QuotedName,
    /// A string of any kind, dollar-quoted ones too.
    Text,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// An operator.
    Operator,
    /// One of `( ) [ ] , ; . :`.
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
    /// Whether it means nothing: white space or a comment.
    #[must_use]
    pub fn is_trivia(&self) -> bool {
        matches!(self.kind, TokenKind::Space | TokenKind::LineComment | TokenKind::BlockComment)
    }

    /// Its text in the text that was read.
    #[must_use]
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        source.get(self.range.clone()).unwrap_or_default()
    }

    /// Whether it is the keyword `word` (given in lower case).
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
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut made = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = next(text, bytes, at);
        // A character that SQL does not know may be several bytes long.
        let mut end = end.clamp(at + 1, bytes.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        made.push(Token { kind, range: at..end });
        at = end;
    }
    made
}

/// The tokens that mean something.
#[must_use]
pub fn significant(text: &str) -> Vec<Token> {
    let mut made = tokens(text);
    made.retain(|token| !token.is_trivia());
    made
}

/// `text` without comments and white space, unquoted words in lower case.
pub(crate) fn normalised(text: &str) -> String {
    let tokens = significant(text);
    let texts = tokens.iter().map(|token| {
        let written = token.text(text);
        if token.kind == TokenKind::Word { written.to_ascii_lowercase() } else { written.to_owned() }
    });
    texts.collect::<Vec<String>>().join("\u{1f}")
}

fn next(text: &str, bytes: &[u8], at: usize) -> (TokenKind, usize) {
    let peek = |offset: usize| bytes.get(at + offset).copied().unwrap_or(0);
    match bytes[at] {
        byte if is_space(byte) => (TokenKind::Space, skip(bytes, at, is_space)),
        b'-' if peek(1) == b'-' => (TokenKind::LineComment, skip(bytes, at, |byte| byte != b'\n' && byte != b'\r')),
        b'/' if peek(1) == b'*' => block_comment(bytes, at),
        b'\'' => quoted(bytes, at, TokenKind::Text, Backslash::Plain),
        b'"' => quoted(bytes, at, TokenKind::QuotedName, Backslash::Plain),
        b'e' | b'E' if peek(1) == b'\'' => quoted(bytes, at + 1, TokenKind::Text, Backslash::Escapes),
        b'b' | b'B' | b'x' | b'X' | b'n' | b'N' if peek(1) == b'\'' => {
            quoted(bytes, at + 1, TokenKind::Text, Backslash::Plain)
        }
        b'u' | b'U' if peek(1) == b'&' && peek(2) == b'\'' => quoted(bytes, at + 2, TokenKind::Text, Backslash::Plain),
        b'u' | b'U' if peek(1) == b'&' && peek(2) == b'"' => {
            quoted(bytes, at + 2, TokenKind::QuotedName, Backslash::Plain)
        }
        byte if is_word_start(byte) => (TokenKind::Word, skip(bytes, at, is_word)),
        b'$' if peek(1).is_ascii_digit() => (TokenKind::Parameter, skip(bytes, at + 1, |byte| byte.is_ascii_digit())),
        b'$' => dollar_quoted(text, at),
        // A range of PL/pgSQL.
        b'.' if peek(1) == b'.' => (TokenKind::Operator, at + 2),
        byte if byte.is_ascii_digit() || (byte == b'.' && peek(1).is_ascii_digit()) => {
            (TokenKind::Number, number(bytes, at))
        }
        byte @ (b'(' | b')' | b'[' | b']' | b',' | b';' | b'.' | b':') => (TokenKind::Mark(byte), at + 1),
        byte if is_operator(byte) => (TokenKind::Operator, operator(bytes, at)),
        _ => (TokenKind::Broken, at + 1),
    }
}

/// `at` is the opening quote.
fn quoted(bytes: &[u8], at: usize, kind: TokenKind, backslash: Backslash) -> (TokenKind, usize) {
    quoted::end(bytes, at, backslash).map_or((TokenKind::Broken, bytes.len()), |end| (kind, end))
}

fn dollar_quoted(text: &str, at: usize) -> (TokenKind, usize) {
    let bytes = text.as_bytes();
    let mut tag_end = at + 1;
    if bytes.get(tag_end).is_some_and(|byte| is_word_start(*byte)) {
        tag_end = skip(bytes, tag_end, |byte| is_word(byte) && byte != b'$');
    }
    if bytes.get(tag_end) != Some(&b'$') {
        return (TokenKind::Broken, at + 1);
    }
    let tag = &text[at..=tag_end];
    match text[tag_end + 1..].find(tag) {
        Some(found) => (TokenKind::Text, tag_end + 1 + found + tag.len()),
        None => (TokenKind::Broken, bytes.len()),
    }
}

fn block_comment(bytes: &[u8], at: usize) -> (TokenKind, usize) {
    let mut depth = 0_usize;
    let mut end = at;
    while end < bytes.len() {
        match (bytes[end], bytes.get(end + 1)) {
            (b'/', Some(b'*')) => (depth, end) = (depth + 1, end + 2),
            (b'*', Some(b'/')) => {
                (depth, end) = (depth - 1, end + 2);
                if depth == 0 {
                    return (TokenKind::BlockComment, end);
                }
            }
            _ => end += 1,
        }
    }
    (TokenKind::Broken, bytes.len())
}

fn number(bytes: &[u8], at: usize) -> usize {
    let part = |from| skip(bytes, from, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut end = part(at);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') {
        end = part(end + 1);
    }
    let exponent = matches!(bytes[end - 1], b'e' | b'E') && !matches!(bytes.get(at + 1), Some(b'x' | b'X'));
    if exponent && matches!(bytes.get(end), Some(b'+' | b'-')) {
        end = part(end + 1);
    }
    end
}

/// Ends before a comment, and, as in the server, before a final sign where the operator could not have one.
fn operator(bytes: &[u8], at: usize) -> usize {
    let mut end = skip(bytes, at, is_operator);
    for comment in at + 1..end {
        if matches!((bytes[comment], bytes.get(comment + 1)), (b'-', Some(b'-')) | (b'/', Some(b'*'))) {
            end = comment;
            break;
        }
    }
    let may_end_in_sign = bytes[at..end].iter().any(|byte| b"~!@#%^&|`?".contains(byte));
    while end > at + 1 && !may_end_in_sign && matches!(bytes[end - 1], b'+' | b'-') {
        end -= 1;
    }
    end
}

fn skip(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes.get(from..).unwrap_or_default().iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |n| from + n)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

pub(crate) fn is_word(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

pub(crate) fn is_operator(byte: u8) -> bool {
    b"+-*/<>=~!@#%^&|`?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        significant(text).iter().map(|token| token.text(text)).collect()
    }

    #[test]
    fn cuts_as_the_server_does() {
        let cases: [(&str, &[&str]); 11] = [
            ("a=-1 -- x\n+2", &["a", "=", "-", "1", "+", "2"]),
            ("a @-1", &["a", "@-", "1"]),
            ("'it''s' E'\\'' U&\"d\\0061\" \"a\"\"b\"", &["'it''s'", "E'\\''", "U&\"d\\0061\"", "\"a\"\"b\""]),
            ("$f$ ; ' $x$ $f$ $1 a$b$", &["$f$ ; ' $x$ $f$", "$1", "a$b$"]),
            ("/* a /* b */ ; */ c", &["c"]),
            ("1.5e-3 1..2 0xFF .5 1e5-2", &["1.5e-3", "1", "..", "2", "0xFF", ".5", "1e5", "-", "2"]),
            ("t.c[1]::int", &["t", ".", "c", "[", "1", "]", ":", ":", "int"]),
            ("a<--b\nc", &["a", "<", "c"]),
            ("é \u{2013} x", &["é", "\u{2013}", "x"]),
            ("'open", &["'open"]),
            ("$", &["$"]),
        ];
        for (text, expected) in cases {
            assert_eq!(cut(text), expected, "{text}");
        }
    }
}
