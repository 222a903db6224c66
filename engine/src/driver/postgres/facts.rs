//! Reads what the planner needs to know, all of it in one read-only snapshot.

use tokio_postgres::Row;

use super::{Session, catalogue};
use crate::error::{DbError, DbErrorKind, Error};
use crate::facts::{
    CastFacts, CastMethod, Census, Facts, FunctionFacts, Needs, SeenFunction, SeenStatement, TypeFacts,
};
use crate::name::{Ident, QualifiedName, WrittenName};
use crate::text::AsSql;

const TYPE: &str = include_str!("../../dialect/postgres/read/type.sql");
const CASTS: &str = include_str!("../../dialect/postgres/read/casts.sql");
const FUNCTIONS: &str = include_str!("../../dialect/postgres/read/functions.sql");
const BODIES: &str = include_str!("../../dialect/postgres/read/bodies.sql");

/// Statements that the census reads at most; the most called come first.
const CENSUS_STATEMENTS: i64 = 5000;

/// Reads the facts. Read-only.
///
/// # Locks
/// ACCESS SHARE on the system catalogues.
/// # Errors
/// [`Error::Database`].
pub async fn read(session: &mut Session, needs: &Needs) -> Result<Facts, Error> {
    let facts = snapshot(session, needs).await;
    session.abandon().await;
    facts.map_err(|error| error.doing("read the catalogue"))
}

/// The tables that are asked for, by their full names; those that there are. Waits for no lock.
///
/// # Errors
/// The server's.
pub async fn tables(session: &Session, needs: &Needs) -> Result<Vec<QualifiedName>, DbError> {
    let mut tables = Vec::new();
    for name in &needs.tables {
        tables.extend(resolve(session, name).await?.map(|(full, _)| full));
    }
    for name in &needs.indexes {
        tables.extend(resolve_index(session, name).await?.map(|(_, table, _)| table));
    }
    Ok(tables)
}

async fn snapshot(session: &Session, needs: &Needs) -> Result<Facts, DbError> {
    // What a written type means is asked before the transaction: a text that is no type is an error, which would end it.
    let mut written = Vec::new();
    for text in &needs.types {
        if let Some((oid, modifier)) = describe_type(session, text).await? {
            written.push((text.clone(), oid, modifier));
        }
    }
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut resolved = Vec::new();
    let mut oids: Vec<u32> = Vec::new();
    for name in &needs.tables {
        if let Some((full, oid)) = resolve(session, name).await? {
            resolved.push((name.clone(), full));
            oids.push(oid);
        }
    }
    let mut indexes = Vec::new();
    for name in &needs.indexes {
        if let Some((index, table, oid)) = resolve_index(session, name).await? {
            indexes.push((name.clone(), index, table));
            oids.push(oid);
        }
    }
    let functions = functions(session, &needs.functions).await?;
    session.batch("SET LOCAL search_path = ''").await?;
    let mut types = Vec::new();
    for (text, oid, modifier) in written {
        let row = session.query_one(TYPE, &[&oid, &modifier]).await?;
        types.push(type_facts(text, &row)?);
    }
    let catalogue = catalogue::read(session, &oids).await?;
    let from: Vec<u32> =
        catalogue.tables.iter().flat_map(|table| &table.columns).map(|column| column.type_oid).collect();
    let to: Vec<u32> = types.iter().map(|facts| facts.oid).collect();
    let casts = casts(session, &from, &to).await?;
    let names: Vec<String> = resolved
        .iter()
        .map(|(_, table)| table.name.as_str().to_owned())
        .chain(indexes.iter().map(|(_, _, table)| table.name.as_str().to_owned()))
        .collect();
    let census = census(session, &names).await?;
    Ok(Facts { catalogue, resolved, indexes, types, casts, functions, census })
}

/// Oid and modifier of a type as written, from the description of a prepared statement: nothing is run. `None` for what is no
/// type.
async fn describe_type(session: &Session, text: &str) -> Result<Option<(u32, i32)>, DbError> {
    let described = match session.describe(&format!("SELECT CAST(NULL AS {text}\n)")).await {
        Ok(columns) => columns,
        Err(error) => return unless_no_type(error),
    };
    // More or fewer columns: the text closed the parenthesis and went on.
    let Ok([(oid, modifier)]) = <[(u32, i32); 1]>::try_from(described) else { return Ok(None) };
    // A domain is described as the type beneath it.
    let domain = "SELECT oid FROM pg_type WHERE oid = to_regtype($1) AND typtype = 'd'";
    match session.query_opt(domain, &[&text]).await {
        Ok(Some(row)) => Ok(Some((row.get(0), -1))),
        Ok(None) => Ok(Some((oid, modifier))),
        Err(error) => unless_no_type(error),
    }
}

fn unless_no_type(error: DbError) -> Result<Option<(u32, i32)>, DbError> {
    match error.kind {
        DbErrorKind::Missing | DbErrorKind::Statement | DbErrorKind::Data => Ok(None),
        // A type that no value can have.
        _ if error.code.as_deref() == Some("0A000") => Ok(None),
        _ => Err(error),
    }
}

fn written_sql(name: &WrittenName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", schema.as_sql(), name.name.as_sql()),
        None => name.name.as_sql(),
    }
}

async fn resolve(session: &Session, name: &WrittenName) -> Result<Option<(QualifiedName, u32)>, DbError> {
    let sql = "SELECT n.nspname, c.relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.oid = to_regclass($1)";
    let row = session.query_opt(sql, &[&written_sql(name)]).await?;
    row.map(|row| Ok((qualified(&row, 0)?, row.get(2)))).transpose()
}

async fn resolve_index(
    session: &Session,
    name: &WrittenName,
) -> Result<Option<(QualifiedName, QualifiedName, u32)>, DbError> {
    let sql = "SELECT xn.nspname, x.relname, tn.nspname, t.relname, t.oid FROM pg_index i \
               JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace xn ON xn.oid = x.relnamespace \
               JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace \
               WHERE i.indexrelid = to_regclass($1)";
    let row = session.query_opt(sql, &[&written_sql(name)]).await?;
    row.map(|row| Ok((qualified(&row, 0)?, qualified(&row, 2)?, row.get(4)))).transpose()
}

fn qualified(row: &Row, at: usize) -> Result<QualifiedName, DbError> {
    Ok(QualifiedName::new(ident(row.get(at))?, ident(row.get(at + 1))?))
}

fn ident(text: &str) -> Result<Ident, DbError> {
    text.parse().map_err(|error: crate::name::IdentError| DbError {
        kind: DbErrorKind::Other,
        code: None,
        message: error.to_string(),
        detail: String::new(),
        statement: String::new(),
    })
}

fn type_facts(written: String, row: &Row) -> Result<TypeFacts, DbError> {
    let collation = match (row.get::<_, Option<&str>>("collation_schema"), row.get::<_, Option<&str>>("collation_name"))
    {
        (Some(schema), Some(name)) => Some(QualifiedName::new(ident(schema)?, ident(name)?)),
        _ => None,
    };
    Ok(TypeFacts {
        written,
        canonical: row.get("canonical"),
        oid: row.get("oid"),
        kind: letter(row.get("kind")),
        has_equality: row.get("has_equality"),
        collation,
        storage: row.get("storage"),
        length: row.get("length"),
    })
}

/// PostgreSQL's one-byte `"char"`, which the driver gives as a number.
fn letter(byte: i8) -> char {
    char::from(byte.to_le_bytes()[0])
}

async fn casts(session: &Session, from: &[u32], to: &[u32]) -> Result<Vec<CastFacts>, DbError> {
    let rows = session.query(CASTS, &[&from, &to]).await?;
    let cast = |row: &Row| CastFacts {
        from: row.get("source"),
        to: row.get("target"),
        method: match letter(row.get("method")) {
            'b' => CastMethod::Binary,
            'f' => CastMethod::Function,
            _ => CastMethod::InOut,
        },
        context: letter(row.get("context")),
    };
    Ok(rows.iter().map(cast).collect())
}

async fn functions(session: &Session, names: &[WrittenName]) -> Result<Vec<FunctionFacts>, DbError> {
    let schemas: Vec<Option<&str>> = names.iter().map(|name| name.schema.as_ref().map(Ident::as_str)).collect();
    let plain: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
    let rows = session.query(FUNCTIONS, &[&schemas, &plain]).await?;
    rows.iter()
        .map(|row| {
            Ok(FunctionFacts {
                name: qualified(row, 0)?,
                volatility: letter(row.get("volatility")),
                strict: row.get("strict"),
            })
        })
        .collect()
}

async fn census(session: &Session, tables: &[String]) -> Result<Census, DbError> {
    let patterns: Vec<String> = tables
        .iter()
        .map(|name| format!("%{}%", name.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")))
        .collect();
    let bodies = session.query(BODIES, &[&patterns]).await?;
    let functions = bodies
        .iter()
        .map(|row| SeenFunction { signature: row.get(0), language: row.get(1), body: row.get(2) })
        .collect();
    let statements = statements(session, &patterns).await?;
    Ok(Census { statements_readable: statements.is_some(), statements: statements.unwrap_or_default(), functions })
}

/// `pg_stat_statements` wherever it was installed; `None` where it is missing, not loaded, or hides other roles' texts.
async fn statements(session: &Session, patterns: &[String]) -> Result<Option<Vec<SeenStatement>>, DbError> {
    let place = "SELECT format('%I.pg_stat_statements', n.nspname), \
                 pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') \
                 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
    let Some(row) = session.query_opt(place, &[]).await? else { return Ok(None) };
    let (view, sees_all): (String, bool) = (row.get(0), row.get(1));
    if !sees_all {
        return Ok(None);
    }
    let sql = format!(
        "SELECT s.query, s.calls, coalesce(pg_get_userbyid(s.userid)::text, '') FROM {view} s \
         WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.query ILIKE ANY ($1::text[]) \
         ORDER BY s.calls DESC LIMIT {CENSUS_STATEMENTS}"
    );
    session.batch("SAVEPOINT census").await?;
    match session.query(&sql, &[&patterns]).await {
        Ok(rows) => {
            let seen = |row: &Row| SeenStatement { text: row.get(0), calls: row.get(1), role: row.get(2) };
            Ok(Some(rows.iter().map(seen).collect()))
        }
        Err(error) if error.kind == DbErrorKind::ConnectionLost => Err(error),
        Err(error) => {
            tracing::debug!(%error, "the statement statistics cannot be read");
            session.batch("ROLLBACK TO SAVEPOINT census").await?;
            Ok(None)
        }
    }
}
