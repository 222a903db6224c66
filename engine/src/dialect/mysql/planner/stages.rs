//! The steps of a fill: triggers, rows, proof, and what `complete` does.

use super::{Context, Seed};
use crate::dialect::mysql::key::KeyColumn;
use crate::dialect::mysql::{lock as locking, rows as text};
use crate::error::Problem;
use crate::name::Ident;
use crate::plan::rows::{Rows, RowsStage};
use crate::plan::{Action, Check, Cost, Guard, Held, Lock, LockMode, PhaseKind, Probe, Step, StepId, TableLock, Undo};
use crate::schema::mysql::{Column, Table};
use crate::sql::mysql::Name;
use crate::text::Sql;

/// What the steps are about.
pub(super) struct Stages<'a> {
    pub(super) table: &'a Table,
    pub(super) rows: &'a Rows,
    /// What is set, for people.
    pub(super) place: String,
}

impl Stages<'_> {
    /// The triggers by `follow`, the fill, the proof, and the wait for those who have not seen all of it.
    pub(super) fn until_ready(&self, follow: Vec<Sql>, proof: Check) -> Vec<Seed> {
        use LockMode::{MetadataExclusive, SharedRead, SharedWrite};
        let (place, bytes) = (&self.place, self.table.data_bytes);
        let drop = text::drop(&self.rows.table);
        let way_back = Undo::Statements {
            lock_first: vec![TableLock { table: self.table.path.qualified(), mode: MetadataExclusive }],
            statements: vec![locking::under(&self.rows.table, &drop)],
        };
        let mut following = self.seed(
            PhaseKind::Expand,
            format!("make the triggers that set {place}"),
            self.action(RowsStage::Follow, follow),
            (MetadataExclusive, Held::Moment),
            Cost::Catalogue,
        );
        following.step.undo = way_back;
        let filling = self.seed(
            PhaseKind::Backfill,
            format!("set {place}"),
            self.action(RowsStage::Fill, Vec::new()),
            (SharedWrite, Held::Chunk),
            Cost::Rows { rows: self.table.estimated_rows, bytes },
        );
        let proving = self.seed(
            PhaseKind::Verify,
            "prove every row".to_owned(),
            Action::Verify { proofs: vec![proof] },
            (SharedRead, Held::Chunk),
            Cost::Scan { bytes },
        );
        let mut waiting = self.seed(
            PhaseKind::Verify,
            "wait for transactions that began before the end of the fill".to_owned(),
            Action::AwaitSnapshots,
            (SharedRead, Held::Moment),
            Cost::Wait,
        );
        waiting.step.locks.clear();
        vec![following, filling, proving, waiting]
    }

    /// What `complete` does.
    pub(super) fn end(&self, title: String, stage: RowsStage, statements: Vec<Sql>) -> Seed {
        let action = self.action(stage, statements);
        self.seed(PhaseKind::Contract, title, action, (LockMode::MetadataExclusive, Held::Moment), Cost::Catalogue)
    }

    fn action(&self, stage: RowsStage, statements: Vec<Sql>) -> Action {
        Action::Rows { stage, rows: Box::new(self.rows.clone()), statements }
    }

    fn seed(&self, phase: PhaseKind, title: String, action: Action, lock: (LockMode, Held), cost: Cost) -> Seed {
        let (mode, held) = lock;
        let guard = if mode == LockMode::MetadataExclusive { Guard::Brief } else { Guard::Free };
        let locks = vec![Lock { relation: self.table.path.qualified(), mode, why: String::new(), held }];
        let (id, probe, undo) = (StepId(String::new()), Probe::Ledger, Undo::Nothing);
        Seed { phase, step: Step { id, title, action, locks, guard, cost, probe, undo } }
    }
}

/// A statement about rows of the table that must hold.
pub(super) fn check(table: &Table, claim: String, violation: Sql, advice: &str) -> Check {
    let key = table.identity().into_iter().flat_map(|index| &index.parts);
    Check {
        table: table.path.qualified(),
        claim,
        violation,
        key: key.filter_map(|part| part.column.clone()).map(Ident::from).collect(),
        advice: advice.to_owned(),
    }
}

/// The columns that name a row, and the index over them.
pub(super) fn key(table: &Table, cx: &Context<'_>) -> Result<(Vec<Column>, Name), Problem> {
    let unfit = || {
        cx.problem(
            format!("{} has no key that can be walked", table.path.display()),
            "its values have a type whose text is not exact",
            "give the table a key of numbers, text, bytes or dates",
        )
    };
    let identity = table.identity().ok_or_else(unfit)?;
    let key: Option<Vec<Column>> =
        identity.parts.iter().map(|part| table.column(part.column.as_ref()?.as_str()).cloned()).collect();
    let key = key.filter(|key| key.iter().all(|column| KeyColumn::of(column).is_some())).ok_or_else(unfit)?;
    Ok((key, identity.name.clone()))
}
