//! The program without a database: exit codes, streams, files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::path::Path;
use std::process::{Command, Output};

/// The program in a folder of its own, with nothing inherited that would name a database.
fn shoofly(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shoofly"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("DATABASE_URL")
        .env_remove("SHOOFLY_ENV")
        .env_remove("SHOOFLY_CONFIG")
        .env_remove("SHOOFLY_DIR")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_version_goes_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let output = shoofly(folder.path(), &["--version"]);
    assert_eq!(code(&output), 0);
    assert_eq!(stdout(&output), format!("shoofly {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_is_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in
        [&["frobnicate"][..], &["status", "--frobnicate"], &["alter"], &[], &["up", "0"], &["start", "--chunk", "15"]]
    {
        let output = shoofly(folder.path(), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stdout(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_mistake_in_a_statement_is_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        shoofly(folder.path(), &["alter", "ALTER TABEL orders ADD x", "--url", "postgres://nobody@127.0.0.1:1/x"]);
    assert_eq!(code(&output), 2);
    let shown = stderr(&output);
    assert!(shown.starts_with("error: `ALTER`") && shown.matches("error:").count() == 1, "{shown}");
}

#[test]
fn the_url_says_how_a_statement_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for scheme in ["mysql", "mariadb"] {
        let url = format!("{scheme}://nobody:secret@127.0.0.1:1/x");
        let output = shoofly(folder.path(), &["alter", "ALTER TABLE `t` ADD a int, LOCK=NONE", "--url", &url]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains("LOCK is not supported"), "{}", stderr(&output));
    }
    let output = shoofly(folder.path(), &["alter", "DROP INDEX i", "--url", "oracle://nobody:secret@127.0.0.1:1/x"]);
    assert_eq!(code(&output), 2);
    let shown = stderr(&output);
    assert!(shown.contains("postgres://") && shown.contains("mysql://") && !shown.contains("secret"), "{shown}");
}

#[test]
fn a_missing_database_is_2_and_says_how_to_name_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = shoofly(folder.path(), &["status"]);
    assert_eq!(code(&output), 2);
    for named in ["DATABASE_URL", "postgres://", "mysql://"] {
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}

#[test]
fn a_database_that_does_not_answer_is_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "DATABASE_URL=postgres://nobody:secret@127.0.0.1:1/none\n").unwrap();
    let output = shoofly(folder.path(), &["history"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("127.0.0.1:1"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("secret"), "{}", stderr(&output));
}

#[test]
fn errors_for_programs_are_json_on_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let output = shoofly(folder.path(), &["status", "--format", "json"]);
    let error: serde_json::Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    assert_eq!((error["event"].as_str(), error["exit"].as_u64()), (Some("error"), Some(2)));
    assert!(error["problems"][0]["advice"].as_str().unwrap().contains("--url"));
}

#[test]
fn a_format_that_no_verb_prints_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = shoofly(folder.path(), &["status", "--format", "sarif"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("--format json"));
}

#[test]
fn a_broken_configuration_says_where() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shoofly.toml"), "[locks]\nbuget = \"1s\"\n").unwrap();
    let output = shoofly(folder.path(), &["status"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("line 2") && stderr(&output).contains("buget"), "{}", stderr(&output));
    let output = shoofly(folder.path(), &["--config", "none.toml", "status"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("none.toml"));
}

#[test]
fn init_and_new_make_files_and_leave_alone_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(&shoofly(folder.path(), &["init"])), 0);
    std::fs::write(folder.path().join("shoofly.toml"), "# mine\n").unwrap();
    let again = shoofly(folder.path(), &["init"]);
    assert_eq!(code(&again), 0);
    assert!(stdout(&again).contains("exists"), "{}", stdout(&again));
    assert_eq!(std::fs::read_to_string(folder.path().join("shoofly.toml")).unwrap(), "# mine\n");

    let made = shoofly(folder.path(), &["new", "Widen orders.id"]);
    let path = stdout(&made).trim().to_owned();
    assert!(path.starts_with("migrations/") && path.ends_with("_widen_orders_id.sql"), "{path}");
    let text = std::fs::read_to_string(folder.path().join(path)).unwrap();
    assert!(text.contains("-- migrate:up") && text.contains("-- migrate:down"));
}

#[test]
fn a_statement_that_does_not_parse_is_2_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgres://nobody@127.0.0.1:1/none";
    let output = shoofly(folder.path(), &["--url", url, "alter", "ALTER TABEL t ADD COLUMN c int"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("TABEL"), "{}", stderr(&output));
}
