//! `ALTER COLUMN … TYPE`: nothing, a change of the catalogue, or a dual column, whichever is the cheapest that is safe.

use super::dual_column;
use crate::dialect::postgres::column as sql_column;
use crate::dialect::postgres::planner::context::{Context, Text};
use crate::dialect::postgres::planner::conversion::Conversion;
use crate::dialect::postgres::planner::draft::{Draft, Seed, Slot, exclusive, heap_bytes};
use crate::facts::TypeFacts;
use crate::name::Ident;
use crate::op::AlterColumnType;
use crate::plan::{Cost, Held, LockMode, Strategy, Undo};
use crate::schema::{Column, ConstraintKind, Table};

/// What is known of a column and of what it is to become.
#[derive(Debug)]
pub(in crate::dialect::postgres::planner) struct Change<'a> {
    pub(super) cx: Context<'a>,
    pub(in crate::dialect::postgres::planner) table: &'a Table,
    pub(in crate::dialect::postgres::planner) column: &'a Column,
    pub(super) to: &'a TypeFacts,
    /// `COLLATE`, as written.
    pub(super) collation: Option<&'a str>,
    pub(super) conversion: Conversion,
}

/// What a change of type comes to.
#[derive(Debug)]
pub(in crate::dialect::postgres::planner) enum Kind<'a> {
    /// Nothing: the column has that type, or the reasons to refuse are in the draft.
    Nothing,
    /// A change of the catalogue.
    InPlace(Change<'a>),
    /// A second column.
    Dual(Change<'a>),
}

/// What `ALTER COLUMN … TYPE` means for the dual column's sake: the same in words.
pub(in crate::dialect::postgres::planner) fn summary(op: &AlterColumnType) -> String {
    format!("change the type of {}.{} to {}", op.table.display(), op.column.as_str(), op.type_sql)
}

/// Decides how the change is made.
pub(in crate::dialect::postgres::planner) fn classify<'a>(
    op: &'a AlterColumnType,
    cx: Context<'a>,
    draft: &mut Draft,
) -> Kind<'a> {
    draft.summary = summary(op);
    let Some(table) = cx.target(&op.table, draft) else { return Kind::Nothing };
    let Some(column) = cx.column(table, &op.column, draft) else { return Kind::Nothing };
    let Some(to) = cx.facts.type_of(&op.type_sql) else {
        draft.problems.push(cx.problem(
            format!("there is no type {}", op.type_sql),
            "",
            "check the name, the schema and the search_path of this role",
        ));
        return Kind::Nothing;
    };
    if op.down.is_some() {
        draft.findings.push(down_is_for_later(table, &op.column));
    }
    let conversion = match Conversion::new(column, &to.canonical, op.using.as_ref()) {
        Ok(conversion) if op.collation.is_some() => conversion.into_other_collation(),
        Ok(conversion) => conversion,
        Err(unusable) => {
            draft.problems.push(cx.problem("the USING expression cannot be used", unusable.0, "write it differently"));
            return Kind::Nothing;
        }
    };
    let change = Change { cx, table, column, to, collation: op.collation.as_deref(), conversion };
    if is_done(&change) {
        draft.summary = format!("{}.{} has type {} already", table.name.display(), op.column.as_str(), to.canonical);
        return Kind::Nothing;
    }
    if is_in_place(&change) { Kind::InPlace(change) } else { Kind::Dual(change) }
}

fn is_done(change: &Change<'_>) -> bool {
    change.column.type_sql == change.to.canonical
        && change.conversion.is_cast()
        && change.collation.is_none()
        && change.column.collation.is_none()
}

/// Whether the server neither reads a row nor builds an index for the change.
fn is_in_place(change: &Change<'_>) -> bool {
    let name = &change.column.name;
    let checked_or_linked = change.table.constraints.iter().any(|constraint| {
        matches!(
            constraint.kind,
            ConstraintKind::Check { .. } | ConstraintKind::ForeignKey(_) | ConstraintKind::Exclusion
        ) && constraint.columns.contains(name)
    });
    let referenced = change.table.referenced_by.iter().any(|key| key.to_columns.contains(name));
    let computed_index = change
        .table
        .indexes
        .iter()
        .any(|index| index.depends_on.contains(name) && (index.has_expressions || index.predicate.is_some()));
    let dependents = change.table.dependents.iter().any(|dependent| dependent.column.as_ref() == Some(name));
    change.conversion.is_relabelling()
        && change.collation.is_none()
        && change.column.collation.is_none()
        && !checked_or_linked
        && !referenced
        && !computed_index
        && !dependents
}

/// Drafts a change of the catalogue.
pub(in crate::dialect::postgres::planner) fn in_place(change: &Change<'_>, draft: &mut Draft) {
    let cx = &change.cx;
    let table = &change.table.name;
    let (name, to) = (change.column.name.as_str(), &change.to.canonical);
    draft.strategy = Some(Strategy::Metadata);
    draft.problems.extend(dual_column::refuse::default_cast(change, cx));
    let type_sql = sql_column::typed(to, change.collation);
    draft.steps.push(
        Seed::brief(
            Slot::Swap,
            format!("change the type of {}.{name} to {to}: the values stay as they are", table.display()),
            exclusive(table),
            vec![sql_column::alter_type(table, &change.column.name, &type_sql)],
        )
        .undone_by(Undo::Impossible { why: "the column has its new type; a migration back is needed".to_owned() }),
    );
    draft.steps.push(
        Seed::patient(
            Slot::Finish,
            format!("gather statistics of {}.{name}, which went with the old type", table.display()),
            vec![sql_column::analyze(table, std::slice::from_ref(&change.column.name))],
            Cost::Scan { bytes: heap_bytes(change.table, cx.server()) },
        )
        .locking(table, LockMode::ShareUpdateExclusive, Held::Work, ""),
    );
}

fn down_is_for_later(table: &Table, column: &Ident) -> crate::plan::Finding {
    Text {
        what: "the directive `down` is not needed before `complete`".to_owned(),
        place: format!("{}.{}", table.name.display(), column.as_str()),
        why: "until then the old column goes on as it is, and a rollback needs no values from the new one".to_owned(),
        advice: "for a way back after `complete`, write a `-- migrate:down` section".to_owned(),
    }
    .finding()
}
