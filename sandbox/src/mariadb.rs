//! MariaDB.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use crate::error::{Doing, SandboxError};
use crate::installation::Installation;
use crate::mysqld;
use crate::product::{Kind, Product};
use crate::server::Mode;
use crate::site::Site;

const INSTALL: &str = "install it (Debian, Ubuntu: apt-get install mariadb-server-core mariadb-client-core; Fedora, RHEL: dnf \
                       install mariadb-server; macOS: brew install mariadb)";

/// What fills a data folder.
const INITIALISE: &str = "mariadb-install-db";

/// See [`Kind`].
pub(crate) struct MariaDb;

impl Kind for MariaDb {
    fn find(&self) -> Result<Installation, SandboxError> {
        mysqld::find(Product::MariaDb, "SHOOFLY_TEST_MARIADBD", &["mariadbd", "mysqld"], INSTALL)
    }

    fn account(&self) -> &'static str {
        mysqld::ACCOUNT
    }

    fn initialise(&self, site: &Site) -> Result<(), SandboxError> {
        // The server that runs the script knows no accounts until it has read their tables; this one it has made already.
        let made = "FLUSH PRIVILEGES;\nDROP USER IF EXISTS 'root'@'127.0.0.1';\n";
        let statements = format!("{made}{}", mysqld::superuser(site));
        let secret = site.secret("superuser.sql", &statements)?;
        let mut command = Command::new(script(&site.installation)?);
        command
            // Without the last two it wants to look up this machine's name.
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(["--skip-name-resolve", "--force"])
            .arg(format!("--basedir={}", site.installation.prefix().display()))
            .arg(format!("--datadir={}", site.data().display()))
            .arg(format!("--extra-file={}", secret.display()))
            // A server that starts removes what others have left in a folder that it shares with them, and what they still need.
            .arg(format!("--tmpdir={}", site.folder().display()))
            .args(mysqld::wanted(site));
        let made = site.run(INITIALISE, command);
        fs::remove_file(&secret).doing("remove the password file")?;
        made
    }

    fn command(&self, site: &Site) -> Command {
        let mut command = mysqld::command(site);
        // MySQL's default.
        command.arg("--binlog-format=ROW").args(mysqld::wanted(site));
        command
    }

    fn accepts(&self, site: &Site, _pid: u32) -> bool {
        mysqld::greets(site)
    }

    fn signal(&self, mode: Mode) -> Signal {
        mysqld::signal(mode)
    }

    fn url(&self, site: &Site, database: &str) -> String {
        mysqld::url(site, database)
    }

    fn socket_url(&self, site: &Site, database: &str) -> String {
        mysqld::socket_url(site, database)
    }
}

/// `mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)` → `10.11.19`
pub(crate) fn version(said: &str) -> Option<&str> {
    mysqld::version(said).filter(|_| said.contains("MariaDB"))
}

fn script(installation: &Installation) -> Result<PathBuf, SandboxError> {
    let folders = ["bin", "scripts", "sbin"].map(|below| installation.prefix().join(below));
    let found = folders.map(|folder| folder.join(INITIALISE)).into_iter().find(|path| path.is_file());
    found.ok_or_else(|| SandboxError::Unusable {
        place: installation.bin().to_owned(),
        product: Product::MariaDb,
        why: format!("there is no `{INITIALISE}`"),
    })
}
