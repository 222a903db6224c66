//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// How long a test waits for something before it fails. Machines that run tests are slow and busy.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Asks again and again until the answer is yes.
///
/// # Panics
/// When it is still no after [`DEADLINE`].
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}: not within {} s", DEADLINE.as_secs());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
