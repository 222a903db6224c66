//! A parsed `mysql://` or `mariadb://` URL.

use std::fmt;
use std::time::Duration;

use mysql_async::{Opts, OptsBuilder, SslOpts};
use url::{Host, Url};

use super::tls::Trust;
use crate::error::{Error, Problem};

const DEFAULT_PORT: u16 = 3306;
/// When the first probe goes over an idle connection: before gateways forget it.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Where to connect, and whom to trust.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    socket: Option<String>,
    user: String,
    password: Option<String>,
    database: Option<String>,
    trust: Trust,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.display()).field(&self.trust).finish()
    }
}

impl Target {
    /// Parses `mysql://user:password@host:port/database` with the options `socket` (a path), `ssl-mode` and `ssl-ca` (a file).
    ///
    /// # Errors
    /// [`Error::Usage`] with what is wrong; the password is not repeated.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if !(text.starts_with("mysql://") || text.starts_with("mariadb://")) {
            return Err(usage("the URL does not begin with mysql:// or mariadb://".to_owned()));
        }
        let url = Url::parse(text).map_err(|error| usage(format!("the URL cannot be used: {error}")))?;
        if url.fragment().is_some() {
            return Err(usage("the URL contains #, which is written %23 in a user, a password or a name".to_owned()));
        }
        let (mut socket, mut mode, mut authorities) = (None, None, None);
        for (key, value) in url.query_pairs() {
            match &*key {
                "socket" => socket = Some(value.into_owned()),
                "ssl-mode" | "sslmode" => mode = Some(value),
                "ssl-ca" => authorities = Some(value.into_owned()),
                _ => return Err(usage(format!("option {key} is unknown; there are socket, ssl-mode and ssl-ca"))),
            }
        }
        let trust = Trust::of(mode.as_deref(), authorities)?;
        if socket.is_some() && trust.is_demanded() {
            return Err(usage(
                "a connection by a socket is not encrypted, so ssl-mode and ssl-ca have no use".to_owned(),
            ));
        }
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => decoded(&host.to_string(), "host")?,
            None => String::new(),
        };
        let user = decoded(url.username(), "user")?;
        let database = decoded(url.path().trim_start_matches('/'), "database")?;
        Ok(Self {
            host: if host.is_empty() { "localhost".to_owned() } else { host },
            port: url.port().unwrap_or(DEFAULT_PORT),
            socket,
            user: if user.is_empty() { std::env::var("USER").unwrap_or_else(|_| "root".to_owned()) } else { user },
            password: url.password().map(|text| decoded(text, "password")).transpose()?,
            database: Some(database).filter(|name| !name.is_empty()),
            trust,
        })
    }

    /// `mysql://user@host:port/database`, never the password.
    #[must_use]
    pub fn display(&self) -> String {
        let (user, database) = (&self.user, self.database.as_deref().unwrap_or_default());
        match &self.socket {
            Some(socket) => format!("mysql://{user}@localhost/{database}?socket={socket}"),
            None if self.host.contains(':') => format!("mysql://{user}@[{}]:{}/{database}", self.host, self.port),
            None => format!("mysql://{user}@{}:{}/{database}", self.host, self.port),
        }
    }

    /// The database, where the URL names one.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The driver's options; `purpose` stands in the connection's attributes as `program_name`. (MySQL overlooks them on an
    /// encrypted connection, because the driver does not announce them before it encrypts.)
    pub(super) fn opts(&self, purpose: &str, encryption: Option<SslOpts>) -> Opts {
        let builder = OptsBuilder::default()
            .ip_or_hostname(&*self.host)
            .tcp_port(self.port)
            .user(Some(&*self.user))
            .pass(self.password.as_deref())
            .db_name(self.database.as_deref())
            // Left alone, the driver asks the server for its socket's path and goes on with whatever listens there on
            // this machine.
            .prefer_socket(false)
            .socket(self.socket.as_deref())
            // Over a socket the driver would announce encryption and then go on without.
            .ssl_opts(encryption.filter(|_| self.socket.is_none()))
            .tcp_keepalive(Some(KEEPALIVE))
            .connect_attribute("program_name", format!("shoofly {purpose}"));
        builder.into()
    }
}

/// A part of the URL without its percent signs.
fn decoded(text: &str, part: &str) -> Result<String, Error> {
    // A form's pairs are decoded the same way but for the plus sign.
    let pair = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    let (_, value) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default();
    // It replaces what is not UTF-8.
    if value.contains('\u{fffd}') {
        return Err(usage(format!("the {part} in the URL is not UTF-8")));
    }
    if part == "database" && value.contains('/') {
        return Err(usage("the URL names more than a database after the host".to_owned()));
    }
    Ok(value.into_owned())
}

pub(super) fn usage(what: String) -> Error {
    Error::Usage(vec![Problem {
        what,
        place: "--url / DATABASE_URL".to_owned(),
        why: String::new(),
        advice: "write it as mysql://user:password@host:3306/database?ssl-mode=verify-identity".to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_password() {
        let target =
            Target::parse("mysql://app:s3cr%65t%2F%26%2b+@db.example:3307/sh%6fp?ssl-mode=VERIFY_IDENTITY").unwrap();
        assert_eq!(target.display(), "mysql://app@db.example:3307/shop");
        assert_eq!(target.database(), Some("shop"));
        assert_eq!(target.opts("test", None).pass(), Some("s3cret/&++"));
        assert!(!format!("{target:?} {}", target.display()).contains("s3cret"));
    }

    #[test]
    fn reads_hosts_and_sockets() {
        for (url, shown) in [
            ("mariadb://app@db.example", "mysql://app@db.example:3306/"),
            ("mysql://app:x@[::1]:33/shop", "mysql://app@[::1]:33/shop"),
            ("mysql://app@localhost/shop?socket=%2Frun%2Fmy.sock", "mysql://app@localhost/shop?socket=/run/my.sock"),
            ("mysql://app@localhost/shop?socket=/run/my.sock", "mysql://app@localhost/shop?socket=/run/my.sock"),
        ] {
            assert_eq!(Target::parse(url).unwrap().display(), shown);
        }
        let six = Target::parse("mysql://app@[::1]/").unwrap();
        assert_eq!((six.opts("x", None).ip_or_hostname(), six.database()), ("::1", None));
    }

    #[test]
    fn never_leaves_for_another_server() {
        let opts = Target::parse("mysql://app@127.0.0.1/shop").unwrap().opts("census", None);
        assert!(!opts.prefer_socket() && opts.socket().is_none());
        assert_eq!(opts.connect_attributes().unwrap()["program_name"], "shoofly census");
    }

    #[test]
    fn encrypts_as_asked() {
        let options = |url: &str| Target::parse(url).unwrap().trust().options().unwrap();
        assert_eq!(options("mysql://h/?sslmode=disabled"), None);
        for unchecked in ["mysql://h/", "mysql://h/?ssl-mode=preferred", "mysql://h/?ssl-mode=required"] {
            assert!(options(unchecked).unwrap().accept_invalid_certs(), "{unchecked}");
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for mode in ["", "&ssl-mode=required", "&ssl-mode=verify-ca", "&ssl-mode=verify-identity"] {
            let checked = options(&format!("mysql://h/?ssl-ca={file}{mode}")).unwrap();
            assert!(!checked.accept_invalid_certs() && checked.disable_built_in_roots(), "{mode}");
            assert_eq!(checked.skip_domain_validation(), !mode.ends_with("identity"), "{mode}");
        }
        let plain = |url: &str| Target::parse(url).unwrap().trust().takes_plain();
        assert!(plain("mysql://h/") && !plain("mysql://h/?ssl-mode=required"));
        let missing = Target::parse("mysql://h/?ssl-ca=/nonexistent").unwrap();
        assert!(matches!(missing.trust().options(), Err(Error::Usage(_))));
    }

    #[test]
    fn refuses_what_it_cannot_use() {
        for url in [
            "postgres://x/y",
            "nonsense",
            "mysql://x/y?ssl-mode=maybe",
            "mysql://x/y?ssl-mode=preferred&ssl-ca=/a",
            "mysql://x/y?socket=/a&ssl-mode=required",
            "mysql://x/y?nonsense=1",
            "mysql://h:port/y",
            "mysql://u:a#b@h/y",
            "mysql://h/a/b",
            "mysql://h/%ff",
        ] {
            assert!(matches!(Target::parse(url), Err(Error::Usage(_))), "{url}");
        }
        let unknown = Target::parse("mysql://x/y?nonsense=1").unwrap_err().to_string();
        assert!(unknown.contains("socket, ssl-mode and ssl-ca"), "{unknown}");
    }
}
