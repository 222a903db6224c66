//! One private server: made, started, stopped, crashed and removed.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Doing, SandboxError};
use crate::installation::Installation;
use crate::product::Kind;
use crate::site::{Site, free_port};
use crate::watchdog::Target;

/// How long a server may take to start or to stop. Crash recovery of a busy one takes seconds on a slow disk.
const DEADLINE: Duration = Duration::from_secs(120);
/// Time between two looks at a server that starts or stops.
const LOOK: Duration = Duration::from_millis(10);
/// Ports can be taken by somebody else between our choice and the server's start.
const PORT_TRIES: u32 = 5;

/// How a server is set up. Nothing that costs durability is switched off unless it is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Settings of `postgresql.conf`, or options of `mariadbd` and `mysqld` (an empty value for those that take none, as
    /// `skip-log-bin`). Later ones win, and all of them over the sandbox's own.
    pub settings: Vec<(String, String)>,
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
    /// Disconnects clients, writes what is only in memory.
    Fast,
    /// Stops at once; the next start recovers from the log, as after a crash.
    Immediate,
}

/// A running (or stopped) private server. Dropping it stops it and removes its folder.
#[derive(Debug)]
pub struct Server {
    process: Mutex<Option<Child>>,
    site: Site,
}

impl Server {
    /// Makes a server and waits until it accepts connections. Its superuser (`postgres`, or `root` of MariaDB and MySQL) needs
    /// no password over the Unix socket, and the one that [`Server::url`] contains over the loopback interface.
    ///
    /// # Errors
    /// [`SandboxError`] with what a program said, or the end of the server's log.
    pub fn start(installation: &Installation, options: &Options) -> Result<Self, SandboxError> {
        let site = Site::new(installation, options)?;
        installation.product().kind().initialise(&site)?;
        let mut server = Self { process: Mutex::new(None), site };
        for tried in 1.. {
            server.site.port = free_port()?;
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
        self.kind().url(&self.site, database)
    }

    /// URL of a database over the Unix socket; needs no password.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        self.kind().socket_url(&self.site, database)
    }

    /// The programs that the server runs from.
    #[must_use]
    pub fn installation(&self) -> &Installation {
        &self.site.installation
    }

    /// The loopback port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.site.port
    }

    /// The superuser's password for the loopback interface.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.site.password
    }

    /// The folder of the Unix socket, the log and the data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.site.folder()
    }

    /// The id of the server's (first) process; none while it is stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process().as_ref().map(Child::id)
    }

    /// Stops the server and waits until it is gone. Nothing happens where it is stopped already.
    ///
    /// # Errors
    /// [`SandboxError::TooSlow`].
    pub fn stop(&self, mode: Mode) -> Result<(), SandboxError> {
        self.end(self.kind().signal(mode))
    }

    /// Kills the server's first process; any others follow when they notice. The next start recovers from the log.
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
                Err(SandboxError::Failed { output, .. })
                    if self.kind().lingers(&output) && Instant::now() < deadline =>
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
        let text = fs::read(self.site.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn kind(&self) -> &'static dyn Kind {
        self.site.installation.product().kind()
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        // A panic while it was held leaves at worst a process that has ended: `try_wait` tells.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self) -> Result<(), SandboxError> {
        let mut process = self.process();
        let log_start = fs::metadata(self.site.log()).map_or(0, |found| found.len());
        let log = OpenOptions::new().create(true).append(true).open(self.site.log()).doing("open the server's log")?;
        let errors = log.try_clone().doing("open the server's log")?;
        let mut command = self.kind().command(&self.site);
        self.site.settle(&mut command);
        command.stdout(log).stderr(errors);
        let child = process.insert(command.spawn().doing("start the server program")?);
        self.site.watchdog.watch(Target::Process(child.id(), self.kind().signal(Mode::Immediate)))?;
        let deadline = Instant::now() + DEADLINE;
        while !self.kind().accepts(&self.site, child.id()) {
            if let Some(status) = child.try_wait().doing("look after the server")? {
                *process = None;
                self.site.watchdog.rest()?;
                return Err(SandboxError::Failed {
                    program: self.site.installation.product().to_string(),
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
        self.site.watchdog.rest()
    }

    fn died(&self, status: ExitStatus, log_start: u64) -> String {
        let text = fs::read(self.site.log()).unwrap_or_default();
        let start = usize::try_from(log_start).unwrap_or(0).min(text.len());
        format!("{status}\n{}", String::from_utf8_lossy(&text[start..]))
    }

    fn too_slow(&self, doing: &str) -> SandboxError {
        SandboxError::TooSlow { doing: doing.to_owned(), seconds: DEADLINE.as_secs(), log: self.log_tail(20) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody will look at the data again: nothing needs to be written.
        if self.stop(Mode::Immediate).is_err() {
            self.kill().ok();
        }
    }
}
