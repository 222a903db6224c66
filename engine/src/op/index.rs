//! `CREATE INDEX` and `DROP INDEX`.

use serde::{Deserialize, Serialize};

use crate::name::{Ident, WrittenName};

/// Creates an index. It is built `CONCURRENTLY` whether or not that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateIndex {
    /// The table.
    pub table: WrittenName,
    /// The index; `None` where the server is to choose a name (ours must be known before: the planner chooses as the server
    /// would).
    pub name: Option<Ident>,
    /// `UNIQUE`.
    pub unique: bool,
    /// `IF NOT EXISTS` was written.
    pub if_not_exists: bool,
    /// Plain columns named anywhere in the definition.
    pub columns: Vec<Ident>,
    /// What follows the table's name, as written: `USING`, keys, `INCLUDE`, `WITH`, `WHERE`.
    pub definition: String,
}

/// Drops an index, `CONCURRENTLY` whether or not that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropIndex {
    /// The index.
    pub index: WrittenName,
    /// `IF EXISTS` was written.
    pub if_exists: bool,
    /// `CASCADE` was written.
    pub cascade: bool,
}
