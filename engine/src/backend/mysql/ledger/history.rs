//! Reading runs back.

use serde::Deserialize;

use crate::driver::mysql::Session;
use crate::error::{DbError, DbErrorKind};
use crate::name::{Ident, TableName};
use crate::plan::PhaseKind;
use crate::run::{Direction, RunState, RunStatus};
use crate::sql::mysql::Name;

const RUNS: &str = include_str!("runs.sql");

/// As much of a stored plan as the status shows.
#[derive(Debug, Deserialize)]
struct Outline {
    phases: Vec<OutlinePhase>,
    #[serde(default)]
    window: OutlineWindow,
}

/// The steps that stand for the contract phase where the old table is kept.
#[derive(Debug, Default, Deserialize)]
struct OutlineWindow {
    #[serde(default)]
    switch: Vec<OutlineStep>,
    #[serde(default)]
    close: Vec<OutlineStep>,
}

#[derive(Debug, Deserialize)]
struct OutlinePhase {
    kind: PhaseKind,
    steps: Vec<OutlineStep>,
}

#[derive(Debug, Deserialize)]
struct OutlineStep {
    id: String,
    title: String,
}

/// Every run, oldest first.
///
/// # Errors
/// The server's; a missing ledger is one.
pub(crate) async fn runs(session: &Session) -> Result<Vec<RunStatus>, DbError> {
    session.rows(RUNS).await?.into_iter().map(status).collect()
}

fn status(row: Vec<Option<String>>) -> Result<RunStatus, DbError> {
    let mut values = row.into_iter();
    let mut next = || values.next().flatten();
    let run = count(next()).cast_signed();
    let (migration, checksum) = (next().unwrap_or_default(), next().unwrap_or_default());
    let state: RunState = word(next())?;
    let direction: Direction = word(next())?;
    let outline: Outline =
        serde_json::from_str(&next().unwrap_or_default()).map_err(|error| unreadable(&error.to_string()))?;
    let steps_done = small(next());
    let done = next().unwrap_or_default();
    let is_done = |step: &OutlineStep| done.lines().any(|known| known == step.id);
    let steps = outline.steps(state, is_done);
    let is_under_way = state.is_active() && state != RunState::Switched;
    let current = steps.iter().find(|step| is_under_way && !is_done(step));
    Ok(RunStatus {
        run,
        migration,
        checksum,
        state,
        direction,
        steps_done,
        steps_total: u32::try_from(steps.len()).unwrap_or(u32::MAX),
        current: current.map(|step| step.title.clone()),
        blocks_done: count(next()),
        blocks_total: count(next()),
        rows_written: count(next()),
        held_by: next(),
        last_error: next(),
        began: next().unwrap_or_default(),
        ended: next(),
        tables: tables(&next().unwrap_or_default()),
    })
}

impl Outline {
    /// The steps that the run goes through.
    fn steps(self, state: RunState, is_done: impl Fn(&OutlineStep) -> bool) -> Vec<OutlineStep> {
        let window = self.window;
        let kept = matches!(state, RunState::Switching | RunState::Switched) || window.switch.iter().any(is_done);
        let phases = self.phases.into_iter().filter(|phase| !kept || phase.kind != PhaseKind::Contract);
        let mut steps: Vec<OutlineStep> = phases.flat_map(|phase| phase.steps).collect();
        if kept {
            steps.extend(window.switch.into_iter().chain(window.close));
        }
        steps
    }
}

fn count(text: Option<String>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn small(text: Option<String>) -> u32 {
    u32::try_from(count(text)).unwrap_or(u32::MAX)
}

/// A word that the program writes as JSON elsewhere.
fn word<T: for<'de> Deserialize<'de>>(text: Option<String>) -> Result<T, DbError> {
    let text = text.unwrap_or_default();
    serde_json::from_value(serde_json::Value::String(text)).map_err(|error| unreadable(&error.to_string()))
}

/// Names in hexadecimal digits, as they may hold any character.
fn tables(text: &str) -> Vec<TableName> {
    let name = |hex: &str| -> Option<Ident> {
        let digits = hex.as_bytes().chunks(2);
        let bytes: Option<Vec<u8>> =
            digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
        let name: Name = String::from_utf8(bytes?).ok()?.parse().ok()?;
        Some(name.into())
    };
    text.split(' ')
        .filter_map(|pair| pair.split_once('.'))
        .filter_map(|(schema, table)| Some(TableName::new(name(schema)?, name(table)?)))
        .collect()
}

fn unreadable(why: &str) -> DbError {
    DbError {
        kind: DbErrorKind::Other,
        code: None,
        message: format!("the ledger holds a run that cannot be read: {why}"),
        detail: String::new(),
        statement: String::new(),
    }
}
