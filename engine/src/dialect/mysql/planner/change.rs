//! A statement that changes a table, as `ALTER TABLE` with its clauses.

use crate::schema::mysql::Column;
use crate::sql::mysql::mode::{Product, Server};
use crate::sql::mysql::name::{Name, WrittenName};
use crate::sql::mysql::statement::{
    AddForeignKey, AlterTable, ClauseKind, IndexKind, Position, Statement, read_statement,
};
use crate::sql::mysql::token::significant;
use crate::sql::mysql::{Clause, Mode};
use crate::text::{AsSql, Sql};

/// One change of a table. Ranges in its clauses are bytes of its text.
#[derive(Debug, Clone)]
pub(super) struct Change {
    text: String,
    alter: AlterTable,
    mode: Mode,
}

/// MySQL that makes a foreign key of `REFERENCES` behind a column; before, it forgets the words.
const MYSQL_OWN_KEYS: u32 = 90_000;

/// `MODIFY` or `CHANGE` of one column.
#[derive(Debug, Clone, Copy)]
pub(super) struct OneColumn<'a> {
    /// Its name.
    pub(super) from: &'a Name,
    /// The name that it has afterwards.
    pub(super) to: &'a Name,
    /// Type and attributes, as written.
    pub(super) definition: &'a str,
    /// Where it goes, if it moves.
    pub(super) position: Option<&'a Position>,
}

impl Change {
    /// Reads a statement; `None` for one that is no change of a table's definition.
    pub(super) fn read(sql: &str, mode: Mode) -> Option<Self> {
        let text = match read_statement(sql, mode).ok()? {
            Statement::AlterTable(alter) => return Some(Self { text: sql.to_owned(), alter, mode }),
            Statement::CreateIndex(index) => {
                let kind = match index.kind {
                    IndexKind::Unique => "UNIQUE INDEX",
                    IndexKind::Fulltext => "FULLTEXT INDEX",
                    IndexKind::Spatial => "SPATIAL INDEX",
                    IndexKind::Vector => "VECTOR INDEX",
                    IndexKind::Plain | IndexKind::Primary => "INDEX",
                };
                let part = |range: &std::ops::Range<usize>| sql.get(range.clone()).unwrap_or_default().to_owned();
                let name = index.name.as_sql();
                let (using, definition) = (part(&index.using), part(&index.definition));
                format!("ALTER TABLE {} ADD {kind} {name} {using} {definition}", index.table.name.as_sql())
            }
            Statement::DropIndex(index) => {
                format!("ALTER TABLE {} DROP INDEX {}", index.table.name.as_sql(), index.name.as_sql())
            }
            _ => return None,
        };
        match read_statement(&text, mode).ok()? {
            Statement::AlterTable(alter) => Some(Self { text, alter, mode }),
            _ => None,
        }
    }

    /// Several changes of one table as one, their clauses in order.
    pub(super) fn merged(changes: &[Self], mode: Mode) -> Option<Self> {
        let (first, rest) = changes.split_first()?;
        if rest.is_empty() {
            return Some(first.clone());
        }
        let texts: Vec<String> = changes.iter().map(|change| change.all().as_str().to_owned()).collect();
        let text = format!("ALTER TABLE {} {}", first.table().as_sql(), texts.join(", "));
        match read_statement(&text, mode).ok()? {
            Statement::AlterTable(alter) => Some(Self { text, alter, mode }),
            _ => None,
        }
    }

    pub(super) fn table(&self) -> &WrittenName {
        &self.alter.table.name
    }

    pub(super) fn clauses(&self) -> &[Clause] {
        &self.alter.clauses
    }

    /// Clauses by their places, as they stand behind the table's name.
    pub(super) fn sql(&self, which: &[usize]) -> Sql {
        let mut text = String::new();
        for clause in which.iter().filter_map(|at| self.clauses().get(*at)) {
            if !text.is_empty() {
                // What is said of partitions stands behind all other clauses, without a comma.
                let alone = matches!(clause.kind, ClauseKind::Partition(_));
                text.push_str(if alone { " " } else { ", " });
            }
            text.push_str(&clause.text);
        }
        Sql::raw(text)
    }

    /// All of them.
    pub(super) fn all(&self) -> Sql {
        self.sql(&(0..self.clauses().len()).collect::<Vec<_>>())
    }

    /// A part of the text.
    pub(super) fn part(&self, range: &std::ops::Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The name that a column has afterwards; `None` where it is dropped.
    pub(super) fn renamed(&self, column: &Column) -> Option<Name> {
        let mut name = Some(column.name.clone());
        for clause in self.clauses() {
            match &clause.kind {
                ClauseKind::DropColumn { column: dropped, .. } if column.name.same_as(dropped.as_str()) => name = None,
                ClauseKind::ChangeColumn { from, to, .. } | ClauseKind::RenameColumn { from, to, .. }
                    if column.name.same_as(from.as_str()) =>
                {
                    name = Some(to.clone());
                }
                _ => {}
            }
        }
        name
    }

    /// Whether a clause adds a foreign key, or drops something that may be one: an empty copy has none, and so cannot be asked
    /// about it.
    pub(super) fn is_about_keys(&self, place: usize) -> bool {
        let kind = self.clauses().get(place).map(|clause| &clause.kind);
        kind.is_some_and(|kind| matches!(kind, ClauseKind::DropForeignKey { .. }) || self.adds_key(kind))
    }

    /// A clause that adds a foreign key as a part of something else: of a column, or of a list in brackets.
    pub(super) fn hidden_key(&self) -> Option<&Clause> {
        let hidden =
            |clause: &&Clause| !matches!(clause.kind, ClauseKind::AddForeignKey(_)) && self.adds_key(&clause.kind);
        self.clauses().iter().find(hidden)
    }

    fn adds_key(&self, kind: &ClauseKind) -> bool {
        let forgets = |server: Server| server.product == Product::MySql && server.version < MYSQL_OWN_KEYS;
        match kind {
            ClauseKind::AddForeignKey(_) => true,
            ClauseKind::AddColumn(add) => {
                let definition = self.part(&add.definition);
                let refers =
                    || significant(definition, self.mode).iter().any(|token| token.is_word(definition, "REFERENCES"));
                !self.mode.server.is_some_and(forgets) && refers()
            }
            ClauseKind::AddList(list) => list.iter().any(|kind| self.adds_key(kind)),
            _ => false,
        }
    }

    /// The tables that foreign keys refer to which it adds. Without a database of their own they are in the table's.
    pub(super) fn refers_to(&self) -> Vec<WrittenName> {
        let named = |clause: &Clause| match &clause.kind {
            ClauseKind::AddForeignKey(key) => Some(key.referenced.name.clone()),
            _ => None,
        };
        let at_home = |name: WrittenName| WrittenName {
            database: name.database.or_else(|| self.table().database.clone()),
            name: name.name,
        };
        self.clauses().iter().filter_map(named).map(at_home).collect()
    }

    /// Whether it adds a column of that name.
    pub(super) fn adds_column(&self, name: &Name) -> bool {
        self.clauses().iter().any(|clause| match &clause.kind {
            ClauseKind::AddColumn(add) => add.column.same_as(name.as_str()),
            ClauseKind::ChangeColumn { to, .. } | ClauseKind::RenameColumn { to, .. } => to.same_as(name.as_str()),
            _ => false,
        })
    }

    /// Whether it names a CHECK constraint that is there: on MySQL an empty copy has other names for them, and cannot be asked.
    pub(super) fn is_about_checks(&self) -> bool {
        let about = |kind: &ClauseKind| {
            matches!(
                kind,
                ClauseKind::DropCheck { .. } | ClauseKind::AlterCheck { .. } | ClauseKind::DropConstraint { .. }
            )
        };
        self.clauses().iter().any(|clause| about(&clause.kind))
    }

    /// The clauses for an empty copy.
    pub(super) fn without_keys(&self) -> Sql {
        self.sql(&(0..self.clauses().len()).filter(|place| !self.is_about_keys(*place)).collect::<Vec<_>>())
    }

    /// Foreign keys that it drops.
    pub(super) fn drops_key(&self, name: &Name) -> bool {
        self.clauses().iter().any(|clause| match &clause.kind {
            ClauseKind::DropForeignKey { name: dropped, .. } | ClauseKind::DropConstraint { name: dropped, .. } => {
                name.same_as(dropped.as_str())
            }
            _ => false,
        })
    }

    /// The column that it changes, where it does nothing else.
    pub(super) fn only_column(&self) -> Option<OneColumn<'_>> {
        let [clause] = self.clauses() else { return None };
        match &clause.kind {
            ClauseKind::ModifyColumn { column, definition, position, .. } => {
                let definition = self.part(definition);
                Some(OneColumn { from: column, to: column, definition, position: position.as_ref() })
            }
            ClauseKind::ChangeColumn { from, to, definition, position, .. } => {
                let definition = self.part(definition);
                Some(OneColumn { from, to, definition, position: position.as_ref() })
            }
            _ => None,
        }
    }

    /// In a few words.
    pub(super) fn summary(&self) -> String {
        self.summary_of(&(0..self.clauses().len()).collect::<Vec<_>>())
    }

    /// Some of its clauses, in a few words.
    pub(super) fn summary_of(&self, which: &[usize]) -> String {
        let clauses = which.iter().filter_map(|at| self.clauses().get(*at));
        let each: Vec<String> = clauses.map(|clause| words(&clause.kind, &clause.text)).collect();
        format!("{} ({})", each.join(", "), self.table().display())
    }
}

fn words(kind: &ClauseKind, text: &str) -> String {
    let named = |what: &str, name: &Name| format!("{what} {}", name.as_str());
    match kind {
        ClauseKind::AddColumn(add) => named("add the column", &add.column),
        ClauseKind::DropColumn { column, .. } => named("drop the column", column),
        ClauseKind::ModifyColumn { column, .. } => named("change the column", column),
        ClauseKind::ChangeColumn { from, to, .. } if from.same_as(to.as_str()) => named("change the column", from),
        ClauseKind::ChangeColumn { from, to, .. } | ClauseKind::RenameColumn { from, to, .. } => {
            format!("rename the column {} to {}", from.as_str(), to.as_str())
        }
        ClauseKind::SetDefault { column, .. } => named("set the default of", column),
        ClauseKind::DropDefault { column, .. } => named("drop the default of", column),
        ClauseKind::AddIndex(add) => match (&add.name, add.kind) {
            (_, IndexKind::Primary) => "add a primary key".to_owned(),
            (Some(name), _) => named("add the index", name),
            (None, _) => "add an index".to_owned(),
        },
        ClauseKind::DropIndex { name, .. } => named("drop the index", name),
        ClauseKind::DropPrimaryKey => "drop the primary key".to_owned(),
        ClauseKind::RenameIndex { from, to, .. } => format!("rename the index {} to {}", from.as_str(), to.as_str()),
        ClauseKind::DropForeignKey { name, .. } => named("drop the foreign key", name),
        ClauseKind::AddForeignKey(AddForeignKey { name: Some(name), .. }) => named("add the foreign key", name),
        ClauseKind::ConvertTo { charset, .. } => format!("convert to {charset}"),
        _ => shortened(text),
    }
}

fn shortened(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(40) {
        Some((cut, _)) => format!("{} …", &flat[..cut]),
        None => flat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hides_a_key(product: Product, version: u32, clause: &str) -> bool {
        let sql = format!("ALTER TABLE t {clause}");
        Change::read(&sql, Mode::of(product, version, "")).unwrap().hidden_key().is_some()
    }

    #[test]
    fn a_column_may_be_a_key_as_well() {
        for (product, version) in [(Product::MySql, 90_000), (Product::MariaDb, 100_600)] {
            assert!(hides_a_key(product, version, "ADD a int REFERENCES p (id)"));
            assert!(hides_a_key(product, version, "DROP c, ADD (a int, b int references p (id))"));
            assert!(!hides_a_key(
                product,
                version,
                "ADD a int COMMENT 'REFERENCES' /* references */, ADD `references` int"
            ));
            assert!(!hides_a_key(product, version, "ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES p (id)"));
        }
    }

    #[test]
    fn old_servers_forget_what_a_column_refers_to() {
        assert!(!hides_a_key(Product::MySql, 80_400, "ADD a int REFERENCES p (id)"));
        assert!(hides_a_key(Product::MySql, 80_400, "ADD (a int, FOREIGN KEY (a) REFERENCES p (id))"));
    }
}
