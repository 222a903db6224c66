//! Plans of hand-built facts: decisions, refusals, the order of statements.

mod alter_column_type;
mod directives;
mod fixture;
mod operations;
