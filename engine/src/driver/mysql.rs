//! MySQL and MariaDB: where to connect, sessions, error classes.

pub mod catalogue;
mod error;
mod session;
mod target;
mod tls;

pub use error::classify;
pub use session::Session;
pub use target::Target;
