//! Server programs on this machine.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::account::Account;
use crate::error::SandboxError;
use crate::loader::Loader;
use crate::product::Product;
use crate::{mariadb, mysql, mysqld, postgres};

/// Server programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    product: Product,
    bin: PathBuf,
    server: PathBuf,
    loader: Option<Loader>,
    version: String,
    major: u32,
}

impl Installation {
    /// Looks for PostgreSQL: of that major version, or the newest where any will do.
    ///
    /// `SHOOFLY_TEST_PG<major>` (for a major version) and `SHOOFLY_PG_BIN` (for any) name the folder to use and win over
    /// everything else; then come the places where packages put them, `PATH` and `pg_config --bindir`.
    ///
    /// # Errors
    /// [`SandboxError::NotInstalled`] with where it looked and what to install; [`SandboxError::Unusable`] for a folder that
    /// a variable names and that holds no such server.
    pub fn find(major: Option<u32>) -> Result<Self, SandboxError> {
        postgres::find(major)
    }

    /// Looks for the server programs of a product, of any version.
    ///
    /// `SHOOFLY_PG_BIN` names a folder of PostgreSQL's, `SHOOFLY_TEST_MARIADBD` and `SHOOFLY_TEST_MYSQLD` a server program;
    /// they win over the places where packages put them and over `PATH`.
    ///
    /// # Errors
    /// As [`Installation::find`].
    pub fn of(product: Product) -> Result<Self, SandboxError> {
        product.kind().find()
    }

    /// PostgreSQL's programs in `folder`.
    ///
    /// # Errors
    /// [`SandboxError::Unusable`].
    pub fn at(folder: &Path) -> Result<Self, SandboxError> {
        if !folder.join("initdb").is_file() {
            let why = "there is no `initdb`".to_owned();
            return Err(SandboxError::Unusable { place: folder.to_owned(), product: Product::Postgres, why });
        }
        Self::of_program(Product::Postgres, &folder.join("postgres"))
    }

    /// The installation that a server program belongs to. Where a whole root folder was unpacked beside the system's own, with
    /// a dynamic loader and libraries in it, the program runs with those.
    ///
    /// # Errors
    /// [`SandboxError::Unusable`].
    pub fn of_program(product: Product, server: &Path) -> Result<Self, SandboxError> {
        let unusable = |why: String| SandboxError::Unusable { place: server.to_owned(), product, why };
        let loader = Loader::beside(server);
        let output = command(loader.as_ref(), server)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| unusable(format!("`{} --version`: {error}", server.display())))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let version = match product {
            Product::Postgres => postgres::version(&said),
            Product::MariaDb => mariadb::version(&said),
            Product::MySql => mysql::version(&said),
        };
        let read = version.and_then(|version| Some((leading_number(version)?, version.to_owned())));
        let (major, version) = read.ok_or_else(|| unusable(format!("`--version` says {said:?}")))?;
        let bin = server.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Self { product, bin, server: server.to_owned(), loader, version, major })
    }

    /// The kind of server.
    #[must_use]
    pub fn product(&self) -> Product {
        self.product
    }

    /// The folder of the server program.
    #[must_use]
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The first number of the version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The version: `15.18`, `10.11.19`, `9.7.4`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A client program (`psql`, `pgbench`, `mariadb` …): the server's own, else the newest on this machine.
    ///
    /// # Errors
    /// [`SandboxError::NoProgram`].
    pub fn program(&self, name: &str) -> Result<PathBuf, SandboxError> {
        let own = self.bin.join(name);
        if own.is_file() {
            return Ok(own);
        }
        let folders = match self.product {
            Product::Postgres => postgres::candidates(),
            Product::MariaDb | Product::MySql => mysqld::candidates(),
        };
        let found = folders.into_iter().map(|folder| folder.join(name)).rfind(|path| path.is_file());
        found.ok_or_else(|| SandboxError::NoProgram { program: name.to_owned(), product: self.product })
    }

    /// Whether a PostgreSQL server can load the library `name` (`pg_stat_statements` …).
    #[must_use]
    pub fn has_library(&self, name: &str) -> bool {
        let prefix = self.prefix();
        let mut folders = vec![prefix.join("lib"), prefix.join("lib/postgresql"), prefix.join("lib64/pgsql")];
        folders.extend(ask(&self.bin.join("pg_config"), "--pkglibdir"));
        folders
            .iter()
            .any(|folder| ["so", "dylib"].iter().any(|ending| folder.join(name).with_extension(ending).is_file()))
    }

    /// The folder that holds `bin`, `lib` and `share`.
    pub(crate) fn prefix(&self) -> &Path {
        self.bin.parent().unwrap_or(&self.bin)
    }

    /// The server program, ready for arguments.
    pub(crate) fn command(&self) -> Command {
        command(self.loader.as_ref(), &self.server)
    }

    /// # Errors
    /// [`SandboxError::Unusable`] where the account cannot reach the programs.
    pub(crate) fn open_to(&self, account: Account) -> Result<(), SandboxError> {
        let Some(barrier) = account.barred_from(&self.server) else { return Ok(()) };
        let why = format!("the account that the server runs as cannot pass {}", barrier.display());
        Err(SandboxError::Unusable { place: self.bin.clone(), product: self.product, why })
    }
}

fn command(loader: Option<&Loader>, program: &Path) -> Command {
    loader.map_or_else(|| Command::new(program), |loader| loader.command(program))
}

/// `15.18` → 15, `19beta1` → 19.
fn leading_number(version: &str) -> Option<u32> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What an environment variable names; an empty one names nothing.
pub(crate) fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The path that a program prints.
pub(crate) fn ask(program: &Path, question: &str) -> Option<PathBuf> {
    let output = Command::new(program).arg(question).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then(|| PathBuf::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        let major = |product: fn(&str) -> Option<&str>, text| product(text).and_then(leading_number);
        assert_eq!(major(postgres::version, "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major(postgres::version, "postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major(postgres::version, "something else"), None);
        let mariadb = "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)";
        let mysql = "/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))";
        assert_eq!((mariadb::version(mariadb), mariadb::version(mysql)), (Some("10.11.19"), None));
        assert_eq!((mysql::version(mysql), mysql::version(mariadb)), (Some("9.7.4"), None));
    }

    #[test]
    fn says_what_to_install() {
        let error = Installation::find(Some(7)).unwrap_err().to_string();
        assert!(error.contains("PostgreSQL 7") && error.contains("SHOOFLY_TEST_PG7"), "{error}");
    }
}
