//! The trigger that keeps a column in step, and its functions.

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
    /// It may: they are pinned to those of the session that makes the function.
    Pinned,
    /// It does not.
    Free,
}

/// What happens to a row whose value cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The target stays NULL and the client's statement goes on; the proof finds the row.
    Null,
    /// The client's statement fails, as it will once the change is complete.
    Raise,
}

/// One `target := value` of a trigger function; `condition` says when.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) target: Ident,
    /// Over `NEW`.
    pub(crate) value: Sql,
    /// Over `NEW`; `None` for always.
    pub(crate) condition: Option<Sql>,
}

/// Lock: none.
pub(crate) fn function(name: &QualifiedName, rules: &[Rule], settings: Settings, on_error: OnError) -> Sql {
    let mut body = String::from("BEGIN\n");
    for rule in rules {
        body.push_str(&one_rule(rule, on_error));
    }
    body.push_str("    RETURN NEW;\nEND");
    sql!(
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{pins}\nAS {body}",
        name = name,
        pins = pins(settings),
        body = dollar_quoted(&body)
    )
}

/// Only our own lines are indented: a user's expression may have a string with a line break in it.
fn one_rule(rule: &Rule, on_error: OnError) -> String {
    let assign = sql!("NEW.{target} := {value};", target = rule.target, value = rule.value);
    let pad = if rule.condition.is_some() { "        " } else { "    " };
    let assign = match on_error {
        OnError::Raise => format!("{pad}{}\n", assign.as_str()),
        OnError::Null => format!(
            "{pad}BEGIN\n{pad}    {}\n{pad}EXCEPTION WHEN OTHERS THEN\n{pad}    {}\n{pad}END;\n",
            assign.as_str(),
            sql!("NEW.{target} := NULL;", target = rule.target).as_str()
        ),
    };
    match &rule.condition {
        Some(condition) => format!("    IF {} THEN\n{assign}    END IF;\n", condition.as_str()),
        None => assign,
    }
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

fn dollar_quoted(body: &str) -> Sql {
    let mut tag = String::from("$shoofly$");
    while body.contains(&tag) {
        tag.insert(tag.len() - 1, '_');
    }
    Sql::raw(format!("{tag}\n{body}\n{tag}"))
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
