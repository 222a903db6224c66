//! What a backfill cannot set, and what its expressions cannot contain.

use super::expression::Expression;
use super::{Form, Update, changes_by_itself};
use crate::dialect::mysql::function::{self, Holds};
use crate::dialect::mysql::planner::{Context, Draft, is_among};
use crate::error::Problem;
use crate::schema::mysql::{Column, Table};

const BY_HAND: &str = "run the UPDATE by hand in small pieces";

/// Everything about the statement that cannot be carried out row by row.
pub(super) fn update(update: &Update<'_>, cx: &Context<'_>, draft: &mut Draft) {
    let problems = &mut draft.problems;
    for (at, (column, _)) in update.set.iter().enumerate() {
        problems.extend(target(update.table, column, cx));
        if update.set[..at].iter().any(|(earlier, _)| earlier.name == column.name) {
            problems.push(cx.problem(
                format!("{} is set twice", column.name.as_str()),
                "the last one wins",
                "remove one",
            ));
        }
    }
    for expression in update.expressions() {
        problems.extend(reads(update.table, expression, cx));
        problems.extend(calls(update.form, expression, cx));
        problems.extend(read_otherwise(expression, cx));
    }
    problems.extend(entangled(update, cx));
    problems.extend(time_zones(update, cx));
}

/// Columns that no trigger may change under a client's hands.
fn target(table: &Table, column: &Column, cx: &Context<'_>) -> Vec<Problem> {
    let name = &column.name;
    let mut problems = Vec::new();
    let mut refuse = |why: String, advice: &str| {
        problems.push(cx.problem(format!("{} cannot be set by a backfill", name.as_str()), why, advice));
    };
    if column.generated.is_some() {
        refuse("it is a generated column".to_owned(), "change what it is generated from");
    }
    if column.auto_increment {
        refuse("the server counts it".to_owned(), "leave it as it is");
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        let named = |part: &crate::schema::mysql::IndexPart| {
            let own = part.column.as_ref().and_then(|column| table.column(column.as_str()));
            // What is computed may be computed from it.
            own.is_none_or(|own| own.generated.is_some() || own.name.same_as(name.as_str()))
        };
        if index.parts.iter().any(named) {
            refuse(
                format!(
                    "the unique key {} contains it, or what is computed from it: a value of ours could collide with a client's",
                    index.name.as_str()
                ),
                BY_HAND,
            );
        }
    }
    for key in &table.foreign_keys {
        if is_among(&key.columns, name) {
            refuse(
                format!(
                    "the foreign key {} contains it: a value that refers to nothing would fail a client's statement",
                    key.name.as_str()
                ),
                BY_HAND,
            );
        }
    }
    for key in table.referenced_by.iter().filter(|key| is_among(&key.referenced_columns, name)) {
        refuse(format!("the foreign key {} of {} refers to it", key.name.as_str(), key.table.display()), BY_HAND);
    }
    if is_checked(table, column) {
        refuse(
            "a CHECK names it: a value of ours that breaks it would fail a client's statement".to_owned(),
            "drop the check for the time of the change, or run the UPDATE by hand in small pieces",
        );
    }
    problems
}

/// Whether a CHECK of the table names the column, as far as the server's words tell.
fn is_checked(table: &Table, column: &Column) -> bool {
    let quoted = crate::text::AsSql::as_sql(&column.name).to_lowercase();
    table.create_sql.lines().any(|line| {
        let line = line.to_lowercase();
        line.find(" check (").is_some_and(|at| line[at..].contains(&quoted))
    })
}

/// Columns that an expression names and that are not there, or not yet, when a row is about to be written; or that change
/// without a trigger.
fn reads(table: &Table, expression: &Expression, cx: &Context<'_>) -> Vec<Problem> {
    let role = &expression.role;
    let mut problems: Vec<Problem> = Vec::new();
    let mut refuse = |what: String, why: &str, advice: &str| {
        let problem = cx.problem(what, why, advice);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    for read in &expression.columns {
        let name = read.name.as_str();
        let Some(column) = table.column(name) else {
            refuse(format!("{role} names {name}, which {} does not have", table.path.display()), "", "check the name");
            continue;
        };
        if column.generated.is_some() {
            refuse(
                format!("{role} reads {name}, a generated column"),
                "a generated column has no value yet when a row is about to be written",
                "write out the expression that it is generated from",
            );
        }
        if column.auto_increment {
            refuse(
                format!("{role} reads {name}, which the server counts"),
                "a row that is about to be inserted has no number yet",
                "use another column, or run the UPDATE by hand in small pieces",
            );
        }
        if changes_by_itself(column) {
            refuse(
                format!("{role} reads {name}, which the server changes with every update"),
                "the value would be another one after each",
                "use another column",
            );
        }
        for key in table.foreign_keys.iter().filter(|key| key.cascades() && is_among(&key.columns, &column.name)) {
            refuse(
                format!("{role} reads {name}, which the foreign key {} may change", key.name.as_str()),
                "the server makes such changes without triggers",
                "drop the foreign key for the time of the change, or run the UPDATE by hand in small pieces",
            );
        }
    }
    problems
}

/// Functions that cannot be called for a row again and again.
fn calls(form: Form, expression: &Expression, cx: &Context<'_>) -> Vec<Problem> {
    let role = &expression.role;
    let mut problems = Vec::new();
    for called in &expression.functions {
        let holds = match called.database {
            None => function::holds(called.name.as_str()),
            Some(_) => Holds::Unknown,
        };
        let name = called.display();
        match (holds, form) {
            (Holds::Always, _) | (Holds::Once, Form::Nulls) => {}
            (Holds::Once, Form::Always) => problems.push(cx.problem(
                format!("{role} gives another value each time: {name}()"),
                "what was filled could never be proved",
                "use an expression that depends on the row alone, or a constant; or fill only rows WHERE the column IS NULL",
            )),
            (Holds::InOneTimeZone, _) => problems.push(cx.problem(
                format!("{role} calls {name}()"),
                "what it gives depends on the time zone of the session, and the application's may be any",
                "use CONVERT_TZ and the time zone that you mean",
            )),
            (Holds::Unknown, _) => problems.push(cx.problem(
                format!("{role} calls {name}(), which is not known to give the same value for the same row"),
                "the server does not tell what a function of the user's reads, and a trigger would call it for every row written",
                "write out the expression that it stands for, or run the UPDATE by hand in small pieces",
            )),
        }
    }
    problems
}

/// What the server's own mode reads in another way than the sessions that make the triggers and fill.
fn read_otherwise(expression: &Expression, cx: &Context<'_>) -> Vec<Problem> {
    let mode = &cx.server().sql_mode;
    let has = |word: &str| mode.split(',').any(|one| one.trim().eq_ignore_ascii_case(word));
    let marks = [("ANSI_QUOTES", "\""), ("NO_BACKSLASH_ESCAPES", "\\"), ("PIPES_AS_CONCAT", "||")];
    let found = marks.into_iter().filter(|(word, mark)| has(word) && expression.written().contains(mark));
    found
        .map(|(word, mark)| {
            cx.problem(
                format!("{} contains {mark}", expression.role),
                format!("the server's sql_mode has {word}, and the sessions that fill do not"),
                "write it so that it means the same under every mode: '…', `…`, CONCAT()",
            )
        })
        .collect()
}

/// The server computes a later value from what an earlier one has set; done twice, that would give something else.
fn entangled(update: &Update<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (column, value) in &update.set {
        let other = update.set.iter().find(|(other, _)| other.name != column.name && value.reads(&other.name));
        if let Some((other, _)) = other {
            problems.push(cx.problem(
                format!(
                    "the value of {} is computed from {}, which the same UPDATE sets",
                    column.name.as_str(),
                    other.name.as_str()
                ),
                "done twice, it would give something else",
                "split it into two migrations",
            ));
        }
    }
    problems
}

/// A TIMESTAMP is another text in each session's time zone: it may be taken over as it is, or asked whether it is NULL.
fn time_zones(update: &Update<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let zoned = |column: &&Column| column.data_type == "timestamp";
    let mut problems = Vec::new();
    let mut refuse = |what: String| {
        problems.push(cx.problem(
            what,
            "what a value means depends on the time zone of the session that writes it, and the application's may be any",
            "take a TIMESTAMP over as it is (SET a = b, both TIMESTAMP), or run the UPDATE by hand in small pieces",
        ));
    };
    let taken_over = |column: &Column, value: &Expression| {
        let mut zoned = update.table.columns.iter().filter(zoned);
        column.data_type == "timestamp" && zoned.any(|source| value.is_column(&source.name))
    };
    for (column, value) in &update.set {
        let null = value.written().trim().eq_ignore_ascii_case("null");
        if column.data_type == "timestamp" && !null && !value.is_clock() && !taken_over(column, value) {
            refuse(format!("{} is a TIMESTAMP", column.name.as_str()));
        }
    }
    let values = update.set.iter().map(|(column, value)| (value, taken_over(column, value)));
    let read = values.chain(update.condition.iter().map(|condition| (condition, false)));
    for (expression, taken_over) in read {
        for column in update.table.columns.iter().filter(zoned) {
            let harmless = taken_over || expression.only_asks_for_null(&column.name);
            if expression.reads(&column.name) && !harmless {
                refuse(format!("{} reads {}, a TIMESTAMP", expression.role, column.name.as_str()));
            }
        }
    }
    problems
}
