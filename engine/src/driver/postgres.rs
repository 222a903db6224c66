//! PostgreSQL: where to connect, sessions, error classes.

mod catalogue;
mod error;
pub mod facts;
pub mod look;
mod session;
mod target;
mod tls;

pub use error::classify;
pub use session::Session;
pub use target::Target;
