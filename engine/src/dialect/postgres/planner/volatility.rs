//! Whether an expression gives the same value each time.

use super::context::Context;
use super::expression::{self, Unusable};
use crate::error::Problem;

/// How long a value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Volatility {
    /// For good, as long as the row is the same.
    Lasting,
    /// For one statement or transaction.
    Momentary,
    /// Not even from row to row.
    Volatile,
}

/// Functions that are called stable and give another value in every transaction.
const CLOCKS: [&str; 12] = [
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "txid_current",
    "pg_current_xact_id",
    "current_user",
    "session_user",
];

/// How long the value of `text` holds.
///
/// # Errors
/// Functions that are not known, or a text that cannot be read.
pub(crate) fn of(text: &str, role: &str, cx: &Context<'_>) -> Result<Volatility, Vec<Problem>> {
    let called = expression::functions(text)
        .map_err(|Unusable(why)| vec![cx.problem(format!("{role} cannot be used"), why, "write it differently")])?;
    let mut holds = Volatility::Lasting;
    let mut problems = Vec::new();
    for name in called {
        let mut known = cx.facts.functions.iter().filter(|function| name.means(&function.name)).peekable();
        if known.peek().is_none() {
            problems.push(cx.problem(
                format!("{role} calls {}, which does not exist or cannot be seen", name.display()),
                "",
                "check the name, and write the schema before it",
            ));
        }
        if known.any(|function| function.volatility == 'v') {
            holds = Volatility::Volatile;
        } else if CLOCKS.contains(&name.name.as_str()) {
            holds = holds.max(Volatility::Momentary);
        }
    }
    if problems.is_empty() { Ok(holds) } else { Err(problems) }
}

/// Why `text` cannot be computed for one row in a trigger, and again in a fill and a proof.
pub(crate) fn problems(text: &str, role: &str, cx: &Context<'_>) -> Vec<Problem> {
    match of(text, role, cx) {
        Err(problems) => problems,
        Ok(Volatility::Lasting) => Vec::new(),
        Ok(Volatility::Momentary | Volatility::Volatile) => vec![cx.problem(
            format!("{role} gives another value each time: {text}"),
            "what was filled could never be proved",
            "use an expression that depends on the row alone, or a constant",
        )],
    }
}
