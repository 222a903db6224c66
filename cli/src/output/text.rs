//! Numbers, lengths of time and colours as people read them.

use std::io::IsTerminal;
use std::time::Duration;

/// A count with thin groups: `1 234 567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count in short: `950`, `48.2 k`, `1.24 M`.
pub(crate) fn short(number: f64) -> String {
    match number {
        n if n >= 999_500_000.0 => format!("{:.2} G", n / 1e9),
        n if n >= 999_500.0 => format!("{:.2} M", n / 1e6),
        n if n >= 9_950.0 => format!("{:.0} k", n / 1e3),
        n if n >= 1_000.0 => format!("{:.1} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// A length of time: `0.4 ms`, `12 ms`, `3.2 s`, `4 min 05 s`, `2 h 03 min`.
pub(crate) fn time(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    match seconds {
        s if s < 0.009_95 => format!("{:.1} ms", s * 1e3),
        s if s < 0.999_5 => format!("{:.0} ms", s * 1e3),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3599.5 => {
            let whole = s.round();
            format!("{:.0} min {:02.0} s", (whole / 60.0).floor(), whole % 60.0)
        }
        s => {
            let minutes = (s / 60.0).round();
            format!("{:.0} h {:02.0} min", (minutes / 60.0).floor(), minutes % 60.0)
        }
    }
}

/// Part of a whole in percent; 100 only when nothing is left.
pub(crate) fn percent(done: u64, total: u64) -> f64 {
    if total == 0 || done >= total {
        return 100.0;
    }
    // Shares of a table's blocks: precision is not at stake.
    #[expect(clippy::cast_precision_loss, reason = "a share of a table's blocks")]
    let share = done as f64 / total as f64 * 100.0;
    share.min(99.9)
}

/// Colours, where they make sense.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Colours for stderr: on a terminal that is not told to do without.
    pub(crate) fn for_stderr() -> Self {
        Self { on: std::io::stderr().is_terminal() && wanted() }
    }

    /// Colours for stdout.
    pub(crate) fn for_stdout() -> Self {
        Self { on: std::io::stdout().is_terminal() && wanted() }
    }

    /// Headings.
    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// Good.
    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Attention.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Bad.
    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn wanted() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(short(950.0), "950");
        assert_eq!(short(48_200.0), "48 k");
        assert_eq!(short(1_240_000.0), "1.24 M");
    }

    #[test]
    fn times_read_well() {
        let shown = |seconds: f64| time(Duration::from_secs_f64(seconds));
        assert_eq!(shown(0.000_4), "0.4 ms");
        assert_eq!(shown(0.012), "12 ms");
        assert_eq!(shown(3.21), "3.2 s");
        assert_eq!(shown(59.96), "1 min 00 s");
        assert_eq!(shown(245.0), "4 min 05 s");
        assert_eq!(shown(7_400.0), "2 h 03 min");
    }

    #[test]
    fn a_hundred_percent_means_all() {
        assert!(percent(9_999_999, 10_000_000) < 100.0);
        assert!((percent(7, 7) - 100.0).abs() < f64::EPSILON);
        assert!((percent(0, 0) - 100.0).abs() < f64::EPSILON);
    }
}
