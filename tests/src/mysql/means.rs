//! By what a case makes its change: the program, or plain DDL on a table at rest, which proves the case and the harness.

use super::MyDatabase;
use super::writers::MyWriters;
use crate::Binary;
use crate::binary::Said;

/// The variable by which all cases are run without the program.
pub const VARIABLE: &str = "SHOOFLY_TEST_MEANS";

/// By what a change is made.
#[derive(Debug, Clone)]
pub enum Means {
    /// The program.
    Shoofly,
    /// The statement itself while nobody writes, and something wrong.
    Plain(Sabotage),
}

/// What is done wrong, on purpose; empty texts do nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sabotage {
    /// Instead of a start.
    pub start: &'static str,
    /// After that, while the writers go on.
    pub meanwhile: &'static str,
    /// Instead of a rollback.
    pub rollback: &'static str,
    /// After the statement.
    pub complete: &'static str,
}

impl Means {
    /// The program; or what [`VARIABLE`] says, `plain`.
    ///
    /// # Panics
    /// Where it says something else.
    #[must_use]
    pub fn from_environment() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Err(_) => Self::Shoofly,
            Ok("plain") => Self::Plain(Sabotage::default()),
            Ok(other) => panic!("{VARIABLE}={other}: `plain` or nothing"),
        }
    }
}

/// A change under way.
#[derive(Debug)]
pub struct Change<'a> {
    means: &'a Means,
    live: &'a MyDatabase,
    ddl: &'a str,
    options: &'a [String],
    binary: Binary,
}

/// Name of the migration.
const NAME: &str = "1_case";

impl<'a> Change<'a> {
    /// A change of `live` by these statements; options go to whatever begins it.
    #[must_use]
    pub fn new(means: &'a Means, live: &'a MyDatabase, ddl: &'a str, options: &'a [String]) -> Self {
        Self { means, live, ddl, options, binary: Binary::new(&live.url()) }
    }

    /// `start`.
    pub async fn start(&self, writers: &MyWriters) {
        match self.means {
            Means::Shoofly => {
                self.binary.write(&format!("migrations/{NAME}.sql"), self.ddl);
                self.succeed(&["start", NAME], self.options).await;
            }
            Means::Plain(sabotage) => {
                self.at_rest(writers, sabotage.start).await;
                self.live.run(sabotage.meanwhile).await;
            }
        }
    }

    /// `rollback`.
    pub async fn rollback(&self, writers: &MyWriters) {
        match self.means {
            Means::Shoofly => drop(self.succeed(&["rollback", NAME], &[]).await),
            Means::Plain(sabotage) => self.at_rest(writers, sabotage.rollback).await,
        }
    }

    /// `complete`, after which nothing is under way, and nothing left to do.
    pub async fn complete(&self, writers: &MyWriters) {
        match self.means {
            Means::Shoofly => {
                self.succeed(&["complete", NAME], &[]).await;
                self.assert_done(1).await;
                self.succeed(&["start", NAME], self.options).await;
            }
            Means::Plain(sabotage) => self.plain(writers, sabotage).await,
        }
    }

    /// `alter`, twice: the second time there is nothing to do.
    pub async fn alter(&self, writers: &MyWriters) {
        match self.means {
            Means::Shoofly => {
                self.succeed(&["alter", self.ddl], self.options).await;
                self.succeed(&["alter", self.ddl], self.options).await;
                self.assert_done(0).await;
            }
            Means::Plain(sabotage) => self.plain(writers, sabotage).await,
        }
    }

    /// `start` where it must be refused with this exit code and these texts. Plain DDL refuses nothing and is not asked.
    ///
    /// # Panics
    /// Where it is not refused, or in other words.
    pub async fn refused(&self, code: i32, texts: &[String]) {
        if let Means::Plain(_) = self.means {
            return;
        }
        self.binary.write(&format!("migrations/{NAME}.sql"), self.ddl);
        let said = self.program(&["start", NAME], self.options).await;
        assert_eq!(said.code, Some(code), "it was not refused\n{}{}", said.out, said.err);
        for text in texts {
            assert!(said.err.to_lowercase().contains(&text.to_lowercase()), "{text:?} is missing from:\n{}", said.err);
        }
    }

    async fn plain(&self, writers: &MyWriters, sabotage: &Sabotage) {
        self.at_rest(writers, self.ddl).await;
        self.at_rest(writers, sabotage.complete).await;
    }

    async fn at_rest(&self, writers: &MyWriters, sql: &str) {
        let _rest = writers.rest().await;
        self.live.run(sql).await;
    }

    /// Runs the program while the writers go on.
    async fn program(&self, arguments: &[&str], options: &[String]) -> Said {
        let mut command = self.binary.command(arguments);
        command.args(options);
        tokio::task::spawn_blocking(move || Said::from(command.output().unwrap())).await.unwrap()
    }

    async fn succeed(&self, arguments: &[&str], options: &[String]) -> Said {
        let said = self.program(arguments, options).await;
        assert_eq!(said.code, Some(0), "shoofly {}\n{}{}", arguments.join(" "), said.out, said.err);
        said
    }

    /// Fails where `status` knows of something under way or pending, or not of so many applied migrations of the folder.
    async fn assert_done(&self, applied: u64) {
        let said = self.succeed(&["status", "--exit-code", "--format", "json"], &[]).await;
        let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let empty = |key: &str| status[key].as_array().is_some_and(Vec::is_empty);
        assert!(empty("open") && empty("pending") && status["applied"] == applied, "{status}");
    }
}
