//! Private, throw-away PostgreSQL servers: for the demo, the tests and the benches.
//!
//! ```no_run
//! use shoofly_sandbox::{Installation, Options, Server};
//!
//! let installation = Installation::find(None)?;
//! let server = Server::start(&installation, &Options::default())?;
//! println!("{}", server.url("postgres"));
//! # Ok::<(), shoofly_sandbox::SandboxError>(())
//! ```
//!
//! A server lives in a temporary folder of its own, listens on a Unix socket in that folder and on a free port of the
//! loopback interface, and is stopped and removed with its [`Server`] value. Should the program be killed before it can do
//! that, a watchdog process does it.

mod account;
mod error;
mod installation;
mod server;
mod watchdog;

pub use error::SandboxError;
pub use installation::Installation;
pub use server::{Mode, Options, Server};
