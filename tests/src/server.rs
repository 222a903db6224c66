//! PostgreSQL: one server of each version for a whole run of tests, or one for a test alone.

use shoofly_sandbox::{Options, Server};

use crate::shared::{Base, Which};

/// The major versions that every promise is tested on: the oldest and the newest that the suites have programs for.
pub const MAJORS: [u32; 2] = [15, 18];

/// A server to run tests on.
#[derive(Debug, Clone)]
pub struct Pg {
    major: u32,
    base: Base,
}

impl Pg {
    /// The server of that version that all tests share.
    #[must_use]
    pub fn shared(major: u32) -> Self {
        Self { major, base: Base::shared(Which::Postgres(major)) }
    }

    /// A server for one test alone.
    #[must_use]
    pub fn own(major: u32, options: &Options) -> Self {
        Self { major, base: Base::own(Which::Postgres(major), options) }
    }

    /// The major version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// URL of a database.
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
