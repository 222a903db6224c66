//! What the directives above a statement change about its plan.

use std::time::Duration;

use super::fixture::{column, facts, table, with_primary_key};
use crate::dialect::postgres::planner;
use crate::error::Error;
use crate::facts::{CastFacts, CastMethod, Facts};
use crate::plan::{Action, Direction, Hazard};
use crate::settings::Settings;
use crate::source;
use crate::sql::Dialect;

fn orders() -> Facts {
    let columns = vec![column("id", "integer"), column("note", "text")];
    let mut facts = facts(vec![with_primary_key(table("orders", columns), &["id"])]);
    let (from, to) = (facts.catalogue.tables[0].columns[0].type_oid, 20);
    facts.casts.push(CastFacts { from, to, method: CastMethod::Function, context: 'i' });
    facts
}

fn planned(text: &str) -> Result<crate::Plan, Error> {
    let migration = source::parse_text(Dialect::PostgreSql, "m", None, text).unwrap();
    planner::plan(&migration, Direction::Up, &orders(), &Settings::default())
}

const CHANGE: &str = "ALTER TABLE orders ALTER COLUMN id TYPE bigint;";

#[test]
fn accept_and_chunk_reach_the_plan() {
    let plain = planned(CHANGE).unwrap();
    assert!(plain.unaccepted().any(|finding| finding.hazard == Some(Hazard::ColumnOrder)));
    let plan = planned(&format!("-- shoofly: accept = column-order\n-- shoofly: chunk = 40ms\n{CHANGE}")).unwrap();
    assert_eq!(plan.unaccepted().count(), 0);
    let chunks: Vec<_> = plan
        .steps()
        .filter_map(|step| match &step.action {
            Action::Fill(fill) => Some(fill.chunk),
            _ => None,
        })
        .collect();
    assert_eq!(chunks, [Some(Duration::from_millis(40))]);
}

#[test]
fn another_strategy_than_the_cheapest_safe_one_is_refused() {
    assert!(planned(&format!("-- shoofly: strategy = dual-column\n{CHANGE}")).is_ok());
    let refused = planned(&format!("-- shoofly: strategy = shadow-table\n{CHANGE}"));
    let Err(Error::Refused(problems)) = refused else { panic!("{refused:?}") };
    assert!(problems[0].why.contains("dual-column"), "{problems:?}");
}
