//! Readers whose snapshot is older than their first look at the table: what they see is as whole as it was then, even if the
//! table is another one by now.

use std::time::Duration;

use super::Flavor;
use super::app::App;
use super::session::{Failure, Felt, Session};
use crate::random::Random;

/// How long a reader does other things at most before it looks at the table.
const ELSEWHERE_MILLIS: u64 = 20;

/// A reader of rows that nobody writes.
#[derive(Debug)]
pub struct Elder {
    session: Session,
    random: Random,
    numbers: Vec<i64>,
}

impl Elder {
    /// Over a connection of its own to `url`; rows of these numbers are always there.
    ///
    /// # Errors
    /// Where there is no connection to be had.
    pub async fn open(url: &str, numbers: Vec<i64>) -> Result<Self, Failure> {
        let session = Session::open(url, super::session::Protocol::Text).await?;
        Ok(Self { session, random: Random::seeded(0), numbers })
    }

    /// One transaction.
    ///
    /// # Errors
    /// That of a statement, or that the row was not there.
    pub async fn read(&mut self, app: &App, flavor: Flavor) -> Result<(), Failure> {
        self.session.command("START TRANSACTION WITH CONSISTENT SNAPSHOT").await?;
        tokio::time::sleep(Duration::from_millis(self.random.below(ELSEWHERE_MILLIS))).await;
        let at = usize::try_from(self.random.below(self.numbers.len() as u64)).unwrap();
        match self.session.run(&app.read(self.numbers[at])).await {
            // On MySQL there is no change of a table's definition without this.
            Err(failure) if flavor == Flavor::MySql && failure.is_stale() => self.session.felt.stale += 1,
            Err(failure) if failure.is_bearable(flavor) => self.session.felt.deadlocks += 1,
            read => drop(read?),
        }
        self.session.command("ROLLBACK").await
    }

    /// Says goodbye: what it felt.
    pub async fn close(self) -> Felt {
        let felt = self.session.felt.clone();
        self.session.close().await;
        felt
    }
}
