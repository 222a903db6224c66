//! The application: pgbench, writing a log of every transaction.

use std::fs;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use shoofly_sandbox::Server;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr};
use tokio::task::JoinHandle;

use super::log;
use super::stage::{self, APP};
use crate::args::DemoArgs;
use crate::command::demo::traffic::{Sent, Traffic, footer};
use crate::output::{Footer, Progress};

/// Longer than any demonstration; the traffic is ended by hand.
const DAY: &str = "86400";
/// pgbench learned to count failures, and to try each transaction once, in this major version.
const COUNTS_FAILURES: u32 = 15;

/// pgbench at work.
pub(in crate::command::demo) struct Pgbench {
    child: Child,
    logs: PathBuf,
    said: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

impl Pgbench {
    /// Starts it.
    pub(super) fn start(server: &Server, args: &DemoArgs, progress: &Progress) -> anyhow::Result<Self> {
        let logs = server.folder().join("traffic");
        fs::create_dir(&logs).context("could not create a folder for pgbench's logs")?;
        let mut command = stage::pgbench(server, APP)?;
        command
            .args(["--no-vacuum", "--client=4", "--jobs=2", "--progress=1", "--log", "--time", DAY])
            .arg(format!("--protocol={}", args.protocol.word()))
            .arg(format!("--rate={}", args.tps))
            .arg(format!("--log-prefix={}", logs.join("log").display()));
        if server.installation().major() >= COUNTS_FAILURES {
            command.args(["--max-tries=1", "--failures-detailed"]);
        }
        let mut child = command.stdout(Stdio::null()).spawn().context("could not start pgbench")?;
        let stderr = child.stderr.take().context("pgbench has no stderr")?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let reader = tokio::spawn(listen(stderr, Arc::clone(&said), progress.footer()));
        Ok(Self { child, logs, said, reader })
    }

    fn complaints(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Traffic for Pgbench {
    async fn flow(&mut self, time: Duration) -> anyhow::Result<()> {
        tokio::select! {
            ended = self.child.wait() => bail!("pgbench ended: {}; {}", ended?, self.complaints().join("; ")),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    async fn stop(mut self) -> anyhow::Result<Sent> {
        // pgbench ends its run, and writes its log to the end, when its timer rings; the timer is SIGALRM.
        if let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            kill_process(pid, Signal::ALARM).context("could not stop pgbench")?;
        }
        let status: ExitStatus = tokio::time::timeout(Duration::from_secs(60), self.child.wait())
            .await
            .context("pgbench did not stop within 60 s")??;
        (&mut self.reader).await?;
        let mut complaints = self.complaints();
        if !status.success() && complaints.is_empty() {
            complaints.push(format!("pgbench ended with {status}"));
        }
        Ok(Sent { transactions: log::read(&self.logs)?, complaints, remarks: Vec::new() })
    }
}

/// Shows pgbench's progress and keeps its complaints.
async fn listen(stderr: ChildStderr, said: Arc<Mutex<Vec<String>>>, bottom: Footer) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(shown) = progress(&line) {
            bottom.show(&shown);
        } else if is_complaint(&line) {
            said.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }
}

fn is_complaint(line: &str) -> bool {
    ["error", "ERROR", "FATAL", "aborted", "fatal"].iter().any(|word| line.contains(word))
}

/// `progress: 5.0 s, 299.0 tps, lat 1.104 ms stddev 0.421, lag 0.120 ms, 0 failed` → `299 transactions/s   0 failed`
fn progress(line: &str) -> Option<String> {
    let rest = line.strip_prefix("progress: ")?;
    let parts: Vec<&str> = rest.split(", ").collect();
    let find = |suffix: &str| parts.iter().find_map(|part| part.strip_suffix(suffix));
    let tps: f64 = find(" tps")?.parse().ok()?;
    let failed = find(" failed").unwrap_or("0");
    Some(footer(tps, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pgbench_progress() {
        let line = "progress: 5.0 s, 299.0 tps, lat 1.104 ms stddev 0.421, 0 failed, lag 0.120 ms";
        assert_eq!(progress(line).unwrap(), "traffic   299 transactions/s   0 failed");
        assert_eq!(progress("pgbench: error: client 2 aborted"), None);
        assert!(is_complaint("pgbench: error: client 2 script 0 aborted in command 5"));
        assert!(!is_complaint("pgbench (15.18)"));
    }
}
