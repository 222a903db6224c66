//! Servers: one of each version for a whole run of tests, or one for a test alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use shoofly_sandbox::{Installation, Options, SandboxError, Server};

/// The major versions that every promise is tested on: the oldest and the newest that the suites have programs for.
pub const MAJORS: [u32; 2] = [15, 18];

/// A server to run tests on.
#[derive(Debug, Clone)]
pub struct Pg {
    major: u32,
    base: Base,
}

#[derive(Debug, Clone)]
enum Base {
    /// Started by this process.
    Own(Arc<Server>),
    /// Started by the `with-servers` program around the whole run; everything up to the database's name.
    Given(String),
}

/// The variable by which `with-servers` tells test processes of a server.
#[must_use]
pub fn variable(major: u32) -> String {
    format!("SHOOFLY_TEST_SERVER_{major}")
}

/// Options of a server that many tests share: a lost write to a throw-away disk is no concern of theirs.
#[must_use]
pub fn shared_options() -> Options {
    Options::default()
        .with("max_connections", "300")
        .with("fsync", "off")
        .with("max_wal_size", "2GB")
        .with("max_prepared_transactions", "10")
        // Queries over the catalogue would spend their time in the compiler.
        .with("jit", "off")
        // Hundreds of tests with statements of their own: none may push another's out.
        .with("pg_stat_statements.max", "100000")
        .with("pg_stat_statements.track_utility", "off")
}

/// Starts a server of that version.
///
/// # Panics
/// With what to install, where there is no such version.
#[must_use]
pub fn start(major: u32, options: &Options) -> Server {
    // Where `scripts/servers` puts what this machine's packages do not have.
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/servers/{major}/bin"));
    let installation = match Installation::find(Some(major)) {
        Err(SandboxError::NotInstalled { .. }) if fetched.is_dir() => Installation::at(&fetched),
        found => found,
    };
    let installation =
        installation.unwrap_or_else(|error| panic!("{error}\n(`scripts/test` installs whatever the tests need)"));
    Server::start(&installation, options).unwrap_or_else(|error| panic!("{error}"))
}

impl Pg {
    /// The server of that version that all tests share. Started by the first one that asks.
    #[must_use]
    pub fn shared(major: u32) -> Self {
        static STARTED: OnceLock<Mutex<BTreeMap<u32, Pg>>> = OnceLock::new();
        let mut started = STARTED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || match std::env::var(variable(major)) {
            Ok(url) => Self { major, base: Base::Given(url) },
            Err(_) => Self { major, base: Base::Own(Arc::new(start(major, &shared_options()))) },
        };
        started.entry(major).or_insert_with(begin).clone()
    }

    /// A server for one test alone.
    #[must_use]
    pub fn own(major: u32, options: &Options) -> Self {
        Self { major, base: Base::Own(Arc::new(start(major, options))) }
    }

    /// The major version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// URL of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        match &self.base {
            Base::Own(server) => server.url(database),
            Base::Given(base) => format!("{base}{database}"),
        }
    }

    /// The server, to stop and start it.
    ///
    /// # Panics
    /// For one that other tests use as well.
    #[must_use]
    pub fn server(&self) -> &Server {
        match &self.base {
            Base::Own(server) => server,
            Base::Given(_) => panic!("a shared server is not for one test to stop"),
        }
    }
}
