//! Parsers: SQL → operations. Expressions are kept as written, byte for byte.

use std::ops::Range;

pub mod dialect;
pub mod expression;
pub mod mysql;
pub mod postgres;
mod quoted;
pub(crate) mod scrap;

pub use dialect::Dialect;
pub use quoted::Backslash;

/// Something wrong with a piece of SQL, by its place in the text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The bytes concerned; empty where something is missing.
    pub range: Range<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Flaw {
    pub(crate) fn new(range: Range<usize>, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { range, what: what.into(), advice: advice.into() }
    }

    /// The same flaw in a text in which the one that was read starts at byte `offset`.
    #[must_use]
    pub fn shifted(mut self, offset: usize) -> Self {
        self.range = self.range.start + offset..self.range.end + offset;
        self
    }
}
