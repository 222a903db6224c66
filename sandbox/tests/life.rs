//! The life of a private server, where server programs are installed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpStream;
use std::process::{Command, Stdio};

use shoofly_sandbox::{Installation, Mode, Options, SandboxError, Server};

fn ask(server: &Server, sql: &str) -> String {
    let psql = server.installation().program("psql").unwrap();
    let output = Command::new(psql).args([server.url("postgres").as_str(), "-XAtc", sql]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn lives(installation: &Installation) -> Result<(), SandboxError> {
    let server = Server::start(installation, &Options::default().with("work_mem", "5MB"))?;
    assert_eq!(ask(&server, "SHOW work_mem"), "5MB");
    assert_eq!(ask(&server, "SHOW fsync"), "on");
    assert!(ask(&server, "SHOW server_version").starts_with(&installation.major().to_string()));
    ask(&server, "CREATE TABLE t AS SELECT 42 AS c");
    server.stop(Mode::Immediate)?;
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.restart()?;
    assert_eq!(ask(&server, "SELECT c FROM t"), "42");
    server.kill()?;
    server.restart()?;
    assert_eq!(ask(&server, "SELECT c FROM t"), "42");
    let (folder, port) = (server.folder().to_owned(), server.port());
    drop(server);
    assert!(!folder.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    Ok(())
}

#[test]
fn every_installed_version_lives() {
    let installed: Vec<Installation> = (14..=19).filter_map(|major| Installation::find(Some(major)).ok()).collect();
    assert!(!installed.is_empty(), "{}", Installation::find(None).unwrap_err());
    for installation in installed {
        lives(&installation).unwrap();
    }
}

#[test]
fn a_server_does_not_outlive_its_program() {
    // This same test binary, told by the variable to start a server, say where it is, and wait to be killed.
    if std::env::var_os("SANDBOX_CHILD").is_some() {
        let server = Server::start(&Installation::find(None).unwrap(), &Options::default()).unwrap();
        println!("folder={}", server.folder().display());
        std::thread::park();
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_server_does_not_outlive_its_program", "--nocapture"])
        .env("SANDBOX_CHILD", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let folder = loop {
        let mut line = String::new();
        assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0, "the child ended early");
        if let Some((_, folder)) = line.trim().split_once("folder=") {
            break std::path::PathBuf::from(folder);
        }
    };
    assert!(folder.join("data/postmaster.pid").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while folder.exists() {
        assert!(std::time::Instant::now() < deadline, "{} is still there", folder.display());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
