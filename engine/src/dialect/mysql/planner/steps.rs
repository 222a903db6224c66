//! The steps of a shadow table, in order.

use super::Seed;
use crate::dialect::mysql::shadow::{swap, swapped};
use crate::dialect::mysql::{lock as locking, shape, trigger};
use crate::plan::shadow::{Shadow, ShadowStage};
use crate::plan::{Action, Cost, Guard, Held, Lock, LockMode, PhaseKind, Probe, Step, StepId, TableLock, Undo};
use crate::schema::mysql::{Table, TablePath};
use crate::sql;
use crate::text::Sql;

/// All of them. `make` makes the tables, `definitions` are indexes to be built after the copy.
pub(super) fn all(shadow: &Shadow, table: &Table, make: Vec<Sql>, definitions: &[Sql]) -> Vec<Seed> {
    let steps = Steps { shadow, table };
    let mut all = vec![steps.make(make), steps.mirror(), steps.copy(), steps.index(definitions)];
    all.extend([steps.compare(), steps.wait()]);
    if !shadow.children.is_empty() {
        all.push(steps.repoint());
    }
    all.extend([steps.swap(), steps.clean()]);
    all
}

struct Steps<'a> {
    shadow: &'a Shadow,
    table: &'a Table,
}

pub(super) fn lock(path: &TablePath, mode: LockMode, held: Held) -> Lock {
    Lock { relation: path.qualified(), mode, why: String::new(), held }
}

fn exclusive(path: &TablePath) -> Lock {
    lock(path, LockMode::MetadataExclusive, Held::Moment)
}

/// A stage whose locks nobody notices, until it is said otherwise.
pub(super) fn seed(phase: PhaseKind, title: String, stage: ShadowStage, shadow: &Shadow, statements: Vec<Sql>) -> Seed {
    let step = Step {
        id: StepId(String::new()),
        title,
        action: Action::Shadow { stage, shadow: Box::new(shadow.clone()), statements },
        locks: Vec::new(),
        guard: Guard::Free,
        cost: Cost::Catalogue,
        probe: Probe::Ledger,
        undo: Undo::Nothing,
    };
    Seed { phase, step }
}

/// The same under the exclusive locks of these tables, for a moment.
pub(super) fn brief(mut seed: Seed, tables: &[&TablePath]) -> Seed {
    seed.step.locks = tables.iter().map(|path| exclusive(path)).collect();
    seed.step.guard = Guard::Brief;
    seed
}

/// From here on writes are in the new table only, or keys of others refer to it.
fn gone() -> Undo {
    Undo::Impossible { why: "the new table is taking the old one's place".to_owned() }
}

impl Steps<'_> {
    fn name(&self) -> String {
        self.shadow.table.display()
    }

    fn seed(&self, phase: PhaseKind, title: String, stage: ShadowStage, statements: Vec<Sql>) -> Seed {
        seed(phase, title, stage, self.shadow, statements)
    }

    fn make(&self, statements: Vec<Sql>) -> Seed {
        let title = format!("make an empty table of the new shape beside {}", self.name());
        let mut seed = self.seed(PhaseKind::Expand, title, ShadowStage::Make, statements);
        seed.step.locks = vec![lock(&self.shadow.table, LockMode::SharedRead, Held::Moment)];
        let referenced = self.shadow.foreign_keys.iter().map(|key| &key.referenced);
        for path in referenced.filter(|path| **path != self.shadow.table) {
            let why = "a foreign key refers to it".to_owned();
            seed.step.locks.push(Lock { why, ..exclusive(path) });
            seed.step.guard = Guard::Brief;
        }
        let made = [Some(self.shadow.shadow.clone()), Some(self.shadow.shape.clone()), shape::named(self.shadow)];
        let statements = made.iter().flatten().map(shape::drop).collect();
        seed.step.undo = Undo::Statements { lock_first: Vec::new(), statements };
        seed
    }

    fn mirror(&self) -> Seed {
        let title = format!("make the triggers that keep it in step with {}", self.name());
        let mut statements: Vec<Sql> = trigger::announce(self.shadow.product, self.table).into_iter().collect();
        statements.extend(trigger::drop(self.shadow));
        statements.extend(trigger::create(self.shadow));
        let seed = self.seed(PhaseKind::Expand, title, ShadowStage::Mirror, statements);
        let mut seed = brief(seed, &[&self.shadow.table]);
        let lock = TableLock { table: self.shadow.table.qualified(), mode: LockMode::MetadataExclusive };
        let statements = vec![locking::under(&self.shadow.table, &trigger::drop(self.shadow))];
        seed.step.undo = Undo::Statements { lock_first: vec![lock], statements };
        seed
    }

    fn copy(&self) -> Seed {
        let title = format!("copy the rows of {}", self.name());
        let mut seed = self.seed(PhaseKind::Backfill, title, ShadowStage::Copy, Vec::new());
        seed.step.locks = vec![lock(&self.shadow.table, LockMode::SharedWrite, Held::Chunk)];
        seed.step.cost = Cost::Rows { rows: self.table.estimated_rows, bytes: self.table.data_bytes };
        seed
    }

    fn index(&self, definitions: &[Sql]) -> Seed {
        let mut statements: Vec<Sql> = shape::add_indexes(self.shadow, definitions).into_iter().collect();
        statements.extend(shape::add_own_references(self.shadow));
        statements.push(sql!("ANALYZE TABLE {s}", s = self.shadow.shadow));
        let title = match definitions.len() {
            0 => "bring the new table's statistics up to date".to_owned(),
            1 => "build an index of the new table, and bring its statistics up to date".to_owned(),
            n => format!("build {n} indexes of the new table, and bring its statistics up to date"),
        };
        let seed = self.seed(PhaseKind::Build, title, ShadowStage::Index, statements);
        let mut seed = brief(seed, &[&self.shadow.shadow]);
        if !definitions.is_empty() {
            seed.step.cost = Cost::IndexBuild { bytes: self.table.data_bytes };
        }
        seed
    }

    fn compare(&self) -> Seed {
        let title = "compare every row of both tables".to_owned();
        let mut seed = self.seed(PhaseKind::Verify, title, ShadowStage::Compare, Vec::new());
        let tables = [&self.shadow.table, &self.shadow.shadow];
        seed.step.locks = tables.map(|path| lock(path, LockMode::SharedRead, Held::Chunk)).to_vec();
        seed.step.cost = Cost::Scan { bytes: self.table.data_bytes.saturating_mul(2) };
        seed
    }

    fn wait(&self) -> Seed {
        let title = "wait for transactions that began before the copy was whole".to_owned();
        let mut seed = self.seed(PhaseKind::Verify, title, ShadowStage::Compare, Vec::new());
        seed.step.action = Action::AwaitSnapshots;
        seed.step.cost = Cost::Wait;
        seed
    }

    fn repoint(&self) -> Seed {
        let statements: Vec<Sql> =
            self.shadow.children.iter().map(|child| shape::repoint(self.shadow, child)).collect();
        let title = "make foreign keys of other tables refer to the new table".to_owned();
        let seed = self.seed(PhaseKind::Contract, title, ShadowStage::Repoint, statements);
        let mut locks: Vec<&TablePath> = self.shadow.children.iter().map(|child| &child.table).collect();
        locks.extend([&self.shadow.table, &self.shadow.shadow]);
        let mut seed = brief(seed, &locks);
        seed.step.undo = gone();
        seed
    }

    fn swap(&self) -> Seed {
        let title = format!("give the new table the name {}", self.name());
        let seed = self.seed(PhaseKind::Contract, title, ShadowStage::Swap, vec![swap(self.shadow)]);
        let mut seed = brief(seed, &[&self.shadow.table, &self.shadow.shadow]);
        seed.step.probe = Probe::Query { query: swapped(self.shadow) };
        seed.step.undo = gone();
        seed
    }

    fn clean(&self) -> Seed {
        let names = !(self.shadow.foreign_keys.is_empty()
            && self.shadow.children.is_empty()
            && self.shadow.triggers.is_empty());
        let title = match names {
            true => "drop the old table, and give keys and triggers their names".to_owned(),
            false => "drop the old table".to_owned(),
        };
        let seed = self.seed(PhaseKind::Contract, title, ShadowStage::Clean, shape::clean(self.shadow));
        let mut locks = vec![&self.shadow.old];
        if names || self.shadow.own_key.is_some() {
            locks.push(&self.shadow.table);
        }
        let mut seed = brief(seed, &locks);
        seed.step.undo = gone();
        seed
    }
}
