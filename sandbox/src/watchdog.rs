//! Sees to it that a server does not outlive the program that started it, however that ends.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::error::{Doing, SandboxError};

/// Each line of the input is a signal and whom to send it to, or empty while nothing runs; a later line replaces an earlier
/// one. The input ends when our process is gone: then what runs is stopped and the folder removed.
const SCRIPT: &str = r#"
signal= target=
while read -r next_signal next_target; do signal=$next_signal target=$next_target; done
tries=0
if [ -n "$target" ] && kill -s "$signal" -- "$target" 2>/dev/null; then
    while kill -s 0 -- "$target" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
rm -rf "$1"
"#;

/// What a watchdog stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The process with that id: by `SIGQUIT` if that is the signal, else by `SIGKILL`.
    Process(u32, Signal),
    /// All processes of the group with that id, by `SIGKILL`.
    Group(u32),
}

/// A waiting shell; dropping it lets it do its work.
#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    pub(crate) fn over(folder: &Path) -> Result<Self, SandboxError> {
        let child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own: Ctrl-C in the terminal is for the program, not for its watchdog.
            .process_group(0)
            .spawn()
            .doing("start the watchdog of a private server")?;
        Ok(Self(child))
    }

    /// From now on that is to be stopped, and nothing else.
    pub(crate) fn watch(&self, target: Target) -> Result<(), SandboxError> {
        let line = match target {
            Target::Process(pid, Signal::QUIT) => format!("QUIT {pid}\n"),
            Target::Process(pid, _) => format!("KILL {pid}\n"),
            Target::Group(pid) => format!("KILL -{pid}\n"),
        };
        self.tell(&line)
    }

    /// What was to be stopped has ended; its number may soon be another's.
    pub(crate) fn rest(&self) -> Result<(), SandboxError> {
        self.tell("\n")
    }

    fn tell(&self, line: &str) -> Result<(), SandboxError> {
        let Some(mut input) = self.0.stdin.as_ref() else { return Ok(()) };
        input.write_all(line.as_bytes()).doing("talk to the watchdog of a private server")
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().ok();
    }
}
