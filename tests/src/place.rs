//! A database of any kind, for tests of what all of them have in common.

use shoofly_engine::Migration;
use shoofly_engine::source::parse_text;
use shoofly_engine::sql::Dialect;

use crate::database::EngineOptions;
use crate::mysql::MyDatabase;
use crate::{Database, Flavor, My, Pg, mysql};

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL of that major version.
    Postgres(u32),
    /// MariaDB or MySQL.
    My(Flavor),
}

/// A database of a test's own.
#[derive(Debug)]
pub enum Place {
    /// Of PostgreSQL.
    Postgres(Box<Database>),
    /// Of MariaDB or MySQL.
    My(Box<MyDatabase>),
}

/// A transaction that somebody has open.
#[derive(Debug)]
pub enum Holder {
    /// Of PostgreSQL.
    Postgres(tokio_postgres::Client),
    /// Of MariaDB or MySQL.
    My(Box<mysql_async::Conn>),
}

impl Place {
    /// An empty database on the server that all tests share.
    pub async fn create(kind: Kind, name: &str) -> Self {
        match kind {
            Kind::Postgres(major) => Self::Postgres(Box::new(Database::create(&Pg::shared(major), name).await)),
            Kind::My(flavor) => {
                // The first to ask waits for the server to come up.
                let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
                Self::My(Box::new(MyDatabase::create(&my, name).await))
            }
        }
    }

    /// A migration in this database's SQL: the first of the texts is PostgreSQL's, the second the others'.
    ///
    /// # Panics
    /// Where it does not parse.
    #[must_use]
    pub fn migration(&self, name: &str, [postgres, my]: [&str; 2]) -> Migration {
        let (dialect, text) = match self {
            Self::Postgres(_) => (Dialect::PostgreSql, postgres),
            Self::My(_) => (Dialect::MySql, my),
        };
        parse_text(dialect, name, None, text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// An engine in the making.
    #[must_use]
    pub fn engine(&self) -> EngineOptions {
        match self {
            Self::Postgres(db) => db.engine(),
            Self::My(db) => EngineOptions::new(&db.url()),
        }
    }

    /// Runs statements.
    pub async fn run(&self, sql: &str) {
        match self {
            Self::Postgres(db) => db.run(sql).await,
            Self::My(db) => db.run(sql).await,
        }
    }

    /// The one value that a query gives, as text.
    pub async fn text(&self, sql: &str) -> String {
        match self {
            Self::Postgres(db) => db.text(sql).await,
            Self::My(db) => db.text(sql).await,
        }
    }

    /// The user's catalogue.
    pub async fn catalogue(&self) -> Vec<String> {
        match self {
            Self::Postgres(db) => db.catalogue().await,
            Self::My(db) => db.catalogue().await,
        }
    }

    /// Fails where a run has left something behind.
    pub async fn assert_nothing_left(&self, when: &str) {
        match self {
            Self::Postgres(db) => db.assert_nothing_left(when).await,
            Self::My(db) => db.assert_nothing_left(when).await,
        }
    }

    /// Somebody who has run a statement in a transaction, and keeps it open.
    ///
    /// # Panics
    /// Where the statement fails.
    pub async fn hold(&self, sql: &str) -> Holder {
        let text = format!("BEGIN; {sql}");
        match self {
            Self::Postgres(db) => {
                let client = db.connect().await;
                client.batch_execute(&text).await.unwrap();
                Holder::Postgres(client)
            }
            Self::My(db) => {
                let mut conn = mysql::connect(&db.url()).await.unwrap();
                mysql_async::prelude::Queryable::query_drop(&mut conn, text).await.unwrap();
                Holder::My(Box::new(conn))
            }
        }
    }

    /// Removes the database.
    pub async fn drop(self) {
        match self {
            Self::Postgres(db) => Database::drop(*db).await,
            Self::My(db) => MyDatabase::drop(*db).await,
        }
    }
}

impl Holder {
    /// Ends the transaction.
    ///
    /// # Panics
    /// Where the server has ended it before.
    pub async fn commit(self) {
        match self {
            Self::Postgres(client) => client.batch_execute("COMMIT").await.unwrap(),
            Self::My(mut conn) => mysql_async::prelude::Queryable::query_drop(&mut *conn, "COMMIT").await.unwrap(),
        }
    }
}

/// Makes a module of tests out of each named `async fn(kind: Kind)`: one test for each kind of database, and for each version
/// of PostgreSQL that every promise is tested on.
#[macro_export]
macro_rules! every_kind {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            use $crate::Flavor;
            use $crate::place::Kind;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn pg15() {
                super::$test(Kind::Postgres(15)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn pg18() {
                super::$test(Kind::Postgres(18)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mariadb() {
                super::$test(Kind::My(Flavor::MariaDb)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mysql() {
                super::$test(Kind::My(Flavor::MySql)).await;
            }
        }
    )+};
}
