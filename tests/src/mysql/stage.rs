//! One change by the program as a child process, which can be stopped at its points of failure.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{My, MyDatabase, catalogue, rows};
use crate::Binary;
use crate::binary::Said;
use crate::catalogue::assert_equal;
use crate::wait::until;

/// A database, its mirror, and a migration of it.
#[derive(Debug)]
pub struct Stage {
    /// What is changed.
    pub live: MyDatabase,
    /// What it is compared with.
    pub mirror: MyDatabase,
    /// The program.
    pub shoofly: Binary,
    before: Vec<String>,
    ddl: String,
}

/// Name of the migration.
pub const MIGRATION: &str = "1_change";

impl Stage {
    /// Makes both databases alike and writes the migration's file.
    pub async fn set(my: &My, name: &str, given: &[&str], ddl: &str) -> Self {
        let live = MyDatabase::create(my, name).await;
        let mirror = MyDatabase::create(my, &format!("{name}_m")).await;
        for sql in given {
            live.run(sql).await;
            mirror.run(sql).await;
        }
        let shoofly = Binary::new(&live.url());
        shoofly.write(&format!("migrations/{MIGRATION}.sql"), ddl);
        let before = live.catalogue().await;
        Self { live, mirror, shoofly, before, ddl: ddl.to_owned() }
    }

    fn trace(&self) -> PathBuf {
        self.shoofly.folder().join("trace")
    }

    /// Starts the program, with an order for one of its points of failure (`point:nth=abort`); `""` for none.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn begin(&self, arguments: &[&str], order: &str) -> Child {
        std::fs::write(self.trace(), "").unwrap();
        let mut command = self.shoofly.command(arguments);
        command.arg("--quiet").env("SHOOFLY_FAIL_TRACE", self.trace());
        if !order.is_empty() {
            command.env("SHOOFLY_FAIL", order);
        }
        command.spawn().unwrap()
    }

    /// Points that the program has passed since it was last begun, in order.
    ///
    /// # Panics
    /// Where their list cannot be read.
    #[must_use]
    pub fn passed(&self) -> Vec<String> {
        std::fs::read_to_string(self.trace()).unwrap().lines().map(str::to_owned).collect()
    }

    /// Waits until the program has passed a point so many times.
    pub async fn reached(&self, point: &str, times: usize) {
        until(&format!("{point} is reached"), async || {
            self.passed().iter().filter(|passed| *passed == point).count() >= times
        })
        .await;
    }

    /// Starts the program, which sleeps for a minute at a point (`point:nth`), and waits until it is there.
    pub async fn begin_until(&self, arguments: &[&str], point: &str) -> Child {
        let child = self.begin(arguments, &format!("{point}=sleep(60000)"));
        let (name, times) = match point.rsplit_once(':') {
            Some((name, nth)) if nth.parse::<usize>().is_ok() => (name, nth.parse().unwrap()),
            _ => (point, 1),
        };
        self.reached(name, times).await;
        child
    }

    /// Runs a verb, with its flags, to its end: every point of failure that it passes, once each, in order.
    ///
    /// # Panics
    /// Where it does not succeed.
    pub async fn points(&self, verb: &str) -> Vec<String> {
        let words: Vec<&str> = verb.split(' ').collect();
        self.expect(0, &words, &[]).await;
        let mut seen = BTreeSet::new();
        self.passed().into_iter().filter(|point| seen.insert(point.clone())).collect()
    }

    /// Runs a verb, with its flags, which dies at a point.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn die(&self, verb: &str, point: &str) {
        let words: Vec<&str> = verb.split(' ').collect();
        let died = wait(self.begin(&words, &format!("{point}=abort"))).await;
        assert_eq!(died.code, None, "{point}: it did not die\n{}{}", died.out, died.err);
    }

    /// Runs a verb to its end while others go on.
    pub async fn run(&self, arguments: &[&str]) -> Said {
        wait(self.begin(arguments, "")).await
    }

    /// Runs a verb, with its flags, until it succeeds: the server may still be busy with what a dead process had sent.
    pub async fn finish(&self, verb: &str) {
        let words: Vec<&str> = verb.split(' ').collect();
        until(&format!("{verb} succeeds"), async || {
            let said = self.run(&words).await;
            let told = format!("{verb}: {:?}\n{}{}", said.code, said.out, said.err);
            assert!(said.code == Some(0) || said.err.contains("in the way"), "{told}");
            said.code == Some(0)
        })
        .await;
    }

    /// Runs a verb and expects this exit code and these words on standard error.
    ///
    /// # Panics
    /// With what it said, where it ends otherwise.
    pub async fn expect(&self, code: i32, arguments: &[&str], texts: &[&str]) -> Said {
        let said = self.run(arguments).await;
        said.assert(code, texts);
        said
    }

    /// Fails unless everything is as plain DDL makes it. Nobody may write.
    pub async fn assert_complete(&self) {
        self.mirror.run(&self.ddl).await;
        assert_equal("after complete", &self.mirror.catalogue().await, &self.live.catalogue().await);
        self.assert_alike("after complete").await;
        for table in self.live.tables().await {
            let next = catalogue::next_value(&self.live, &table).await;
            let wanted = catalogue::next_value(&self.mirror, &table).await;
            assert!(next >= wanted, "after complete: the next row of {table} gets number {next}, not {wanted}");
        }
    }

    /// Fails unless everything is as it was, but for what the application has written. Nobody may write.
    pub async fn assert_as_before(&self) {
        assert_equal("after rollback", &self.before, &self.live.catalogue().await);
        self.assert_alike("after rollback").await;
    }

    async fn assert_alike(&self, when: &str) {
        self.live.assert_nothing_left(when).await;
        let shapes = format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES
             WHERE TABLE_SCHEMA = 'shoofly' AND TABLE_NAME LIKE '%{}.%'",
            self.live.name()
        );
        let left = self.live.rows(&shapes).await;
        assert!(left.is_empty(), "{when}: left in the ledger: {left:?}");
        rows::assert_mirrored(&self.live, &self.mirror, when, &[]).await;
    }

    /// Removes both databases.
    pub async fn drop(self) {
        self.live.drop().await;
        self.mirror.drop().await;
    }
}

/// Waits for the program's end.
///
/// # Panics
/// Where that fails.
pub async fn wait(child: Child) -> Said {
    Said::from(tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap())
}

/// Sends a signal to a process of ours.
///
/// # Panics
/// Where it cannot be sent.
pub fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).stdin(Stdio::null()).status().unwrap().success());
}
