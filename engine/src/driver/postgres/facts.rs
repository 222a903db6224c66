//! Reads what the planner needs to know.

use super::Session;
use crate::error::Error;
use crate::facts::{Facts, Needs};

/// Reads the facts in one read-only snapshot.
///
/// # Errors
/// [`Error::Database`].
pub async fn read(session: &mut Session, needs: &Needs) -> Result<Facts, Error> {
    let _ = (session, needs);
    Err(Error::Interrupted)
}
