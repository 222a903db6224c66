//! PostgreSQL.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::error::{Doing, SandboxError};
use crate::installation::{Installation, ask, named};
use crate::product::{Kind, Product};
use crate::server::Mode;
use crate::site::Site;

const INSTALL: &str = "install them (Debian, Ubuntu: apt-get install postgresql; Fedora, RHEL: dnf install postgresql-server \
                       postgresql-contrib; macOS: brew install postgresql)";

/// What any server gets before the settings that its user wants; durability is the server's default (`fsync = on`).
const SETTINGS: [(&str, &str); 3] =
    [("shared_buffers", "128MB"), ("max_connections", "100"), ("log_line_prefix", "%m [%p] %d %a ")];

/// See [`Kind`].
pub(crate) struct Postgres;

impl Kind for Postgres {
    fn find(&self) -> Result<Installation, SandboxError> {
        find(None)
    }

    fn account(&self) -> &'static str {
        "postgres"
    }

    fn initialise(&self, site: &Site) -> Result<(), SandboxError> {
        let secret = site.secret("password", &site.password)?;
        let mut command = Command::new(site.installation.bin().join("initdb"));
        command
            .args(["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"])
            .args(["--no-locale", "--no-sync", "--no-instructions"])
            .arg(format!("--pwfile={}", secret.display()))
            .arg("-D")
            .arg(site.data());
        let made = site.run("initdb", command);
        fs::remove_file(&secret).doing("remove the password file")?;
        made
    }

    fn command(&self, site: &Site) -> Command {
        let mut command = site.installation.command();
        command.arg("-D").arg(site.data());
        let mut set = |name: &str, value: &str| {
            command.arg("-c").arg(format!("{name}={value}"));
        };
        set("listen_addresses", "127.0.0.1");
        set("port", &site.port.to_string());
        set("unix_socket_directories", &site.folder().to_string_lossy());
        if site.installation.has_library("pg_stat_statements") {
            set("shared_preload_libraries", "pg_stat_statements");
        }
        SETTINGS.iter().for_each(|(name, value)| set(name, value));
        site.options.settings.iter().for_each(|(name, value)| set(name, value));
        command
    }

    /// By its pid file: line 1 is the pid, line 8 the state.
    fn accepts(&self, site: &Site, pid: u32) -> bool {
        let Ok(text) = fs::read_to_string(site.data().join("postmaster.pid")) else { return false };
        let mut lines = text.lines();
        let same = lines.next().and_then(|line| line.trim().parse().ok()) == Some(pid);
        same && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    fn signal(&self, mode: Mode) -> Signal {
        match mode {
            Mode::Fast => Signal::INT,
            Mode::Immediate => Signal::QUIT,
        }
    }

    /// The last backends of a killed server may not have noticed yet.
    fn lingers(&self, output: &str) -> bool {
        output.contains("shared memory block")
    }

    fn url(&self, site: &Site, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", site.password, site.port)
    }

    fn socket_url(&self, site: &Site, database: &str) -> String {
        let host = site.folder().to_string_lossy().replace('/', "%2F");
        format!("postgres://postgres@{host}:{}/{database}", site.port)
    }
}

/// See [`Installation::find`].
pub(crate) fn find(major: Option<u32>) -> Result<Installation, SandboxError> {
    let variable = major.map_or_else(|| "SHOOFLY_PG_BIN".to_owned(), |major| format!("SHOOFLY_TEST_PG{major}"));
    let product = Product::Postgres;
    if let Some(place) = named(&variable) {
        let found = Installation::at(&place)?;
        return match major {
            Some(major) if found.major() != major => {
                let why = format!("it is PostgreSQL {}, and {variable} should name a {major}", found.major());
                Err(SandboxError::Unusable { place, product, why })
            }
            _ => Ok(found),
        };
    }
    let folders = candidates();
    let fits = |found: &Installation| major.is_none_or(|major| found.major() == major);
    let usable = folders.iter().filter_map(|folder| Installation::at(folder).ok()).filter(fits);
    usable.max_by_key(Installation::major).ok_or_else(|| SandboxError::NotInstalled {
        wanted: major.map_or_else(|| product.to_string(), |major| format!("{product} {major}")),
        looked: folders.iter().map(|folder| folder.display().to_string()).collect(),
        advice: format!("{INSTALL}, or set {variable} to the folder that holds `postgres` and `initdb`"),
    })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → `15.18`
pub(crate) fn version(said: &str) -> Option<&str> {
    said.split_once("(PostgreSQL) ")?.1.split_whitespace().next()
}

/// Folders that may hold programs, oldest version first; each once, existing ones only.
pub(crate) fn candidates() -> Vec<PathBuf> {
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
        let fitting = entries.filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            debian || name.starts_with("postgresql") || name.starts_with("pgsql-") || parent.contains("Postgres.app")
        });
        folders.extend(fitting.map(|entry| entry.path().join(below)));
    }
    let mut ordered: Vec<PathBuf> = folders.into_iter().collect();
    ordered.sort_by_key(|folder| version_in(folder));
    ordered.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    ordered.extend(env::var_os("PATH").iter().flat_map(|path| env::split_paths(path).collect::<Vec<_>>()));
    ordered.extend(ask(Path::new("pg_config"), "--bindir"));
    ordered.extend(named("SHOOFLY_PG_BIN"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_of_folders() {
        assert_eq!(version_in(Path::new("/usr/pgsql-14/bin")), Some(14));
        assert_eq!(version_in(Path::new("/usr/bin")), None);
    }
}
