//! The catalogue reader. Each kind of attached object is one query for each table, bound to the table's name: so the servers
//! look up that table alone.

mod attached;
mod fields;
mod files;
mod server;

use attached::{checks, columns, foreign_keys, indexes, partitions, referencing, row_versions, triggers, views};
use fields::{Fields, ask, bound, show_create};
pub use server::{sees_metadata_locks, sees_transactions};

use super::Session;
use crate::dialect::mysql::native::most_row_versions;
use crate::error::{DbError, DbErrorKind};
use crate::report::{RowVersions, TableNow};
use crate::schema::mysql::{Catalogue, ForeignKey, Table, TablePath};
use crate::sql::mysql::name::{Name, WrittenName};

macro_rules! read_sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/dialect/mysql/read/", $name, ".sql"))
    };
}
pub(super) use read_sql;

/// Reads the server, the tables of these names as far as they exist, and their neighbours by foreign keys in both directions.
///
/// Estimates are the server's at this moment. What the session has no right to see is left out: foreign keys of tables and
/// views on which it has no rights at all, triggers without the right TRIGGER.
///
/// Locks: those of reading a table's definition, for as long as each query takes; waiting for them ends with the session's
/// `lock_wait_timeout`.
///
/// # Errors
/// The server's; [`DbErrorKind::LockTimeout`] for a table that somebody keeps locked against being looked at; and an
/// answer that does not fit the types (a bug, said loudly).
pub async fn read(session: &Session, tables: &[WrittenName]) -> Result<Catalogue, DbError> {
    let server = server::read(session).await?;
    let sight = Sight { session, folded: server.lower_case_table_names != 0 };
    let mut found: Vec<Table> = Vec::new();
    for written in tables {
        if let Some(database) = written.database.as_ref().or(server.database.as_ref()) {
            sight.read_new(&TablePath::new(database.clone(), written.name.clone()), &mut found).await?;
        }
    }
    let ends = |key: &ForeignKey| [key.table.clone(), key.referenced.clone()];
    let keys = found.iter().flat_map(|table| table.foreign_keys.iter().chain(&table.referenced_by));
    let neighbours: Vec<TablePath> = keys.flat_map(ends).collect();
    for path in neighbours {
        sight.read_new(&path, &mut found).await?;
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Catalogue { server, tables: found })
}

/// A count of the rows of a table that anybody has written: another one at two moments where somebody writes. None where it
/// cannot be seen: without the right PROCESS on MariaDB, where performance_schema does not count on MySQL.
///
/// Locks: none.
///
/// # Errors
/// The server's.
pub async fn rows_written(session: &Session, table: &TablePath) -> Result<Option<u64>, DbError> {
    attached::rows_written(session, table).await
}

/// What a table is like at this moment; none where there is no such table. Nothing is written.
///
/// # Errors
/// As [`read`].
pub async fn table_now(session: &Session, path: &TablePath) -> Result<Option<TableNow>, DbError> {
    let Some(mut row) = ask(session, &bound(read_sql!("table"), path)).await?.into_iter().next() else {
        return Ok(None);
    };
    // What precedes the estimates: two names, kind, engine, format, collation, comment, counter.
    for _ in 0..8 {
        row.maybe();
    }
    let used = row_versions(session, path).await?;
    Ok(Some(TableNow {
        table: path.qualified(),
        rows: row.number()?.unwrap_or(0),
        data_bytes: row.number()?.unwrap_or(0),
        index_bytes: row.number()?.unwrap_or(0),
        row_versions: used.map(|used| RowVersions { used, most: most_row_versions(session.version()) }),
    }))
}

/// A session, and whether case counts in the names of its server's databases and tables.
struct Sight<'a> {
    session: &'a Session,
    folded: bool,
}

impl Sight<'_> {
    fn same(&self, one: &TablePath, other: &TablePath) -> bool {
        let same = |a: &Name, b: &Name| if self.folded { a.same_as(b.as_str()) } else { a == b };
        same(&one.database, &other.database) && same(&one.name, &other.name)
    }

    /// Reads a table that is not among those read already. One that does not exist, or no longer, adds nothing.
    async fn read_new(&self, path: &TablePath, found: &mut Vec<Table>) -> Result<(), DbError> {
        if found.iter().any(|table| self.same(&table.path, path)) {
            return Ok(());
        }
        match self.table(path).await {
            Ok(table) => found.extend(table),
            Err(error) if error.kind == DbErrorKind::Missing => {
                tracing::debug!(%error, table = path.display(), "gone while it was read");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn table(&self, written: &TablePath) -> Result<Option<Table>, DbError> {
        for mut row in ask(self.session, &bound(read_sql!("table"), written)).await? {
            // Some servers answer with names that only look alike.
            let path = TablePath::new(row.name()?, row.name()?);
            if self.same(&path, written) {
                return self.rest(path, row).await.map(Some);
            }
        }
        Ok(None)
    }

    /// The table whose path has been read from `row`.
    async fn rest(&self, path: TablePath, mut row: Fields) -> Result<Table, DbError> {
        let session = self.session;
        Ok(Table {
            kind: row.text()?.to_uppercase(),
            engine: row.maybe(),
            row_format: row.maybe(),
            collation: row.maybe(),
            comment: row.maybe().unwrap_or_default(),
            auto_increment: row.number()?,
            estimated_rows: row.number()?.unwrap_or(0),
            data_bytes: row.number()?.unwrap_or(0),
            index_bytes: row.number()?.unwrap_or(0),
            create_sql: show_create(session, "TABLE", &path, 1).await?,
            columns: columns(session, &path).await?,
            indexes: indexes(session, &path).await?,
            foreign_keys: foreign_keys(session, &path).await?,
            referenced_by: self.referenced_by(&path).await?,
            checks: checks(session, &path).await?,
            triggers: triggers(session, &path).await?,
            partitions: partitions(session, &path).await?,
            row_versions: row_versions(session, &path).await?,
            views: views(session, &path).await?,
            path,
        })
    }

    async fn referenced_by(&self, path: &TablePath) -> Result<Vec<ForeignKey>, DbError> {
        let mut found = Vec::new();
        for holder in referencing(self.session, path).await? {
            let keys = foreign_keys(self.session, &holder).await?;
            found.extend(keys.into_iter().filter(|key| self.same(&key.referenced, path)));
        }
        Ok(found)
    }
}
