//! The user's triggers, on their way to the new table.

use super::MIRRORING;
use crate::dialect::mysql::literal::Text;
use crate::plan::shadow::{CarriedTrigger, Shadow};
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::sql::mysql::name::Name;
use crate::text::Sql;

/// Makes a trigger of the user's on the new table, under another name.
///
/// Lock: `EXCLUSIVE` (metadata) on the new table, which nobody knows yet.
#[must_use]
pub fn create_interim(shadow: &Shadow, carried: &CarriedTrigger) -> Sql {
    let create = sql!(
        "CREATE DEFINER = {definer} TRIGGER {name} {when} ON {s} FOR EACH ROW BEGIN IF {flag} IS NULL THEN {body}; END IF; END",
        definer = carried.definer,
        name = TablePath::new(shadow.table.database.clone(), carried.interim.clone()),
        when = Sql::raw(carried.when.clone()),
        s = shadow.shadow,
        flag = Sql::raw(MIRRORING),
        body = carried.body,
    );
    under_mode(carried, &create)
}

/// Gives the user's triggers their names and texts once the old table is gone and its triggers with it. To be run one by one
/// under one write lock: a server that is sent several statements at once keeps the semicolon behind a trigger's text.
///
/// Lock: `EXCLUSIVE` (metadata) on the table.
#[must_use]
pub fn settle(shadow: &Shadow) -> Vec<Sql> {
    let database = &shadow.table.database;
    let path = |name: &Name| TablePath::new(database.clone(), name.clone());
    let mut statements: Vec<Sql> = shadow
        .triggers
        .iter()
        .flat_map(|carried| [&carried.interim, &carried.name])
        .map(|name| sql!("DROP TRIGGER IF EXISTS {name}", name = path(name)))
        .collect();
    if !shadow.triggers.is_empty() {
        statements.push(sql!("USE {d}", d = database));
    }
    for carried in &shadow.triggers {
        // A semicolon that the server has kept behind the text stays where another statement follows it.
        let kept = carried.create_sql.as_str().trim_end().ends_with(';');
        let create = if kept { sql!("{c} DO 0", c = carried.create_sql) } else { carried.create_sql.clone() };
        statements.extend([mode(carried), create, Sql::raw(OWN_MODE)]);
    }
    statements
}

/// Back to the settings of our sessions.
const OWN_MODE: &str = "SET sql_mode = @shoofly_mode; SET NAMES utf8mb4";

/// The settings that a trigger was made under.
fn mode(carried: &CarriedTrigger) -> Sql {
    sql!(
        "SET @shoofly_mode = @@session.sql_mode, sql_mode = {mode}, character_set_client = {charset}, \
         collation_connection = {collation}",
        mode = Text(&carried.sql_mode),
        charset = Sql::raw(carried.charset.clone()),
        collation = Sql::raw(carried.collation.clone()),
    )
}

/// A statement under the settings that a trigger was made under, which the server keeps with it.
fn under_mode(carried: &CarriedTrigger, create: &Sql) -> Sql {
    sql!("{mode}; {create}; {own}", mode = mode(carried), create = create, own = Sql::raw(OWN_MODE))
}
