//! MariaDB and MySQL: one server of each for a whole run of tests, or one for a test alone.

use mysql_async::{Conn, Opts, OptsBuilder};
use shoofly_sandbox::{Options, Server};

use crate::shared::{Base, Which};

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
