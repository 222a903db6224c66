//! What the reading of a text depends on: the session's `sql_mode`, and the server.

use serde::{Deserialize, Serialize};

use crate::sql::Backslash;

/// How a text is read. The default is that of a server out of the box, with every version comment taken as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mode {
    /// `ANSI_QUOTES`.
    pub double_quotes: DoubleQuotes,
    /// `NO_BACKSLASH_ESCAPES`.
    pub backslash: Backslash,
    /// The server that decides which version comments are code; without one, all are.
    pub server: Option<Server>,
}

/// What `"…"` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DoubleQuotes {
    /// A string.
    #[default]
    Text,
    /// A name, as `ANSI_QUOTES` has it.
    Name,
}

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// MySQL and what calls itself so.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// A server, as version comments see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// Whose it is.
    pub product: Product,
    /// `major * 10000 + minor * 100 + patch`: `80013`, `101119`.
    pub version: u32,
}

impl Mode {
    /// That of a server and its `sql_mode`.
    #[must_use]
    pub fn of(product: Product, version: u32, sql_mode: &str) -> Self {
        let has = |word: &str| sql_mode.split(',').any(|one| one.trim().eq_ignore_ascii_case(word));
        Self {
            double_quotes: if has("ANSI_QUOTES") { DoubleQuotes::Name } else { DoubleQuotes::Text },
            backslash: if has("NO_BACKSLASH_ESCAPES") { Backslash::Plain } else { Backslash::Escapes },
            server: Some(Server { product, version }),
        }
    }

    /// Whether a version comment of `product` (`None` for `/*!`) from `version` on is code.
    pub(super) fn runs(self, product: Option<Product>, version: u32) -> bool {
        let Some(server) = self.server else { return true };
        // MariaDB parted from MySQL at 5.7 and leaves to MySQL what MySQL has added since.
        let foreign = product.is_none() && server.product == Product::MariaDb && (50_700..=99_999).contains(&version);
        !foreign && product.is_none_or(|product| product == server.product) && version <= server.version
    }
}
