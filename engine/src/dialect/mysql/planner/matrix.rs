//! What the server is known to do with a clause to a table at hand, where it has not been tried. In doubt a clause counts as one that
//! copies: when the run starts, the server is asked itself.

use super::change::Change;
use super::keys;
use crate::dialect::mysql::matrix::{Does, Operation, does};
use crate::dialect::mysql::native::most_row_versions;
use crate::plan::shadow::NativeWay;
use crate::schema::mysql::{Server, Table};
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::statement::{AddColumn, AddIndex, ClauseKind, Enforcement, IndexKind};
use crate::sql::mysql::{Clause, Name};

/// How the server does it without copying, or why it has to copy.
pub(super) fn way(clause: &Clause, change: &Change, table: &Table, server: &Server) -> Result<NativeWay, String> {
    let known = Known { change, table, server };
    let operation = known.operation(&clause.kind);
    if let Some(why) = known.exception(operation) {
        return Err(why.to_owned());
    }
    match does(operation, server.product, server.version) {
        Does::Natively(way) => Ok(way),
        Does::Copies(why) => Err(why.to_owned()),
        Does::Depends => {
            Err("the server is asked on an empty copy when the run starts: it may be able to do it at once".to_owned())
        }
    }
}

struct Known<'a> {
    change: &'a Change,
    table: &'a Table,
    server: &'a Server,
}

impl Known<'_> {
    fn operation(&self, kind: &ClauseKind) -> Operation {
        match kind {
            ClauseKind::AddColumn(add) => self.add_column(add),
            ClauseKind::DropColumn { column, .. } if self.is_indexed(column) => Operation::DropIndexedColumn,
            ClauseKind::DropColumn { .. } => Operation::DropColumn,
            ClauseKind::RenameColumn { .. } => Operation::RenameColumn,
            ClauseKind::SetDefault { .. } | ClauseKind::DropDefault { .. } | ClauseKind::SetColumnVisibility { .. } => {
                Operation::DescribeColumn
            }
            ClauseKind::ModifyColumn { .. } | ClauseKind::ChangeColumn { .. } => Operation::ModifyColumn,
            ClauseKind::AddIndex(add) => add_index(add),
            ClauseKind::DropIndex { .. } => Operation::DropIndex,
            ClauseKind::RenameIndex { .. } | ClauseKind::SetIndexVisibility { .. } => Operation::DescribeIndex,
            ClauseKind::AddForeignKey(key) if keys::is_served(key, self.table) => Operation::AddForeignKey,
            ClauseKind::AddForeignKey(_) => Operation::AddForeignKeyAndIndex,
            ClauseKind::DropForeignKey { .. } | ClauseKind::DropCheck { .. } | ClauseKind::DropConstraint { .. } => {
                Operation::DropConstraint
            }
            ClauseKind::AddCheck { enforcement: Enforcement::NotEnforced, .. } => Operation::AddUnenforcedCheck,
            ClauseKind::AddCheck { .. } => Operation::AddCheck,
            ClauseKind::TableOption { name, .. } if is_metadata(name) => Operation::DescribeTable,
            _ => Operation::Other,
        }
    }

    fn add_column(&self, add: &AddColumn) -> Operation {
        let definition = self.change.part(&add.definition).to_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| definition.contains(word));
        if has(&["AUTO_INCREMENT", "STORED", "PERSISTENT", "UNIQUE", "PRIMARY", "REFERENCES", "DEFAULT ("]) {
            return Operation::AddComputedColumn;
        }
        if add.position.is_some() { Operation::PlaceColumn } else { Operation::AddColumn }
    }

    fn is_indexed(&self, name: &Name) -> bool {
        let part_is = |part: &crate::schema::mysql::IndexPart| {
            part.column.as_ref().is_some_and(|column| column.same_as(name.as_str()))
        };
        self.table.indexes.iter().any(|index| index.parts.iter().any(part_is))
    }

    /// What this table keeps the server from.
    fn exception(&self, operation: Operation) -> Option<&'static str> {
        if !matches!(operation, Operation::AddColumn | Operation::PlaceColumn | Operation::DropColumn) {
            return None;
        }
        let generated = self.table.columns.iter().any(|column| column.generated.is_some());
        if self.server.product == Product::MariaDb && generated && operation != Operation::AddColumn {
            return Some("the table has generated columns");
        }
        let most = most_row_versions(self.server.version);
        match &self.table.row_format {
            Some(format) if format.eq_ignore_ascii_case("compressed") => Some("the rows are compressed"),
            _ if self.table.indexes.iter().any(|index| index.kind == "FULLTEXT") => {
                Some("the table has a FULLTEXT index")
            }
            _ if self.table.row_versions.is_some_and(|used| used >= most) => {
                Some("the table's rows have all the versions that they may have; a copy begins anew")
            }
            _ => None,
        }
    }
}

fn add_index(add: &AddIndex) -> Operation {
    match add.kind {
        IndexKind::Plain | IndexKind::Unique if add.parts.iter().all(|part| part.column.is_some()) => {
            Operation::AddIndex
        }
        IndexKind::Primary => Operation::AddPrimaryKey,
        _ => Operation::AddSpecialIndex,
    }
}

/// Options that are nothing but words in the dictionary.
fn is_metadata(option: &str) -> bool {
    matches!(option, "COMMENT" | "AUTO_INCREMENT" | "CHARACTER SET" | "CHARSET" | "COLLATE")
        || option.starts_with("STATS_")
}
