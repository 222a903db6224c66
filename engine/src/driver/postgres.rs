//! PostgreSQL: where to connect, sessions, error classes.

mod error;
mod session;
mod target;
mod tls;

pub use error::classify;
pub use session::Session;
pub use target::Target;
