use std::io;
use std::path::PathBuf;

use crate::Product;

/// Why a private server could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No server programs, or none of the wanted major version.
    #[error("no server programs of {wanted} were found (looked in: {})\n    do:  {advice}", looked.join(", "))]
    NotInstalled {
        /// `PostgreSQL`, `PostgreSQL 15`, `MariaDB`.
        wanted: String,
        /// Folders that were looked into.
        looked: Vec<String>,
        /// What to install, or which environment variable to set.
        advice: String,
    },
    /// A client program is missing.
    #[error("the program `{program}` was not found\n    do:  install {}", product.clients())]
    NoProgram {
        /// Its name.
        program: String,
        /// Whose program it is.
        product: Product,
    },
    /// What was named is no usable server.
    #[error("{} holds no usable server programs of {product}: {why}", place.display())]
    Unusable {
        /// The folder, or the program.
        place: PathBuf,
        /// What it should have been.
        product: Product,
        /// Why.
        why: String,
    },
    /// A program failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// The program.
        program: String,
        /// What it said.
        output: String,
    },
    /// The server did not accept connections, or did not stop, in time.
    #[error("the private server did not {doing} within {seconds} s; its log ends:\n{log}")]
    TooSlow {
        /// `start`, `stop`.
        doing: String,
        /// The deadline.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// Files, processes, signals.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
}

/// Adds what was being done to an [`io::Error`].
pub(crate) trait Doing<T> {
    fn doing(self, doing: &str) -> Result<T, SandboxError>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, doing: &str) -> Result<T, SandboxError> {
        self.map_err(|source| SandboxError::Io { doing: doing.to_owned(), source: source.into() })
    }
}
