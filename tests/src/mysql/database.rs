//! A database of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Value};
use tokio::sync::Mutex;

use super::{My, catalogue, connect};

/// The account that schemas of tests may grant to. It belongs to the whole server.
pub const READER: &str = "'reader'@'%'";

/// A database, with a connection to look at it.
#[derive(Debug)]
pub struct MyDatabase {
    my: My,
    name: String,
    conn: Mutex<Conn>,
}

impl MyDatabase {
    /// Makes an empty database on `my`, its name beginning with `name`.
    ///
    /// # Panics
    /// Where the server does not let it be made.
    pub async fn create(my: &My, name: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let mut name: String = name.chars().take(40).collect();
        name.push_str(&format!("_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
        Self::named(my, name).await
    }

    /// Makes an empty database of exactly that name, for what shows it.
    ///
    /// # Panics
    /// Where the server does not let it be made.
    pub async fn named(my: &My, name: String) -> Self {
        let mut conn = connect(&my.url("")).await.unwrap();
        let made = format!("CREATE USER IF NOT EXISTS {READER}; CREATE DATABASE `{name}` CHARACTER SET utf8mb4");
        conn.query_drop(made).await.unwrap();
        let conn = Mutex::new(open(&my.url(&name)).await);
        Self { my: my.clone(), name, conn }
    }

    /// Connects anew, after the server was restarted.
    pub async fn reconnect(&self) {
        *self.conn.lock().await = open(&self.url()).await;
    }

    /// The server.
    #[must_use]
    pub fn my(&self) -> &My {
        &self.my
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.my.url(&self.name)
    }

    /// Runs statements.
    ///
    /// # Panics
    /// Where one fails.
    pub async fn run(&self, sql: &str) {
        if sql.trim().is_empty() {
            return;
        }
        if let Err(error) = self.conn.lock().await.query_drop(sql).await {
            panic!("{error}\nwhile running:\n{sql}");
        }
    }

    /// All rows that a query gives, as text; `NULL` for NULL.
    ///
    /// # Panics
    /// Where the query fails.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let rows: Vec<mysql_async::Row> =
            self.conn.lock().await.query(sql).await.unwrap_or_else(|error| panic!("{error}\nin {sql}"));
        rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect()
    }

    /// The one value that a query gives, as text; `NULL` for NULL.
    ///
    /// # Panics
    /// Where the query fails or gives no row.
    pub async fn text(&self, sql: &str) -> String {
        let row = self.rows(sql).await.into_iter().next();
        row.and_then(|row| row.into_iter().next()).unwrap_or_else(|| panic!("no row from {sql}"))
    }

    /// Names of its tables.
    pub async fn tables(&self) -> Vec<String> {
        let sql = "SELECT TABLE_NAME FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1";
        self.rows(sql).await.into_iter().flatten().collect()
    }

    /// The user's catalogue ([`catalogue::lines`]).
    pub async fn catalogue(&self) -> Vec<String> {
        catalogue::lines(self).await
    }

    /// Fails where a run has left something behind.
    ///
    /// # Panics
    /// With the list.
    pub async fn assert_nothing_left(&self, when: &str) {
        let left = catalogue::leftovers(self).await;
        assert!(left.is_empty(), "{when}: left behind: {left:#?}");
    }

    /// Removes the database.
    ///
    /// # Panics
    /// Where the server does not.
    pub async fn drop(self) {
        self.run(&format!("SET FOREIGN_KEY_CHECKS = 0; DROP DATABASE `{}`", self.name)).await;
        self.conn.into_inner().disconnect().await.unwrap();
    }
}

async fn open(url: &str) -> Conn {
    let mut conn = connect(url).await.unwrap();
    // Whoever fills a table with all kinds of keys means what they say; and what the server says is to be up to date.
    conn.query_drop("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')").await.unwrap();
    conn
}

fn text(value: Value) -> String {
    match value {
        Value::NULL => "NULL".to_owned(),
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => other.as_sql(true),
    }
}
