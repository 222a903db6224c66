//! Every operation and its important variants, forward, back, forward and complete, while an application writes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod operations {
    mod add_column;
    mod attachments;
    mod column_default;
    mod drop_column;
    mod index;
    mod keys;
    mod not_null;
    mod several;
    mod update_rows;
    mod values;
}
