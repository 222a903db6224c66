//! What a plan for MySQL or MariaDB is made from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::shadow::NativeWay;
use crate::schema::mysql::{Catalogue, Table};

/// Facts for one migration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The server and its tables; also tables that have a name which a run would want for its own.
    pub catalogue: Catalogue,
    /// What the server said about a statement when it was tried on an empty copy, by the statement's place in the script.
    /// Nothing was tried for a command that only reads.
    pub tried: BTreeMap<usize, Tried>,
}

/// A statement tried on an empty copy of its table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// What the server refuses about it, in its own words.
    pub refused: Option<String>,
    /// The copy afterwards.
    pub after: Option<Table>,
    /// Runs of clauses, by their places, each with the way in which the server carried it out without copying; empty where the
    /// rows have to be copied.
    pub parts: Vec<(Vec<usize>, NativeWay)>,
    /// Why they have to be, in the server's words.
    pub reason: String,
    /// Why a column beside cannot take the column's place at once, where the migration asks for that and it cannot.
    pub beside: Option<String>,
}
