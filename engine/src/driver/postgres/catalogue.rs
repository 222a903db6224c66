//! The catalogue reader: each kind of attached object is one query that answers one JSON text per table, in the shape of the
//! types in [`crate::schema`].

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Session;
use crate::error::{DbError, DbErrorKind};
use crate::schema::{Catalogue, Server, Table};

macro_rules! read_sql {
    ($name:literal) => {
        include_str!(concat!("../../dialect/postgres/read/", $name, ".sql"))
    };
}

const SERVER: &str = read_sql!("server");
const TABLE: &str = read_sql!("table");
const FOREIGN_KEY: &str = read_sql!("foreign_key");

/// Fields of [`Table`] that hold lists, each with its query.
const ATTACHED: [(&str, &str); 11] = [
    ("columns", read_sql!("columns")),
    ("indexes", read_sql!("indexes")),
    ("constraints", read_sql!("constraints")),
    ("referenced_by", read_sql!("referenced_by")),
    ("triggers", read_sql!("triggers")),
    ("dependents", read_sql!("dependents")),
    ("policies", read_sql!("policies")),
    ("grants", read_sql!("grants")),
    ("statistics", read_sql!("statistics")),
    ("publications", read_sql!("publications")),
    ("row_type_uses", read_sql!("row_type_uses")),
];

/// Foreign-key partners of the tables, in both directions, the tables themselves included.
const PARTNERS: &str = "SELECT DISTINCT o FROM (SELECT unnest($1::oid[]) AS o \
     UNION SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY ($1::oid[]) \
     UNION SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY ($1::oid[])) AS partners ORDER BY o";

/// Reads the tables of these oids and their foreign-key partners. The session's search path must be empty, so that the server
/// prints every name with its schema.
///
/// # Locks
/// ACCESS SHARE on the system catalogues and, for their size, on the tables.
/// # Errors
/// The server's, and an answer that does not fit the types (a bug, said loudly).
pub(super) async fn read(session: &Session, tables: &[u32]) -> Result<Catalogue, DbError> {
    let server = server(session).await?;
    let partners: Vec<u32> = session.query(PARTNERS, &[&tables]).await?.iter().map(|row| row.get(0)).collect();
    let mut found: Vec<(u32, Map<String, Value>)> = texts(session, TABLE, &partners).await?;
    for (field, query) in ATTACHED {
        let query = query.replace("{foreign_key}", FOREIGN_KEY);
        let lists: Vec<(u32, Value)> = texts(session, &query, &partners).await?;
        for (oid, table) in &mut found {
            let list = lists.iter().find(|(of, _)| of == oid).map(|(_, list)| list.clone());
            table.insert(field.to_owned(), list.unwrap_or_else(|| Value::Array(Vec::new())));
        }
    }
    let tables: Result<Vec<Table>, DbError> = found
        .into_iter()
        .map(|(_, table)| serde_json::from_value(Value::Object(table)).map_err(|error| misread(&error)))
        .collect();
    let mut tables = tables?;
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Catalogue { server, tables })
}

async fn server(session: &Session) -> Result<Server, DbError> {
    // `GRANT SET ON PARAMETER` exists since 15; before, only a superuser may.
    let version = session.query_one("SELECT current_setting('server_version_num')::int", &[]).await?;
    let may_set = match version.get::<_, i32>(0) {
        150_000.. => "has_parameter_privilege('session_replication_role', 'SET')",
        _ => "false",
    };
    let row = session.query_one(&SERVER.replace("{may_set}", may_set), &[]).await?;
    decode(row.get(0))
}

/// Runs a query that answers (oid, JSON text) rows.
async fn texts<T: DeserializeOwned>(session: &Session, sql: &str, oids: &[u32]) -> Result<Vec<(u32, T)>, DbError> {
    let rows = session.query(sql, &[&oids]).await?;
    rows.iter().map(|row| Ok((row.get(0), decode(row.get(1))?))).collect()
}

fn decode<T: DeserializeOwned>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|error| misread(&error))
}

fn misread(error: &serde_json::Error) -> DbError {
    DbError {
        kind: DbErrorKind::Other,
        code: None,
        message: format!("the catalogue holds something that this version of shoofly does not know: {error}"),
        detail: String::new(),
        statement: String::new(),
    }
}
