//! Where the statements of a script end: at semicolons, but for those in brackets and in the bodies of functions.

use super::token::{Token, TokenKind, tokens};
use crate::sql::scrap::{Scrap, ScrapKind};

/// Cuts a text into scraps.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    tokens: std::vec::IntoIter<Token>,
    statement: Progress,
}

/// What is known of a statement that has not ended.
#[derive(Default)]
struct Progress {
    /// Brackets that are open.
    depth: usize,
    /// In `BEGIN ATOMIC … END` of a function: the number of `CASE`s open in it.
    cases: Option<usize>,
    /// Whether anything of it has been seen.
    begun: bool,
    /// Whether the last token is a `BEGIN` that is not its first word.
    begin: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, tokens: tokens(text).into_iter(), statement: Progress::default() }
    }

    pub(crate) fn scrap(&mut self) -> Option<Scrap> {
        let token = self.tokens.next()?;
        let kind = match token.kind {
            TokenKind::Space | TokenKind::BlockComment => ScrapKind::Blank,
            TokenKind::LineComment => ScrapKind::LineComment,
            TokenKind::Mark(b';') if self.statement.depth == 0 && self.statement.cases.is_none() => {
                self.ended();
                ScrapKind::End
            }
            _ => {
                self.statement.follow(self.text, &token);
                ScrapKind::Code
            }
        };
        Some(Scrap { kind, range: token.range })
    }

    pub(crate) fn ended(&mut self) {
        self.statement = Progress::default();
    }
}

impl Progress {
    /// Brackets and function bodies.
    fn follow(&mut self, text: &str, token: &Token) {
        match token.kind {
            TokenKind::Mark(b'(' | b'[') => self.depth += 1,
            TokenKind::Mark(b')' | b']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        let word = |word| token.is_word(text, word);
        self.cases = match self.cases {
            None if word("atomic") && self.begin => Some(0),
            Some(cases) if word("case") => Some(cases + 1),
            Some(0) if word("end") => None,
            Some(cases) if word("end") => Some(cases - 1),
            other => other,
        };
        self.begin = self.begun && word("begin");
        self.begun = true;
    }
}
