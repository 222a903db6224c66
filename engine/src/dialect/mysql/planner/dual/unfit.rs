//! Columns that cannot get another one beside them.

use super::INSTEAD;
use crate::dialect::mysql::dual::Dual;
use crate::dialect::mysql::native::most_row_versions;
use crate::dialect::mysql::planner::rows::changes_by_itself;
use crate::dialect::mysql::planner::{Context, Draft};
use crate::dialect::mysql::rows;
use crate::schema::mysql::{Column, Table};
use crate::text::AsSql;

/// A column comes and a column goes: each makes a version of the rows.
const ROW_VERSIONS: u32 = 2;

/// What the column is, and what hangs on it.
pub(super) fn column(before: &Column, table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    let name = before.name.as_str();
    let mut refuse = |why: String| {
        let problem = cx.problem(format!("{name} cannot get a column beside it"), why, INSTEAD);
        if !draft.problems.contains(&problem) {
            draft.problems.push(problem);
        }
    };
    if before.auto_increment {
        refuse(
            "the server counts it: a trigger does not see the number of a row that is about to be inserted".to_owned(),
        );
    }
    if before.generated.is_some() {
        refuse("it is a generated column, which has no value yet when a trigger runs".to_owned());
    }
    if changes_by_itself(before) {
        refuse("the server changes it with every update".to_owned());
    }
    if is_computed(before) {
        refuse("its default is computed for each row".to_owned());
    }
    for why in mentions(table, before) {
        refuse(why);
    }
    let most = most_row_versions(cx.server().version);
    if table.row_versions.is_some_and(|used| used + ROW_VERSIONS > most) {
        refuse(format!("the table's rows have nearly all the {most} versions that they may have; a copy begins anew"));
    }
}

/// Whether its default is more than a constant. MariaDB writes texts with their quotes.
fn is_computed(column: &Column) -> bool {
    let called = column.default.as_deref().is_some_and(|default| !default.starts_with('\'') && default.contains('('));
    called || column.extra.to_uppercase().contains("DEFAULT_GENERATED")
}

/// What else of the table names the column, line by line in the server's words.
fn mentions(table: &Table, column: &Column) -> Vec<String> {
    let quoted = column.name.as_sql().to_lowercase();
    let mut found = Vec::new();
    for line in table.create_sql.lines().skip(1).map(str::trim_start) {
        let lower = line.to_lowercase();
        let own = lower.starts_with(&format!("{quoted} "));
        // What it refers to are columns of the other table.
        let here = lower.split(" references ").next().unwrap_or_default();
        if own && here.contains(" check (") {
            found.push("a CHECK belongs to it, which the server would not look at again".to_owned());
        }
        if !own && here.contains(&quoted) {
            found.push(mention(line));
        }
    }
    found
}

fn mention(line: &str) -> String {
    let mut names = line.split('`').skip(1);
    let name = names.next().unwrap_or_default();
    let upper = line.to_uppercase();
    if upper.starts_with("PRIMARY KEY") {
        "it is part of the primary key, by which rows are told apart".to_owned()
    } else if upper.contains(" FOREIGN KEY (") {
        format!("the foreign key {name} is over it")
    } else if upper.starts_with("CONSTRAINT ") || upper.starts_with("CHECK ") {
        format!("the CHECK {name} names it: the server would not change its text, nor look at the rows again")
    } else if upper.contains("KEY `") && !upper.starts_with('`') {
        format!("it is part of the index {name}: the server drops only a column without one at once")
    } else if upper.starts_with('`') {
        format!("the column {name} names it: what is computed from it would have to be computed anew")
    } else {
        "the table's partitions are made by it".to_owned()
    }
}

/// What it becomes, and the names that are needed.
pub(super) fn beside(dual: &Dual, table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    let (before, after) = (dual.before(), dual.beside());
    let mut refuse = |what: String, why: &str, advice: &str| draft.problems.push(cx.problem(what, why, advice));
    let what = || format!("{} cannot get a column beside it", before.name.as_str());
    if after.auto_increment || after.generated.is_some() {
        refuse(what(), "the new one would be computed by the server, and filled by triggers as well", INSTEAD);
    }
    if dual.has_check() {
        refuse(what(), "the new one has a CHECK, which the server would not look at for rows that exist", INSTEAD);
    }
    let shape = |column: &Column| {
        (column.column_type.clone(), column.charset.clone(), column.collation.clone(), column.nullable)
    };
    if shape(before) == shape(after) {
        let why = "type, character set, collation and NOT NULL stay what they are: no row has to be written";
        refuse(what(), why, "leave the directive out");
    }
    if table.column(after.name.as_str()).is_some() {
        refuse(
            format!("{} has a column {}", table.path.display(), after.name.as_str()),
            "the change needs that name for a time",
            "if an earlier change has left it, drop it; else rename it",
        );
    }
    for name in rows::names(&table.path) {
        if table.triggers.iter().any(|trigger| trigger.name.same_as(name.name.as_str())) {
            refuse(
                format!("there is a trigger {}", name.display()),
                "the change needs that name for a time",
                "if an earlier change has left it, drop it; else rename it",
            );
        }
    }
}
