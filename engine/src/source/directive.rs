//! `-- shoofly: key = value` above a statement: what SQL cannot say.

use std::ops::Range;
use std::time::Duration;

use super::Options;
use super::cut::Line;
use crate::op::{Expr, Operation};
use crate::plan::{Hazard, Strategy};
use crate::sql::{Dialect, Flaw};

const KEYS: &str = "known are up, down, strategy, chunk, allow and accept";

/// The directives above one statement, read but not yet applied.
#[derive(Debug, Default)]
pub(super) struct Directives {
    up: Option<Value>,
    down: Option<Value>,
    /// How the statement is carried out.
    pub(super) options: Options,
    /// For the checksum: every key with its value.
    pub(super) said: Vec<(String, String)>,
}

#[derive(Debug)]
struct Value {
    expr: Expr,
    range: Range<usize>,
}

/// Reads `lines` of `text`.
pub(super) fn read(dialect: Dialect, text: &str, lines: &[Line], flaws: &mut Vec<Flaw>) -> Directives {
    let mut made = Directives::default();
    for line in lines {
        let said = text.get(line.range.clone()).unwrap_or_default();
        let Some((key, value)) = said.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            flaws.push(Flaw::new(line.range.clone(), "a directive needs a value", "write `-- shoofly: key = value`"));
            continue;
        };
        let key_at = line.range.start + (said.len() - said.trim_start().len());
        let value_end = line.range.start + said.trim_end().len();
        let range = value_end - value.len()..value_end;
        let key_range = key_at..key_at + key.len();
        if made.said.iter().any(|(known, _)| known == key) {
            flaws.push(Flaw::new(
                key_range,
                format!("{key} is said twice"),
                "say it once; lists are separated by commas",
            ));
            continue;
        }
        made.said.push((key.to_owned(), value.to_owned()));
        if value.is_empty() {
            flaws.push(Flaw::new(key_range, format!("{key} has no value"), "write `-- shoofly: key = value`"));
            continue;
        }
        if let Err((what, advice)) = made.set(dialect, (key, value), range.clone()) {
            let range = if what.starts_with("unknown directive") { key_range } else { range };
            flaws.push(Flaw::new(range, what, advice));
        }
    }
    made
}

type Refusal = (String, String);

impl Directives {
    fn set(&mut self, dialect: Dialect, (key, value): (&str, &str), range: Range<usize>) -> Result<(), Refusal> {
        match key {
            "up" => self.up = Some(expression(dialect, value, range)?),
            "down" => self.down = Some(expression(dialect, value, range)?),
            "strategy" => self.options.strategy = Some(strategy(value)?),
            "chunk" => self.options.chunk = Some(duration(value)?),
            "allow" if value == "blocking" => self.options.allow_blocking = true,
            "allow" => return Err((format!("{value:?} cannot be allowed"), "the only word is blocking".to_owned())),
            "accept" => {
                for word in value.split(',').map(str::trim) {
                    self.options.accept.insert(hazard(word)?);
                }
            }
            _ => return Err((format!("unknown directive {key:?}"), KEYS.to_owned())),
        }
        Ok(())
    }

    /// Puts `up` and `down` where they belong.
    pub(super) fn apply(self, dialect: Dialect, operations: &mut [Operation], flaws: &mut Vec<Flaw>) -> Options {
        if let Some(value) = self.up {
            place(operations, value, (dialect, "up"), flaws, |operation| match operation {
                Operation::AddColumn(op) => Some(&mut op.up),
                Operation::AlterColumnType(op) => Some(&mut op.using),
                Operation::SetNotNull(op) => Some(&mut op.up),
                _ => None,
            });
        }
        if let Some(value) = self.down {
            place(operations, value, (dialect, "down"), flaws, |operation| match operation {
                Operation::DropColumn(op) => Some(&mut op.down),
                Operation::AlterColumnType(op) => Some(&mut op.down),
                _ => None,
            });
        }
        self.options
    }
}

fn place(
    operations: &mut [Operation],
    value: Value,
    (dialect, key): (Dialect, &str),
    flaws: &mut Vec<Flaw>,
    slot: impl Fn(&mut Operation) -> Option<&mut Option<Expr>>,
) {
    let mut slots: Vec<&mut Option<Expr>> = operations.iter_mut().filter_map(slot).collect();
    let belongs = match (dialect, key) {
        (Dialect::PostgreSql, "up") => "`up` belongs to ADD COLUMN, ALTER COLUMN … TYPE and SET NOT NULL",
        (Dialect::PostgreSql, _) => "`down` belongs to ALTER COLUMN … TYPE and DROP COLUMN",
        (Dialect::MySql, _) => {
            "the server itself converts values; give rows others by an UPDATE in a statement of its own"
        }
    };
    let refusal = match slots.as_mut_slice() {
        [slot] if slot.is_none() => {
            **slot = Some(value.expr);
            return;
        }
        [_] => ("the statement says USING as well".to_owned(), "keep one of them".to_owned()),
        [] => (format!("the statement has no use for `{key}`"), belongs.to_owned()),
        _ => (
            format!("`{key}` could belong to several clauses of the statement"),
            "write them as statements of their own, each with its directive".to_owned(),
        ),
    };
    flaws.push(Flaw::new(value.range, refusal.0, refusal.1));
}

fn expression(dialect: Dialect, value: &str, range: Range<usize>) -> Result<Value, Refusal> {
    let advice = || "write one SQL expression over the columns of the row".to_owned();
    match dialect.unsuitable(value) {
        Ok(None) => Ok(Value { expr: Expr(value.to_owned()), range }),
        Ok(Some(unsuitable)) => Err((format!("{} is not supported here", unsuitable.describe()), advice())),
        Err(error) => Err((error.to_string(), advice())),
    }
}

fn strategy(value: &str) -> Result<Strategy, Refusal> {
    let quoted = serde_json::Value::String(value.to_owned());
    serde_json::from_value(quoted).map_err(|_| {
        let known = "known are metadata, online, dual-column, shadow-table and direct";
        (format!("unknown strategy {value:?}"), known.to_owned())
    })
}

fn hazard(word: &str) -> Result<Hazard, Refusal> {
    Hazard::ALL.into_iter().find(|hazard| hazard.word() == word).ok_or_else(|| {
        let known: Vec<&str> = Hazard::ALL.iter().map(|hazard| hazard.word()).collect();
        (format!("unknown hazard {word:?}"), format!("known are {}", known.join(", ")))
    })
}

/// `15ms`, `1s`: between a millisecond and ten seconds.
fn duration(value: &str) -> Result<Duration, Refusal> {
    let digits = value.trim_end_matches(|char: char| !char.is_ascii_digit());
    let number: Option<u64> = digits.parse().ok();
    let millis = match (number, value.get(digits.len()..).map(str::trim)) {
        (Some(number), Some("ms")) => Some(number),
        (Some(number), Some("s")) => number.checked_mul(1_000),
        _ => None,
    };
    millis.filter(|millis| (1..=10_000).contains(millis)).map(Duration::from_millis).ok_or_else(|| {
        let advice = "write how long one transaction of the backfill should take, 1ms to 10s: `15ms`";
        (format!("{value:?} is no duration for a chunk"), advice.to_owned())
    })
}
