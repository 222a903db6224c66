//! What stops an application on a busy table's server, beside locks: who has nothing to do with that table is stopped too.

use std::time::{Duration, Instant};

use shoofly_sandbox::stall::{NAP, Sleepers, Times, note};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::session::{Protocol, Session};
use super::{My, MyDatabase};

/// Threads that only sleep, and a session that writes to a table in a database of its own.
#[derive(Debug)]
pub struct Witnesses {
    stop: CancellationToken,
    sleepers: Sleepers,
    bystander: JoinHandle<Vec<(Instant, Instant)>>,
    database: MyDatabase,
}

impl Witnesses {
    /// Lets them begin.
    ///
    /// # Panics
    /// Where there is no thread or table to be had.
    pub async fn start(my: &My) -> Self {
        let stop = CancellationToken::new();
        let database = MyDatabase::create(my, "bystander").await;
        database.run("CREATE TABLE b (id int PRIMARY KEY, n int NOT NULL); INSERT INTO b VALUES (1, 0)").await;
        let bystander = tokio::spawn(write(database.url(), stop.clone()));
        Self { stop, sleepers: Sleepers::start().unwrap(), bystander, database }
    }

    /// When one of them stood still.
    ///
    /// # Panics
    /// Where one of them has failed.
    pub async fn stop(self) -> Times {
        self.stop.cancel();
        let mut stalls = self.bystander.await.unwrap();
        stalls.extend(self.sleepers.stop());
        self.database.drop().await;
        Times::new(stalls)
    }
}

/// Looks whether the server answers, and writes to its disk.
async fn write(url: String, stop: CancellationToken) -> Vec<(Instant, Instant)> {
    let mut session = Session::open(&url, Protocol::Text).await.unwrap();
    let mut stalls = Vec::new();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        session.command("UPDATE b SET n = n + 1 WHERE id = 1").await.unwrap();
        note(&mut stalls, begun, Duration::ZERO);
        tokio::time::sleep(NAP).await;
    }
    session.close().await;
    stalls
}
