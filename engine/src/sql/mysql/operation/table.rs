//! Statements that change a table: `ALTER TABLE`, `CREATE INDEX`, `DROP INDEX`.

use super::{OURS, Reader, SUPPORTED};
use crate::name::Ident;
use crate::op::{self, Operation};
use crate::sql::Flaw;
use crate::sql::mysql::name::Name;
use crate::sql::mysql::statement::{
    AlterTable, Clause, ClauseKind, CreateIndex, DropIndex, IndexKind, KeyPart, TableRef,
};
use crate::text::AsSql;

impl Reader<'_> {
    pub(super) fn alter_table(&self, alter: &AlterTable) -> Result<Operation, Vec<Flaw>> {
        let mut flaws = Vec::new();
        self.noise(&mut flaws, "ALTER TABLE …");
        if alter.if_exists {
            let word = self.tokens.iter().find(|token| token.is_word(self.sql, "if"));
            let range = self.behind(word.map_or(0, |token| token.range.start), 2);
            flaws.push(Flaw::new(
                range,
                "ALTER TABLE IF EXISTS is not supported",
                "leave IF EXISTS away: a table that is missing is then reported before anything is changed",
            ));
        }
        self.wait(alter.wait, alter.table.range.end, &mut flaws);
        flaws.extend(alter.clauses.iter().filter_map(refusal));
        let mut columns = Vec::new();
        alter.clauses.iter().for_each(|clause| targets(&clause.kind, &mut columns));
        let clauses = alter.clauses.iter().map(|clause| clause.text.clone()).collect();
        made(&alter.table, clauses, columns, flaws)
    }

    pub(super) fn create_index(&self, create: &CreateIndex) -> Result<Operation, Vec<Flaw>> {
        let mut flaws = Vec::new();
        self.noise(&mut flaws, "CREATE INDEX …");
        if create.or_replace {
            let advice = "drop the index in the same ALTER TABLE that adds the new one: DROP INDEX i, ADD INDEX i (…)";
            let verb = self.tokens.first().map_or(0, |token| token.range.end);
            flaws.push(Flaw::new(self.behind(verb, 2), "CREATE OR REPLACE INDEX is not supported", advice));
        }
        self.wait(create.wait, create.table.range.end, &mut flaws);
        self.settings(create.definition.end, &mut flaws);
        let mut clause = format!("ADD {}", kind(create.kind));
        if create.if_not_exists {
            clause.push_str(" IF NOT EXISTS");
        }
        for part in [&create.name.as_sql(), self.text(create.using.clone()), self.text(create.definition.clone())] {
            if !part.is_empty() {
                clause.push(' ');
                clause.push_str(part);
            }
        }
        let mut columns = Vec::new();
        keys(&create.parts, &mut columns);
        made(&create.table, vec![clause], columns, flaws)
    }

    pub(super) fn drop_index(&self, drop: &DropIndex) -> Result<Operation, Vec<Flaw>> {
        let mut flaws = Vec::new();
        self.noise(&mut flaws, "DROP INDEX …");
        self.wait(drop.wait, drop.table.range.end, &mut flaws);
        self.settings(drop.table.range.end, &mut flaws);
        let name = drop.name.as_sql();
        let clause = match drop.if_exists {
            false if drop.name.same_as("PRIMARY") => "DROP PRIMARY KEY".to_owned(),
            false => format!("DROP INDEX {name}"),
            true => format!("DROP INDEX IF EXISTS {name}"),
        };
        made(&drop.table, vec![clause], Vec::new(), flaws)
    }
}

fn made(table: &TableRef, clauses: Vec<String>, columns: Vec<Name>, flaws: Vec<Flaw>) -> Result<Operation, Vec<Flaw>> {
    if !flaws.is_empty() {
        return Err(flaws);
    }
    let mut each: Vec<Name> = Vec::new();
    for column in columns {
        if !each.iter().any(|known| known.same_as(column.as_str())) {
            each.push(column);
        }
    }
    let columns = each.into_iter().map(Ident::from).collect();
    Ok(Operation::AlterTable(op::AlterTable { table: table.name.clone().into(), clauses, columns }))
}

fn kind(kind: IndexKind) -> &'static str {
    match kind {
        IndexKind::Plain => "INDEX",
        IndexKind::Unique => "UNIQUE INDEX",
        IndexKind::Primary => "PRIMARY KEY",
        IndexKind::Fulltext => "FULLTEXT INDEX",
        IndexKind::Spatial => "SPATIAL INDEX",
        IndexKind::Vector => "VECTOR INDEX",
    }
}

/// Why a clause cannot be taken over as it is.
fn refusal(clause: &Clause) -> Option<Flaw> {
    let elsewhere = format!("run it with another tool; {SUPPORTED}");
    let (what, advice) = match &clause.kind {
        ClauseKind::Algorithm(_) => ("ALGORITHM", OURS),
        ClauseKind::Lock(_) => ("LOCK", OURS),
        ClauseKind::RenameTo(_) => ("ALTER TABLE … RENAME TO", elsewhere.as_str()),
        ClauseKind::DiscardTablespace => ("ALTER TABLE … DISCARD TABLESPACE", elsewhere.as_str()),
        ClauseKind::ImportTablespace => ("ALTER TABLE … IMPORT TABLESPACE", elsewhere.as_str()),
        ClauseKind::Partition(partition) => return refusal_of_partitions(clause, &partition.verb),
        ClauseKind::EnableKeys => ("ALTER TABLE … ENABLE KEYS", "leave it away: it does nothing for InnoDB"),
        ClauseKind::DisableKeys => ("ALTER TABLE … DISABLE KEYS", "leave it away: it does nothing for InnoDB"),
        ClauseKind::OrderBy { .. } => {
            ("ALTER TABLE … ORDER BY", "leave it away: InnoDB keeps rows in the order of the primary key")
        }
        ClauseKind::WithValidation => ("ALTER TABLE … WITH VALIDATION", "remove it: no row is taken over unproved"),
        ClauseKind::WithoutValidation => {
            ("ALTER TABLE … WITHOUT VALIDATION", "remove it: no row is taken over unproved")
        }
        _ => return None,
    };
    Some(Flaw::new(clause.range.clone(), format!("{what} is not supported"), advice))
}

/// Why a clause about partitions cannot be: it does something to another table, which the trial on an empty copy would do too, or
/// to rows rather than to the table's shape.
fn refusal_of_partitions(clause: &Clause, verb: &str) -> Option<Flaw> {
    let advice = match verb {
        "EXCHANGE PARTITION" | "CONVERT PARTITION" | "CONVERT TABLE" | "DISCARD PARTITION" | "IMPORT PARTITION" => {
            format!("run it with another tool: it changes two tables, or files; {SUPPORTED}")
        }
        "TRUNCATE PARTITION" => "delete the rows, or run it with another tool: it changes no definition".to_owned(),
        "OPTIMIZE PARTITION" | "REBUILD PARTITION" => {
            "write FORCE, by which the whole table is made anew, or run it with another tool".to_owned()
        }
        "ANALYZE PARTITION" | "CHECK PARTITION" | "REPAIR PARTITION" => {
            "run it with another tool: it changes no definition".to_owned()
        }
        _ => return None,
    };
    Some(Flaw::new(clause.range.clone(), format!("ALTER TABLE … {verb} is not supported"), advice))
}

/// The columns that a clause names as its targets.
fn targets(kind: &ClauseKind, columns: &mut Vec<Name>) {
    match kind {
        ClauseKind::AddColumn(add) => columns.push(add.column.clone()),
        ClauseKind::AddList(list) => list.iter().for_each(|element| targets(element, columns)),
        ClauseKind::ChangeColumn { from, to, .. } | ClauseKind::RenameColumn { from, to, .. } => {
            columns.extend([from.clone(), to.clone()]);
        }
        ClauseKind::DropColumn { column, .. }
        | ClauseKind::ModifyColumn { column, .. }
        | ClauseKind::SetDefault { column, .. }
        | ClauseKind::DropDefault { column, .. }
        | ClauseKind::SetColumnVisibility { column, .. } => columns.push(column.clone()),
        ClauseKind::AddIndex(index) => keys(&index.parts, columns),
        ClauseKind::AddForeignKey(key) => columns.extend(key.columns.iter().cloned()),
        _ => {}
    }
}

fn keys(parts: &[KeyPart], columns: &mut Vec<Name>) {
    columns.extend(parts.iter().filter_map(|part| part.column.clone()));
}
