//! What the planner knows of the server and of the session's rights.

use std::collections::BTreeMap;

use super::fields::{Fields, misread};
use super::read_sql;
use crate::driver::mysql::Session;
use crate::error::{DbError, DbErrorKind};
use crate::schema::mysql::Server;
use crate::sql::mysql::mode::Product;

pub(super) async fn read(session: &Session) -> Result<Server, DbError> {
    let rows = session.rows(read_sql!("variables")).await?;
    let mut variables = BTreeMap::new();
    for mut row in rows.into_iter().map(Fields::of) {
        variables.insert(row.text()?.to_lowercase(), row.maybe().unwrap_or_default());
    }
    let text = |name: &str| variables.get(name).cloned().unwrap_or_default();
    // `read_only` has more values than two in new versions of MariaDB.
    let on = |name: &str| !matches!(&*text(name), "" | "OFF" | "0");
    let mut row =
        Fields::of(session.rows("SELECT DATABASE(), CURRENT_USER()").await?.into_iter().next().unwrap_or_default());
    Ok(Server {
        product: session.product(),
        version: session.version(),
        version_text: text("version"),
        database: row.maybe_name()?,
        user: row.text()?,
        sql_mode: text("sql_mode"),
        read_only: ["read_only", "super_read_only", "innodb_read_only"].into_iter().any(on),
        time_zone: text("time_zone"),
        lower_case_table_names: text("lower_case_table_names").parse().map_err(|error| misread(&error))?,
        sees_metadata_locks: sees_metadata_locks(session).await?,
        sees_transactions: sees_transactions(session).await?,
        snapshot_isolation: on("innodb_snapshot_isolation"),
        statement_binlog: on("log_bin") && text("binlog_format") != "ROW",
        may_make_triggers: !on("log_bin") || on("log_bin_trust_function_creators") || is_trusted(session).await?,
    })
}

/// Whether metadata locks of others can be seen: the right to, and the instrument that keeps them.
///
/// # Errors
/// The server's.
pub async fn sees_metadata_locks(session: &Session) -> Result<bool, DbError> {
    Ok(sees(session, read_sql!("metadata_locks")).await?.is_some_and(|rows| !rows.is_empty()))
}

/// Whether transactions of others can be seen: the right PROCESS.
///
/// # Errors
/// The server's.
pub async fn sees_transactions(session: &Session) -> Result<bool, DbError> {
    Ok(sees(session, "SELECT trx_id FROM information_schema.innodb_trx LIMIT 1").await?.is_some())
}

/// The rows, unless the session may not see them or there is no such thing.
async fn sees(session: &Session, sql: &str) -> Result<Option<Vec<Vec<Option<String>>>>, DbError> {
    match session.rows(sql).await {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if matches!(error.kind, DbErrorKind::Privilege | DbErrorKind::Missing) => Ok(None),
        Err(error) if error.is_unshowable() => Ok(Some(Vec::new())),
        Err(error) => Err(error),
    }
}

/// Whether the session holds the right that making triggers asks for while the binary log is on.
async fn is_trusted(session: &Session) -> Result<bool, DbError> {
    let grants = session.rows("SHOW GRANTS").await?;
    Ok(grants.into_iter().flatten().flatten().any(|grant| trusts(session.product(), &grant)))
}

/// Whether a line of `SHOW GRANTS` gives that right.
fn trusts(product: Product, grant: &str) -> bool {
    let everywhere = grant.strip_prefix("GRANT ").and_then(|rest| rest.split_once(" ON *.* TO "));
    let Some((rights, _)) = everywhere else { return false };
    rights.split(',').map(str::trim).any(|right| {
        matches!(right, "SUPER" | "ALL PRIVILEGES") || (right == "BINLOG ADMIN" && product == Product::MariaDb)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_word_by_word() {
        for (grant, trusted) in [
            ("GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION", true),
            ("GRANT SELECT, SUPER ON *.* TO `app`@`%`", true),
            ("GRANT BINLOG ADMIN ON *.* TO `app`@`%`", true),
            ("GRANT ALL PRIVILEGES ON `shop`.* TO `app`@`%`", false),
            ("GRANT BINLOG_ADMIN ON *.* TO `app`@`%`", false),
            ("GRANT `SUPER` TO `app`@`%`", false),
        ] {
            assert_eq!(trusts(Product::MariaDb, grant), trusted, "{grant}");
        }
        assert!(!trusts(Product::MySql, "GRANT BINLOG ADMIN ON *.* TO `app`@`%`"));
    }
}
