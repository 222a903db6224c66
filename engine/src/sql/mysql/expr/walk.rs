//! From token to token, always knowing whether a value is to come or has just come.
//!
//! That is what tells names from syntax without a grammar: where a value is to come, a word is a column unless it is
//! called or can never be one; behind a value, a word can only be an operator, a unit, or a part of the call around it.

use super::{ColumnRef, ExprError};
use crate::sql::mysql::cursor::{Source, name_of};
use crate::sql::mysql::keyword::{self, Operand};
use crate::sql::mysql::name::{Name, WrittenName};
use crate::sql::mysql::token::{Token, TokenKind};

/// What stands in an expression.
#[derive(Default)]
pub(super) struct Found {
    pub(super) columns: Vec<ColumnRef>,
    pub(super) functions: Vec<WrittenName>,
    pub(super) variables: Vec<String>,
    pub(super) parameter: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// A value is to come.
    Operand,
    /// A value has come.
    Operator,
}

/// Brackets that are open; the first frame stands for the whole expression.
#[derive(Default)]
struct Frame {
    kind: Kind,
    /// Commas seen.
    argument: usize,
    /// `INTERVAL`s whose unit may still come.
    intervals: usize,
    /// `CASE`s that are open.
    cases: usize,
}

#[derive(Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Group,
    /// `{d '…'}`
    Brace,
    /// The arguments of a function, by its name in lower case.
    Call(String),
}

pub(super) fn walk(source: &Source<'_>) -> Result<Found, ExprError> {
    let frames = vec![Frame::default()];
    let mut walk = Walk { source, at: 0, need: Need::Operand, frames, found: Found::default() };
    while walk.at < source.tokens.len() {
        match walk.need {
            Need::Operand => walk.operand()?,
            Need::Operator => walk.operator()?,
        }
    }
    let closed = walk.frames.len() == 1 && walk.frames.iter().all(|frame| frame.cases == 0);
    if walk.need == Need::Operator && closed { Ok(walk.found) } else { Err(walk.syntax("it ends too early")) }
}

struct Walk<'r, 'a> {
    source: &'r Source<'a>,
    at: usize,
    need: Need,
    frames: Vec<Frame>,
    found: Found,
}

impl<'r> Walk<'r, '_> {
    /// A value is to come.
    fn operand(&mut self) -> Result<(), ExprError> {
        let Some(token) = self.token(0) else { return Ok(()) };
        match token.kind {
            TokenKind::Number | TokenKind::Text | TokenKind::Bits => self.go(1, Need::Operator),
            TokenKind::Introducer
                if self.kind_at(1).is_some_and(|kind| matches!(kind, TokenKind::Text | TokenKind::Bits)) =>
            {
                self.go(2, Need::Operator);
            }
            TokenKind::Variable => {
                self.found.variables.push(self.text(0).to_owned());
                self.go(1, Need::Operator);
            }
            TokenKind::Parameter => {
                self.found.parameter = true;
                self.go(1, Need::Operator);
            }
            TokenKind::Mark(b'(') => self.open(1, Kind::Group),
            TokenKind::Mark(b'{') if self.kind_at(1) == Some(TokenKind::Word) => self.open(2, Kind::Brace),
            // A call without arguments.
            TokenKind::Mark(b')') if self.is_call() && self.at > 0 && self.source.tokens[self.at - 1].is_mark(b'(') => {
                return self.close();
            }
            TokenKind::Operator => match self.text(0) {
                "-" | "+" | "!" | "~" => self.go(1, Need::Operand),
                "*" if self.is_call() && self.kind_at(1) == Some(TokenKind::Mark(b')')) => self.go(1, Need::Operator),
                _ => return Err(self.unexpected()),
            },
            TokenKind::Word | TokenKind::QuotedName => return self.name(),
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// A name with its qualifiers, a call, or a word of the language.
    fn name(&mut self) -> Result<(), ExprError> {
        let mut parts = 1;
        while self.kind_at(2 * parts - 1) == Some(TokenKind::Mark(b'.')) {
            if self.text(2 * parts) == "*" {
                return Err(ExprError::WholeRow(self.source.sql.to_owned()));
            }
            if !matches!(self.kind_at(2 * parts), Some(TokenKind::Word | TokenKind::QuotedName)) {
                self.at += 2 * parts;
                return Err(self.unexpected());
            }
            parts += 1;
        }
        let called = self.kind_at(2 * parts - 1) == Some(TokenKind::Mark(b'('));
        let bare = parts == 1 && self.kind_at(0) == Some(TokenKind::Word);
        if bare && self.word(if called { Follows::Bracket } else { Follows::Other })? {
            return Ok(());
        }
        let names: Result<Vec<Name>, ExprError> = (0..parts).map(|part| self.name_at(2 * part)).collect();
        let mut names = names?;
        let Some(name) = names.pop() else { return Err(self.unexpected()) };
        if called {
            return self.call(names.pop(), &name, 2 * parts);
        }
        let qualifier = names.pop().map(String::from);
        let range = self.source.rough(self.at..self.at + 2 * parts - 1);
        let name_range = self.source.rough(self.at + 2 * parts - 2..self.at + 2 * parts - 1);
        self.found.columns.push(ColumnRef { range, name_range, qualifier, name });
        self.go(2 * parts - 1, Need::Operator);
        Ok(())
    }

    /// A word of the language where a value is to come; `false` where it is a name.
    fn word(&mut self, follows: Follows) -> Result<bool, ExprError> {
        let word = self.text(0).to_ascii_lowercase();
        let literal =
            matches!(word.as_str(), "date" | "time" | "timestamp") && self.kind_at(1) == Some(TokenKind::Text);
        if literal {
            self.go(2, Need::Operator);
            return Ok(true);
        }
        match keyword::operand(&word) {
            Operand::Prefix => {
                let (cases, call) = (self.frame().cases, self.is_call());
                match word.as_str() {
                    "case" => self.frame().cases += 1,
                    "interval" => self.frame().intervals += 1,
                    "when" if cases == 0 => return Err(self.unexpected()),
                    "distinct" if !call => return Err(self.unexpected()),
                    _ => {}
                }
                self.go(1, Need::Operand);
            }
            Operand::Query => return Err(ExprError::Subquery(self.source.sql.to_owned())),
            Operand::Function if follows == Follows::Other => {
                self.function(None, &word)?;
                self.go(1, Need::Operator);
            }
            Operand::Constant => self.go(1, Need::Operator),
            Operand::Reserved if follows == Follows::Other || !matches!(word.as_str(), "default" | "all") => {
                return Err(self.unexpected());
            }
            Operand::Function | Operand::Reserved | Operand::Name => return Ok(false),
        }
        Ok(true)
    }

    /// A call; `length` tokens are its name and its bracket.
    fn call(&mut self, database: Option<Name>, name: &Name, length: usize) -> Result<(), ExprError> {
        let own = database.is_none();
        let name = name.as_str().to_ascii_lowercase();
        if name != "row" {
            self.function(database, &name)?;
        }
        self.open(length, Kind::Call(name.clone()));
        if !own {
            return Ok(());
        }
        let first = self.text(0);
        match name.as_str() {
            "extract" | "timestampadd" | "timestampdiff" if keyword::is_unit(first) => self.go(1, Need::Operator),
            "get_format" if self.kind_at(1) == Some(TokenKind::Mark(b',')) => self.go(1, Need::Operator),
            // The name of a sequence.
            "nextval" | "lastval" | "setval" => {
                while self.token(0).is_some_and(|token| !token.is_mark(b',') && !token.is_mark(b')')) {
                    self.at += 1;
                }
                self.need = Need::Operator;
            }
            "trim" if keyword::is_any(first, &["leading", "trailing", "both"]) => {
                let from = self.text(1).eq_ignore_ascii_case("from");
                self.go(if from { 2 } else { 1 }, Need::Operand);
            }
            _ => {}
        }
        Ok(())
    }

    /// A value has come.
    fn operator(&mut self) -> Result<(), ExprError> {
        let Some(token) = self.token(0) else { return Ok(()) };
        match token.kind {
            TokenKind::Operator if !matches!(self.text(0), "!" | "~") => self.go(1, Need::Operand),
            // Strings beside each other are one.
            TokenKind::Text if self.at > 0 && self.source.tokens[self.at - 1].kind == TokenKind::Text => {
                self.go(1, Need::Operator);
            }
            TokenKind::Mark(b',') if self.frames.len() > 1 && self.frame().kind != Kind::Brace => {
                let frame = self.frame();
                (frame.argument, frame.intervals) = (frame.argument + 1, 0);
                let target = frame.argument == 1 && self.calls(&["convert"]);
                self.go(1, Need::Operand);
                if target {
                    self.skip_call();
                }
            }
            TokenKind::Mark(b')' | b'}') => return self.close(),
            TokenKind::Word => return self.behind(),
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// A word behind a value.
    fn behind(&mut self) -> Result<(), ExprError> {
        let word = self.text(0).to_ascii_lowercase();
        let (call, cases, intervals) = (self.is_call(), self.frame().cases, self.frame().intervals);
        match word.as_str() {
            "end" if cases > 0 => {
                self.frame().cases -= 1;
                self.go(1, Need::Operator);
            }
            "when" | "then" | "else" if cases > 0 => self.go(1, Need::Operand),
            "is" => {
                let not = usize::from(self.text(1).eq_ignore_ascii_case("not"));
                self.at += 1 + not;
                if !keyword::is_any(self.text(0), &["null", "true", "false", "unknown"]) {
                    return Err(self.unexpected());
                }
                self.go(1, Need::Operator);
            }
            "not" => self.go(1, Need::Operator),
            "collate" if self.token(1).is_some() => self.go(2, Need::Operator),
            "sounds" | "member" if self.kind_at(1) == Some(TokenKind::Word) => self.go(2, Need::Operand),
            "over" => return Err(ExprError::Window(self.source.sql.to_owned())),
            "against" if self.kind_at(1) == Some(TokenKind::Mark(b'(')) => {
                self.open(2, Kind::Call("against".to_owned()));
            }
            "in" | "with" if self.calls(&["against"]) => self.skip_call(),
            "and" | "or" | "xor" | "div" | "mod" | "like" | "rlike" | "regexp" | "between" | "in" | "escape" => {
                self.go(1, Need::Operand);
            }
            unit if intervals > 0 && keyword::is_unit(unit) => {
                self.frame().intervals -= 1;
                self.go(1, Need::Operator);
            }
            _ if call => return self.behind_in_call(&word),
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// A word behind a value, of those that only calls have.
    fn behind_in_call(&mut self, word: &str) -> Result<(), ExprError> {
        match word {
            // A type, or what comes of nothing and of errors: no names from here to the bracket.
            "as" if self.calls(&["cast", "weight_string"]) => self.skip_call(),
            "using" if self.calls(&["convert", "char"]) => self.skip_call(),
            "returning" | "null" | "error" | "default" if self.calls(&["json_value"]) => self.skip_call(),
            "from" | "for" | "separator" => self.go(1, Need::Operand),
            "at" if self.text(1).eq_ignore_ascii_case("time") => {
                let interval = usize::from(self.text(3).eq_ignore_ascii_case("interval"));
                self.go(3 + interval, Need::Operand);
            }
            "order" if self.text(1).eq_ignore_ascii_case("by") => self.go(2, Need::Operand),
            "asc" | "desc" => self.go(1, Need::Operator),
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// Goes to the bracket that ends the call.
    fn skip_call(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.token(0) {
            match token.kind {
                TokenKind::Mark(b'(') => depth += 1,
                TokenKind::Mark(b')') if depth == 0 => break,
                TokenKind::Mark(b')') => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        self.need = Need::Operator;
    }

    /// Takes `length` tokens, the last of which opens a bracket.
    fn open(&mut self, length: usize, kind: Kind) {
        self.frames.push(Frame { kind, ..Frame::default() });
        self.go(length, Need::Operand);
    }

    fn close(&mut self) -> Result<(), ExprError> {
        let brace = self.frame().kind == Kind::Brace;
        let fits = self.frames.len() > 1 && brace == (self.text(0) == "}") && self.frame().cases == 0;
        if !fits {
            return Err(self.unexpected());
        }
        self.frames.pop();
        self.go(1, Need::Operator);
        Ok(())
    }

    fn function(&mut self, database: Option<Name>, name: &str) -> Result<(), ExprError> {
        let name = name.parse().map_err(|error| self.syntax(&format!("{error}")))?;
        self.found.functions.push(WrittenName { database, name });
        Ok(())
    }

    fn go(&mut self, length: usize, need: Need) {
        (self.at, self.need) = (self.at + length, need);
    }

    /// The innermost brackets. The first frame is never closed.
    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// Whether the innermost brackets hold the arguments of one of `names`.
    fn calls(&self, names: &[&str]) -> bool {
        self.frames
            .last()
            .is_some_and(|frame| matches!(&frame.kind, Kind::Call(name) if names.contains(&name.as_str())))
    }

    fn is_call(&self) -> bool {
        self.frames.last().is_some_and(|frame| matches!(frame.kind, Kind::Call(_)))
    }

    fn token(&self, ahead: usize) -> Option<&'r Token> {
        self.source.tokens.get(self.at + ahead)
    }

    fn kind_at(&self, ahead: usize) -> Option<TokenKind> {
        self.token(ahead).map(|token| token.kind)
    }

    fn text(&self, ahead: usize) -> &str {
        self.source.text(self.at + ahead)
    }

    fn name_at(&self, ahead: usize) -> Result<Name, ExprError> {
        let Some(token) = self.token(ahead) else { return Err(self.unexpected()) };
        name_of(self.source.sql, token).map_err(|error| self.syntax(&error.to_string()))
    }

    fn unexpected(&self) -> ExprError {
        match self.token(0) {
            Some(token) => {
                self.syntax(&format!("unexpected `{}` at byte {}", token.text(self.source.sql), token.range.start))
            }
            None => self.syntax("it ends too early"),
        }
    }

    fn syntax(&self, why: &str) -> ExprError {
        ExprError::Syntax(self.source.sql.to_owned(), why.to_owned())
    }
}

/// What follows a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Bracket,
    Other,
}
