//! Where a private server lives: its folder, its port, its account.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::account::Account;
use crate::error::{Doing, SandboxError};
use crate::installation::Installation;
use crate::server::Options;
use crate::watchdog::{Target, Watchdog};

/// Everything about a server but its process.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) installation: Installation,
    pub(crate) options: Options,
    pub(crate) account: Account,
    pub(crate) port: u16,
    pub(crate) password: String,
    // Dropped before the folder: it removes what is in it.
    pub(crate) watchdog: Watchdog,
    folder: TempDir,
}

impl Site {
    /// An empty folder, watched over.
    pub(crate) fn new(installation: &Installation, options: &Options) -> Result<Self, SandboxError> {
        let account = Account::choose(installation.product().kind().account());
        installation.open_to(account)?;
        let folder = tempfile::Builder::new()
            .prefix("shoofly-server-")
            .tempdir_in(temporary_folder(account))
            .doing("make a temporary folder")?;
        account.own(folder.path())?;
        Ok(Self {
            installation: installation.clone(),
            options: options.clone(),
            account,
            port: 0,
            password: random_password()?,
            watchdog: Watchdog::over(folder.path())?,
            folder,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Writes a file that only the server's account can read. Remove it when it has been read.
    pub(crate) fn secret(&self, name: &str, text: &str) -> Result<PathBuf, SandboxError> {
        let path = self.folder.path().join(name);
        fs::write(&path, text).doing(&format!("write {}", path.display()))?;
        self.account.own(&path)?;
        Ok(path)
    }

    /// Makes `command` run here: as the server's account, with nothing to read, and out of reach of the terminal's Ctrl-C.
    pub(crate) fn settle(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).stdin(Stdio::null()).process_group(0);
        // Settings of clients in the environment must not reach a private server's programs.
        for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGPASSWORD", "PGSERVICE"] {
            command.env_remove(name);
        }
        for name in ["MYSQL_HOME", "MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "MYSQL_PWD", "NOTIFY_SOCKET"] {
            command.env_remove(name);
        }
        self.account.apply(command);
    }

    /// Runs a program here to its end.
    pub(crate) fn run(&self, name: &str, mut command: Command) -> Result<(), SandboxError> {
        self.settle(&mut command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().doing(&format!("start `{name}`"))?;
        self.watchdog.watch(Target::Group(child.id()))?;
        let output = child.wait_with_output().doing(&format!("run `{name}`"))?;
        self.watchdog.rest()?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(SandboxError::Failed { program: name.to_owned(), output: String::from_utf8_lossy(&said).into_owned() })
    }
}

/// A port of the loopback interface that nobody listens on now.
pub(crate) fn free_port() -> Result<u16, SandboxError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    Ok(listener.local_addr().doing("find a free port")?.port())
}

/// Where temporary folders go: short enough for a Unix socket (about 100 bytes), and open to the server's account.
fn temporary_folder(account: Account) -> PathBuf {
    let usual = std::env::temp_dir();
    if usual.as_os_str().len() <= 60 && account.barred_from(&usual).is_none() { usual } else { PathBuf::from("/tmp") }
}

fn random_password() -> Result<String, SandboxError> {
    let mut bytes = [0_u8; 16];
    let read = |bytes: &mut [u8]| -> io::Result<()> { File::open("/dev/urandom")?.read_exact(bytes) };
    read(&mut bytes).doing("make a random password")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
