//! What many measurements come to.

/// The one in the middle; the later of two. 0 where there is none.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// Latencies of one period, in milliseconds from the moment a transaction was due.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Felt {
    pub(crate) transactions: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Felt {
    pub(crate) fn of(latencies: impl IntoIterator<Item = f64>) -> Self {
        let mut latencies: Vec<f64> = latencies.into_iter().collect();
        latencies.sort_by(f64::total_cmp);
        let last = latencies.len().saturating_sub(1) as f64;
        let at = |share: f64| latencies.get((last * share).round() as usize).copied().unwrap_or(0.0);
        Self { transactions: latencies.len(), p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        assert_eq!((median([]), median([3.0, 1.0, 2.0])), (0.0, 2.0));
        let felt = Felt::of((0..=100).rev().map(f64::from));
        assert_eq!((felt.transactions, felt.p50, felt.p99, felt.max), (101, 50.0, 99.0, 100.0));
        assert_eq!(Felt::of([]).transactions, 0);
    }
}
