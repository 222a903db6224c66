//! Private, throw-away servers of PostgreSQL, MariaDB and MySQL: for the demo, the tests and the benches.
//!
//! ```no_run
//! use shoofly_sandbox::{Installation, Options, Product, Server};
//!
//! let postgres = Server::start(&Installation::find(None)?, &Options::default())?;
//! println!("{}", postgres.url("postgres"));
//! let mariadb = Server::start(&Installation::of(Product::MariaDb)?, &Options::default().with("skip-log-bin", ""))?;
//! println!("{}", mariadb.url("mysql"));
//! # Ok::<(), shoofly_sandbox::SandboxError>(())
//! ```
//!
//! A server lives in a temporary folder of its own, listens on a Unix socket in that folder and on a free port of the
//! loopback interface, and is stopped and removed with its [`Server`] value. Should the program be killed before it can do
//! that, a watchdog process does it. Services of the system are neither used nor touched.
//!
//! What every server needs is in `site` (folder, account, port, watchdog) and `server` (the process); what a product does in
//! its own way is its `Kind`, in a module of its name.

mod account;
mod error;
mod installation;
mod loader;
mod mariadb;
mod mysql;
mod mysqld;
mod postgres;
mod product;
mod server;
mod site;
pub mod stall;
mod watchdog;

pub use error::SandboxError;
pub use installation::Installation;
pub use product::Product;
pub use server::{Mode, Options, Server};
