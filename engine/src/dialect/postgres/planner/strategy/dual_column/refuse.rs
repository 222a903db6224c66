//! What a dual column cannot carry faithfully, and what plain DDL would refuse as well.

use super::Group;
use crate::dialect::postgres::planner::context::Context;
use crate::dialect::postgres::planner::conversion::Certainty;
use crate::dialect::postgres::planner::strategy::alter_column_type::Change;
use crate::error::Problem;
use crate::name::Ident;
use crate::schema::{Constraint, ConstraintKind};

/// Every reason at once.
pub(super) fn reasons(change: &Change<'_>) -> Vec<Problem> {
    let cx = &change.cx;
    let mut problems: Vec<Problem> = default_cast(change, cx).into_iter().collect();
    problems.extend(assignment_cast(change, cx));
    problems.extend(column_kind(change, cx));
    problems.extend(expression(change, cx));
    problems.extend(constraints(change, cx));
    problems.extend(dependents(change, cx));
    problems.extend(indexes(change, cx));
    problems.extend(publications(change, cx));
    problems.extend(grants(change, cx));
    problems
}

/// The server takes a column's default along only where an assignment cast exists.
pub(in crate::dialect::postgres::planner::strategy) fn default_cast(
    change: &Change<'_>,
    cx: &Context<'_>,
) -> Option<Problem> {
    let default = change.column.default.as_ref()?;
    (change.column.generated.is_none() && !is_assignable(change, cx)).then(|| {
        cx.problem(
            format!("the default of {} cannot be cast to {}", change.column.name.as_str(), change.to.canonical),
            format!("it is {default}, and there is no assignment cast from {}", change.column.type_sql),
            "drop the default before, and set the new one afterwards",
        )
    })
}

fn assignment_cast(change: &Change<'_>, cx: &Context<'_>) -> Option<Problem> {
    (change.conversion.is_assignment() && !is_assignable(change, cx)).then(|| {
        cx.problem(
            format!("{} cannot be cast to {} by itself", change.column.name.as_str(), change.to.canonical),
            format!("there is no assignment cast from {}", change.column.type_sql),
            format!("write USING {}::{}", change.column.name.as_str(), change.to.canonical),
        )
    })
}

fn is_assignable(change: &Change<'_>, cx: &Context<'_>) -> bool {
    let (from, to) = (change.column.type_oid, change.to.oid);
    from == to
        || change.conversion.certainty == Certainty::Exact
        || cx.facts.casts.iter().any(|cast| cast.from == from && cast.to == to && matches!(cast.context, 'i' | 'a'))
}

fn column_kind(change: &Change<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let name = change.column.name.as_str();
    let mut problems = Vec::new();
    if change.to.kind == 'd' {
        problems.push(cx.problem(
            format!("{} is a domain", change.to.canonical),
            "PostgreSQL rewrites the table to check a domain's constraints when a column of it is added",
            "use the domain's base type, and a CHECK",
        ));
    }
    if change.column.generated.is_some() {
        problems.push(cx.problem(
            format!("{name} is a generated column"),
            "its values are computed, so a copy could not be kept in step",
            "drop it, and add it again with the new type",
        ));
    }
    if change.column.identity.is_some() && !matches!(change.to.canonical.as_str(), "smallint" | "integer" | "bigint") {
        problems.push(cx.problem(
            format!("{name} is an identity column"),
            "PostgreSQL allows smallint, integer and bigint there",
            "drop the identity first",
        ));
    }
    problems
}

/// What a trigger cannot compute for one row at a time, or not the same way twice.
fn expression(change: &Change<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let mut problems = crate::dialect::postgres::planner::strategy::rows::unreadable(
        change.table,
        &change.conversion.reads,
        "USING",
        cx,
    );
    if let Some(text) = change.conversion.written() {
        problems.extend(crate::dialect::postgres::planner::volatility::problems(text, "USING", cx));
    }
    problems
}

fn constraints(change: &Change<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let column = &change.column.name;
    let about = |constraint: &Constraint| format!("constraint {}", constraint.name.as_str());
    let mut problems = Vec::new();
    for constraint in change.table.constraints.iter().filter(|constraint| constraint.columns.contains(column)) {
        if constraint.kind == ConstraintKind::Exclusion {
            problems.push(cx.problem(
                format!("{} excludes by the column", about(constraint)),
                "an exclusion constraint cannot take over an index that was built beside",
                "drop it first and add it again afterwards",
            ));
        }
        if ["WITHOUT OVERLAPS", "PERIOD", "NOT ENFORCED"].iter().any(|word| constraint.definition.contains(word))
            && !matches!(constraint.kind, ConstraintKind::Check { ref expression } if !constraint.definition.ends_with("NOT ENFORCED") || expression.ends_with("NOT ENFORCED"))
        {
            problems.push(cx.problem(
                format!("{} is of a kind that cannot be carried: {}", about(constraint), constraint.definition),
                "it cannot be put on the new column beforehand",
                "drop it first and add it again afterwards",
            ));
        }
        if constraint.kind == ConstraintKind::NotNull && !constraint.validated {
            problems.push(cx.problem(
                format!("{} (NOT NULL) has not been validated", about(constraint)),
                "rows that exist may be NULL, and the new column is proved to have none",
                format!("ALTER TABLE … VALIDATE CONSTRAINT {} first", constraint.name.as_str()),
            ));
        }
    }
    problems
}

fn dependents(change: &Change<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let table = change.table;
    let column = &change.column.name;
    let keys: Vec<&Ident> = table
        .constraints
        .iter()
        .filter(|constraint| {
            constraint.columns.contains(column)
                && matches!(constraint.kind, ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. })
        })
        .map(|constraint| &constraint.name)
        .collect();
    let mut problems = Vec::new();
    for dependent in &table.dependents {
        let on_column = dependent.column.as_ref() == Some(column);
        let on_key = dependent.constraint.as_ref().is_some_and(|key| keys.contains(&key));
        if on_column || on_key {
            problems.push(cx.problem(
                format!("{} {} depends on {}", dependent.kind, dependent.name, column.as_str()),
                "PostgreSQL changes no column that it uses, and the old column could not be dropped",
                "drop it first and create it again afterwards",
            ));
        }
    }
    let named =
        |problems: &[Problem], name: &Ident| problems.iter().any(|problem| problem.what.contains(name.as_str()));
    for policy in table.policies.iter().filter(|policy| policy.columns.contains(column)) {
        if !named(&problems, &policy.name) {
            problems.push(cx.problem(
                format!("policy {} names {}", policy.name.as_str(), column.as_str()),
                "PostgreSQL changes no column that a policy uses",
                "drop it first and create it again afterwards",
            ));
        }
    }
    for trigger in table.triggers.iter().filter(|trigger| trigger.update_of.contains(column)) {
        if !named(&problems, &trigger.name) {
            problems.push(cx.problem(
                format!("trigger {} fires on UPDATE OF {}", trigger.name.as_str(), column.as_str()),
                "PostgreSQL changes no column that a trigger names",
                "drop it first and create it again afterwards",
            ));
        }
    }
    problems
}

fn indexes(change: &Change<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let column = &change.column.name;
    let on_column = change.table.indexes.iter().filter(|index| index.depends_on.contains(column));
    on_column
        .filter(|index| !index.valid)
        .map(|index| {
            cx.problem(
                format!("index {} is not valid", index.name.display()),
                "an interrupted build left it behind",
                "drop it, or REINDEX INDEX CONCURRENTLY it",
            )
        })
        .collect()
}

fn publications(change: &Change<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let column = &change.column.name;
    let mut problems = Vec::new();
    for publication in &change.table.publications {
        if publication.columns.as_ref().is_some_and(|columns| columns.contains(column)) {
            problems.push(cx.problem(
                format!("publication {} lists {}", publication.name.as_str(), column.as_str()),
                "a column in such a list cannot be dropped",
                "take the table out of the publication, or publish all columns",
            ));
        }
        let filtered = publication.row_filter.as_deref().is_some_and(|filter| {
            crate::dialect::postgres::planner::expression::columns(filter)
                .map_or(true, |columns| columns.contains(column))
        });
        if filtered {
            problems.push(cx.problem(
                format!("publication {} filters rows by {}", publication.name.as_str(), column.as_str()),
                "a column in such a filter cannot be dropped",
                "take the filter away first, and set it again afterwards",
            ));
        }
    }
    problems
}

/// A grant made by somebody with the grant option cannot be made again in that role's name.
fn grants(change: &Change<'_>, cx: &Context<'_>) -> Vec<Problem> {
    let owner = &change.table.owner;
    let sequence = change.column.identity.iter().flat_map(|identity| &identity.sequence.grants);
    let foreign = change.column.grants.iter().chain(sequence).filter(|grant| grant.grantor != *owner);
    foreign
        .map(|grant| {
            cx.problem(
                format!(
                    "{} on {} was granted to {} by {}",
                    grant.privilege,
                    change.column.name.as_str(),
                    grant.grantee,
                    grant.grantor
                ),
                format!("only {} itself could grant it again", grant.grantor),
                format!("REVOKE it and GRANT it as {owner}"),
            )
        })
        .collect()
}

/// Names that we need and somebody has.
pub(super) fn names_taken(group: &Group<'_>) -> Vec<Problem> {
    let mut taken: Vec<String> = Vec::new();
    for dual in &group.duals {
        let table = dual.change.table;
        if table.column(&dual.new).is_some() {
            taken.push(format!("column {}.{}", table.name.display(), dual.new.as_str()));
        }
        if table.triggers.iter().any(|trigger| trigger.name == dual.trigger) {
            taken.push(format!("trigger {} on {}", dual.trigger.as_str(), table.name.display()));
        }
    }
    let checks = group.checks.iter().map(|copy| (&copy.table.name, &copy.temporary));
    let keys = group.keys.iter().map(|key| (&key.copy.from, &key.copy.name));
    for (owner, name) in checks.chain(keys) {
        let owning = group.cx.named(owner);
        if owning.is_some_and(|table| table.constraints.iter().any(|constraint| constraint.name == *name)) {
            taken.push(format!("constraint {} of {}", name.as_str(), owner.display()));
        }
    }
    let every_index = || group.cx.catalogue.tables.iter().flat_map(|table| &table.indexes);
    for copy in &group.indexes {
        if every_index().any(|index| index.name == copy.temporary) {
            taken.push(format!("index {}", copy.temporary.display()));
        }
    }
    let problem = |what: String| {
        group.cx.problem(
            format!("{what} exists"),
            "the name is needed for the time of the change",
            "where it is left over from an unfinished change, roll that back; else rename it",
        )
    };
    taken.into_iter().map(problem).collect()
}
