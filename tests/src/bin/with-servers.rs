//! Runs a command with a private server of every tested version at its disposal: `with-servers cargo nextest run …`.
//!
//! Test processes find the servers by the environment ([`shoofly_tests::Pg::shared`]); without this program, each of them
//! starts its own.

use std::process::{Command, ExitCode};

use shoofly_tests::server::{self, MAJORS};

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or_else(|| anyhow::anyhow!("usage: with-servers PROGRAM [ARGUMENT…]"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    let mut servers = Vec::new();
    for major in MAJORS {
        let server = server::start(major, &server::shared_options());
        command.env(server::variable(major), server.url(""));
        servers.push(server);
    }
    let status = command.status()?;
    drop(servers);
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
