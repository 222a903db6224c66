//! MariaDB and MySQL: one server of each for a whole run of tests, or one for a test alone; and what tests do on them.
//!
//! - [`MyDatabase`]: a database of a test's own.
//! - [`App`]: what an application writes into its table; [`MyWriters`]: that application at work, live and on a mirror.
//! - [`Stage`]: one change by the program as a child process, which can be stopped anywhere.
//! - [`MyCase`]: one operation forward, back, forward and complete under writers, held against plain DDL. With
//!   `SHOOFLY_TEST_MEANS=plain` all cases do the plain DDL in the program's stead, on tables at rest: that proves the cases.

use mysql_async::{Conn, Opts, OptsBuilder};
use shoofly_sandbox::{Options, Server};

use crate::shared::{Base, Which};

pub mod app;
pub mod case;
pub mod catalogue;
pub mod database;
pub mod elder;
pub mod means;
pub mod rows;
pub mod session;
pub mod stage;
pub mod transaction;
pub mod witness;
pub mod writers;

pub use app::App;
pub use case::MyCase;
pub use database::MyDatabase;
pub use means::{Means, Sabotage};
pub use session::Felt;
pub use stage::Stage;
pub use writers::MyWriters;

/// The two products of that family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// MariaDB.
    MariaDb,
    /// MySQL.
    MySql,
}

impl Flavor {
    /// It as one of all servers.
    #[must_use]
    pub fn which(self) -> Which {
        match self {
            Self::MariaDb => Which::MariaDb,
            Self::MySql => Which::MySql,
        }
    }
}

/// A server to run tests on.
#[derive(Debug, Clone)]
pub struct My {
    flavor: Flavor,
    base: Base,
}

impl My {
    /// The server that all tests share.
    #[must_use]
    pub fn shared(flavor: Flavor) -> Self {
        Self { flavor, base: Base::shared(flavor.which()) }
    }

    /// A server for one test alone.
    #[must_use]
    pub fn own(flavor: Flavor, options: &Options) -> Self {
        Self { flavor, base: Base::own(flavor.which(), options) }
    }

    /// Which of the two it is.
    #[must_use]
    pub fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// URL of a database; an empty name is none.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.base.url(database)
    }

    /// The server, to stop and start it.
    ///
    /// # Panics
    /// For one that other tests use as well.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.base.server()
    }
}

/// A new connection to `url`, by the way that the URL names.
///
/// # Errors
/// The driver's.
pub async fn connect(url: &str) -> mysql_async::Result<Conn> {
    // Left alone, the driver asks the server for its socket's path and goes on with whatever listens there on this machine.
    Conn::new(OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false)).await
}
