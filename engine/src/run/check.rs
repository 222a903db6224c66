//! Checks of rows, counted over a table's blocks in bounded pieces.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::driver::postgres::Session;
use crate::error::{DbError, Error, Problem};
use crate::event::{Event, Events};
use crate::name::{Ident, QualifiedName};
use crate::plan::Check;
use crate::sql;
use crate::text::{Literal, Sql};

mod piece;

use piece::{Piece, Step};

/// Rows named at most.
const NAMED: usize = 10;
/// Blocks of the first piece.
const FIRST_BLOCKS: u64 = 512;
/// Blocks of a piece at most: 64 MB of the usual size.
const MOST_BLOCKS: u64 = 8192;
/// How long a piece should take: its snapshot keeps the table from being cleaned up meanwhile.
const PIECE: Duration = Duration::from_millis(500);

/// Rows that break a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    /// How many.
    pub total: u64,
    /// Some of them by key, with the server's message where evaluating the row raised an error.
    pub rows: Vec<String>,
    /// Whether all were counted.
    pub counted: Counted,
}

/// Whether a count is complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counted {
    /// Every row was looked at.
    #[default]
    All,
    /// Rows that raise errors have to be found one by one: after enough of them the count stopped.
    AtLeast,
}

impl Violations {
    /// What is wrong, or `None` where the check holds.
    #[must_use]
    pub fn problem(&self, check: &Check) -> Option<Problem> {
        let at_least = match self.counted {
            Counted::All => "",
            Counted::AtLeast => "at least ",
        };
        let (rows, break_it) = if self.total == 1 { ("row", "breaks it") } else { ("rows", "break it") };
        let more = if self.total > self.rows.len() as u64 { "; …" } else { "" };
        (self.total > 0).then(|| Problem {
            what: format!("{at_least}{} {rows} {break_it}: {}{more}", self.total, self.rows.join("; ")),
            place: check.table.display(),
            why: format!("it must hold that {}", check.claim),
            advice: check.advice.clone(),
        })
    }
}

/// Counts the rows that break `check`, piece by piece, each in a transaction of its own.
///
/// # Locks
/// `ACCESS SHARE` on the table for each piece.
/// # Errors
/// [`Error::Database`], [`Error::Interrupted`].
pub async fn run(
    session: &Session,
    check: &Check,
    events: &Events,
    stop: &CancellationToken,
) -> Result<Violations, Error> {
    let doing = |error: DbError| error.doing(format!("check that {}", check.claim));
    let parts = parts(session, &check.table).await.map_err(doing)?;
    let total: u64 = parts.iter().map(|part| part.blocks).sum();
    let mut found = Violations::default();
    let mut before = 0;
    for part in &parts {
        let piece = Piece { session, table: &part.name, check, block_size: part.block_size };
        let mut at = 0;
        let mut size = FIRST_BLOCKS;
        while at < part.blocks {
            if stop.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let end = part.blocks.min(at + size);
            let began = Instant::now();
            if piece.count((at, end), &mut found, stop).await? == Step::Enough {
                found.counted = Counted::AtLeast;
                return Ok(found);
            }
            size = next_size(end - at, began.elapsed());
            at = end;
            let claim = check.claim.clone();
            events.emit(Event::CheckProgress { claim, blocks_done: before + at, blocks_total: total });
        }
        before += part.blocks;
    }
    Ok(found)
}

fn next_size(blocks: u64, took: Duration) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "thousands"
    )]
    let wanted = (blocks as f64 * PIECE.as_secs_f64() / took.as_secs_f64().max(1e-4)) as u64;
    wanted.clamp(blocks / 2, blocks * 4).clamp(1, MOST_BLOCKS)
}

/// A table that has blocks: the one asked about, or the partitions of it.
struct TablePart {
    name: QualifiedName,
    blocks: u64,
    block_size: u32,
}

async fn parts(session: &Session, table: &QualifiedName) -> Result<Vec<TablePart>, DbError> {
    let name = sql!("{t}", t = table);
    let text = "SELECT n.nspname::text, c.relname::text, pg_relation_size(c.oid), current_setting('block_size')::int8 \
                FROM pg_partition_tree($1::text::regclass) p \
                JOIN pg_catalog.pg_class c ON c.oid = p.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE p.isleaf AND c.relkind = 'r' \
                UNION ALL \
                SELECT n.nspname::text, c.relname::text, pg_relation_size(c.oid), current_setting('block_size')::int8 \
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE c.oid = $1::text::regclass AND c.relkind IN ('r', 'm') AND NOT c.relispartition \
                ORDER BY 1, 2";
    let rows = session.query(text, &[&name.as_str()]).await?;
    let mut parts = Vec::new();
    for row in rows {
        let ident = |at: usize| row.get::<_, &str>(at).parse::<Ident>().ok();
        let (Some(schema), Some(relation)) = (ident(0), ident(1)) else { continue };
        let unsigned = |at: usize| u64::try_from(row.get::<_, i64>(at)).unwrap_or(0);
        let block_size = unsigned(3).max(1);
        let name = QualifiedName::new(schema, relation);
        let blocks = unsigned(2).div_ceil(block_size);
        parts.push(TablePart { name, blocks, block_size: u32::try_from(block_size).unwrap_or(8192) });
    }
    Ok(parts)
}

/// An expression that names a row to people: `id = 5`, or its place where the table has no key.
pub(super) fn row_name(key: &[Ident]) -> Sql {
    named("", key)
}

/// The same for rows of the alias `of`, which must need no quotes.
pub(super) fn row_name_in(of: &str, key: &[Ident]) -> Sql {
    named(&format!("{of}."), key)
}

fn named(of: &str, key: &[Ident]) -> Sql {
    let of = Sql::raw(of);
    if key.is_empty() {
        return sql!("'ctid ' || {of}ctid::text", of = of);
    }
    let columns = key.iter().map(|column| {
        let label = format!("{} = ", column.as_str());
        sql!("{label} || coalesce(left({of}{c}::text, 100), 'NULL')", label = Literal(&label), of = of, c = column)
    });
    let columns: Vec<Sql> = columns.collect();
    Sql::join(&columns, " || ', ' || ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_named_by_their_key_or_their_place() {
        let key = ["id".parse().unwrap(), "it's".parse().unwrap()];
        assert_eq!(
            row_name(&key).as_str(),
            "'id = ' || coalesce(left(\"id\"::text, 100), 'NULL') || ', ' || 'it''s = ' || coalesce(left(\"it's\"::text, 100), 'NULL')"
        );
        assert_eq!(row_name_in("r", &[]).as_str(), "'ctid ' || r.ctid::text");
    }

    #[test]
    fn pieces_grow_and_shrink_in_bounded_steps() {
        assert_eq!(next_size(512, Duration::from_millis(1)), 2048);
        assert_eq!(next_size(8000, Duration::from_millis(10)), MOST_BLOCKS);
        assert_eq!(next_size(512, Duration::from_secs(60)), 256);
        assert_eq!(next_size(1, Duration::from_secs(60)), 1);
    }

    #[test]
    fn says_how_many_rows_at_least() {
        let check = Check {
            table: QualifiedName::new("public".parse().unwrap(), "t".parse().unwrap()),
            claim: "every c casts".to_owned(),
            violation: Sql::raw("true"),
            key: Vec::new(),
            advice: "correct them".to_owned(),
        };
        assert_eq!(Violations::default().problem(&check), None);
        let some = Violations { total: 11, rows: vec!["id = 1".to_owned()], counted: Counted::AtLeast };
        assert_eq!(some.problem(&check).unwrap().what, "at least 11 rows break it: id = 1; …");
    }
}
