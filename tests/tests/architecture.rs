//! What the sources promise about themselves: arrows that point one way, and nothing forgotten for an operation.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use shoofly_tests::case::migration;

/// Modules that compute and do not act.
const PURE: [&str; 11] =
    ["name", "text", "schema", "facts", "op", "sql", "source", "plan", "dialect", "report", "throttle"];

/// What acts: runtimes, drivers, clocks, output, processes; and the modules that do.
const FORBIDDEN: [&str; 19] = [
    "tokio",
    "deadpool",
    "rustls",
    "governor",
    "metrics",
    "tracing",
    "Instant::now",
    "time::Instant",
    "SystemTime",
    "Zoned",
    "Timestamp::now",
    "println!",
    "eprintln!",
    "std::net",
    "std::process",
    "async fn",
    "crate::driver",
    "crate::run",
    "crate::backend",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn sources(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        // Unit tests that fill a file of their own.
        let test = ["tests", "tests.rs"].iter().any(|name| path.ends_with(name));
        if test {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Lines of code without comments, numbered, up to the unit tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    before_tests.lines().enumerate().filter_map(|(at, line)| {
        let line = line.trim_start();
        (!line.starts_with("//")).then_some((at + 1, line))
    })
}

#[test]
fn pure_modules_do_not_act() {
    let engine = root().join("engine/src");
    let pure = |path: &PathBuf| {
        let inside = path.strip_prefix(&engine).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        // What reads the catalogue holds queries for the driver, and only texts.
        PURE.contains(&first.trim_end_matches(".rs"))
    };
    let files: Vec<PathBuf> = sources(&engine).into_iter().filter(pure).collect();
    assert!(files.len() > PURE.len(), "{files:?}");
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in code(&text) {
            found.extend(FORBIDDEN.iter().filter(|word| line.contains(**word)).map(|word| {
                format!("{}:{number}: {word} in a pure module: {line}", file.strip_prefix(&engine).unwrap().display())
            }));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Plans are data, runs are an order of steps, and verbs are verbs, whatever the database: `run.rs` picks the backend, once. The
/// demonstration starts servers of its own.
#[test]
fn nothing_above_the_backends_asks_which_database_it_is() {
    let asking = ["Product::", "Dialect::MySql", "Dialect::Postgres", "Target::MySql", "Target::Postgres"];
    let may_ask = ["cli/src/command/demo", "cli/src/command/demo.rs", "cli/src/args.rs"];
    let files: Vec<PathBuf> = ["engine/src/plan", "engine/src/run", "engine/src/report", "cli/src"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .chain([root().join("engine/src/plan.rs")])
        .filter(|file| may_ask.iter().all(|excepted| !file.starts_with(root().join(excepted))))
        .collect();
    assert!(files.len() > 30, "{files:?}");
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines = code(&text).filter(|(_, line)| asking.iter().any(|word| line.contains(word)));
        found.extend(lines.map(|(number, line)| format!("{}:{number}: {line}", file.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_the_command_line_prints() {
    let mut found = Vec::new();
    for file in sources(&root().join("engine/src")) {
        let text = fs::read_to_string(&file).unwrap();
        let printing = code(&text).filter(|(_, line)| line.contains("println!") || line.contains("print!("));
        found.extend(printing.map(|(number, _)| format!("{}:{number}", file.display())));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_driver_holds_no_statement() {
    let mut found = Vec::new();
    for file in sources(&root().join("engine/src/driver")) {
        let text = fs::read_to_string(&file).unwrap();
        let starts = ["\"ALTER ", "\"CREATE ", "\"DROP ", "\"UPDATE ", "\"INSERT ", "\"DELETE ", "\"LOCK "];
        let holding = code(&text).filter(|(_, line)| starts.iter().any(|start| line.contains(start)));
        found.extend(holding.map(|(number, line)| format!("{}:{number}: {line}", file.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The operations, as the enumeration names them.
fn operations() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("engine/src/op.rs")).unwrap();
    let variants = text.split("pub enum Operation {").nth(1).unwrap().split('}').next().unwrap();
    variants.lines().filter_map(|line| Some(line.trim().split_once('(')?.0.to_owned())).collect()
}

/// A whole statement of MySQL's or MariaDB's, of which the server itself says what it does: its cases are those of the suite
/// `mysql_operations`, and its plan depends on the server's answer.
const ASKED_OF_THE_SERVER: [&str; 1] = ["AlterTable"];

/// The operations whose plan the catalogue decides.
fn planned() -> BTreeSet<String> {
    let mut planned = operations();
    planned.retain(|name| !ASKED_OF_THE_SERVER.contains(&name.as_str()));
    planned
}

/// `SetNotNull` → `set-not-null`
fn kebab(name: &str) -> String {
    let spaced: String = name.chars().map(|c| if c.is_uppercase() { format!("-{c}") } else { c.to_string() }).collect();
    spaced.trim_start_matches('-').to_lowercase()
}

#[test]
fn every_operation_has_a_page() {
    assert!(operations().len() >= 10);
    let pages = operations().into_iter().map(|name| format!("docs/operations/{}.md", kebab(&name)));
    let missing: Vec<String> = pages.filter(|path| !root().join(path).is_file()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_operation_has_cases() {
    let files = sources(&root().join("engine/src/op"));
    let stems = files.iter().map(|file| file.file_stem().unwrap().to_string_lossy().into_owned());
    let asked = ASKED_OF_THE_SERVER.map(|name| kebab(name).replace('-', "_"));
    let cases = stems.map(|stem| match asked.contains(&stem) {
        true => "tests/tests/mysql_operations.rs".to_owned(),
        false => format!("tests/tests/operations/{stem}.rs"),
    });
    let missing: Vec<String> = cases.filter(|path| !root().join(path).is_file()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_operation_has_an_example_with_its_plan() {
    let mut wanted = planned();
    for entry in fs::read_dir(root().join("plans")).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(folder.join("migration.sql")) else { continue };
        assert!(folder.join("before.sql").is_file(), "{}: no before.sql", folder.display());
        let plans = fs::read_dir(&folder).unwrap().filter(|file| {
            let name = file.as_ref().unwrap().file_name();
            name.to_string_lossy().contains("plan") || name.to_string_lossy().contains("snap")
        });
        assert!(plans.count() > 0, "{}: no plan", folder.display());
        let read = migration("example", &text);
        for operation in read.up.statements.iter().flat_map(|statement| &statement.operations) {
            let name = format!("{operation:?}");
            wanted.remove(name.split('(').next().unwrap());
        }
    }
    assert!(wanted.is_empty(), "no example of {wanted:?} in plans/");
}
