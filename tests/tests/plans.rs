//! The examples in `plans/`: each one's plan is what its `plan.txt` says; for MySQL and MariaDB what `mysql/mysql.txt` and
//! `mysql/mariadb.txt` below it say, where there are such.
//!
//! `UPDATE_GOLDEN=1` writes the files anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use shoofly_engine::Migration;
use shoofly_engine::plan::Plan;
use shoofly_engine::plan::render::render;
use shoofly_engine::run::Direction;
use shoofly_engine::source::parse_text;
use shoofly_engine::sql::Dialect;
use shoofly_tests::case::migration;
use shoofly_tests::database::EngineOptions;
use shoofly_tests::mysql::MyDatabase;
use shoofly_tests::server::MAJORS;
use shoofly_tests::{Database, Flavor, My, Pg, mysql_matrix};

/// The version that the files are written for.
const GOLDEN: u32 = MAJORS[0];

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plans");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Some examples are for MySQL and MariaDB alone.
fn of_postgres() -> impl Iterator<Item = PathBuf> {
    examples().into_iter().filter(|folder| folder.join("before.sql").is_file())
}

async fn plan(folder: &Path, major: u32) -> Plan {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let db = Database::create(&Pg::shared(major), &name.replace('-', "_")).await;
    db.run(&read("before.sql")).await;
    let before = db.catalogue().await;
    let planned = db.engine().build().plan(&migration(&name, &read("migration.sql")), Direction::Up).await;
    let plan = planned.unwrap_or_else(|error| panic!("{name}: {error}"));
    shoofly_tests::catalogue::assert_equal("after planning", &before, &db.catalogue().await);
    db.drop().await;
    plan
}

/// What is stored in the ledger is read back as it was.
fn assert_storable(plan: &Plan) {
    let stored = serde_json::to_string(plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), *plan, "{}", plan.migration);
}

/// No line is longer than the page is wide, names and strings aside, which are never broken.
fn assert_fits(page: &str) {
    for line in page.lines() {
        let breakable = line.trim_start().matches(' ').count() > 2;
        assert!(!breakable || line.chars().count() <= 110, "{line}");
    }
}

/// Files that say something else than the plan does.
#[derive(Default)]
struct Differing(Vec<String>);

impl Differing {
    fn hold(&mut self, plan: &Plan, file: &Path) {
        assert_storable(plan);
        let made = render(plan);
        assert_fits(&made);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(file, &made).unwrap();
        } else if fs::read_to_string(file).unwrap_or_default() != made {
            self.0.push(format!("{}:\n{made}", file.display()));
        }
    }

    fn assert_none(self) {
        assert!(self.0.is_empty(), "UPDATE_GOLDEN=1 writes these:\n{}", self.0.join("\n"));
    }
}

#[tokio::test]
async fn are_what_their_files_say() {
    let mut differing = Differing::default();
    for folder in of_postgres() {
        differing.hold(&plan(&folder, GOLDEN).await, &folder.join("plan.txt"));
    }
    differing.assert_none();
}

async fn plan_of_mysql(folder: &Path, my: &My) -> Plan {
    let read = |name: &str| fs::read_to_string(folder.join("mysql").join(name)).unwrap();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let db = MyDatabase::named(my, format!("plan_{}", name.replace('-', "_"))).await;
    db.run(&read("before.sql")).await;
    let before = db.catalogue().await;
    let migration: Migration = parse_text(Dialect::MySql, &name, None, &read("migration.sql")).unwrap();
    let planned = EngineOptions::new(&db.url()).build().plan(&migration, Direction::Up).await;
    let plan = planned.unwrap_or_else(|error| panic!("{name}: {error}"));
    shoofly_tests::catalogue::assert_equal("after planning", &before, &db.catalogue().await);
    db.drop().await;
    plan
}

async fn of_mysql_are_what_their_files_say(flavor: Flavor) {
    let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
    let file = match flavor {
        Flavor::MySql => "mysql.txt",
        Flavor::MariaDb => "mariadb.txt",
    };
    let mut differing = Differing::default();
    for folder in examples().into_iter().filter(|folder| folder.join("mysql").is_dir()) {
        differing.hold(&plan_of_mysql(&folder, &my).await, &folder.join("mysql").join(file));
    }
    differing.assert_none();
}

mysql_matrix!(of_mysql_are_what_their_files_say);

#[tokio::test]
async fn can_be_made_on_other_versions_too() {
    for major in MAJORS.into_iter().filter(|major| *major != GOLDEN) {
        for folder in of_postgres() {
            assert_storable(&plan(&folder, major).await);
        }
    }
}
