//! What each product does in its own way: a private server with a bank in it, and the application at work there.

use std::time::Duration;

use shoofly_engine::plan::Hazard;
use shoofly_engine::sql::Dialect;

use super::checks::Check;
use super::traffic::Traffic;
use super::waits::Look;
use crate::args::DemoArgs;
use crate::output::Progress;

/// What is told about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Story {
    /// How the change is written.
    pub(super) dialect: Dialect,
    /// The change that is shown.
    pub(super) ddl: &'static str,
    /// The same in short: `accounts.aid: int → bigint`.
    pub(super) change: &'static str,
    /// The rows of the table that is changed.
    pub(super) rows: &'static str,
    /// Who makes the traffic.
    pub(super) application: &'static str,
    /// What has to be accepted, and why that does no harm here.
    pub(super) accepted: Option<(Hazard, &'static str)>,
    /// Why transactions may have to be done again, where the server asks that of applications.
    pub(super) repeats: Option<&'static str>,
}

/// A private server with a bank in it; stopped and removed when it is dropped.
pub(super) trait Bank {
    /// The application.
    type Traffic: Traffic;
    /// Who looks at the waits.
    type Look: Look;

    /// What is told.
    fn story(&self) -> Story;

    /// `private PostgreSQL 15 on port 41234; removed at the end`
    fn introduction(&self) -> String;

    /// URL of the database with the traffic, for the engine.
    fn url(&self) -> String;

    /// Creates the database with the traffic, and an idle one as small as it gets.
    ///
    /// # Errors
    /// What the server says.
    async fn load(&self) -> anyhow::Result<Duration>;

    /// Starts the application.
    ///
    /// # Errors
    /// That it cannot be started.
    async fn traffic(&self, args: &DemoArgs, progress: &Progress) -> anyhow::Result<Self::Traffic>;

    /// A connection for looking at the application's waits.
    ///
    /// # Errors
    /// What the server says.
    async fn look(&self) -> anyhow::Result<Self::Look>;

    /// Megabytes of the table that is changed.
    ///
    /// # Errors
    /// What the server says.
    async fn table_mb(&self) -> anyhow::Result<i64>;

    /// Whether everything is as it should be, read without the engine's help.
    ///
    /// # Errors
    /// What the server says.
    async fn checks(&self, accounts: u64) -> anyhow::Result<Vec<Check>>;
}
