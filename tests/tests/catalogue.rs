//! The catalogue reader against real servers: nothing that hangs on a table is missed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "catalogue/changes.rs"]
mod changes;
#[path = "catalogue/look.rs"]
mod look;
#[path = "catalogue/types.rs"]
mod types;
#[path = "catalogue/whole.rs"]
mod whole;

use shoofly_engine::driver::postgres::{Session, Target, facts};
use shoofly_engine::facts::{Facts, Needs};
use shoofly_engine::name::{QualifiedName, TableName, WrittenName};
use shoofly_engine::schema::Table;
use shoofly_tests::Database;

/// A table with one of everything.
const AWKWARD: &str = include_str!("catalogue/awkward.sql");

fn written(name: &str) -> WrittenName {
    match name.split_once('.') {
        Some((schema, name)) => WrittenName { schema: Some(schema.parse().unwrap()), name: name.parse().unwrap() },
        None => WrittenName { schema: None, name: name.parse().unwrap() },
    }
}

fn full(schema: &str, name: &str) -> TableName {
    QualifiedName::new(schema.parse().unwrap(), name.parse().unwrap())
}

async fn session(url: &str) -> Session {
    let target = Target::parse(url).unwrap_or_else(|error| panic!("{error}"));
    Session::connect(&target, "test").await.unwrap_or_else(|error| panic!("{error}"))
}

async fn read(db: &Database, needs: &Needs) -> Facts {
    facts::read(&mut session(&db.url()).await, needs).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn big_table(session: &mut Session) -> Table {
    let needs = Needs { tables: vec![written("Odd schema.Big table")], ..Needs::default() };
    let facts = facts::read(session, &needs).await.unwrap_or_else(|error| panic!("{error}"));
    facts.table(&needs.tables[0]).unwrap().clone()
}
