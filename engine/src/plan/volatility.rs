//! Whether an expression gives the same value each time.

use super::context::Context;
use super::expression;
use crate::error::Problem;

/// Why `text` cannot be computed row by row in a trigger and again in a fill and a proof.
pub(crate) fn problems(text: &str, role: &str, cx: &Context<'_>) -> Vec<Problem> {
    let called = match expression::functions(text) {
        Ok(called) => called,
        Err(unusable) => {
            return vec![cx.problem(format!("{role} cannot be used"), unusable.0, "write it differently")];
        }
    };
    let mut problems = Vec::new();
    for name in called {
        let mut known = cx.facts.functions.iter().filter(|function| name.means(&function.name)).peekable();
        if known.peek().is_none() {
            problems.push(cx.problem(
                format!("{role} calls {}, which does not exist or cannot be seen", name.display()),
                "",
                "check the name, and write the schema before it",
            ));
        } else if known.any(|function| function.volatility == 'v') {
            problems.push(cx.problem(
                format!("{role} calls {}, which is volatile", name.display()),
                "it may give another value each time, so that what was filled could never be proved",
                "use an expression that depends on the row alone",
            ));
        }
    }
    problems
}
