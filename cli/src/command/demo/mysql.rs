//! MySQL and MariaDB: a bank like pgbench's, and an application of our own.

use std::num::NonZeroU32;
use std::time::Duration;

use shoofly_engine::sql::Dialect;
use shoofly_sandbox::{Installation, Product, Server};

use self::database::Database;
use self::stage::APP;
use self::traffic::Clients;
use self::waits::Looker;
use super::bank::{Bank, Story};
use super::checks::Check;
use crate::args::{DemoArgs, Protocol};
use crate::output::Progress;
use crate::settings::usage;

mod checks;
mod client;
mod database;
mod entry;
mod stage;
mod traffic;
mod waits;

/// The change that is shown.
const DDL: &str = "ALTER TABLE accounts MODIFY aid bigint NOT NULL AUTO_INCREMENT";

/// A private MySQL or MariaDB.
pub(super) struct MySql {
    server: Server,
    scale: NonZeroU32,
}

impl MySql {
    /// Starts it.
    ///
    /// # Errors
    /// That there is none to be found, or what it said; [`shoofly_engine::Error::Usage`] for a protocol that it does not have.
    pub(super) async fn start(product: Product, args: &DemoArgs) -> anyhow::Result<Self> {
        if args.protocol == Protocol::Extended {
            let why = format!("{product} takes statements as text, or prepared once per connection");
            return Err(
                usage("there is no such protocol", "--protocol extended", &why, "use simple or prepared").into()
            );
        }
        let installation = Installation::of(product)?;
        Ok(Self { server: stage::server(installation).await?, scale: args.scale })
    }

    fn product(&self) -> Product {
        self.server.installation().product()
    }
}

impl Bank for MySql {
    type Traffic = Clients;
    type Look = Looker;

    fn story(&self) -> Story {
        Story {
            dialect: Dialect::MySql,
            ddl: DDL,
            change: "accounts.aid: int → bigint",
            rows: "accounts",
            application: "a bank",
            accepted: None,
            repeats: Some("told to try again"),
        }
    }

    fn introduction(&self) -> String {
        let (product, version) = (self.product(), self.server.installation().version());
        format!("private {product} {version} on port {}; removed at the end", self.server.port())
    }

    fn url(&self) -> String {
        self.server.url(APP)
    }

    async fn load(&self) -> anyhow::Result<Duration> {
        stage::load(&self.server, self.scale).await
    }

    async fn traffic(&self, args: &DemoArgs, progress: &Progress) -> anyhow::Result<Clients> {
        Clients::start(&self.server, args, progress).await
    }

    async fn look(&self) -> anyhow::Result<Looker> {
        Looker::open(&self.server).await
    }

    async fn table_mb(&self) -> anyhow::Result<i64> {
        stage::table_mb(&self.server).await
    }

    async fn checks(&self, accounts: u64) -> anyhow::Result<Vec<Check>> {
        let mut app = Database::open(&self.url()).await?;
        let mut idle = Database::open(&self.server.url(stage::IDLE)).await?;
        checks::all(&mut app, &mut idle, accounts).await
    }
}
