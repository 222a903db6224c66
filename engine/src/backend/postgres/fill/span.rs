//! Places of rows in a table, and ranges of them.

use std::error::Error as StdError;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// Bytes that a row version takes at least, with its line pointer.
const LEAST_ROW: u32 = 28;

/// A row version's place: block and line pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tid {
    /// Block.
    pub(crate) block: u32,
    /// Line pointer, from 1; 0 is before the first row of the block.
    pub(crate) line: u16,
}

impl Tid {
    /// Before the first row of a block. Block numbers have 32 bits.
    pub(crate) fn block(block: u64) -> Self {
        Self { block: u32::try_from(block).unwrap_or(u32::MAX), line: 0 }
    }
}

impl ToSql for Tid {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.put_u32(self.block);
        out.put_u16(self.line);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TID
    }

    to_sql_checked!();
}

/// Rows from `from` on, below `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Tid,
    pub(crate) to: Tid,
}

impl Span {
    pub(crate) fn blocks(from: u64, to: u64) -> Self {
        Self { from: Tid::block(from), to: Tid::block(to) }
    }
}

/// Line pointers that a block has at most, and one more.
pub(crate) fn lines(block_size: u32) -> u16 {
    u16::try_from(block_size / LEAST_ROW).unwrap_or(u16::MAX - 1) + 1
}

/// The two halves of a span of more than one row: whole blocks first, then line pointers.
pub(crate) fn halves(span: Span, lines: u16) -> Option<(Span, Span)> {
    let Span { from, to } = span;
    let middle = if to.line == 0 && to.block - from.block > 1 {
        Tid { block: from.block + (to.block - from.block) / 2, line: 0 }
    } else {
        let end = if to.block > from.block { lines } else { to.line };
        if end <= from.line + 1 {
            return None;
        }
        Tid { block: from.block, line: from.line + (end - from.line) / 2 }
    };
    let end = if to.block == from.block + 1 && middle.line > 0 { Tid { block: from.block, line: lines } } else { to };
    Some((Span { from, to: middle }, Span { from: middle, to: end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_end_at_single_rows() {
        let mut due = vec![Span::blocks(3, 8)];
        let mut single = Vec::new();
        while let Some(span) = due.pop() {
            match halves(span, 292) {
                Some((low, high)) => {
                    assert_eq!(low.to, high.from);
                    assert!(low.from < low.to && high.from < high.to, "{low:?} {high:?}");
                    due.extend([high, low]);
                }
                None => single.push(span),
            }
        }
        assert_eq!(single.len(), 5 * 292);
        assert!(single.iter().all(|span| span.to.line - span.from.line == 1 && span.to.block == span.from.block));
    }
}
