//! The kinds of server, and what each of them does in its own way.

use std::fmt;
use std::process::Command;

use rustix::process::Signal;

use crate::error::SandboxError;
use crate::installation::Installation;
use crate::mariadb::MariaDb;
use crate::mysql::MySql;
use crate::postgres::Postgres;
use crate::server::Mode;
use crate::site::Site;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
    /// MySQL.
    MySql,
}

impl Product {
    /// Client programs, as a person would install them.
    pub(crate) fn clients(self) -> &'static str {
        match self {
            Self::Postgres => {
                "PostgreSQL's client programs (Debian, Ubuntu: apt-get install postgresql-client postgresql-contrib)"
            }
            Self::MariaDb => "MariaDB's client programs (Debian, Ubuntu: apt-get install mariadb-client)",
            Self::MySql => "MySQL's client programs",
        }
    }

    pub(crate) fn kind(self) -> &'static dyn Kind {
        match self {
            Self::Postgres => &Postgres,
            Self::MariaDb => &MariaDb,
            Self::MySql => &MySql,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        })
    }
}

/// What a product does in its own way.
pub(crate) trait Kind: Sync {
    /// The newest server programs on this machine.
    fn find(&self) -> Result<Installation, SandboxError>;

    /// The account that this product's packages make.
    fn account(&self) -> &'static str;

    /// Fills the data folder, with a superuser who needs no password over the Unix socket and the site's over the loopback
    /// interface.
    fn initialise(&self, site: &Site) -> Result<(), SandboxError>;

    /// The server in the foreground, writing its log to its standard error.
    fn command(&self, site: &Site) -> Command;

    /// Whether the server, which runs as that process, accepts connections.
    fn accepts(&self, site: &Site, pid: u32) -> bool;

    /// What makes the server stop.
    fn signal(&self, mode: Mode) -> Signal;

    /// Whether a start failed over what a killed server left behind for a moment.
    fn lingers(&self, _output: &str) -> bool {
        false
    }

    /// URL of a database over the loopback interface.
    fn url(&self, site: &Site, database: &str) -> String;

    /// URL of a database over the Unix socket.
    fn socket_url(&self, site: &Site, database: &str) -> String;
}
