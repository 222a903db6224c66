//! Which server is measured.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use shoofly_sandbox::{Installation, Product, SandboxError};

/// A server, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// `postgres` (15), `postgres:18`.
    Postgres(u32),
    /// `mariadb`
    MariaDb,
    /// `mysql`
    MySql,
}

impl FromStr for Which {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let unknown = || format!("postgres, postgres:VERSION, mysql or mariadb, not {word}");
        match word {
            "postgres" => Ok(Self::Postgres(15)),
            "mariadb" => Ok(Self::MariaDb),
            "mysql" => Ok(Self::MySql),
            _ => {
                let version = word.strip_prefix("postgres:").ok_or_else(unknown)?;
                version.parse().map(Self::Postgres).map_err(|_| unknown())
            }
        }
    }
}

impl Which {
    /// Its programs: those of this machine, else those that `scripts/servers` has fetched.
    pub(crate) fn installation(self) -> anyhow::Result<Installation> {
        let (found, fetched) = match self {
            Self::Postgres(major) => {
                let folder = fetched(&format!("{major}/bin"));
                (Installation::find(Some(major)), folder.map(|folder| Installation::at(&folder)))
            }
            Self::MariaDb => (Installation::of(Product::MariaDb), None),
            Self::MySql => {
                let program = fetched("mysql/usr/sbin/mysqld");
                let fetched = program.map(|program| Installation::of_program(Product::MySql, &program));
                (Installation::of(Product::MySql), fetched)
            }
        };
        let found = match found {
            Err(SandboxError::NotInstalled { .. }) => fetched.unwrap_or(found),
            found => found,
        };
        found.context("no server programs (`scripts/servers` fetches some)")
    }
}

/// Where `scripts/servers` has put something, if it has.
pub(crate) fn fetched(path: &str) -> Option<PathBuf> {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    [copy, PathBuf::from("/var/tmp/shoofly-servers")]
        .into_iter()
        .find_map(|folder| folder.join(path).canonicalize().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!("postgres".parse(), Ok(Which::Postgres(15)));
        assert_eq!("postgres:18".parse(), Ok(Which::Postgres(18)));
        assert_eq!("mysql".parse(), Ok(Which::MySql));
        assert!("postgres:new".parse::<Which>().is_err() && "oracle".parse::<Which>().is_err());
    }
}
