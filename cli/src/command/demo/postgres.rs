//! PostgreSQL: pgbench's bank, and pgbench as its application.

use std::num::NonZeroU32;
use std::time::Duration;

use shoofly_engine::plan::Hazard;
use shoofly_engine::sql::Dialect;
use shoofly_sandbox::{Installation, Server};

use self::database::Database;
use self::stage::APP;
use self::traffic::Pgbench;
use super::bank::{Bank, Story};
use super::checks::Check;
use crate::args::DemoArgs;
use crate::output::Progress;

mod checks;
mod database;
mod log;
mod stage;
mod traffic;
mod waits;

/// The change that is shown.
const DDL: &str = "ALTER TABLE pgbench_accounts ALTER COLUMN aid TYPE bigint";

/// A private PostgreSQL.
pub(super) struct Postgres {
    server: Server,
    scale: NonZeroU32,
}

impl Postgres {
    /// Starts it.
    ///
    /// # Errors
    /// That there is none to be found, or what it said.
    pub(super) async fn start(args: &DemoArgs) -> anyhow::Result<Self> {
        let installation = match &args.bindir {
            Some(folder) => Installation::at(folder)?,
            None => Installation::find(None)?,
        };
        Ok(Self { server: stage::server(&installation).await?, scale: args.scale })
    }
}

impl Bank for Postgres {
    type Traffic = Pgbench;
    type Look = Database;

    fn story(&self) -> Story {
        Story {
            dialect: Dialect::PostgreSql,
            ddl: DDL,
            change: "pgbench_accounts.aid: integer → bigint",
            rows: "pgbench accounts",
            application: "pgbench",
            accepted: Some((
                Hazard::ColumnOrder,
                "the new column stands at the end of the table; pgbench names its columns and does not notice",
            )),
            repeats: None,
        }
    }

    fn introduction(&self) -> String {
        stage::introduction(&self.server)
    }

    fn url(&self) -> String {
        self.server.url(APP)
    }

    async fn load(&self) -> anyhow::Result<Duration> {
        stage::load(&self.server, self.scale).await
    }

    async fn traffic(&self, args: &DemoArgs, progress: &Progress) -> anyhow::Result<Pgbench> {
        Pgbench::start(&self.server, args, progress)
    }

    async fn look(&self) -> anyhow::Result<Database> {
        Database::open(&self.url()).await
    }

    async fn table_mb(&self) -> anyhow::Result<i64> {
        stage::table_mb(&self.server).await
    }

    async fn checks(&self, accounts: u64) -> anyhow::Result<Vec<Check>> {
        checks::all(&self.server, accounts).await
    }
}
