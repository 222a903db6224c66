//! PostgreSQL: one function per statement, its lock in its doc comment; long reads in `.sql` files.

pub(crate) mod check;
pub(crate) mod column;
pub(crate) mod constraint;
pub(crate) mod index;
pub(crate) mod sequence;
pub(crate) mod statistics;
pub(crate) mod trigger;
pub(crate) mod value;
