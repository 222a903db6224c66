//! How each operation is carried out: one file per operation.

pub(crate) mod add_column;
pub(crate) mod alter_column_type;
pub(crate) mod column_default;
pub(crate) mod direct;
pub(crate) mod drop_column;
pub(crate) mod dual_column;
pub(crate) mod effect;
mod filler;
pub(crate) mod index;
pub(crate) mod not_null;
mod rows;
pub(crate) mod update_rows;
