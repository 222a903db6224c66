//! Every operation and its important variants, forward, back, forward and complete, while an application writes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod operations {
    mod add_column;
    mod alter_column_type;
    mod column_default;
    mod direct;
    mod drop_column;
    mod index;
    mod not_null;
    mod several;
    mod update_rows;
}
