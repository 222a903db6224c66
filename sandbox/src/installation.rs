//! Finding PostgreSQL's programs on this machine.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::SandboxError;

/// Server programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    bin: PathBuf,
    major: u32,
}

impl Installation {
    /// Looks for server programs: of that major version, or the newest where any will do.
    ///
    /// `SHOOFLY_TEST_PG<major>` (for a major version) and `SHOOFLY_PG_BIN` (for any) name the folder to use and win over
    /// everything else; then come the places where packages put them, `PATH` and `pg_config --bindir`.
    ///
    /// # Errors
    /// [`SandboxError::NotInstalled`] with where it looked and what to install; [`SandboxError::Unusable`] for a folder that
    /// a variable names and that holds no such server.
    pub fn find(major: Option<u32>) -> Result<Self, SandboxError> {
        let variable = major.map_or_else(|| "SHOOFLY_PG_BIN".to_owned(), |major| format!("SHOOFLY_TEST_PG{major}"));
        if let Some(folder) = env::var_os(&variable).filter(|folder| !folder.is_empty()) {
            let folder = PathBuf::from(folder);
            let found = Self::at(&folder)?;
            return match major {
                Some(major) if found.major != major => Err(SandboxError::Unusable {
                    folder,
                    why: format!("it is PostgreSQL {}, and {variable} should name a {major}", found.major),
                }),
                _ => Ok(found),
            };
        }
        let folders = candidates();
        let fits = |found: &Self| major.is_none_or(|major| found.major == major);
        let usable = folders.iter().filter_map(|folder| Self::at(folder).ok()).filter(fits);
        usable.max_by_key(|found| found.major).ok_or_else(|| SandboxError::NotInstalled {
            wanted: major.map_or_else(|| "PostgreSQL".to_owned(), |major| format!("PostgreSQL {major}")),
            looked: folders.iter().map(|folder| folder.display().to_string()).collect(),
            variable,
        })
    }

    /// The server programs in `folder`.
    ///
    /// # Errors
    /// [`SandboxError::Unusable`].
    pub fn at(folder: &Path) -> Result<Self, SandboxError> {
        let unusable = |why: String| SandboxError::Unusable { folder: folder.to_owned(), why };
        if !folder.join("initdb").is_file() {
            return Err(unusable("there is no `initdb`".to_owned()));
        }
        let output = Command::new(folder.join("postgres"))
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| unusable(format!("`postgres --version`: {error}")))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let major = major_of(&text).ok_or_else(|| unusable(format!("`postgres --version` says {text:?}")))?;
        Ok(Self { bin: folder.to_owned(), major })
    }

    /// The folder of the programs.
    #[must_use]
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The major version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// A client program (`psql`, `pgbench`, `pg_dump` …): the server's own, else the newest on this machine.
    ///
    /// # Errors
    /// [`SandboxError::NoProgram`].
    pub fn program(&self, name: &str) -> Result<PathBuf, SandboxError> {
        let own = self.bin.join(name);
        if own.is_file() {
            return Ok(own);
        }
        let found = candidates().into_iter().map(|folder| folder.join(name)).rfind(|path| path.is_file());
        found.ok_or_else(|| SandboxError::NoProgram { program: name.to_owned() })
    }

    /// Whether the server can load the library `name` (`pg_stat_statements` …).
    #[must_use]
    pub fn has_library(&self, name: &str) -> bool {
        let prefix = self.bin.parent().unwrap_or(&self.bin);
        let mut folders = vec![prefix.join("lib"), prefix.join("lib/postgresql"), prefix.join("lib64/pgsql")];
        folders.extend(ask(&self.bin.join("pg_config"), "--pkglibdir"));
        folders
            .iter()
            .any(|folder| ["so", "dylib"].iter().any(|ending| folder.join(name).with_extension(ending).is_file()))
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15; `… 19beta1` → 19.
fn major_of(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Folders that may hold programs, oldest version first; each once, existing ones only.
fn candidates() -> Vec<PathBuf> {
    let mut folders = BTreeSet::new();
    // Debian and Ubuntu; RHEL's packages by PostgreSQL; Homebrew on either kind of Mac; Postgres.app.
    for (parent, below) in [
        ("/usr/lib/postgresql", "bin"),
        ("/usr", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ] {
        let debian = parent == "/usr/lib/postgresql";
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let named = entries.filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            debian || name.starts_with("postgresql") || name.starts_with("pgsql-") || parent.contains("Postgres.app")
        });
        folders.extend(named.map(|entry| entry.path().join(below)));
    }
    let mut ordered: Vec<PathBuf> = folders.into_iter().collect();
    ordered.sort_by_key(|folder| version_in(folder));
    ordered.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    ordered.extend(env::var_os("PATH").iter().flat_map(|path| env::split_paths(path).collect::<Vec<_>>()));
    ordered.extend(ask(Path::new("pg_config"), "--bindir"));
    if let Some(named) = env::var_os("SHOOFLY_PG_BIN").filter(|folder| !folder.is_empty()) {
        ordered.push(PathBuf::from(named));
    }
    let mut seen = BTreeSet::new();
    ordered.retain(|folder| folder.is_dir() && seen.insert(folder.clone()));
    // Generic folders hold wrappers and versions nobody chose: folders of one version win when looked through from the end.
    ordered.sort_by_key(|folder| version_in(folder).is_some());
    ordered
}

/// The first number in a folder's path: `/usr/lib/postgresql/15/bin` → 15.
fn version_in(folder: &Path) -> Option<u32> {
    let text = folder.to_string_lossy();
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

fn ask(program: &Path, question: &str) -> Option<PathBuf> {
    let output = Command::new(program).arg(question).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then(|| PathBuf::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major_of("something else"), None);
        assert_eq!(version_in(Path::new("/usr/pgsql-14/bin")), Some(14));
    }

    #[test]
    fn says_what_to_install() {
        let error = Installation::find(Some(7)).unwrap_err().to_string();
        assert!(error.contains("PostgreSQL 7") && error.contains("SHOOFLY_TEST_PG7"), "{error}");
    }
}
