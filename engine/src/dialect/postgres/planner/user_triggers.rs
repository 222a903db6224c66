//! What stands in the way of a fill, and what the user's own triggers would see of it.

use super::context::{Context, Text};
use super::draft::Draft;
use crate::error::Problem;
use crate::name::Ident;
use crate::plan::{Hazard, UserTriggers};
use crate::schema::{Table, Trigger};

/// Why rows of the table cannot be filled, or not all of them.
fn unfillable(table: &Table, cx: &Context<'_>) -> Vec<Problem> {
    let name = table.name.display();
    let mut problems = Vec::new();
    if table.row_security.enabled && table.row_security.forced && !cx.server().superuser {
        problems.push(cx.problem(
            format!("row level security of {name} is FORCEd on its owner too"),
            "rows that a policy hides would neither be filled nor be missed by a proof",
            "ALTER TABLE … NO FORCE ROW LEVEL SECURITY for the time of the change, or connect as a superuser",
        ));
    }
    if table.access_method.as_deref().is_some_and(|method| method != "heap") {
        problems.push(cx.problem(
            format!("{name} is not stored as a heap"),
            "a fill walks over the blocks of a heap",
            "move it to the access method heap first",
        ));
    }
    for rule in table.dependents.iter().filter(|dependent| dependent.kind == "rule" && dependent.column.is_none()) {
        problems.push(cx.problem(
            format!("rule {} of {name} rewrites statements", rule.name),
            "a fill would do what the rule says instead",
            "drop the rule, or turn it into a trigger",
        ));
    }
    problems
}

/// Whether a fill of `columns` fires triggers of the user's, and what is done about it.
pub(crate) fn user_triggers(table: &Table, columns: &[Ident], cx: &Context<'_>, draft: &mut Draft) -> UserTriggers {
    draft.problems.extend(unfillable(table, cx));
    let would_fire = |modes: &'static [char]| -> Vec<&Trigger> {
        let by_update = table.triggers.iter().filter(|trigger| trigger.on_update && modes.contains(&trigger.enabled));
        by_update
            .filter(|trigger| {
                trigger.update_of.is_empty() || trigger.update_of.iter().any(|name| columns.contains(name))
            })
            .collect()
    };
    let fired = would_fire(&['O', 'A']);
    let stubborn = would_fire(&['A', 'R']);
    if fired.is_empty() {
        return UserTriggers::None;
    }
    if cx.server().may_silence_triggers && stubborn.is_empty() {
        return UserTriggers::Silenced;
    }
    let names: Vec<&str> = fired.iter().map(|trigger| trigger.name.as_str()).collect();
    let advice = if stubborn.is_empty() && cx.server().major() >= 15 {
        format!(
            "GRANT SET ON PARAMETER session_replication_role TO {}, so that the fill can pass them by; or accept that they fire",
            cx.server().role
        )
    } else {
        "accept that they fire, or disable them for the time of the fill".to_owned()
    };
    draft.findings.push(cx.hazard(
        Hazard::UserTriggers,
        Text {
            what: format!("the fill fires {} once for every row", names.join(", ")),
            place: table.name.display(),
            why: "a trigger that keeps an audit trail or a time of change would take the fill for the application's work"
                .to_owned(),
            advice,
        },
    ));
    UserTriggers::Fire
}
