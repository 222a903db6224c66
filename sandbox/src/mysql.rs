//! MySQL.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::error::{Doing, SandboxError};
use crate::installation::Installation;
use crate::mysqld;
use crate::product::{Kind, Product};
use crate::server::Mode;
use crate::site::Site;

const INSTALL: &str = "install it (Ubuntu: apt-get install mysql-server-core; Fedora: dnf install community-mysql-server; \
                       macOS: brew install mysql)";

/// See [`Kind`].
pub(crate) struct MySql;

impl Kind for MySql {
    fn find(&self) -> Result<Installation, SandboxError> {
        mysqld::find(Product::MySql, "SHOOFLY_TEST_MYSQLD", &["mysqld"], INSTALL)
    }

    fn account(&self) -> &'static str {
        mysqld::ACCOUNT
    }

    fn initialise(&self, site: &Site) -> Result<(), SandboxError> {
        let secret = site.secret("superuser.sql", &mysqld::superuser(site))?;
        let mut command = site.installation.command();
        command
            .args(["--no-defaults", "--initialize-insecure", "--secure-file-priv="])
            .args(mysqld::places(&site.installation))
            .arg(format!("--datadir={}", site.data().display()))
            .arg(format!("--tmpdir={}", site.folder().display()))
            .arg(format!("--init-file={}", secret.display()))
            // Some can be chosen only here, as `lower_case_table_names`.
            .args(mysqld::wanted(site));
        let made = site.run("mysqld --initialize-insecure", command);
        fs::remove_file(&secret).doing("remove the password file")?;
        made
    }

    fn command(&self, site: &Site) -> Command {
        let mut command = mysqld::command(site);
        // The second protocol would want a port of its own.
        command.args(["--mysqlx=OFF", "--performance-schema=ON"]).args(mysqld::wanted(site));
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

/// `mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))` → `9.7.4`
pub(crate) fn version(said: &str) -> Option<&str> {
    mysqld::version(said).filter(|_| !said.contains("MariaDB"))
}
