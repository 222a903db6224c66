//! Runs a command with private servers of every tested kind at its disposal: `with-servers cargo nextest run …`.
//!
//! PostgreSQL is started while the command begins, as most suites need it; MariaDB and MySQL when a test first asks for them.
//! Test processes find the servers by the environment ([`shoofly_tests::shared`]); without this program, each of them starts
//! its own.

use std::os::unix::net::UnixListener;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::thread;

use shoofly_tests::server::MAJORS;
use shoofly_tests::shared::{Pool, VARIABLE, Which};

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or_else(|| anyhow::anyhow!("usage: with-servers PROGRAM [ARGUMENT…]"))?;
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("servers");
    let listener = UnixListener::bind(&socket)?;
    let pool = Arc::new(Pool::default());
    let served = Arc::clone(&pool);
    thread::spawn(move || served.serve(&listener));
    let starting = MAJORS.map(|major| {
        let pool = Arc::clone(&pool);
        // Should that fail, the tests that ask for it say why.
        thread::spawn(move || pool.url(Which::Postgres(major)).is_ok())
    });
    let status = Command::new(program).args(arguments).env(VARIABLE, &socket).status()?;
    for thread in starting {
        thread.join().ok();
    }
    pool.close();
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
