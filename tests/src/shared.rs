//! Servers that all tests of a run share. The `with-servers` program holds them and starts each when it is first asked for;
//! test processes ask over a Unix socket. Without that program, each test process has its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use shoofly_sandbox::{Installation, Options, Product, SandboxError, Server};

/// The variable by which `with-servers` tells test processes where its socket is.
pub const VARIABLE: &str = "SHOOFLY_TEST_SERVERS";

/// One of the servers that promises are tested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// PostgreSQL of that major version.
    Postgres(u32),
    /// MariaDB of whatever version there is.
    MariaDb,
    /// MySQL of whatever version there is.
    MySql,
}

impl Which {
    fn word(self) -> String {
        match self {
            Self::Postgres(major) => format!("postgres {major}"),
            Self::MariaDb => "mariadb".to_owned(),
            Self::MySql => "mysql".to_owned(),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "mariadb" => Some(Self::MariaDb),
            "mysql" => Some(Self::MySql),
            _ => Some(Self::Postgres(word.strip_prefix("postgres ")?.parse().ok()?)),
        }
    }

    /// Its programs: those of this machine, else those that `scripts/servers` has fetched.
    ///
    /// # Errors
    /// [`SandboxError::NotInstalled`], [`SandboxError::Unusable`].
    pub fn installation(self) -> Result<Installation, SandboxError> {
        let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
        let (found, fetched) = match self {
            Self::Postgres(major) => {
                let folder = fetched.join(format!("{major}/bin"));
                (Installation::find(Some(major)), folder.is_dir().then(|| Installation::at(&folder)))
            }
            Self::MariaDb => (Installation::of(Product::MariaDb), None),
            Self::MySql => {
                let program = fetched.join("mysql/usr/sbin/mysqld");
                let there = program.canonicalize().ok();
                let fetched = there.map(|program| Installation::of_program(Product::MySql, &program));
                (Installation::of(Product::MySql), fetched)
            }
        };
        match found {
            Err(SandboxError::NotInstalled { .. }) => fetched.unwrap_or(found),
            found => found,
        }
    }

    /// Starts one.
    ///
    /// # Errors
    /// [`SandboxError`] as text, with a word on what installs the programs.
    pub fn start(self, options: &Options) -> Result<Server, String> {
        let installation = self.installation();
        let installation =
            installation.map_err(|error| format!("{error}\n(`scripts/test` installs whatever the tests need)"))?;
        Server::start(&installation, options).map_err(|error| error.to_string())
    }

    /// Options of a server that many tests share: a lost write to a throw-away disk is no concern of theirs.
    #[must_use]
    pub fn shared_options(self) -> Options {
        match self {
            Self::Postgres(_) => Options::default()
                .with("max_connections", "300")
                .with("fsync", "off")
                .with("max_wal_size", "2GB")
                .with("max_prepared_transactions", "10")
                // Queries over the catalogue would spend their time in the compiler.
                .with("jit", "off")
                // Hundreds of tests with statements of their own: none may push another's out.
                .with("pg_stat_statements.max", "100000")
                .with("pg_stat_statements.track_utility", "off"),
            Self::MariaDb | Self::MySql => Options::default()
                .with("max-connections", "300")
                .with("innodb-flush-log-at-trx-commit", "0")
                .with("sync-binlog", "0"),
        }
    }
}

/// Where tests find a server.
#[derive(Debug, Clone)]
pub enum Base {
    /// Started by this process.
    Own(Arc<Server>),
    /// Held by `with-servers`; everything of its URL up to the database's name.
    Given(String),
}

impl Base {
    /// The server that all tests share.
    ///
    /// # Panics
    /// Where it cannot be had, with the reason.
    #[must_use]
    pub fn shared(which: Which) -> Self {
        static KNOWN: OnceLock<Mutex<BTreeMap<Which, Base>>> = OnceLock::new();
        let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || match std::env::var_os(VARIABLE) {
            Some(socket) => Self::Given(ask(Path::new(&socket), which)),
            None => Self::own(which, &which.shared_options()),
        };
        known.entry(which).or_insert_with(begin).clone()
    }

    /// A server for one test alone.
    ///
    /// # Panics
    /// Where it cannot be had, with the reason.
    #[must_use]
    pub fn own(which: Which, options: &Options) -> Self {
        Self::Own(Arc::new(which.start(options).unwrap_or_else(|error| panic!("{error}"))))
    }

    /// URL of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        match self {
            Self::Own(server) => server.url(database),
            Self::Given(base) => format!("{base}{database}"),
        }
    }

    /// The server, to stop and start it.
    ///
    /// # Panics
    /// For one that other tests use as well.
    #[must_use]
    pub fn server(&self) -> &Server {
        match self {
            Self::Own(server) => server,
            Self::Given(_) => panic!("a shared server is not for one test to stop"),
        }
    }
}

/// Asks `with-servers` for a server, which may have to be started first.
fn ask(socket: &Path, which: Which) -> String {
    let mut stream = UnixStream::connect(socket).expect("connect to `with-servers`");
    writeln!(stream, "{}", which.word()).expect("ask `with-servers`");
    stream.shutdown(Shutdown::Write).expect("ask `with-servers`");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("hear `with-servers`");
    match answer.split_once(' ') {
        Some(("url", url)) => url.to_owned(),
        Some(("error", error)) => panic!("{error}"),
        _ => panic!("`with-servers` said {answer:?} about {which:?}"),
    }
}

type Started = Arc<OnceLock<Result<Server, String>>>;

/// What `with-servers` holds.
#[derive(Debug, Default)]
pub struct Pool(Mutex<BTreeMap<Which, Started>>);

impl Pool {
    /// URL of a server up to the database's name. Whoever comes first starts it; others wait for that.
    ///
    /// # Errors
    /// What [`Which::start`] said, to everybody who asks.
    pub fn url(&self, which: Which) -> Result<String, String> {
        let started = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(which).or_default());
        let server = started.get_or_init(|| which.start(&which.shared_options()));
        server.as_ref().map(|server| server.url("")).map_err(Clone::clone)
    }

    /// Answers whoever connects, for ever.
    pub fn serve(self: &Arc<Self>, listener: &UnixListener) {
        for stream in listener.incoming().flatten() {
            let pool = Arc::clone(self);
            // A test that has gone away needs no answer.
            std::thread::spawn(move || pool.answer(&stream).ok());
        }
    }

    fn answer(&self, mut stream: &UnixStream) -> std::io::Result<()> {
        let mut word = String::new();
        BufReader::new(stream).read_line(&mut word)?;
        let answer = match Which::from_word(word.trim()).map(|which| self.url(which)) {
            Some(Ok(url)) => format!("url {url}"),
            Some(Err(error)) => format!("error {error}"),
            None => format!("error no such server: {word:?}"),
        };
        stream.write_all(answer.as_bytes())
    }

    /// Stops all servers. One that is still being started goes with this process.
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
