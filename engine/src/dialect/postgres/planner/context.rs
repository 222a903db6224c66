//! What a strategy knows, and how it says no.

use super::draft::Draft;
use crate::error::Problem;
use crate::facts::Facts;
use crate::name::{Ident, TableName, WrittenName};
use crate::op::Operation;
use crate::plan::{Finding, Hazard};
use crate::schema::{Catalogue, Column, Server, Table, TableKind};
use crate::settings::Settings;
use crate::source::Options;

/// The oldest server that is supported.
const OLDEST_MAJOR: u32 = 14;

/// One statement's view of the world: the facts, the catalogue as the statements before leave it, and where it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) facts: &'a Facts,
    /// As it will be when every earlier operation of the migration is complete.
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) settings: &'a Settings,
    /// What the directives above the statement say.
    pub(crate) options: &'a Options,
    /// The operation's place in the migration, from 1.
    pub(crate) number: usize,
    /// `file:line`.
    pub(crate) place: &'a str,
}

impl<'a> Context<'a> {
    pub(crate) fn server(&self) -> &'a Server {
        &self.catalogue.server
    }

    /// The table of that full name, as the statements before leave it.
    pub(crate) fn named(&self, name: &TableName) -> Option<&'a Table> {
        self.catalogue.table(name)
    }

    /// A reason to refuse.
    pub(crate) fn problem(
        &self,
        what: impl Into<String>,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Problem {
        Problem { what: what.into(), place: self.place.to_owned(), why: why.into(), advice: advice.into() }
    }

    /// A finding that needs the operator's word, accepted where it has been given.
    pub(crate) fn hazard(&self, hazard: Hazard, text: Text) -> Finding {
        let accepted = self.settings.accept.contains(&hazard) || self.options.accept.contains(&hazard);
        Finding { accepted, hazard: Some(hazard), ..text.finding() }
    }

    /// The table that an operation changes, where it is known.
    pub(crate) fn table_of(&self, operation: &Operation) -> Option<TableName> {
        match operation {
            Operation::DropIndex(op) => {
                let known = self.facts.indexes.iter().find(|(written, _, _)| *written == op.index);
                known.map(|(_, _, table)| table.clone())
            }
            _ => self.facts.table(operation.table()?).map(|table| table.name.clone()),
        }
    }

    /// Finds the table that a statement names, and makes sure that its schema can be changed at all. Everything that stands
    /// in the way goes into the draft.
    pub(crate) fn target(&self, written: &WrittenName, draft: &mut Draft) -> Option<&'a Table> {
        let table = self.find(written, draft)?;
        draft.problems.extend(self.unfit(table));
        Some(table)
    }

    /// The table that a statement names, whatever its kind.
    pub(crate) fn find(&self, written: &WrittenName, draft: &mut Draft) -> Option<&'a Table> {
        let resolved = self.facts.resolved.iter().find(|(known, _)| known == written).map(|(_, name)| name);
        let table = resolved.and_then(|name| self.named(name));
        if table.is_none() {
            let known = self.catalogue.tables.iter().map(|table| table.name.name.as_str());
            draft.problems.push(self.problem(
                format!("there is no table {}{}", written.display(), did_you_mean(written.name.as_str(), known)),
                "",
                "check the name, the schema and the search_path of this role",
            ));
        }
        table
    }

    /// The column that a statement names.
    pub(crate) fn column(&self, table: &'a Table, column: &Ident, draft: &mut Draft) -> Option<&'a Column> {
        let found = table.column(column);
        if found.is_none() {
            let known = table.columns.iter().map(|column| column.name.as_str());
            draft.problems.push(self.problem(
                format!(
                    "table {} has no column {}{}",
                    table.name.display(),
                    column.as_str(),
                    did_you_mean(column.as_str(), known)
                ),
                "",
                "check the name",
            ));
        }
        found
    }

    /// Why no schema change of ours is possible on this table.
    pub(crate) fn unfit(&self, table: &Table) -> Vec<Problem> {
        let mut problems = self.not_ours(table);
        problems.extend(self.not_alone(table));
        problems
    }

    /// Why the role, or anybody, may not change this table.
    pub(crate) fn not_ours(&self, table: &Table) -> Vec<Problem> {
        let name = table.name.display();
        let mut problems = Vec::new();
        let mut refuse = |what: String, why: &str, advice: &str| problems.push(self.problem(what, why, advice));
        if matches!(table.name.schema.as_str(), "pg_catalog" | "information_schema" | "pg_toast" | "shoofly") {
            refuse(
                format!("{name} is a system table"),
                "its shape is not the application's to change",
                "name a table of the application",
            );
        }
        match table.kind {
            TableKind::Ordinary | TableKind::Partitioned => {}
            TableKind::Foreign => {
                refuse(
                    format!("{name} is a foreign table"),
                    "its rows live elsewhere",
                    "change the table where it lives",
                );
            }
            TableKind::Other => refuse(format!("{name} is not a table"), "it holds no rows of its own", "name a table"),
        }
        if !table.owned_by_us {
            refuse(
                format!("{name} belongs to {}, and {} is no member of that role", table.owner, self.server().role),
                "only the owner of a table may change it",
                "connect as a member of the owner's role",
            );
        }
        problems
    }

    /// Why the table cannot be changed without others.
    fn not_alone(&self, table: &Table) -> Vec<Problem> {
        let name = table.name.display();
        let mut problems = Vec::new();
        let mut refuse = |what: String, why: &str, advice: &str| problems.push(self.problem(what, why, advice));
        if table.kind == TableKind::Partitioned {
            refuse(
                format!("{name} is partitioned"),
                "its partitions would have to be changed together, which is not supported yet",
                "run the change by hand, partition by partition",
            );
        }
        if !table.parents.is_empty() {
            refuse(
                format!("{name} is a child of {}", list(&table.parents)),
                "its columns must stay those of its parent",
                "run the change by hand on the whole tree",
            );
        }
        if table.kind == TableKind::Ordinary && !table.children.is_empty() {
            refuse(
                format!("{name} has children by inheritance: {}", list(&table.children)),
                "they would have to be changed together, which is not supported yet",
                "run the change by hand on the whole tree",
            );
        }
        if let Some(of_type) = &table.of_type {
            refuse(
                format!("{name} is a typed table OF {of_type}"),
                "its columns are those of the type",
                "use ALTER TYPE, or ALTER TABLE … NOT OF first",
            );
        }
        problems
    }
}

/// Why nothing can be changed on this server at all.
pub(crate) fn unfit_server(server: &Server) -> Vec<Problem> {
    let place = format!("database {}", server.database);
    let mut problems = Vec::new();
    if server.standby {
        problems.push(Problem {
            what: "the server is a standby".to_owned(),
            place: place.clone(),
            why: "nothing can be written there".to_owned(),
            advice: "connect to the primary (target_session_attrs=read-write)".to_owned(),
        });
    }
    if server.major() < OLDEST_MAJOR {
        problems.push(Problem {
            what: format!("the server is PostgreSQL {}", server.major()),
            place,
            why: format!("versions before {OLDEST_MAJOR} lack scans by block range, and are not supported"),
            advice: "upgrade the server".to_owned(),
        });
    }
    problems
}

/// What a finding says.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) what: String,
    pub(crate) place: String,
    pub(crate) why: String,
    pub(crate) advice: String,
}

impl Text {
    /// A notice: needs nobody's word.
    pub(crate) fn finding(self) -> Finding {
        Finding {
            hazard: None,
            accepted: false,
            what: self.what,
            place: self.place,
            why: self.why,
            advice: self.advice,
        }
    }
}

/// Names with commas.
pub(crate) fn list(names: &[TableName]) -> String {
    let names: Vec<String> = names.iter().map(TableName::display).collect();
    names.join(", ")
}

/// `; did you mean "x"?`, where a known name is near enough.
fn did_you_mean<'n>(typed: &str, known: impl Iterator<Item = &'n str>) -> String {
    let limit = (typed.chars().count() / 3).max(1);
    known
        .map(|name| (distance(typed, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| format!("; did you mean {name:?}?"))
        .unwrap_or_default()
}

/// Single letters put in, left out, changed or exchanged with their neighbour, capitals and small letters being the same.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.to_lowercase().chars().collect();
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, theirs) in other.iter().enumerate() {
            let mut best = (rows[i][j + 1] + 1).min(row[j] + 1).min(rows[i][j] + usize::from(letter != theirs));
            if i > 0 && j > 0 && *letter == other[j - 1] && one[i - 1] == *theirs {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_name_only_where_it_is_near() {
        let known = ["aid", "bid", "abalance", "filler"];
        assert_eq!(did_you_mean("abalence", known.into_iter()), "; did you mean \"abalance\"?");
        assert_eq!(did_you_mean("fliler", known.into_iter()), "; did you mean \"filler\"?");
        assert_eq!(did_you_mean("owner", known.into_iter()), "");
    }
}
