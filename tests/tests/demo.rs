//! The demonstration at its smallest: it says what it does, and every check holds.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::Value;
use shoofly_tests::binary::Said;
use shoofly_tests::shared::Which;
use shoofly_tests::{Binary, Flavor, matrix, mysql_matrix};

/// The least of everything: on a busy machine, too, somebody must be able to find a gap in the traffic.
const SMALL: [&str; 8] = ["--scale", "1", "--settle", "1", "--tps", "20", "--format", "json"];

/// Runs it without a database to connect to.
fn run(options: &[&str], variable: Option<(&str, &str)>) -> Said {
    let shoofly = Binary::new("");
    let arguments: Vec<&str> = ["demo"].iter().chain(options).chain(&SMALL).copied().collect();
    let mut command = shoofly.command(&arguments);
    command.envs(variable);
    Said::from(command.output().unwrap())
}

fn assert_passed(said: &Said) {
    let last = said.out.lines().last().unwrap_or_else(|| panic!("{}", said.err));
    let result: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"));
    assert_eq!((said.code, &result["passed"]), (Some(0), &Value::Bool(true)), "{}{}", said.out, said.err);
    for stretch in ["before", "during", "after"] {
        assert!(result["latency"][stretch]["done"].as_u64().unwrap() > 0, "{stretch}: {last}");
        assert_eq!(result["latency"][stretch]["failed"], 0, "{stretch}: {last}");
    }
    assert!(result["checks"].as_array().unwrap().len() > 4, "{last}");
}

/// Programs of that server, for those who look for them by a variable.
fn program(which: Which, name: &str) -> String {
    let installation = which.installation().unwrap();
    installation.program(name).unwrap().to_str().unwrap().to_owned()
}

async fn passes_on_postgres(major: u32) {
    let installation = Which::Postgres(major).installation().unwrap();
    let bin = installation.bin().to_str().unwrap().to_owned();
    let said = tokio::task::block_in_place(|| run(&["--bindir", &bin], None));
    assert_passed(&said);
}

async fn passes(flavor: Flavor) {
    let (option, variable, name) = match flavor {
        Flavor::MySql => ("--mysql", "SHOOFLY_TEST_MYSQLD", "mysqld"),
        Flavor::MariaDb => ("--mariadb", "SHOOFLY_TEST_MARIADBD", "mariadbd"),
    };
    let server = program(flavor.which(), name);
    for protocol in ["simple", "prepared"] {
        let options = [option, "--protocol", protocol];
        let said = tokio::task::block_in_place(|| run(&options, Some((variable, &server))));
        assert_passed(&said);
    }
}

async fn refuses_what_there_is_not(flavor: Flavor) {
    let option = if flavor == Flavor::MySql { "--mysql" } else { "--mariadb" };
    let shoofly = Binary::new("");
    let said = shoofly.expect(2, &["demo", option, "--protocol", "extended"]);
    assert!(said.err.contains("simple or prepared"), "{}", said.err);
    shoofly.expect(2, &["demo", option, "--bindir", "/usr/bin"]);
    shoofly.expect(2, &["demo", "--mysql", "--mariadb"]);
}

matrix!(passes_on_postgres);
mysql_matrix!(passes, refuses_what_there_is_not);
