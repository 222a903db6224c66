//! The application, whatever it is written with.

use std::time::Duration;

use super::latency::Transaction;

/// An application at work.
pub(super) trait Traffic {
    /// Lets it flow for some time.
    ///
    /// # Errors
    /// That it ended by itself, with what it said.
    async fn flow(&mut self, time: Duration) -> anyhow::Result<()>;

    /// Lets every client finish its transaction.
    ///
    /// # Errors
    /// That it could not be stopped, or what it has done not be read.
    async fn stop(self) -> anyhow::Result<Sent>;
}

/// What it did.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Every transaction.
    pub(super) transactions: Vec<Transaction>,
    /// What the application complained about: each line is a statement that failed.
    pub(super) complaints: Vec<String>,
    /// What else there is to say.
    pub(super) remarks: Vec<String>,
}

/// The line at the bottom while it works.
pub(super) fn footer(per_second: f64, failed: &str) -> String {
    format!("traffic   {per_second:.0} transactions/s   {failed} failed")
}
