//! `ALTER COLUMN … TYPE`.

mod attachments;
mod keys;
mod values;
