//! Which blocks there are to fill and who fills them: the ledger's lanes.

use tokio_postgres::Row;

use super::Context;
use crate::backend::postgres::ledger;
use crate::driver::postgres::Session;
use crate::error::{DbError, Error, Problem};
use crate::plan::{Fill, StepId};
use crate::sql;

/// Blocks that a page's worth of rows is estimated from.
const SAMPLE_BLOCKS: i64 = 16;

/// A lane's blocks, as the ledger has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) number: i32,
    pub(super) from: u64,
    pub(super) to: u64,
    /// Everything below is filled or deferred.
    pub(super) next: u64,
}

impl Lane {
    fn left(&self) -> u64 {
        self.to.saturating_sub(self.next)
    }
}

/// What there is to fill.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) lanes: Vec<Lane>,
    pub(super) blocks: u64,
    pub(super) rows_written: u64,
    pub(super) rows_per_page: f64,
    pub(super) block_size: u32,
}

impl Ground {
    pub(super) fn blocks_left(&self) -> u64 {
        self.lanes.iter().map(Lane::left).sum()
    }
}

/// What the catalogue says about the table.
struct Relation {
    file: u32,
    blocks: u64,
    rows_per_page: f64,
    block_size: u32,
}

/// Takes the step's lanes over under the run's epoch, or lays them out: as many as wanted, over the blocks that the table has
/// now. That is after the trigger's commit, so every row version that needs work lies below.
///
/// # Locks
/// The lanes' rows: waits for an earlier holder's chunk that is under way.
/// # Errors
/// [`Error::Refused`] for what is not a plain table; [`Error::Database`].
pub(super) async fn claim(session: &Session, cx: &Context<'_>, step: &StepId, fill: &Fill) -> Result<Ground, Error> {
    let relation = relation(session, fill).await?;
    let taken = take_over(session, cx, step, &relation).await;
    if taken.is_err() {
        session.abandon().await;
    }
    let (lanes, rows_written) = taken.map_err(|error| error.doing("claim the fill's lanes"))?;
    Ok(Ground {
        blocks: lanes.iter().map(|lane| lane.to - lane.from).sum(),
        lanes,
        rows_written,
        rows_per_page: relation.rows_per_page,
        block_size: relation.block_size,
    })
}

async fn relation(session: &Session, fill: &Fill) -> Result<Relation, Error> {
    let name = sql!("{t}", t = fill.table);
    let doing = || format!("read the size of {}", fill.table.display());
    let text = "SELECT relkind = 'r', pg_relation_filenode(oid), pg_relation_size(oid), current_setting('block_size')::int8, \
                reltuples::float8 / greatest(relpages, 1) FROM pg_catalog.pg_class WHERE oid = $1::text::regclass";
    let row = session.query_one(text, &[&name.as_str()]).await.map_err(|error| error.doing(doing()))?;
    if !row.get::<_, bool>(0) {
        return Err(Error::Refused(vec![Problem {
            what: "its rows cannot be filled in place".to_owned(),
            place: fill.table.display(),
            why: "only plain tables have blocks of their own".to_owned(),
            advice: "change its partitions one by one".to_owned(),
        }]));
    }
    let block_size: i64 = row.get(3);
    let blocks = row.get::<_, i64>(2) / block_size.max(1);
    let sampled = sql!(
        "SELECT count(*) FROM ONLY {t} WHERE ctid >= '(0,0)' AND ctid < '({end},0)'",
        t = fill.table,
        end = SAMPLE_BLOCKS
    );
    let sample = session.query_one(sampled.as_str(), &[]).await.map_err(|error| error.doing(doing()))?;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
    let sampled = sample.get::<_, i64>(0) as f64 / SAMPLE_BLOCKS.min(blocks).max(1) as f64;
    Ok(Relation {
        file: row.get(1),
        blocks: u64::try_from(blocks).unwrap_or(0),
        rows_per_page: row.get::<_, f64>(4).max(sampled),
        block_size: u32::try_from(block_size).unwrap_or(8192),
    })
}

async fn take_over(
    session: &Session,
    cx: &Context<'_>,
    step: &StepId,
    relation: &Relation,
) -> Result<(Vec<Lane>, u64), DbError> {
    session.batch(sql!("BEGIN; {hold}", hold = ledger::hold(cx.hold)).as_str()).await?;
    let text = "UPDATE shoofly.lane SET epoch = $3 WHERE run = $1 AND step = $2 \
                RETURNING lane, from_block, to_block, next_block, rows_written, relfilenode";
    let rows = session.query(text, &[&cx.hold.run, &step.0, &cx.hold.epoch]).await?;
    let written: i64 = rows.iter().map(|row| row.get::<_, i64>(4)).sum();
    let same_file = rows.iter().all(|row| row.get::<_, u32>(5) == relation.file);
    let wanted = cx.settings.fill.lanes.get();
    let mut lanes: Vec<Lane> = rows.iter().map(lane).collect();
    lanes.sort_by_key(|lane| lane.number);
    if rows.is_empty() || !same_file {
        for table in ["lane", "deferred"] {
            let forget = format!("DELETE FROM shoofly.{table} WHERE run = $1 AND step = $2");
            session.execute(&forget, &[&cx.hold.run, &step.0]).await?;
        }
        lanes = lay_out(relation.blocks, wanted);
        for lane in &lanes {
            let before = if lane.number == 0 { written } else { 0 };
            enter(session, cx, step, relation, lane, before).await?;
        }
    } else {
        while let Some((shortened, new)) = split(&lanes, wanted) {
            let text = "UPDATE shoofly.lane SET to_block = $4 WHERE run = $1 AND step = $2 AND lane = $3";
            session.execute(text, &[&cx.hold.run, &step.0, &shortened.number, &signed(shortened.to)]).await?;
            enter(session, cx, step, relation, &new, 0).await?;
            lanes.retain(|lane| lane.number != shortened.number);
            lanes.extend([shortened, new]);
        }
    }
    session.batch("COMMIT").await?;
    Ok((lanes, u64::try_from(written).unwrap_or(0)))
}

fn lane(row: &Row) -> Lane {
    let block = |at: usize| u64::try_from(row.get::<_, i64>(at)).unwrap_or(0);
    Lane { number: row.get(0), from: block(1), to: block(2), next: block(3) }
}

async fn enter(
    session: &Session,
    cx: &Context<'_>,
    step: &StepId,
    relation: &Relation,
    lane: &Lane,
    written: i64,
) -> Result<(), DbError> {
    let text = "INSERT INTO shoofly.lane (run, step, lane, epoch, relfilenode, from_block, to_block, next_block, rows_written) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let (from, to, next) = (signed(lane.from), signed(lane.to), signed(lane.next));
    session
        .execute(
            text,
            &[&cx.hold.run, &step.0, &lane.number, &cx.hold.epoch, &relation.file, &from, &to, &next, &written],
        )
        .await?;
    Ok(())
}

fn signed(block: u64) -> i64 {
    i64::try_from(block).unwrap_or(i64::MAX)
}

/// Equal ranges; at least one, however small the table is.
fn lay_out(blocks: u64, wanted: u32) -> Vec<Lane> {
    let count = u64::from(wanted).min(blocks).max(1);
    (0..count)
        .map(|at| {
            let (from, to) = (blocks * at / count, blocks * (at + 1) / count);
            Lane { number: i32::try_from(at).unwrap_or(i32::MAX), from, to, next: from }
        })
        .collect()
}

/// Where fewer lanes have work left than are wanted: the one with the most left, cut in two.
fn split(lanes: &[Lane], wanted: u32) -> Option<(Lane, Lane)> {
    let working = lanes.iter().filter(|lane| lane.left() > 0).count();
    let longest = lanes.iter().max_by_key(|lane| lane.left()).filter(|lane| lane.left() >= 2)?;
    if working >= usize::try_from(wanted).unwrap_or(usize::MAX) {
        return None;
    }
    let middle = longest.next + longest.left() / 2;
    let number = lanes.iter().map(|lane| lane.number).max().unwrap_or(0) + 1;
    let new = Lane { number, from: middle, to: longest.to, next: middle };
    Some((Lane { to: middle, ..longest.clone() }, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_cover_every_block_once() {
        for (blocks, wanted, expected) in [(0, 2, 1), (1, 4, 1), (10, 3, 3), (7, 7, 7)] {
            let lanes = lay_out(blocks, wanted);
            assert_eq!(lanes.len(), expected);
            assert_eq!(lanes[0].from, 0);
            assert_eq!(lanes[expected - 1].to, blocks);
            assert!(lanes.windows(2).all(|pair| pair[0].to == pair[1].from));
        }
    }

    #[test]
    fn more_lanes_than_before_share_what_is_left() {
        let lanes = [Lane { number: 0, from: 0, to: 100, next: 60 }, Lane { number: 1, from: 100, to: 200, next: 200 }];
        let (old, new) = split(&lanes, 2).unwrap();
        assert_eq!((old.from, old.to, old.next), (0, 80, 60));
        assert_eq!((new.number, new.from, new.to, new.next), (2, 80, 100, 80));
        assert_eq!(split(&lanes, 1), None);
        assert_eq!(split(&[Lane { number: 0, from: 0, to: 9, next: 8 }], 2), None);
    }
}
