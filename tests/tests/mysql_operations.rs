//! Every operation and its important variants on MySQL and MariaDB, forward, back, forward and complete, while an application
//! writes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mysql_operations {
    mod add_column;
    mod attachments;
    mod charset;
    mod column;
    mod dual_column;
    mod foreign_key;
    mod index;
    mod keys;
    mod partitions;
    mod several;
    mod table;
    mod types;
    mod update_rows;
}
