//! pt-online-schema-change, where this machine has it.

use std::env;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use mysql_async::prelude::Queryable;
use shoofly_sandbox::Server;
use tokio::process::Command;

use super::{CLAUSE, table};
use crate::{LONGEST, which};

/// Its name.
pub(super) const NAME: &str = "pt-online-schema-change";

/// The program.
#[derive(Debug)]
pub(super) struct Peer {
    program: PathBuf,
}

impl Peer {
    /// The one on `PATH`, else the one that `scripts/servers` has fetched.
    pub(super) fn find() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path).map(|folder| folder.join(NAME)).find(|path| path.is_file());
        let program = on_path.or_else(|| which::fetched(&format!("percona-toolkit/{NAME}")))?;
        Some(Self { program })
    }

    /// `3.2.1`
    pub(super) async fn version(&self, server: &Server) -> anyhow::Result<String> {
        let said = self.call(server, &["--version"]).await?;
        let text = String::from_utf8_lossy(&said.stdout);
        Ok(text.split_whitespace().last().unwrap_or("of an unknown version").to_owned())
    }

    /// Makes the change as it does by default; seconds. Over the Unix socket: there it needs no password, which not every
    /// client library can send to every server.
    pub(super) async fn run(&self, server: &Server) -> anyhow::Result<f64> {
        let mut conn = table::connect(server).await?;
        let socket: String = conn.query_first("SELECT @@socket").await?.context("no socket")?;
        conn.disconnect().await?;
        let place = format!("S={socket},u=root,D={name},t={name}", name = table::NAME);
        let began = Instant::now();
        // There are no replicas to look for and no newer version to ask about.
        let said = self
            .call(
                server,
                &[
                    "--execute",
                    "--no-version-check",
                    "--recursion-method=none",
                    "--no-check-replication-filters",
                    &format!("--alter={CLAUSE}"),
                    &place,
                ],
            )
            .await?;
        let seconds = began.elapsed().as_secs_f64();
        ensure!(said.status.success(), "{}", last_words(&said));
        Ok(seconds)
    }

    /// Runs it without anybody's settings.
    async fn call(&self, server: &Server, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = Command::new(&self.program)
            .args(["--config", "/dev/null"])
            .args(arguments)
            .env("HOME", server.folder())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(LONGEST, output).await;
        output.context("it takes longer than 15 minutes")?.with_context(|| format!("could not run {NAME}"))
    }
}

/// The end of what it said, on one line.
fn last_words(said: &Output) -> String {
    let all = [said.stdout.as_slice(), said.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&all);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" / ")
}
