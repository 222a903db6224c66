//! Connections, transactions, error classes of each database. Knows sockets and no SQL of ours.

pub mod postgres;
