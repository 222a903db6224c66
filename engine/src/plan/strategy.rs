//! How each operation is carried out: one file per operation.

pub(crate) mod alter_column_type;
pub(crate) mod dual_column;
