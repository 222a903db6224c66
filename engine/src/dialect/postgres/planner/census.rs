//! What the application was seen to do, and what follows from it for a table that gets another column, or another order of
//! columns.

use super::context::{Context, Text};
use crate::name::{Ident, WrittenName};
use crate::plan::{Finding, Hazard};
use crate::schema::Table;
use crate::sql::postgres::census::{StatementShape, Usage, classify, classify_function};

/// Letters of a statement that a finding shows.
const SHOWN: usize = 90;
/// Statements that a finding shows.
const EXAMPLES: usize = 3;

/// The column moves to the end: INSERT and COPY without a list of columns would put values into the wrong ones. It needs
/// nobody's word where it is the last one anyway, or where the server's own count of statements shows none of them.
pub(crate) fn column_order(table: &Table, column: &Ident, cx: &Context<'_>) -> Option<Finding> {
    if table.last_column().is_some_and(|last| last.name == *column) {
        return None;
    }
    let seen = Seen::on(table, cx);
    let listless = seen.that(&[Usage::InsertWithoutColumns, Usage::CopyWithoutColumns, Usage::AllColumnsMustFit]);
    let mut text = Text {
        what: format!("{} moves to the end of the table", column.as_str()),
        place: table.name.display(),
        why: "INSERT and COPY without a list of columns put values into the wrong ones from the swap on".to_owned(),
        advice: "name the columns in every INSERT and COPY, then accept it".to_owned(),
    };
    if !listless.is_empty() {
        text.why = format!("{}; seen: {}", text.why, shown(&listless));
        return Some(cx.hazard(Hazard::ColumnOrder, text));
    }
    if !cx.facts.census.statements_readable {
        text.why.push_str("; whether there are any cannot be seen, as pg_stat_statements cannot be read");
        return Some(cx.hazard(Hazard::ColumnOrder, text));
    }
    if seen.statements == 0 {
        text.why
            .push_str("; whether there are any cannot be seen, as pg_stat_statements has no statement on the table");
        return Some(cx.hazard(Hazard::ColumnOrder, text));
    }
    text.why = format!(
        "none of the {} statements on it in pg_stat_statements is an INSERT or a COPY without a list of columns, to which this \
         would matter; statements that it has not kept were not seen",
        seen.statements
    );
    text.advice = "nothing, unless there are others".to_owned();
    Some(text.finding())
}

/// The table gets one more column, for a time or for good.
pub(crate) fn another_column(table: &Table, cx: &Context<'_>) -> Vec<Finding> {
    let seen = Seen::on(table, cx);
    let mut found = Vec::new();
    found.extend(star_statements(table, &seen, cx));
    found.extend(row_type(table, &seen, cx));
    found.extend(subscribers(table, cx));
    found
}

fn star_statements(table: &Table, seen: &Seen, cx: &Context<'_>) -> Option<Finding> {
    let stars = seen.that(&[Usage::AllColumns, Usage::AllColumnsMustFit, Usage::CopyWithoutColumns]);
    (!stars.is_empty()).then(|| {
        cx.hazard(
            Hazard::StarStatements,
            Text {
                what: format!("statements take every column of the table: {}", shown(&stars)),
                place: table.name.display(),
                why: "where they are prepared, or where the number of columns must fit, they fail once it changes \
                      (0A000, 42601), as after any ADD COLUMN or DROP COLUMN"
                    .to_owned(),
                advice: "name the columns in them, or make sure that they are not prepared, then accept it".to_owned(),
            },
        )
    })
}

fn row_type(table: &Table, seen: &Seen, cx: &Context<'_>) -> Option<Finding> {
    let mut uses = table.row_type_uses.clone();
    for used in seen.that(&[Usage::RowType]) {
        if !uses.iter().any(|known| known.contains(&used) || used.contains(known.as_str())) {
            uses.push(used);
        }
    }
    (!uses.is_empty()).then(|| {
        cx.hazard(
            Hazard::RowType,
            Text {
                what: format!("the table's row type is used by {}", shown(&uses)),
                place: table.name.display(),
                why: "a function that lists the columns of the row no longer fits it, and sessions that have run one fail \
                      until they reconnect (42P13, 42804)"
                    .to_owned(),
                advice: "let them name columns, then accept it".to_owned(),
            },
        )
    })
}

fn subscribers(table: &Table, cx: &Context<'_>) -> Option<Finding> {
    let publications: Vec<&str> = table
        .publications
        .iter()
        .filter(|publication| publication.has_slots && publication.columns.is_none())
        .map(|publication| publication.name.as_str())
        .collect();
    (!publications.is_empty()).then(|| {
        cx.hazard(
            Hazard::Subscribers,
            Text {
                what: format!("the table is published by {}, and there are logical slots", publications.join(", ")),
                place: table.name.display(),
                why: "a subscriber stops at the next change of a row until it has the column too".to_owned(),
                advice: "change the subscribers' tables in step, then accept it".to_owned(),
            },
        )
    })
}

/// A role that may read every column one by one, and not the table: `SELECT *` needs a grant on the new column too.
pub(crate) fn column_grants(table: &Table, cx: &Context<'_>) -> Option<Finding> {
    let of_table = |role: &str| table.grants.iter().any(|grant| grant.grantee == role && grant.privilege == "SELECT");
    let (first, others) = table.columns.split_first()?;
    let everywhere = |role: &&str| {
        others
            .iter()
            .all(|column| column.grants.iter().any(|grant| grant.grantee == **role && grant.privilege == "SELECT"))
    };
    let selects = first.grants.iter().filter(|grant| grant.privilege == "SELECT");
    let roles: Vec<&str> =
        selects.map(|grant| grant.grantee.as_str()).filter(|role| !of_table(role)).filter(everywhere).collect();
    (!roles.is_empty()).then(|| {
        cx.hazard(
            Hazard::ColumnGrants,
            Text {
                what: format!("{} may read every column by grants on columns", roles.join(", ")),
                place: table.name.display(),
                why: "SELECT * fails for them once there is a column that they may not read".to_owned(),
                advice: "grant SELECT on the new column in the same migration's next step, then accept it".to_owned(),
            },
        )
    })
}

/// What was seen on one table.
struct Seen {
    /// Statements of the application, counted by the server.
    statements: usize,
    /// Each with what it is shown as.
    shapes: Vec<(String, StatementShape)>,
    table: crate::name::TableName,
}

impl Seen {
    fn on(table: &Table, cx: &Context<'_>) -> Self {
        let census = &cx.facts.census;
        let mut shapes = Vec::new();
        for statement in &census.statements {
            if let Some(shape) = classify(&statement.text) {
                shapes.push((format!("{:?}", shortened(&statement.text)), shape));
            }
        }
        let means = |written: &WrittenName| written.means(&table.name);
        shapes.retain(|(_, shape)| shape.uses.iter().any(|used| means(&used.table)));
        let statements = shapes.len();
        for function in &census.functions {
            let shape = classify_function(&function.signature, &function.language, &function.body);
            shapes.push((function.signature.clone(), shape));
        }
        Self { statements, shapes, table: table.name.clone() }
    }

    /// Everything that uses the table in one of these ways.
    fn that(&self, usages: &[Usage]) -> Vec<String> {
        let used =
            |shape: &StatementShape| usages.iter().any(|usage| shape.has(*usage, |written| written.means(&self.table)));
        self.shapes.iter().filter(|(_, shape)| used(shape)).map(|(shown, _)| shown.clone()).collect()
    }
}

fn shown(all: &[String]) -> String {
    let more = all.len().saturating_sub(EXAMPLES);
    let mut text = all.iter().take(EXAMPLES).cloned().collect::<Vec<String>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// One line, not too long.
fn shortened(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<&str>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
