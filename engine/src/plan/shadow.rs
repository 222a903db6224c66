//! A second table that takes a table's place: what it is made of, as data.

use serde::{Deserialize, Serialize};

use crate::schema::mysql::{Column, TablePath};
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::Name;
use crate::text::Sql;

/// A second table, kept in step by triggers and filled from the first one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    /// Whose server it is: locking reads are written differently.
    pub product: Product,
    /// The table that is changed.
    pub table: TablePath,
    /// The second one. Its name sorts after the table's, so that a swap asks for both in that order.
    pub shadow: TablePath,
    /// What the table is called from the swap until it is dropped.
    pub old: TablePath,
    /// An empty table of the new shape, in the ledger's database: what the server makes of the user's clauses.
    pub shape: TablePath,
    /// The user's clauses, as written.
    pub clauses: Sql,
    /// Columns that are copied. Generated ones are not: the server makes them.
    pub columns: Vec<Copied>,
    /// The columns that name a row, in key order: the table's primary key, or a unique key of NOT NULL columns.
    pub key: Vec<Copied>,
    /// The index over them, to walk the table by.
    pub key_index: Name,
    /// A unique key of ours over the key's columns, where the new shape has none; it goes once the old table is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_key: Option<Name>,
    /// Foreign keys of the table: each is carried under a name of ours until the swap, as names are unique in a database.
    pub foreign_keys: Vec<CarriedKey>,
    /// Foreign keys of other tables that refer to this one: each is made to refer to the new table before it takes the name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<ChildKey>,
    /// The user's triggers, in the order in which they fire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<CarriedTrigger>,
    /// The time zone in which the server would read dates that become timestamps, or the other way round.
    pub zone: String,
    /// How long one chunk's transaction should take, where the migration says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<std::time::Duration>,
    /// Whether the second table has unique keys besides that which names rows: what is written to it may meet another row there.
    #[serde(default)]
    pub rivals: Rivals,
    /// Which of both shapes the second table has.
    #[serde(default)]
    pub way: Way,
}

/// Unique keys of a second table besides the one that names its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rivals {
    /// There is none.
    #[default]
    None,
    /// There are some.
    Some,
}

/// Which shape follows which.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The new shape follows the old one, until it takes its place.
    #[default]
    Forth,
    /// The old shape follows the new one, which has taken its place. `before` is then the new shape's column, and `after` the old
    /// one's.
    Back,
}

impl Shadow {
    /// The table under whose name the ledger notes what the second one did not take.
    #[must_use]
    pub fn noted(&self) -> &TablePath {
        match self.way {
            Way::Forth => &self.table,
            Way::Back => &self.shadow,
        }
    }
}

/// A column in both tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copied {
    /// As it is in the table.
    pub before: Column,
    /// As it is in the new shape.
    pub after: Column,
}

/// A foreign key that the new table gets as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedKey {
    /// Its name.
    pub name: Name,
    /// Its name until the old table is gone.
    pub interim: Name,
    /// `FOREIGN KEY (…) REFERENCES … (…) ON DELETE …`
    pub definition: Sql,
    /// The table that it refers to: adding and dropping it locks that one too.
    pub referenced: TablePath,
}

/// A foreign key of another table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildKey {
    /// The table that holds it.
    pub table: TablePath,
    /// The key, as that table has it.
    pub key: CarriedKey,
}

/// A trigger of the user's that the new table gets as well.
///
/// Until the old table is gone it has another name, as names are unique in a database, and does nothing for what our own
/// triggers write: the old table's does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedTrigger {
    /// Its name.
    pub name: Name,
    /// Its name until the old table is gone.
    pub interim: Name,
    /// `BEFORE INSERT`
    pub when: String,
    /// The statement that makes it.
    pub create_sql: Sql,
    /// What it does.
    pub body: Sql,
    /// The account with whose rights it does it, quoted.
    pub definer: Sql,
    /// `sql_mode`, character set and collation that it was made under.
    pub sql_mode: String,
    /// Likewise.
    pub charset: String,
    /// Likewise.
    pub collation: String,
}

/// What is done with a shadow table, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShadowStage {
    /// Make the shape and the table, empty.
    Make,
    /// Make the triggers that keep it in step.
    Mirror,
    /// Copy the rows that exist.
    Copy,
    /// Build the indexes that were left out, and bring its statistics up to date.
    Index,
    /// Compare every row of both.
    Compare,
    /// Make foreign keys of other tables refer to it.
    Repoint,
    /// Give it the table's name.
    Swap,
    /// Drop what is left over, and give foreign keys their names.
    Clean,
    /// Make the triggers by which the old table will follow the new one; they do nothing yet.
    MirrorBack,
    /// Both tables change names.
    Exchange,
    /// Drop the triggers of the table that has lost its name; those of the new shape when the window ends.
    Release,
}

/// One `ALTER TABLE` that the server does by itself without copying, with the algorithm stated: a surprise fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeAlter {
    /// The table.
    pub table: TablePath,
    /// The user's clauses that it carries out, as written.
    pub clauses: Sql,
    /// `INSTANT`, `NOCOPY` or `INPLACE`, with the lock that it is asked to make do with.
    pub how: NativeWay,
    /// Tables besides that it locks: those at the other end of a foreign key.
    pub neighbours: Vec<TablePath>,
    /// Whether the server looks at the rows where a foreign key is added.
    #[serde(default)]
    pub rows: KeyedRows,
}

/// Rows under a foreign key that is added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyedRows {
    /// The server looks at them, while it copies the table.
    #[default]
    AsTheServerDoes,
    /// `foreign_key_checks = 0`: it holds new rows to the key and looks at none that is there; those are proved apart.
    Unseen,
}

/// How the server carries a change out by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NativeWay {
    /// `ALGORITHM=INSTANT`: the data dictionary only.
    Instant,
    /// `ALGORITHM=NOCOPY, LOCK=NONE` (MariaDB): without rebuilding the rows.
    NoCopy,
    /// `ALGORITHM=INPLACE, LOCK=NONE`, seen not to rebuild the rows.
    InPlace,
    /// However the server does it, with everybody waiting: only with the operator's leave.
    Blocking,
}

impl NativeWay {
    /// The clauses that ask for it, with the comma behind them. None where the server may do as it likes: clauses about
    /// partitions stand alone.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Instant => "ALGORITHM=INSTANT, ",
            Self::NoCopy => "ALGORITHM=NOCOPY, LOCK=NONE, ",
            Self::InPlace => "ALGORITHM=INPLACE, LOCK=NONE, ",
            Self::Blocking => "",
        }
    }
}
