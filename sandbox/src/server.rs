//! One private server: made, started, stopped, crashed and removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::account::Account;
use crate::error::{Doing, SandboxError};
use crate::installation::Installation;
use crate::watchdog::Watchdog;

/// How long a server may take to start or to stop. Crash recovery of a busy one takes seconds on a slow disk.
const DEADLINE: Duration = Duration::from_secs(120);
/// Time between two looks at a server that starts or stops.
const LOOK: Duration = Duration::from_millis(10);
/// Ports can be taken by somebody else between our choice and the server's start.
const PORT_TRIES: u32 = 5;

/// How a server is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Settings of `postgresql.conf`, later ones winning. Durability is the server's default (`fsync = on`).
    pub settings: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        let settings = [("shared_buffers", "128MB"), ("max_connections", "100"), ("log_line_prefix", "%m [%p] %d %a ")];
        Self { settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec() }
    }
}

impl Options {
    /// The same with one more setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Disconnects clients, writes a checkpoint.
    Fast,
    /// Stops at once; the next start recovers from the log, as after a crash.
    Immediate,
}

/// A running (or stopped) private server. Dropping it stops it and removes its folder.
#[derive(Debug)]
pub struct Server {
    installation: Installation,
    options: Options,
    account: Account,
    port: u16,
    password: String,
    process: Mutex<Option<Child>>,
    // Dropped after `drop` stopped the server: the watchdog then has nothing to do, and the folder goes last.
    watchdog: Option<Watchdog>,
    folder: TempDir,
}

impl Server {
    /// Makes a server and waits until it accepts connections. Its superuser is `postgres`: without a password over the Unix
    /// socket, with one that [`Server::url`] contains over the loopback interface.
    ///
    /// # Errors
    /// [`SandboxError`] with what a program said, or the end of the server's log.
    pub fn start(installation: &Installation, options: &Options) -> Result<Self, SandboxError> {
        let account = Account::choose();
        if let Some(barrier) = account.barred_from(&installation.bin().join("postgres")) {
            let why = format!("the account that the server runs as cannot pass {}", barrier.display());
            return Err(SandboxError::Unusable { folder: installation.bin().to_owned(), why });
        }
        let folder = tempfile::Builder::new()
            .prefix("shoofly-pg-")
            .tempdir_in(temporary_folder(account))
            .doing("make a temporary folder")?;
        account.own(folder.path())?;
        let watchdog = Some(Watchdog::over(folder.path())?);
        let password = random_password()?;
        initdb(installation, account, folder.path(), &password)?;
        let mut server = Self {
            installation: installation.clone(),
            options: options.clone(),
            account,
            port: 0,
            password,
            process: Mutex::new(None),
            watchdog,
            folder,
        };
        for tried in 1.. {
            server.port = free_port()?;
            match server.launch() {
                Err(SandboxError::Failed { output, .. })
                    if tried < PORT_TRIES && output.contains("Address already") => {}
                other => return other.map(|()| server),
            }
        }
        Ok(server)
    }

    /// URL of a database over the loopback interface, with the superuser's name and password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// URL of a database over the Unix socket; needs no password.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        let host = self.folder.path().to_string_lossy().replace('/', "%2F");
        format!("postgres://postgres@{host}:{}/{database}", self.port)
    }

    /// The programs that the server runs from.
    #[must_use]
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The loopback port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's password for the loopback interface.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The folder of the Unix socket, the log and the data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the server and waits until it is gone. Nothing happens where it is stopped already.
    ///
    /// # Errors
    /// [`SandboxError::TooSlow`].
    pub fn stop(&self, mode: Mode) -> Result<(), SandboxError> {
        let signal = match mode {
            Mode::Fast => Signal::INT,
            Mode::Immediate => Signal::QUIT,
        };
        self.end(signal)
    }

    /// Kills the server's first process; the others follow when they notice. The next start recovers from the log.
    ///
    /// # Errors
    /// [`SandboxError::TooSlow`].
    pub fn kill(&self) -> Result<(), SandboxError> {
        self.end(Signal::KILL)
    }

    /// Starts a stopped server again and waits until it accepts connections: same port, same data.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn restart(&self) -> Result<(), SandboxError> {
        self.stop(Mode::Fast)?;
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.launch() {
                // After a kill, the last backends may not have noticed yet.
                Err(SandboxError::Failed { output, .. })
                    if output.contains("shared memory block") && Instant::now() < deadline =>
                {
                    thread::sleep(LOOK);
                }
                other => return other,
            }
        }
    }

    /// The last lines of the server's log.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let text = fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        // A panic while it was held leaves at worst a process that has ended: `try_wait` tells.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self) -> Result<(), SandboxError> {
        let mut process = self.process();
        let log_start = fs::metadata(self.log_path()).map_or(0, |found| found.len());
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).doing("open the server's log")?;
        let errors = log.try_clone().doing("open the server's log")?;
        let mut command = Command::new(self.installation.bin().join("postgres"));
        command.arg("-D").arg(self.data()).current_dir(self.folder.path());
        for (name, value) in self.all_settings() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
        clean(&mut command);
        self.account.apply(&mut command);
        let child = process.insert(command.spawn().doing("start `postgres`")?);
        let deadline = Instant::now() + DEADLINE;
        while !accepts(&self.data(), child.id()) {
            if let Some(status) = child.try_wait().doing("look after the server")? {
                *process = None;
                return Err(SandboxError::Failed {
                    program: "postgres".to_owned(),
                    output: self.died(status, log_start),
                });
            }
            if Instant::now() > deadline {
                return Err(self.too_slow("start"));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    fn all_settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![
            ("listen_addresses".to_owned(), "127.0.0.1".to_owned()),
            ("port".to_owned(), self.port.to_string()),
            ("unix_socket_directories".to_owned(), self.folder.path().display().to_string()),
        ];
        if self.installation.has_library("pg_stat_statements") {
            settings.push(("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned()));
        }
        settings.extend(self.options.settings.iter().cloned());
        settings
    }

    fn end(&self, signal: Signal) -> Result<(), SandboxError> {
        let mut process = self.process();
        let Some(child) = process.as_mut() else { return Ok(()) };
        let deadline = Instant::now() + DEADLINE;
        if child.try_wait().doing("look after the server")?.is_none() {
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                kill_process(pid, signal).doing("send a signal to the server")?;
            }
            while child.try_wait().doing("look after the server")?.is_none() {
                if Instant::now() > deadline {
                    return Err(self.too_slow("stop"));
                }
                thread::sleep(LOOK);
            }
        }
        *process = None;
        Ok(())
    }

    fn died(&self, status: ExitStatus, log_start: u64) -> String {
        let text = fs::read(self.log_path()).unwrap_or_default();
        let start = usize::try_from(log_start).unwrap_or(0).min(text.len());
        format!("{status}\n{}", String::from_utf8_lossy(&text[start..]))
    }

    fn too_slow(&self, doing: &str) -> SandboxError {
        SandboxError::TooSlow { doing: doing.to_owned(), seconds: DEADLINE.as_secs(), log: self.log_tail(20) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody will look at the data again: no checkpoint.
        if self.end(Signal::QUIT).is_err() {
            self.end(Signal::KILL).ok();
        }
        drop(self.watchdog.take());
    }
}

/// Whether the server with that pid says in its pid file that it accepts connections.
fn accepts(data: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let mut lines = text.lines();
    let same = lines.next().and_then(|line| line.trim().parse().ok()) == Some(pid);
    // The pid is line 1, the state line 8.
    same && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

fn initdb(installation: &Installation, account: Account, folder: &Path, password: &str) -> Result<(), SandboxError> {
    let secret = folder.join("password");
    fs::write(&secret, password).doing("write the password file")?;
    account.own(&secret)?;
    let mut command = Command::new(installation.bin().join("initdb"));
    command
        .args(["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"])
        .args(["--no-locale", "--no-sync", "--no-instructions"])
        .arg(format!("--pwfile={}", secret.display()))
        .arg("-D")
        .arg(folder.join("data"))
        .current_dir(folder)
        .stdin(Stdio::null());
    clean(&mut command);
    account.apply(&mut command);
    let output = command.output().doing("run `initdb`")?;
    fs::remove_file(&secret).doing("remove the password file")?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(SandboxError::Failed { program: "initdb".to_owned(), output: String::from_utf8_lossy(&said).into_owned() })
}

/// Settings of libpq in the environment must not reach a private server's programs.
fn clean(command: &mut Command) {
    for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGPASSWORD", "PGSERVICE"] {
        command.env_remove(name);
    }
}

/// Where temporary folders go: short enough for a Unix socket (about 100 bytes), and open to the server's account.
fn temporary_folder(account: Account) -> PathBuf {
    let usual = std::env::temp_dir();
    if usual.as_os_str().len() <= 60 && account.barred_from(&usual).is_none() { usual } else { PathBuf::from("/tmp") }
}

fn free_port() -> Result<u16, SandboxError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    Ok(listener.local_addr().doing("find a free port")?.port())
}

fn random_password() -> Result<String, SandboxError> {
    let mut bytes = [0_u8; 16];
    let read = |bytes: &mut [u8]| -> io::Result<()> { File::open("/dev/urandom")?.read_exact(bytes) };
    read(&mut bytes).doing("make a random password")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
