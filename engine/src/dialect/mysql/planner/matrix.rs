//! What the server is known to do with a clause, where it has not been tried.
//!
//! From the servers' manuals and measured on MySQL 9.7 and MariaDB 10.11. In doubt a clause counts as one that copies: when the
//! run starts, the server is asked itself.

use super::change::Change;
use super::keys;
use crate::dialect::mysql::native::most_row_versions;
use crate::plan::shadow::NativeWay;
use crate::schema::mysql::{Server, Table};
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::statement::{AddColumn, AddIndex, ClauseKind, Enforcement, IndexKind};
use crate::sql::mysql::{Clause, Name};

/// MySQL that adds and drops columns anywhere at once.
const MYSQL_ANYWHERE: u32 = 80_029;
/// MySQL that renames columns at once.
const MYSQL_RENAME: u32 = 80_028;

/// How the server does it without copying, or why it has to copy.
pub(super) fn way(clause: &Clause, change: &Change, table: &Table, server: &Server) -> Result<NativeWay, String> {
    Known { change, table, server }.way(&clause.kind)
}

struct Known<'a> {
    change: &'a Change,
    table: &'a Table,
    server: &'a Server,
}

impl Known<'_> {
    fn maria(&self) -> bool {
        self.server.product == Product::MariaDb
    }

    /// By product.
    fn either(&self, mysql: NativeWay, mariadb: NativeWay) -> NativeWay {
        if self.maria() { mariadb } else { mysql }
    }

    fn since(&self, mysql: u32) -> bool {
        self.maria() || self.server.version >= mysql
    }

    fn has_fulltext(&self) -> bool {
        self.table.indexes.iter().any(|index| index.kind == "FULLTEXT")
    }

    fn has_generated(&self) -> bool {
        self.table.columns.iter().any(|column| column.generated.is_some())
    }

    fn is_indexed(&self, name: &Name) -> bool {
        let part_is = |part: &crate::schema::mysql::IndexPart| {
            part.column.as_ref().is_some_and(|column| column.same_as(name.as_str()))
        };
        self.table.indexes.iter().any(|index| index.parts.iter().any(part_is))
    }

    /// What keeps the server from changing the dictionary alone.
    fn instant(&self) -> Result<NativeWay, String> {
        let most = most_row_versions(self.server.version);
        let no = |why: &str| Err(why.to_owned());
        match &self.table.row_format {
            Some(format) if format.eq_ignore_ascii_case("compressed") => no("the rows are compressed"),
            _ if self.has_fulltext() => no("the table has a FULLTEXT index"),
            _ if self.table.row_versions.is_some_and(|used| used >= most) => {
                no("the table's rows have all the versions that they may have; a copy begins anew")
            }
            _ => Ok(NativeWay::Instant),
        }
    }

    fn way(&self, kind: &ClauseKind) -> Result<NativeWay, String> {
        use NativeWay::{InPlace, Instant, NoCopy};
        match kind {
            ClauseKind::AddColumn(add) => self.add_column(add),
            ClauseKind::DropColumn { column, .. } if self.is_indexed(column) => match self.maria() {
                true => Ok(NoCopy),
                false => Err("the column is part of an index".to_owned()),
            },
            ClauseKind::DropColumn { .. } if self.maria() && self.has_generated() => {
                Err("the table has generated columns".to_owned())
            }
            ClauseKind::DropColumn { .. } if !self.since(MYSQL_ANYWHERE) => {
                Err("this version rebuilds the table for it".to_owned())
            }
            ClauseKind::DropColumn { .. } => self.instant(),
            ClauseKind::RenameColumn { .. } if !self.since(MYSQL_RENAME) => Ok(InPlace),
            ClauseKind::RenameColumn { .. }
            | ClauseKind::SetDefault { .. }
            | ClauseKind::DropDefault { .. }
            | ClauseKind::SetColumnVisibility { .. } => Ok(Instant),
            ClauseKind::AddIndex(add) => self.add_index(add),
            ClauseKind::DropIndex { .. } => Ok(self.either(InPlace, NoCopy)),
            ClauseKind::RenameIndex { .. }
            | ClauseKind::SetIndexVisibility { .. }
            | ClauseKind::DropForeignKey { .. }
            | ClauseKind::DropCheck { .. }
            | ClauseKind::DropConstraint { .. } => Ok(self.either(InPlace, Instant)),
            // Without a look at the rows.
            ClauseKind::AddForeignKey(key) => {
                Ok(self.either(InPlace, if keys::is_served(key, self.table) { Instant } else { NoCopy }))
            }
            ClauseKind::AddCheck { enforcement: Enforcement::NotEnforced, .. } if !self.maria() => Ok(Instant),
            ClauseKind::TableOption { name, .. } if is_metadata(name) => Ok(self.either(InPlace, Instant)),
            ClauseKind::ModifyColumn { .. } | ClauseKind::ChangeColumn { .. } => {
                Err("the server is asked on an empty copy when the run starts: it may be able to do it at once"
                    .to_owned())
            }
            _ => Err("the server rebuilds the table for it".to_owned()),
        }
    }

    fn add_column(&self, add: &AddColumn) -> Result<NativeWay, String> {
        let definition = self.change.part(&add.definition).to_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| definition.contains(word));
        if has(&["AUTO_INCREMENT", "STORED", "PERSISTENT", "UNIQUE", "PRIMARY", "REFERENCES", "DEFAULT ("]) {
            return Err("each row gets a value of its own".to_owned());
        }
        if add.position.is_some() && self.maria() && self.has_generated() {
            return Err("the table has generated columns".to_owned());
        }
        if add.position.is_some() && !self.since(MYSQL_ANYWHERE) {
            return Err("this version rebuilds the table for a column that is not the last".to_owned());
        }
        self.instant()
    }

    fn add_index(&self, add: &AddIndex) -> Result<NativeWay, String> {
        match add.kind {
            IndexKind::Plain | IndexKind::Unique if add.parts.iter().all(|part| part.column.is_some()) => {
                Ok(self.either(NativeWay::InPlace, NativeWay::NoCopy))
            }
            IndexKind::Primary => Err("the rows are stored by the primary key".to_owned()),
            _ => Err("the server keeps writers out while it builds such an index".to_owned()),
        }
    }
}

/// Options that are nothing but words in the dictionary.
fn is_metadata(option: &str) -> bool {
    matches!(option, "COMMENT" | "AUTO_INCREMENT" | "CHARACTER SET" | "CHARSET" | "COLLATE")
        || option.starts_with("STATS_")
}
