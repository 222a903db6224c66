//! Parsers: SQL → operations. Expressions are kept as written, byte for byte.

pub mod postgres;
