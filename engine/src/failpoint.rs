//! Fail points: places where a crash test can stop this process. Nothing is compiled in without the feature `failpoints`.
//!
//! `SHOOFLY_FAIL=<point>[:<nth>]=abort|sleep(<ms>)` acts when the point is passed for the nth time (first by default);
//! `SHOOFLY_FAIL_TRACE=<file>` appends the name of every point that is passed.

/// Passes a point.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) async fn pass(_point: &str) {}

#[cfg(feature = "failpoints")]
pub(crate) use active::pass;

#[cfg(feature = "failpoints")]
mod active {
    use std::io::Write;
    use std::sync::Mutex;
    use std::time::Duration;

    static PASSED: Mutex<u32> = Mutex::new(0);

    struct Order {
        point: String,
        nth: u32,
        action: String,
    }

    fn order() -> Option<Order> {
        let text = std::env::var("SHOOFLY_FAIL").ok()?;
        let (place, action) = text.rsplit_once('=')?;
        let (point, nth) = match place.rsplit_once(':') {
            Some((point, nth)) if nth.parse::<u32>().is_ok() => (point, nth.parse().unwrap_or(1)),
            _ => (place, 1),
        };
        Some(Order { point: point.to_owned(), nth, action: action.to_owned() })
    }

    /// Passes a point: traces it, and does what the environment orders for it.
    ///
    /// # Panics
    /// On an order that it does not understand: a test that asks for nonsense must not pass.
    pub(crate) async fn pass(point: &str) {
        trace(point);
        let Some(order) = order().filter(|order| order.point == point) else { return };
        let times = {
            let mut passed = PASSED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *passed += 1;
            *passed
        };
        if times != order.nth {
            return;
        }
        let sleep = order.action.strip_prefix("sleep(").and_then(|rest| rest.strip_suffix(')'));
        match (order.action.as_str(), sleep.and_then(|ms| ms.parse().ok())) {
            ("abort", _) => std::process::abort(),
            (_, Some(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
            (other, None) => panic!("SHOOFLY_FAIL: unknown action {other:?}"),
        }
    }

    fn trace(point: &str) {
        let Ok(path) = std::env::var("SHOOFLY_FAIL_TRACE") else { return };
        let written = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(format!("{point}\n").as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, "fail points cannot be traced");
        }
    }
}
