//! Steps on their way into a plan: where in the order each belongs, and how each is put together.

use crate::dialect::postgres::index;
use crate::error::Problem;
use crate::name::{QualifiedName, TableName};
use crate::plan::{
    Action, Check, Cost, Fill, Finding, Guard, Held, Lock, LockMode, Probe, Step, StepId, Strategy, TableLock, Undo,
};
use crate::schema::{Server, Table};
use crate::text::Sql;

/// Where a step belongs. The steps of several operations are merged by this, each operation's own order kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// Functions: nobody sees them yet.
    Prepare,
    /// New things beside the old ones.
    Expand,
    /// Existing rows.
    Backfill,
    /// Indexes and constraints on what was filled.
    Build,
    /// Proof; the end of it is *ready*.
    Verify,
    /// From here writes that the new shape refuses are refused.
    Harden,
    /// Indexes and constraints that could refuse a write of the old shape.
    Constrain,
    /// What must be proved once writes are held to the new shape.
    Prove,
    /// The new shape takes over.
    Swap,
    /// What is left over goes.
    Finish,
}

/// What one operation comes to.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// How; `None` where there is nothing to do.
    pub(crate) strategy: Option<Strategy>,
    /// In a few words.
    pub(crate) summary: String,
    pub(crate) steps: Vec<Seed>,
    pub(crate) proofs: Vec<Check>,
    pub(crate) preflight: Vec<Check>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) problems: Vec<Problem>,
}

impl Draft {
    /// Takes over another operation's steps, proofs, problems and findings; equal findings once.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.proofs.extend(other.proofs);
        self.preflight.extend(other.preflight);
        self.problems.extend(other.problems);
        for finding in other.findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }

    /// Tables that some step changes: locks more strongly than a reader or a writer does, or fills.
    pub(crate) fn tables(&self) -> Vec<TableName> {
        let mut tables: Vec<TableName> = Vec::new();
        for seed in &self.steps {
            for table in seed.tables() {
                if !tables.contains(&table) {
                    tables.push(table);
                }
            }
        }
        tables
    }
}

/// A step without its identity.
#[derive(Debug, Clone)]
pub(crate) struct Seed {
    pub(crate) slot: Slot,
    title: String,
    action: Action,
    locks: Vec<Lock>,
    guard: Guard,
    cost: Cost,
    probe: Probe,
    undo: Undo,
}

impl Seed {
    /// A change of the catalogue under locks that conflict with reads or writes, taken in this order.
    pub(crate) fn brief(slot: Slot, title: String, lock_first: Vec<TableLock>, statements: Vec<Sql>) -> Self {
        let locks = lock_first
            .iter()
            .map(|lock| Lock { relation: lock.table.clone(), mode: lock.mode, why: String::new(), held: Held::Moment })
            .collect();
        Self {
            slot,
            title,
            action: Action::Transaction { lock_first, statements },
            locks,
            guard: Guard::Brief,
            cost: Cost::Catalogue,
            probe: Probe::Ledger,
            undo: Undo::Nothing,
        }
    }

    /// Statements whose own locks nobody notices.
    pub(crate) fn free(slot: Slot, title: String, statements: Vec<Sql>) -> Self {
        let mut seed = Self::brief(slot, title, Vec::new(), statements);
        seed.guard = Guard::Free;
        seed
    }

    /// Statements that read the table under locks that let reads and writes through.
    pub(crate) fn patient(slot: Slot, title: String, statements: Vec<Sql>, cost: Cost) -> Self {
        let mut seed = Self::brief(slot, title, Vec::new(), statements);
        seed.guard = Guard::Patient;
        seed.cost = cost;
        seed
    }

    /// `CREATE INDEX CONCURRENTLY`.
    pub(crate) fn build_index(title: String, index: QualifiedName, table: &Table, statement: Sql, cost: Cost) -> Self {
        Self {
            slot: Slot::Build,
            title,
            probe: Probe::Query { query: index::built(&index, &table.name) },
            action: Action::BuildIndex { index, table: table.name.clone(), statement },
            locks: vec![Lock {
                relation: table.name.clone(),
                mode: LockMode::ShareUpdateExclusive,
                why: String::new(),
                held: Held::Work,
            }],
            guard: Guard::Patient,
            cost,
            undo: Undo::Nothing,
        }
    }

    /// `DROP INDEX CONCURRENTLY`.
    pub(crate) fn drop_index(slot: Slot, title: String, index: QualifiedName, table: &TableName) -> Self {
        Self {
            slot,
            title,
            probe: Probe::Query { query: index::dropped(&index) },
            locks: vec![Lock {
                relation: table.clone(),
                mode: LockMode::ShareUpdateExclusive,
                why: String::new(),
                held: Held::Work,
            }],
            action: Action::DropIndex { statement: index::drop_concurrently(&index), index, table: table.clone() },
            guard: Guard::Patient,
            cost: Cost::Wait,
            undo: Undo::Nothing,
        }
    }

    /// The backfill.
    pub(crate) fn fill(title: String, fill: Fill, table: &Table, server: &Server) -> Self {
        Self {
            slot: Slot::Backfill,
            title,
            locks: vec![Lock {
                relation: table.name.clone(),
                mode: LockMode::RowExclusive,
                why: String::new(),
                held: Held::Chunk,
            }],
            action: Action::Fill(fill),
            guard: Guard::Free,
            cost: Cost::Rows { rows: table.estimated_rows, bytes: heap_bytes(table, server) },
            probe: Probe::Ledger,
            undo: Undo::Nothing,
        }
    }

    /// Proofs over the tables that they name.
    pub(crate) fn verify(slot: Slot, title: String, proofs: Vec<Check>, bytes: u64) -> Self {
        let mut locks: Vec<Lock> = Vec::new();
        for proof in &proofs {
            if locks.iter().all(|lock| lock.relation != proof.table) {
                locks.push(Lock {
                    relation: proof.table.clone(),
                    mode: LockMode::AccessShare,
                    why: String::new(),
                    held: Held::Chunk,
                });
            }
        }
        Self {
            slot,
            title,
            action: Action::Verify { proofs },
            locks,
            guard: Guard::Free,
            cost: Cost::Scan { bytes },
            probe: Probe::Ledger,
            undo: Undo::Nothing,
        }
    }

    /// The barrier after fills.
    pub(crate) fn await_snapshots() -> Self {
        Self {
            slot: Slot::Verify,
            title: "wait until every transaction that began before the end of the fill has ended".to_owned(),
            action: Action::AwaitSnapshots,
            locks: Vec::new(),
            guard: Guard::Free,
            cost: Cost::Wait,
            probe: Probe::Ledger,
            undo: Undo::Nothing,
        }
    }

    /// In another place of the order.
    pub(crate) fn in_slot(mut self, slot: Slot) -> Self {
        self.slot = slot;
        self
    }

    /// With the way back.
    pub(crate) fn undone_by(mut self, undo: Undo) -> Self {
        self.undo = undo;
        self
    }

    /// With the statements that take it back, under these locks.
    pub(crate) fn undone_with(self, lock_first: Vec<TableLock>, statements: Vec<Sql>) -> Self {
        self.undone_by(Undo::Statements { lock_first, statements })
    }

    /// With one more relation that it locks.
    pub(crate) fn locking(mut self, relation: &QualifiedName, mode: LockMode, held: Held, why: &str) -> Self {
        match self.locks.iter_mut().find(|lock| lock.relation == *relation) {
            Some(lock) => {
                lock.mode = lock.mode.max(mode);
                lock.held = lock.held.max(held);
                if lock.why.is_empty() {
                    why.clone_into(&mut lock.why);
                }
            }
            None => self.locks.push(Lock { relation: relation.clone(), mode, why: why.to_owned(), held }),
        }
        self
    }

    /// The same step, at that cost.
    pub(crate) fn costing(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Both steps as one, where they take the same locks for a moment: each lock is one more chance of somebody waiting.
    ///
    /// # Errors
    /// Both as they were, where that cannot be.
    pub(crate) fn merged(mut self, mut next: Self) -> Result<Self, Box<(Self, Self)>> {
        let brief = |seed: &Self| seed.guard == Guard::Brief && seed.cost == Cost::Catalogue;
        let together = self.slot == next.slot && brief(&self) && brief(&next);
        let (
            Action::Transaction { lock_first, statements },
            Action::Transaction { lock_first: same, statements: more },
        ) = (&mut self.action, &mut next.action)
        else {
            return Err(Box::new((self, next)));
        };
        if !together || lock_first != same {
            return Err(Box::new((self, next)));
        }
        statements.append(more);
        self.undo = match (self.undo, next.undo) {
            (Undo::Nothing, undo) | (undo, Undo::Nothing) => undo,
            (Undo::Statements { lock_first, statements }, Undo::Statements { statements: mut later, .. }) => {
                later.extend(statements);
                Undo::Statements { lock_first, statements: later }
            }
            (impossible @ Undo::Impossible { .. }, _) | (_, impossible) => impossible,
        };
        self.title = format!("{}; {}", self.title, next.title);
        for lock in next.locks {
            self = self.locking(&lock.relation, lock.mode, lock.held, &lock.why);
        }
        Ok(self)
    }

    /// The step, under its identity.
    pub(crate) fn into_step(self, id: StepId) -> Step {
        Step {
            id,
            title: self.title,
            action: self.action,
            locks: self.locks,
            guard: self.guard,
            cost: self.cost,
            probe: self.probe,
            undo: self.undo,
        }
    }

    fn tables(&self) -> Vec<TableName> {
        match &self.action {
            Action::Transaction { lock_first, .. } => lock_first.iter().map(|lock| lock.table.clone()).collect(),
            Action::BuildIndex { table, .. } | Action::DropIndex { table, .. } => vec![table.clone()],
            Action::Fill(fill) => vec![fill.table.clone()],
            Action::Native(_)
            | Action::Shadow { .. }
            | Action::Rows { .. }
            | Action::Verify { .. }
            | Action::AwaitSnapshots => Vec::new(),
        }
    }

    /// The table that it builds an index on, where it does.
    pub(crate) fn indexed_table(&self) -> Option<&TableName> {
        match &self.action {
            Action::BuildIndex { table, .. } => Some(table),
            _ => None,
        }
    }

    /// The fill that it is, where it is one.
    pub(crate) fn as_fill(&self) -> Option<&Fill> {
        match &self.action {
            Action::Fill(fill) => Some(fill),
            _ => None,
        }
    }
}

/// A lock on one table.
pub(crate) fn lock(table: &TableName, mode: LockMode) -> TableLock {
    TableLock { table: table.clone(), mode }
}

/// `ACCESS EXCLUSIVE` on one table.
pub(crate) fn exclusive(table: &TableName) -> Vec<TableLock> {
    vec![lock(table, LockMode::AccessExclusive)]
}

/// Bytes of the heap.
pub(crate) fn heap_bytes(table: &Table, server: &Server) -> u64 {
    table.blocks.saturating_mul(u64::from(server.block_size))
}
