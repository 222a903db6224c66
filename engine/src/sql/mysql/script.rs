//! A script → statements, cut where the `mysql` client cuts.

use std::ops::Range;

use super::mode::Mode;
use super::token::{Lexer, Token, TokenKind};
use crate::sql::Flaw;

/// A statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes, without the delimiter and without white space and comments at its ends.
    pub range: Range<usize>,
    /// The line on which it starts, from 1 on.
    pub line: usize,
}

/// Cuts `text` at semicolons, or at what `DELIMITER` lines say.
///
/// # Errors
/// Everything that makes it unclear where statements end: strings, names and comments without an end, `DELIMITER` lines
/// that say nothing or stand in the middle of a statement.
pub fn split_script(text: &str, mode: Mode) -> Result<Vec<Piece>, Vec<Flaw>> {
    let mut splitter = Splitter {
        text,
        lexer: Lexer::new(text, mode),
        delimiter: ";".to_owned(),
        open: None,
        pieces: Vec::new(),
        flaws: Vec::new(),
        line_start: true,
        counted: (0, 1),
    };
    while let Some(token) = splitter.lexer.token() {
        splitter.token(&token);
    }
    splitter.close();
    if splitter.flaws.is_empty() { Ok(splitter.pieces) } else { Err(splitter.flaws) }
}

struct Splitter<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    delimiter: String,
    /// The bytes of the statement that is being read, up to now.
    open: Option<Range<usize>>,
    pieces: Vec<Piece>,
    flaws: Vec<Flaw>,
    /// Whether nothing but white space stands between the last token and the beginning of its line.
    line_start: bool,
    /// A place, and its line.
    counted: (usize, usize),
}

impl Splitter<'_> {
    fn token(&mut self, token: &Token) {
        let line_start = self.line_start;
        let space = token.kind == TokenKind::Space;
        self.line_start = space && (line_start || token.text(self.text).contains('\n'));
        if token.is_trivia() {
            return;
        }
        if line_start && token.is_word(self.text, "delimiter") {
            return self.delimiter(token);
        }
        // Where the delimiter is made of letters or operators, it may be a part of a token, or of several.
        let endless = token.is_endless(self.text);
        let whole = token.is_version_end() || matches!(token.kind, TokenKind::Text | TokenKind::QuotedName);
        let found = if whole || endless { None } else { self.find_delimiter(token) };
        let end = match found {
            Some(at) => token.range.start + at,
            None => token.range.end,
        };
        if endless {
            let advice = "end the string, the name or the comment that begins here";
            self.flaws.push(Flaw::new(token.range.clone(), "this has no end", advice));
        }
        if end > token.range.start {
            let start = self.open.as_ref().map_or(token.range.start, |open| open.start);
            self.open = Some(start..end);
        }
        if found.is_some() {
            self.close();
            self.lexer.restart(end + self.delimiter.len());
        }
    }

    /// How many bytes of the token come before a delimiter that begins in it.
    fn find_delimiter(&self, token: &Token) -> Option<usize> {
        let tail = self.text.as_bytes().get(token.range.start..)?;
        (0..token.range.len())
            .find(|at| tail.get(*at..).is_some_and(|rest| rest.starts_with(self.delimiter.as_bytes())))
    }

    /// `DELIMITER //`: the first word of the rest of the line.
    fn delimiter(&mut self, token: &Token) {
        let rest = self.text.get(token.range.end..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        if self.open.is_some() {
            let advice = "end the statement above it; if it is a name, put it into backticks";
            self.flaws.push(Flaw::new(token.range.clone(), "DELIMITER stands in the middle of a statement", advice));
        }
        self.close();
        match line.split_whitespace().next() {
            Some(word) if !word.contains('\\') => word.clone_into(&mut self.delimiter),
            _ => {
                let advice = "write what ends a statement behind it, without a backslash";
                self.flaws.push(Flaw::new(token.range.clone(), "DELIMITER needs to be told what", advice));
            }
        }
        self.lexer.restart(token.range.end + line.len());
    }

    fn close(&mut self) {
        let Some(range) = self.open.take() else { return };
        let (from, line) = self.counted;
        let between = self.text.get(from..range.start).unwrap_or_default();
        let line = line + between.bytes().filter(|byte| *byte == b'\n').count();
        self.counted = (range.start, line);
        self.pieces.push(Piece { range, line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(usize, &str)> {
        let pieces = split_script(text, Mode::default()).unwrap_or_else(|flaws| panic!("{text}: {flaws:?}"));
        pieces.into_iter().map(|piece| (piece.line, &text[piece.range])).collect()
    }

    #[test]
    fn cuts_where_the_client_does() {
        let text = "-- first; one\nSELECT ';', `;`, \";\" /* ; */ # ;\n ;; \n\nUPDATE t SET a = 1";
        assert_eq!(cut(text), [(2, "SELECT ';', `;`, \";\""), (5, "UPDATE t SET a = 1")]);
        assert_eq!(cut("a--1;b"), [(1, "a--1"), (1, "b")]);
        assert_eq!(cut("/*!40101 SET NAMES utf8 */; SELECT 1 ;"), [(1, "/*!40101 SET NAMES utf8 */"), (1, "SELECT 1")]);
        assert_eq!(cut(" \n-- nothing\n"), []);
        assert_eq!(cut("SELECT 'é;\\';' ; x"), [(1, "SELECT 'é;\\';'"), (1, "x")]);
    }

    #[test]
    fn follows_delimiters() {
        let text = "DELIMITER $$\nCREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN\n SET NEW.a = 1; END$$\n  delimiter ; -- x\n\
                    SELECT 1;\nDELIMITER //\nSELECT 4/2// SELECT '//' //\nDELIMITER ;;\nSELECT 2;;";
        let made = cut(text);
        assert_eq!(made[0], (2, "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN\n SET NEW.a = 1; END"));
        assert_eq!(made[1..], [(5, "SELECT 1"), (7, "SELECT 4/2"), (7, "SELECT '//'"), (9, "SELECT 2")]);
        assert_eq!(cut("delimiter end\r\nSELECT 1 END end\r\nx"), [(2, "SELECT 1 END"), (3, "x")]);
        assert_eq!(cut("SELECT delimiter FROM t; SELECT 1"), [(1, "SELECT delimiter FROM t"), (1, "SELECT 1")]);
    }

    #[test]
    fn says_everything_that_is_wrong() {
        let text = "SELECT 1\nDELIMITER //\nx//\nDELIMITER\nSELECT 'open //";
        let flaws = split_script(text, Mode::default()).unwrap_err();
        let found: Vec<(&str, &str)> =
            flaws.iter().map(|flaw| (&text[flaw.range.clone()], flaw.what.as_str())).collect();
        assert_eq!(
            found,
            [
                ("DELIMITER", "DELIMITER stands in the middle of a statement"),
                ("DELIMITER", "DELIMITER needs to be told what"),
                ("'open //", "this has no end")
            ]
        );
    }
}
