//! A parsed `postgres://` URL.

use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use url::form_urlencoded;

use super::tls::Trust;
use crate::error::{Error, Problem};

/// How long to wait for a connection where the URL does not say, in seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where to connect, and whom to trust.
#[derive(Clone, Debug)]
pub struct Target {
    config: Config,
    trust: Trust,
}

impl Target {
    /// Parses a URL with libpq's parameters (`host`, `sslmode`, `sslrootcert`, `connect_timeout`, `options` …).
    ///
    /// # Errors
    /// [`Error::Usage`] with what is wrong; the password is not repeated.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err(usage("the URL does not begin with postgres:// or postgresql://".to_owned()));
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let mut mode = None;
        let mut root = None;
        let mut rest = Vec::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => root = Some(value.into_owned()),
                "sslcert" | "sslkey" | "service" | "passfile" => {
                    return Err(usage(format!("parameter {key} is not supported")));
                }
                _ => rest.push((key.into_owned(), value.into_owned())),
            }
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
        // The driver's parser decodes `%20` but not the form encoding's `+`.
        let plain = format!("{base}?{}", query.replace('+', "%20"));
        let mut config = Config::from_str(&plain).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            usage(format!("the URL cannot be used: {error} {cause}"))
        })?;
        let (ssl, trust) = Trust::of(mode.as_deref().unwrap_or("prefer"), root)?;
        config.ssl_mode(ssl);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_user().is_none() {
            config.user(std::env::var("USER").unwrap_or_else(|_| "postgres".to_owned()));
        }
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        Ok(Self { config, trust })
    }

    /// `role@host:port/database`, never the password.
    #[must_use]
    pub fn display(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let user = self.config.get_user().unwrap_or("postgres");
        format!("{user}@{host}:{port}/{}", self.config.get_dbname().unwrap_or(user))
    }

    /// The driver's configuration, with `application_name` set to `shoofly <purpose>`.
    #[must_use]
    pub fn config(&self, purpose: &str) -> Config {
        let mut config = self.config.clone();
        config.application_name(format!("shoofly {purpose}"));
        config
    }

    /// The TLS connector for this target.
    ///
    /// # Errors
    /// [`Error::Usage`] where the root certificates cannot be read.
    pub fn connector(&self) -> Result<tokio_postgres_rustls::MakeRustlsConnect, Error> {
        self.trust.connector()
    }

    /// Whether TLS is never tried.
    #[must_use]
    pub fn plain(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Disable
    }
}

pub(super) fn usage(what: String) -> Error {
    Error::Usage(vec![Problem {
        what,
        place: "--url / DATABASE_URL".to_owned(),
        why: String::new(),
        advice: "write it as postgres://role:password@host:5432/database?sslmode=verify-full".to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_password() {
        let target =
            Target::parse("postgres://app:s3cret@db.example:6432/shop?sslmode=verify-full&application_name=x").unwrap();
        assert_eq!(target.display(), "app@db.example:6432/shop");
        assert!(!target.display().contains("s3cret"));
    }

    #[test]
    fn reads_unix_sockets() {
        let target = Target::parse("postgres://postgres@/shop?host=/run/pg&port=5433").unwrap();
        assert_eq!(target.display(), "postgres@/run/pg:5433/shop");
    }

    #[test]
    fn refuses_what_it_cannot_use() {
        for url in [
            "mysql://x/y",
            "nonsense",
            "postgres://x/y?sslmode=maybe",
            "postgres://x/y?nonsense=1",
            "postgres://h:port/y",
        ] {
            assert!(matches!(Target::parse(url), Err(Error::Usage(_))), "{url}");
        }
    }
}
