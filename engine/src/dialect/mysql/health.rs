//! How the server is: read-only questions of which each is cheap enough for once a second. Each answers one number.

use super::literal::Text;
use crate::schema::mysql::TablePath;
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::text::Sql;

/// No question may take longer than two seconds: a server that is in trouble is not to be kept busy by being asked how it is.
///
/// Lock: none.
#[must_use]
pub fn brief(product: Product) -> Sql {
    Sql::raw(match product {
        Product::MySql => "SET SESSION max_execution_time = 2000",
        Product::MariaDb => "SET SESSION max_statement_time = 2",
    })
}

/// Sessions of others that carry out a statement: what `Threads_running` counts, but for those that are ours and for the
/// server's own.
///
/// Lock: none.
#[must_use]
pub fn running(product: Product, ours: &[u64]) -> Sql {
    let (list, id, command) = match product {
        Product::MySql => ("performance_schema.threads", "PROCESSLIST_ID", "PROCESSLIST_COMMAND"),
        Product::MariaDb => ("information_schema.PROCESSLIST", "ID", "COMMAND"),
    };
    sql!(
        "SELECT COUNT(*) FROM {list} WHERE {id} NOT IN ({ours}) AND {id} <> CONNECTION_ID() AND {command} NOT IN \
         ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID', 'Connect', 'Slave_IO', 'Slave_SQL', 'Slave_worker')",
        list = Sql::raw(list),
        id = Sql::raw(id),
        command = Sql::raw(command),
        ours = numbers(ours),
    )
}

/// The length of the history list.
///
/// Lock: none.
#[must_use]
pub fn history(product: Product) -> Sql {
    Sql::raw(match product {
        Product::MySql => {
            "SELECT `COUNT` FROM information_schema.INNODB_METRICS \
             WHERE NAME = 'trx_rseg_history_len' AND STATUS = 'enabled'"
        }
        Product::MariaDb => {
            "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
             WHERE VARIABLE_NAME = 'INNODB_HISTORY_LIST_LENGTH'"
        }
    })
}

/// How many transactions of others wait for rows that connections of ours have locked.
///
/// Lock: none.
#[must_use]
pub fn row_waits(product: Product, ours: &[u64]) -> Sql {
    // By transaction and not by thread: MySQL gives a lock to the thread that made it, and whoever wants a row that somebody has
    // just inserted makes the lock in that one's name.
    let (waits, requesting, blocking) = match product {
        Product::MySql => {
            ("performance_schema.data_lock_waits", "REQUESTING_ENGINE_TRANSACTION_ID", "BLOCKING_ENGINE_TRANSACTION_ID")
        }
        Product::MariaDb => ("information_schema.INNODB_LOCK_WAITS", "requesting_trx_id", "blocking_trx_id"),
    };
    sql!(
        "SELECT COUNT(DISTINCT w.{requesting}) FROM {waits} AS w \
         JOIN information_schema.INNODB_TRX AS b ON b.trx_id = w.{blocking} \
         JOIN information_schema.INNODB_TRX AS r ON r.trx_id = w.{requesting} \
         WHERE b.trx_mysql_thread_id IN ({ours}) AND r.trx_mysql_thread_id NOT IN ({ours})",
        waits = Sql::raw(waits),
        requesting = Sql::raw(requesting),
        blocking = Sql::raw(blocking),
        ours = numbers(ours),
    )
}

/// How many sessions of others wait for a metadata lock on the table, where metadata locks can be seen.
///
/// Lock: none.
#[must_use]
pub fn pending(table: &TablePath, ours: &[u64]) -> Sql {
    sql!(
        "SELECT COUNT(DISTINCT m.OWNER_THREAD_ID) FROM performance_schema.metadata_locks AS m \
         JOIN performance_schema.threads AS p ON p.THREAD_ID = m.OWNER_THREAD_ID \
         WHERE m.OBJECT_TYPE = 'TABLE' AND m.OBJECT_SCHEMA = {d} AND m.OBJECT_NAME = {t} \
         AND m.LOCK_STATUS = 'PENDING' AND p.PROCESSLIST_ID NOT IN ({ours})",
        d = Text(table.database.as_str()),
        t = Text(table.name.as_str()),
        ours = numbers(ours),
    )
}

/// How many sessions of others wait for a metadata lock, with a statement that names the table (MariaDB, where locks cannot be
/// seen).
///
/// Lock: none.
#[must_use]
pub fn seems_pending(table: &TablePath, ours: &[u64]) -> Sql {
    sql!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'Waiting for table metadata lock' \
         AND (DB = {d} OR INFO RLIKE {database}) AND INFO RLIKE {name} AND ID NOT IN ({ours})",
        d = Text(table.database.as_str()),
        database = Text(&word(table.database.as_str())),
        name = Text(&word(table.name.as_str())),
        ours = numbers(ours),
    )
}

/// A regular expression of MariaDB's that finds a name, and not as a part of another one.
fn word(name: &str) -> String {
    let mut escaped = String::new();
    for letter in name.chars() {
        if letter.is_ascii() && !letter.is_ascii_alphanumeric() {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    format!("(?<![0-9A-Za-z_$]){escaped}(?![0-9A-Za-z_$])")
}

/// A list that is never empty: no connection has the number 0.
fn numbers(ids: &[u64]) -> Sql {
    let ids: Vec<String> = std::iter::once(0).chain(ids.iter().copied()).map(|id| id.to_string()).collect();
    Sql::raw(ids.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_it_stands() {
        assert_eq!(word("a.b_c9"), r"(?<![0-9A-Za-z_$])a\.b\_c9(?![0-9A-Za-z_$])");
    }

    #[test]
    fn a_list_of_connections_is_never_empty() {
        assert_eq!(numbers(&[]).as_str(), "0");
        assert_eq!(numbers(&[4, 7]).as_str(), "0, 4, 7");
    }
}
