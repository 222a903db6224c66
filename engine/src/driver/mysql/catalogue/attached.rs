//! What belongs to a table: a query for each kind.

use super::fields::{Fields, ask, bound, show_create};
use super::files::{file_of, path_of};
use super::read_sql;
use crate::driver::mysql::Session;
use crate::error::{DbError, DbErrorKind};
use crate::schema::mysql::{Column, ForeignKey, Generated, Index, IndexPart, TablePath, Trigger};
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::Name;

/// Since when MySQL counts the row versions of instant changes.
const COUNTS_ROW_VERSIONS: u32 = 80_029;

async fn rows(session: &Session, sql: &str, path: &TablePath) -> Result<impl Iterator<Item = Fields>, DbError> {
    Ok(ask(session, &bound(sql, path)).await?.into_iter())
}

/// Names that a query of one column answers.
async fn names(session: &Session, sql: &str, path: &TablePath) -> Result<Vec<Name>, DbError> {
    rows(session, sql, path).await?.map(|mut row| row.name()).collect()
}

/// Names of tables that a query of two columns answers.
async fn paths(session: &Session, sql: &str, path: &TablePath) -> Result<Vec<TablePath>, DbError> {
    rows(session, sql, path).await?.map(|mut row| Ok(TablePath::new(row.name()?, row.name()?))).collect()
}

pub(super) async fn columns(session: &Session, path: &TablePath) -> Result<Vec<Column>, DbError> {
    rows(session, read_sql!("columns"), path).await?.map(column).collect()
}

fn column(mut row: Fields) -> Result<Column, DbError> {
    let (name, column_type, data_type) = (row.name()?, row.text()?, row.text()?);
    let nullable = row.text()? == "YES";
    let (default, charset, collation) = (row.maybe(), row.maybe(), row.maybe());
    let extra = row.maybe().unwrap_or_default();
    let upper = extra.to_uppercase();
    let generated = if upper.contains("STORED GENERATED") {
        Some(Generated::Stored)
    } else {
        upper.contains("VIRTUAL GENERATED").then_some(Generated::Virtual)
    };
    Ok(Column {
        name,
        column_type,
        data_type,
        nullable,
        default,
        charset,
        collation,
        auto_increment: upper.contains("AUTO_INCREMENT"),
        generated,
        extra,
        comment: row.maybe().unwrap_or_default(),
    })
}

pub(super) async fn indexes(session: &Session, path: &TablePath) -> Result<Vec<Index>, DbError> {
    let mut found: Vec<Index> = Vec::new();
    for mut row in rows(session, read_sql!("indexes"), path).await? {
        let (name, unique, kind) = (row.name()?, row.text()? == "0", row.text()?.to_uppercase());
        if found.last().is_none_or(|index| index.name != name) {
            found.push(Index { name, unique, kind, parts: Vec::new() });
        }
        let (column, prefix) = (row.maybe_name()?, row.number()?);
        let part = IndexPart { column, prefix, descending: row.maybe().as_deref() == Some("D") };
        if let Some(index) = found.last_mut() {
            index.parts.push(part);
        }
    }
    Ok(found)
}

/// Those that the table holds.
pub(super) async fn foreign_keys(session: &Session, path: &TablePath) -> Result<Vec<ForeignKey>, DbError> {
    let mut found: Vec<ForeignKey> = Vec::new();
    for mut row in rows(session, read_sql!("foreign_keys"), path).await? {
        let (name, referenced) = (row.name()?, TablePath::new(row.name()?, row.name()?));
        let (on_update, on_delete) = (row.text()?, row.text()?);
        if found.last().is_none_or(|key| key.name != name) {
            let (columns, referenced_columns) = (Vec::new(), Vec::new());
            let table = path.clone();
            found.push(ForeignKey { name, table, columns, referenced, referenced_columns, on_update, on_delete });
        }
        let (column, referenced_column) = (row.name()?, row.name()?);
        if let Some(key) = found.last_mut() {
            key.columns.push(column);
            key.referenced_columns.push(referenced_column);
        }
    }
    Ok(found)
}

/// Tables that hold foreign keys to this one.
pub(super) async fn referencing(session: &Session, path: &TablePath) -> Result<Vec<TablePath>, DbError> {
    if session.product() == Product::MariaDb {
        let files = of_file(session, read_sql!("referencing_files"), path).await?;
        let holders = files.and_then(|rows| rows.into_iter().map(|mut row| path_of(&row.maybe()?)).collect());
        if let Some(holders) = holders {
            return Ok(holders);
        }
    }
    // MariaDB opens every table of the server for it.
    paths(session, read_sql!("referencing"), path).await
}

/// Rows of a query of the engine's own tables. None where the session may not see those (it has no right PROCESS), or cannot
/// tell the table's name there.
async fn of_file(session: &Session, sql: &str, path: &TablePath) -> Result<Option<Vec<Fields>>, DbError> {
    let Some(file) = file_of(path) else { return Ok(None) };
    match ask(session, &sql.replace("{file}", &file)).await {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if error.kind == DbErrorKind::Privilege => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn rows_written(session: &Session, path: &TablePath) -> Result<Option<u64>, DbError> {
    let found = match session.product() {
        Product::MySql => ask(session, &bound(read_sql!("rows_written_mysql"), path)).await.map(Some),
        Product::MariaDb => of_file(session, read_sql!("rows_written_mariadb"), path).await,
    };
    let found = match found {
        // Whoever may not see it knows nothing; nor does who would have to wait.
        Err(error) if matches!(error.kind, DbErrorKind::Privilege | DbErrorKind::LockTimeout) => None,
        found => found?,
    };
    Ok(found.unwrap_or_default().into_iter().next().and_then(|mut row| row.maybe()?.parse().ok()))
}

pub(super) async fn checks(session: &Session, path: &TablePath) -> Result<Vec<Name>, DbError> {
    let sql = match session.product() {
        Product::MySql => read_sql!("checks_mysql"),
        Product::MariaDb => read_sql!("checks_mariadb"),
    };
    names(session, sql, path).await
}

pub(super) async fn triggers(session: &Session, path: &TablePath) -> Result<Vec<Trigger>, DbError> {
    let mut found = Vec::new();
    for mut row in rows(session, read_sql!("triggers"), path).await? {
        let (name, timing, event, sql_mode) = (row.name()?, row.text()?, row.text()?, row.maybe().unwrap_or_default());
        let (body, definer, charset, collation) = (row.text()?, row.text()?, row.text()?, row.text()?);
        let own = TablePath::new(path.database.clone(), name.clone());
        let create_sql = show_create(session, "TRIGGER", &own, 2).await?;
        found.push(Trigger { name, timing, event, create_sql, sql_mode, body, definer, charset, collation });
    }
    Ok(found)
}

pub(super) async fn partitions(session: &Session, path: &TablePath) -> Result<Vec<String>, DbError> {
    rows(session, read_sql!("partitions"), path).await?.map(|mut row| row.text()).collect()
}

pub(super) async fn views(session: &Session, path: &TablePath) -> Result<Vec<String>, DbError> {
    let views = paths(session, read_sql!("views"), path).await?;
    Ok(views.iter().map(TablePath::display).collect())
}

/// None as well where the session cannot see them: without the right to, for letters in the table's name that [`file_of`] does
/// not know, and while any table of the server is locked away.
pub(super) async fn row_versions(session: &Session, path: &TablePath) -> Result<Option<u32>, DbError> {
    if session.product() != Product::MySql || session.version() < COUNTS_ROW_VERSIONS {
        return Ok(None);
    }
    match of_file(session, read_sql!("row_versions"), path).await {
        Ok(rows) => rows.into_iter().flatten().next().map_or(Ok(None), |mut row| row.number()),
        // The server looks at every table for it, and any of them may be locked.
        Err(error) if error.kind == DbErrorKind::LockTimeout => Ok(None),
        Err(error) => Err(error),
    }
}
