//! The trigger that keeps a column in step, and its functions.

use super::dollar_quoted;
use crate::name::{Ident, QualifiedName, TableName};
use crate::sql;
use crate::text::{Literal, Sql};

/// The setting by which a fill says that it writes final values.
pub(crate) const FILLING: &str = "shoofly.filling";

/// Settings that conversions depend on; a function that must give the same value in every session pins them.
const PINNED: [&str; 6] =
    ["search_path", "\"TimeZone\"", "\"DateStyle\"", "\"IntervalStyle\"", "extra_float_digits", "bytea_output"];

/// Whether a function's result hangs on settings of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settings {
    /// It may: they are pinned to those of the session that makes the function, and so is the role: the writer may lack rights
    /// that the expression needs, as the statement's own author need not.
    Pinned,
    /// It does not.
    Free,
}

/// What happens to a row whose values cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The targets are NULL and the client's statement goes on; the proof finds the row.
    Null,
    /// The targets stay what the client made them, likewise.
    Keep,
    /// The client's statement fails, as it will once the change is complete.
    Raise,
}

/// What a trigger function does to a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// Columns and their values over `NEW`. No value reads another's column.
    pub(crate) assignments: Vec<(Ident, Sql)>,
    /// Over `NEW` and `OLD`; `None` for always.
    pub(crate) condition: Option<Sql>,
}

/// Lock: none.
pub(crate) fn function(name: &QualifiedName, rule: &Rule, settings: Settings, on_error: OnError) -> Sql {
    sql!(
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{role}{pins}\nAS {body}",
        name = name,
        role = Sql::raw(if settings == Settings::Pinned { " SECURITY DEFINER" } else { "" }),
        pins = pins(settings),
        body = dollar_quoted(&format!("BEGIN\n{}    RETURN NEW;\nEND", body(rule, on_error)))
    )
}

/// Only our own lines are indented: a user's expression may have a string with a line break in it.
fn body(rule: &Rule, on_error: OnError) -> String {
    let guarded = on_error != OnError::Raise;
    let outer = if guarded { "        " } else { "    " };
    let inner = if rule.condition.is_some() { format!("{outer}    ") } else { outer.to_owned() };
    let assign = |value: &dyn Fn(&Sql) -> Sql, pad: &str| -> String {
        let line = |(target, made): &(Ident, Sql)| {
            format!("{pad}{}\n", sql!("NEW.{t} := {v};", t = target, v = value(made)).as_str())
        };
        rule.assignments.iter().map(line).collect()
    };
    let assignments = assign(&Sql::clone, &inner);
    let work = match &rule.condition {
        Some(condition) => format!("{outer}IF {} THEN\n{assignments}{outer}END IF;\n", condition.as_str()),
        None => assignments,
    };
    let rescue = match on_error {
        OnError::Raise => return work,
        OnError::Null => assign(&|_| Sql::raw("NULL"), "        "),
        OnError::Keep => "        NULL;\n".to_owned(),
    };
    format!("    BEGIN\n{work}    EXCEPTION WHEN OTHERS THEN\n{rescue}    END;\n")
}

/// A function that gives the value, or NULL where it cannot be computed: what a fill writes.
///
/// Lock: none. `parameters` are the types of `$1`, `$2` …, over which `value` is written.
pub(crate) fn value_function(name: &QualifiedName, parameters: &[Sql], result: &Sql, value: &Sql) -> Sql {
    let body = format!(
        "DECLARE\n    made {};\nBEGIN\n    made := {};\n    RETURN made;\nEXCEPTION WHEN OTHERS THEN\n    RETURN NULL;\nEND",
        result.as_str(),
        value.as_str()
    );
    sql!(
        "CREATE OR REPLACE FUNCTION {name}({parameters}) RETURNS {result} LANGUAGE plpgsql STABLE{pins}\nAS {body}",
        name = name,
        parameters = Sql::join(parameters, ", "),
        result = result,
        pins = pins(Settings::Pinned),
        body = dollar_quoted(&body)
    )
}

fn pins(settings: Settings) -> Sql {
    match settings {
        Settings::Free => Sql::raw(""),
        Settings::Pinned => {
            let clauses: Vec<String> = PINNED.iter().map(|name| format!("\n    SET {name} FROM CURRENT")).collect();
            Sql::raw(clauses.concat())
        }
    }
}

/// Every INSERT and every UPDATE, whatever it names: with `UPDATE OF` a row moved by another column's update would stay
/// behind.
///
/// Lock: `SHARE ROW EXCLUSIVE`.
pub(crate) fn create(table: &TableName, name: &Ident, when: &Sql, function: &QualifiedName) -> Sql {
    sql!(
        "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW\n    WHEN ({when})\n    \
         EXECUTE FUNCTION {function}()",
        name = name,
        table = table,
        when = when,
        function = function
    )
}

/// Also for replicated changes and for a fill that silences the user's triggers.
///
/// Lock: `SHARE ROW EXCLUSIVE`.
pub(crate) fn enable_always(table: &TableName, name: &Ident) -> Sql {
    sql!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}", table = table, name = name)
}

/// Lock: `ACCESS EXCLUSIVE`.
pub(crate) fn drop(table: &TableName, name: &Ident) -> Sql {
    sql!("DROP TRIGGER {name} ON {table}", name = name, table = table)
}

/// Lock: `ACCESS EXCLUSIVE`.
pub(crate) fn drop_if_exists(table: &TableName, name: &Ident) -> Sql {
    sql!("DROP TRIGGER IF EXISTS {name} ON {table}", name = name, table = table)
}

/// Lock: none.
pub(crate) fn drop_function(name: &QualifiedName, parameters: &[Sql]) -> Sql {
    sql!("DROP FUNCTION {name}({parameters})", name = name, parameters = Sql::join(parameters, ", "))
}

/// Lock: none.
pub(crate) fn drop_function_if_exists(name: &QualifiedName, parameters: &[Sql]) -> Sql {
    sql!("DROP FUNCTION IF EXISTS {name}({parameters})", name = name, parameters = Sql::join(parameters, ", "))
}

/// True unless a fill that writes final values is at work in this session.
pub(crate) fn not_filling() -> Sql {
    sql!("pg_catalog.current_setting({filling}, true) IS DISTINCT FROM 'on'", filling = Literal(FILLING))
}
