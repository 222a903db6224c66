//! Texts that no parser accepts: truncated statements and procedural bodies, token by token.

use super::super::token::{Token, TokenKind, significant, tokens};
use super::{StatementShape, Usage, ident_of};
use crate::name::WrittenName;

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Sql,
    /// PL/pgSQL: variables have types, and strings may be statements.
    Procedural,
}

/// Words after which a table's name stands.
const BEFORE_TABLE: [&str; 8] = ["from", "join", "into", "update", "only", "table", "copy", "using"];
/// Words that stand where an alias could, or a table's name, and are neither.
const NO_NAME: [&str; 32] = [
    "as",
    "on",
    "where",
    "set",
    "values",
    "select",
    "with",
    "default",
    "left",
    "right",
    "inner",
    "full",
    "cross",
    "natural",
    "join",
    "order",
    "group",
    "having",
    "limit",
    "offset",
    "union",
    "except",
    "intersect",
    "returning",
    "using",
    "for",
    "loop",
    "lateral",
    "only",
    "strict",
    "from",
    "into",
];
/// Calls in which `FROM` names no table.
const FROM_CALLS: [&str; 4] = ["extract", "substring", "trim", "overlay"];

/// The shape of the statements in `text`.
pub(super) fn statements(text: &str, language: Language) -> StatementShape {
    let mut shape = StatementShape::default();
    let tokens = significant(text);
    for statement in tokens.split(|token| token.is_mark(b';')) {
        Scan { text, tokens: statement }.read(&mut shape);
    }
    if language == Language::Procedural {
        declarations(text, &tokens, &mut shape);
        shape.merge(strings(text));
    }
    shape
}

/// What the strings in `text` would do as statements.
pub(super) fn strings(text: &str) -> StatementShape {
    let mut shape = StatementShape::default();
    for token in tokens(text).iter().filter(|token| token.kind == TokenKind::Text) {
        let inside = token.text(text).trim_matches(|char: char| char == '\'' || char == '$').replace("''", "'");
        // Strings in strings are not followed: the quotes are gone, and the words stand here already.
        for statement in significant(&inside).split(|token| token.is_mark(b';')) {
            Scan { text: &inside, tokens: statement }.read(&mut shape);
        }
    }
    shape
}

/// Variables between `DECLARE` and `BEGIN`, any of whose types may be a table's, and `%ROWTYPE`, `SETOF`.
fn declarations(text: &str, tokens: &[Token], shape: &mut StatementShape) {
    let mut declaring = false;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_word(text, "declare") {
            declaring = true;
        } else if token.is_word(text, "begin") {
            declaring = false;
        }
        let starts =
            at > 0 && tokens.get(at - 1).is_some_and(|before| before.is_mark(b';') || before.is_word(text, "declare"));
        let named = declaring && starts;
        let constant = tokens.get(at + 1).is_some_and(|next| next.is_word(text, "constant"));
        if named && let Some((table, _)) = name_at(text, tokens, at + 1 + usize::from(constant)) {
            shape.add(&table, Usage::RowType);
        }
    }
}

/// The name `a` or `a.b` at token `at`, and the token after it.
pub(super) fn name_at(text: &str, tokens: &[Token], at: usize) -> Option<(WrittenName, usize)> {
    let first = ident_of(text, tokens.get(at)?)?;
    let dotted = tokens.get(at + 1).is_some_and(|token| token.is_mark(b'.'));
    match tokens.get(at + 2).filter(|_| dotted).and_then(|token| ident_of(text, token)) {
        Some(second) => Some((WrittenName { schema: Some(first), name: second }, at + 3)),
        None => Some((WrittenName { schema: None, name: first }, at + 1)),
    }
}

/// One statement's tokens.
struct Scan<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl Scan<'_> {
    fn read(&self, shape: &mut StatementShape) {
        let tables = self.tables();
        tables.iter().for_each(|table| shape.add(table, Usage::Named));
        let inserts = self.inserts(shape);
        self.copies(shape);
        self.row_types(shape);
        if self.has_star() {
            let set = ["union", "except", "intersect"].iter().any(|word| self.has_word(word));
            let returned = (0..self.tokens.len()).any(|at| self.word(at, "return") && self.word(at + 1, "query"));
            let fits = inserts || set || returned;
            let how = if fits { Usage::AllColumnsMustFit } else { Usage::AllColumns };
            tables.iter().for_each(|table| shape.add(table, how));
        }
    }

    fn word(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_word(self.text, word))
    }

    fn one_of(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.word(at, word))
    }

    fn has_word(&self, word: &str) -> bool {
        (0..self.tokens.len()).any(|at| self.word(at, word))
    }

    fn mark(&self, at: usize, mark: u8) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_mark(mark))
    }

    /// Names after the words that announce a table, and after the commas of their list.
    fn tables(&self) -> Vec<WrittenName> {
        let mut found: Vec<WrittenName> = Vec::new();
        let mut calls: Vec<bool> = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            if self.mark(at, b'(') {
                calls.push(at > 0 && self.one_of(at - 1, &FROM_CALLS));
            } else if self.mark(at, b')') {
                calls.pop();
            }
            let distinct = self.word(at, "from") && at > 0 && self.word(at - 1, "distinct");
            let in_call = self.word(at, "from") && calls.last().copied().unwrap_or_default();
            if self.one_of(at, &BEFORE_TABLE) && !distinct && !in_call {
                at = self.list(at + 1, &mut found);
            } else {
                at += 1;
            }
        }
        found
    }

    /// `a, b AS c, d`: the tables from token `at` on, and the token after them.
    fn list(&self, mut at: usize, found: &mut Vec<WrittenName>) -> usize {
        loop {
            while self.one_of(at, &["only", "lateral", "strict"]) {
                at += 1;
            }
            if self.one_of(at, &NO_NAME) {
                return at;
            }
            let Some((table, next)) = name_at(self.text, self.tokens, at) else { return at };
            // A function's call is no table, but `INSERT INTO t (a)` and `COPY t (a)` are.
            if !self.mark(next, b'(') || self.one_of(at.saturating_sub(1), &["into", "copy"]) {
                found.push(table);
            }
            at = next + usize::from(self.word(next, "as"));
            if !self.one_of(at, &NO_NAME) && name_at(self.text, self.tokens, at).is_some() {
                at += 1;
            }
            if !self.mark(at, b',') {
                return at;
            }
            at += 1;
        }
    }

    /// A `*` that is no factor and no argument: nothing that could be multiplied follows it.
    fn has_star(&self) -> bool {
        self.tokens.iter().enumerate().any(|(at, token)| {
            let star = token.kind == TokenKind::Operator && token.text(self.text) == "*";
            let argument = at > 0 && self.mark(at - 1, b'(');
            let ends = at + 1 == self.tokens.len()
                || [b',', b')', b';'].iter().any(|mark| self.mark(at + 1, *mark))
                || self.one_of(at + 1, &["from", "into", "bulk", "union", "except", "intersect", "loop"]);
            star && !argument && ends
        })
    }

    /// Marks inserts without a list; whether there is any insert.
    fn inserts(&self, shape: &mut StatementShape) -> bool {
        let mut any = false;
        for at in 0..self.tokens.len() {
            if !(self.word(at, "insert") && self.word(at + 1, "into")) {
                continue;
            }
            any = true;
            let Some((table, mut next)) = name_at(self.text, self.tokens, at + 2) else { continue };
            if self.word(next, "as") {
                next += 2;
            }
            let query = self.mark(next, b'(') && self.one_of(next + 1, &["select", "with", "values", "table"]);
            let listless = query || self.one_of(next, &["values", "select", "with", "table", "overriding"]);
            if listless {
                shape.add(&table, Usage::InsertWithoutColumns);
            }
        }
        any
    }

    fn copies(&self, shape: &mut StatementShape) {
        for at in (0..self.tokens.len()).filter(|at| self.word(*at, "copy")) {
            if let Some((table, next)) = name_at(self.text, self.tokens, at + 1) {
                if self.word(next, "from") {
                    shape.add(&table, Usage::CopyWithoutColumns);
                } else if self.word(next, "to") {
                    shape.add(&table, Usage::AllColumns);
                }
            }
        }
    }

    /// `t%ROWTYPE` and `SETOF t`.
    fn row_types(&self, shape: &mut StatementShape) {
        for at in 0..self.tokens.len() {
            let percent = self.tokens.get(at).is_some_and(|token| token.text(self.text) == "%");
            if percent && self.word(at + 1, "rowtype") && at > 0 {
                let start = if at > 2 && self.mark(at - 2, b'.') { at - 3 } else { at - 1 };
                if let Some((table, _)) = name_at(self.text, self.tokens, start) {
                    shape.add(&table, Usage::RowType);
                }
            } else if self.word(at, "setof")
                && let Some((table, _)) = name_at(self.text, self.tokens, at + 1)
            {
                shape.add(&table, Usage::RowType);
            }
        }
    }
}
