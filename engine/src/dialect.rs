//! SQL text of each database: strategies and statements. Knows SQL and no sockets.

pub mod mysql;
pub mod postgres;
