//! What the suites that need real servers share.
//!
//! - [`Pg::shared`]: the server of a major version that all tests of a run share; [`Pg::own`]: one for a test that restarts
//!   it or changes its settings. [`MAJORS`] are the versions that every promise is tested on; [`matrix!`](crate::matrix)
//!   makes one test of each.
//! - [`My::shared`], [`My::own`] and [`mysql_matrix!`](crate::mysql_matrix): the same for MariaDB and MySQL. Shared servers are
//!   started when a test first asks ([`shared`]). [`mysql`] has what tests do on them.
//! - [`Database`]: a database of a test's own on such a server, with [`Database::run`], [`Database::text`] and
//!   [`Database::engine`].
//! - [`place::Place`] and [`every_kind!`](crate::every_kind): a database of any kind, for what all of them have in common.
//! - [`Writers`]: an application at work: seeded random transactions, each done twice, on the live tables and on the
//!   `mirror` schema, so that the rows that there should be are always known ([`rows::differences`]).
//! - [`catalogue::lines`]: everything that the catalogue says about the user's objects, as sorted lines.
//! - [`Case`]: one operation forward, back, forward and complete under writers, held against plain DDL.
//! - [`Binary`]: the command line as a child process.
//! - [`Refusal`]: what must be refused, with nothing touched.
//!
//! ```no_run
//! use shoofly_tests::{Database, Pg};
//!
//! async fn a_test(major: u32) {
//!     let db = Database::create(&Pg::shared(major), "a_test").await;
//!     db.run("CREATE TABLE t (id int PRIMARY KEY)").await;
//!     let facts = db.engine().build();
//! }
//! shoofly_tests::matrix!(a_test);
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness fails a test by panicking")]

pub mod binary;
pub mod case;
pub mod catalogue;
pub mod database;
pub mod mysql;
pub mod place;
pub mod random;
pub mod refusal;
pub mod rows;
pub mod server;
pub mod shared;
pub mod wait;
pub mod writers;

pub use binary::Binary;
pub use case::Case;
pub use database::Database;
pub use mysql::{Flavor, My};
pub use refusal::Refusal;
pub use server::{MAJORS, Pg};
pub use wait::until;
pub use writers::{Write, Writers};

/// Makes a module of tests out of each named `async fn(major: u32)`: one test for each of [`MAJORS`].
#[macro_export]
macro_rules! matrix {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn pg15() {
                super::$test(15).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn pg18() {
                super::$test(18).await;
            }
        }
    )+};
}

/// Makes a module of tests out of each named `async fn(flavor: Flavor)`: one test for each [`Flavor`].
#[macro_export]
macro_rules! mysql_matrix {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mariadb() {
                super::$test($crate::Flavor::MariaDb).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mysql() {
                super::$test($crate::Flavor::MySql).await;
            }
        }
    )+};
}
