//! Where the statements of a script end: where the `mysql` client ends them.

use std::ops::Range;

use super::mode::Mode;
use super::token::{Lexer, Token, TokenKind};
use crate::sql::Flaw;
use crate::sql::scrap::{Scrap, ScrapKind};

/// Cuts a text into scraps, at semicolons or at what `DELIMITER` lines say.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    delimiter: String,
    /// Whether a statement has begun and not ended.
    open: bool,
    /// Whether nothing but white space stands between the last token and the beginning of its line.
    line_start: bool,
    /// The delimiter behind the last scrap.
    delimiting: Option<Range<usize>>,
    flaws: Vec<Flaw>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, mode: Mode) -> Self {
        Self {
            text,
            lexer: Lexer::new(text, mode),
            delimiter: ";".to_owned(),
            open: false,
            line_start: true,
            delimiting: None,
            flaws: Vec::new(),
        }
    }

    pub(crate) fn scrap(&mut self) -> Option<Scrap> {
        if let Some(range) = self.delimiting.take() {
            return Some(self.end(range));
        }
        let token = self.lexer.token()?;
        let line_start = self.line_start;
        let space = token.kind == TokenKind::Space;
        self.line_start = space && (line_start || token.text(self.text).contains('\n'));
        Some(match token.kind {
            TokenKind::LineComment => Scrap { kind: ScrapKind::LineComment, range: token.range },
            _ if token.is_trivia() => Scrap { kind: ScrapKind::Blank, range: token.range },
            _ if line_start && token.is_word(self.text, "delimiter") => self.delimiter(&token),
            _ => self.code(token),
        })
    }

    pub(crate) fn ended(&mut self) {
        self.open = false;
    }

    /// `DELIMITER` lines that say nothing or stand in the middle of a statement.
    pub(crate) fn into_flaws(self) -> Vec<Flaw> {
        self.flaws
    }

    /// A token that means something, or as much of it as comes before a delimiter.
    fn code(&mut self, token: Token) -> Scrap {
        // Where the delimiter is made of letters or operators, it may be a part of a token, or of several.
        let whole = token.is_version_end() || matches!(token.kind, TokenKind::Text | TokenKind::QuotedName);
        let found = if whole || token.is_endless(self.text) { None } else { self.find_delimiter(&token) };
        let Some(at) = found else {
            self.open = true;
            return Scrap { kind: ScrapKind::Code, range: token.range };
        };
        let delimiter = at..at + self.delimiter.len();
        if at == token.range.start {
            return self.end(delimiter);
        }
        self.delimiting = Some(delimiter);
        Scrap { kind: ScrapKind::Code, range: token.range.start..at }
    }

    /// Where a delimiter begins in the token.
    fn find_delimiter(&self, token: &Token) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let begins = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(self.delimiter.as_bytes()));
        token.range.clone().find(begins)
    }

    fn end(&mut self, range: Range<usize>) -> Scrap {
        self.open = false;
        self.lexer.restart(range.end);
        Scrap { kind: ScrapKind::End, range }
    }

    /// `DELIMITER //`: the first word of the rest of the line.
    fn delimiter(&mut self, token: &Token) -> Scrap {
        let rest = self.text.get(token.range.end..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        if self.open {
            let advice = "end the statement above it; if it is a name, put it into backticks";
            self.flaws.push(Flaw::new(token.range.clone(), "DELIMITER stands in the middle of a statement", advice));
        }
        match line.split_whitespace().next() {
            Some(word) if !word.contains('\\') => word.clone_into(&mut self.delimiter),
            _ => {
                let advice = "write what ends a statement behind it, without a backslash";
                self.flaws.push(Flaw::new(token.range.clone(), "DELIMITER needs to be told what", advice));
            }
        }
        self.end(token.range.start..token.range.end + line.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statements, and what is wrong.
    fn read(text: &str) -> (Vec<&str>, Vec<Flaw>) {
        let mut scanner = Scanner::new(text, Mode::default());
        let (mut made, mut open): (_, Option<Range<usize>>) = (Vec::new(), None);
        while let Some(scrap) = scanner.scrap() {
            match scrap.kind {
                ScrapKind::Blank | ScrapKind::LineComment => {}
                ScrapKind::Code => open = Some(open.map_or(scrap.range.start, |open| open.start)..scrap.range.end),
                ScrapKind::End => made.extend(open.take().map(|range| &text[range])),
            }
        }
        made.extend(open.map(|range| &text[range]));
        (made, scanner.into_flaws())
    }

    fn cut(text: &str) -> Vec<&str> {
        let (made, flaws) = read(text);
        assert_eq!(flaws, [], "{text}");
        made
    }

    #[test]
    fn cuts_where_the_client_does() {
        let text = "-- first; one\nSELECT ';', `;`, \";\" /* ; */ # ;\n ;; \n\nUPDATE t SET a = 1";
        assert_eq!(cut(text), ["SELECT ';', `;`, \";\"", "UPDATE t SET a = 1"]);
        assert_eq!(cut("a--1;b"), ["a--1", "b"]);
        assert_eq!(cut("/*!40101 SET NAMES utf8 */; SELECT 1 ;"), ["/*!40101 SET NAMES utf8 */", "SELECT 1"]);
        assert!(cut(" \n-- nothing\n").is_empty());
        assert_eq!(cut("SELECT 'é;\\';' ; x"), ["SELECT 'é;\\';'", "x"]);
    }

    #[test]
    fn follows_delimiters() {
        let text = "DELIMITER $$\nCREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN\n SET NEW.a = 1; END$$\n  delimiter ; -- x\n\
                    SELECT 1;\nDELIMITER //\nSELECT 4/2// SELECT '//' //\nDELIMITER ;;\nSELECT 2;;";
        let made = cut(text);
        assert_eq!(made[0], "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN\n SET NEW.a = 1; END");
        assert_eq!(made[1..], ["SELECT 1", "SELECT 4/2", "SELECT '//'", "SELECT 2"]);
        assert_eq!(cut("delimiter end\r\nSELECT 1 END end\r\nx"), ["SELECT 1 END", "x"]);
        assert_eq!(cut("SELECT delimiter FROM t; SELECT 1"), ["SELECT delimiter FROM t", "SELECT 1"]);
    }

    #[test]
    fn says_what_is_wrong_with_delimiters() {
        let text = "SELECT 1\nDELIMITER //\nx//\nDELIMITER\nSELECT 'open //";
        let (made, flaws) = read(text);
        assert_eq!(made, ["SELECT 1", "x", "SELECT 'open //"]);
        let found: Vec<&str> = flaws.iter().map(|flaw| flaw.what.as_str()).collect();
        assert_eq!(found, ["DELIMITER stands in the middle of a statement", "DELIMITER needs to be told what"]);
    }
}
