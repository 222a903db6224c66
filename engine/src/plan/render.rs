//! A plan as text: what was asked, what must be known, every step with its locks and its cost, and then its SQL.

use std::fmt::Write;

use super::rows::{Rows, RowsStage};
use super::shadow::{Shadow, ShadowStage};
use super::{Action, Check, Cost, Finding, Guard, Held, Lock, LockMode, Phase, PhaseKind, Plan, Step, Strategy, Undo};
use crate::dialect::mysql::{native, rows};
use crate::text::Sql;

mod page;

pub(crate) use page::{Page, grouped, size};

/// The plan for people, at most 110 columns wide where words allow it.
#[must_use]
pub fn render(plan: &Plan) -> String {
    with(plan, |_| {})
}

/// The same, with something between what must be known and what is done.
pub(crate) fn with(plan: &Plan, between: impl FnOnce(&mut Page)) -> String {
    let mut page = Page::default();
    page.head(plan);
    page.findings(plan);
    page.preflight(&plan.preflight);
    between(&mut page);
    for phase in &plan.phases {
        page.phase(phase);
    }
    page.statements(plan);
    page.text
}

impl Page {
    fn head(&mut self, plan: &Plan) {
        self.line(0, &format!("plan of {} for {}", plan.migration, plan.server));
        for operation in &plan.operations {
            self.wrapped(2, 4, &format!("{} ({})", operation.summary, strategy(operation.strategy)));
        }
        if plan.phases.is_empty() {
            self.heading("nothing to do");
        }
    }

    fn findings(&mut self, plan: &Plan) {
        if plan.findings.is_empty() {
            return;
        }
        self.heading("findings");
        let needs_word = |finding: &&Finding| finding.hazard.is_some();
        for finding in
            plan.findings.iter().filter(needs_word).chain(plan.findings.iter().filter(|f| f.hazard.is_none()))
        {
            let mark = match (finding.hazard, finding.accepted) {
                (None, _) => "notice".to_owned(),
                (Some(hazard), true) => format!("{}, accepted", hazard.word()),
                (Some(hazard), false) => format!("{}, needs --accept {}", hazard.word(), hazard.word()),
            };
            self.wrapped(2, 4, &format!("[{mark}] {} ({})", finding.what, finding.place));
            self.wrapped(4, 9, &format!("why: {}", finding.why));
            self.wrapped(4, 9, &format!("do:  {}", finding.advice));
        }
    }

    fn preflight(&mut self, checks: &[Check]) {
        if checks.is_empty() {
            return;
        }
        self.heading("checked before the first change, without locking anybody out");
        for check in checks {
            self.wrapped(2, 4, &check.claim);
        }
    }

    fn phase(&mut self, phase: &Phase) {
        self.heading(&format!("{}: {}", phase.kind.word(), meaning(phase.kind)));
        for step in &phase.steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        self.wrapped(2, 15, &format!("{:<12} {}", step.id.0, step.title));
        for lock in &step.locks {
            self.wrapped(15, 21, &format!("lock  {}", lock_in_words(lock)));
        }
        let guard = match step.guard {
            Guard::Free => None,
            Guard::Brief => {
                Some("asks only when the way is clear, within the lock budget, else steps aside and tries again")
            }
            Guard::Patient => Some("may wait: reads and writes go on meanwhile"),
        };
        if let Some(guard) = guard {
            self.wrapped(15, 21, &format!("guard {guard}"));
        }
        self.wrapped(15, 21, &format!("cost  {}", cost(step.cost)));
        if let Some(undo) = undo(&step.undo) {
            self.wrapped(15, 21, &format!("undo  {undo}"));
        }
    }

    fn statements(&mut self, plan: &Plan) {
        if plan.phases.is_empty() {
            return;
        }
        self.heading("statements");
        for step in plan.steps() {
            self.line(2, &format!("-- {}", step.id.0));
            match &step.action {
                Action::Transaction { lock_first, statements } => {
                    for lock in lock_first {
                        self.line(2, &format!("LOCK TABLE {} IN {} MODE;", name(&lock.table), lock.mode.sql()));
                    }
                    for statement in statements {
                        self.sql(statement);
                    }
                }
                Action::BuildIndex { statement, .. } | Action::DropIndex { statement, .. } => self.sql(statement),
                Action::Fill(fill) => {
                    let assignments: Vec<String> = fill
                        .assignments
                        .iter()
                        .map(|one| format!("{} = {}", quoted(&one.column), one.value.as_str()))
                        .collect();
                    self.line(2, "-- in pieces of some milliseconds, rows that others hold left for later:");
                    self.sql(&Sql::raw(format!(
                        "UPDATE {} SET {} WHERE {}",
                        name(&fill.table),
                        assignments.join(", "),
                        fill.pending.as_str()
                    )));
                }
                Action::Verify { proofs } => {
                    self.line(2, "-- in pieces, none of which may find a row:");
                    for proof in proofs {
                        self.sql(&Sql::raw(format!(
                            "SELECT 1 FROM {} WHERE {}",
                            proof.table.display(),
                            proof.violation.as_str()
                        )));
                    }
                }
                Action::AwaitSnapshots => self.line(2, "-- reads the sessions and transactions that the server shows"),
                Action::Native(change) => self.sql(&native::alter(change)),
                Action::Shadow { stage, shadow, statements } => {
                    if let Some(remark) = shadow_remark(*stage, shadow) {
                        self.line(2, &format!("-- {remark}"));
                    }
                    for statement in statements {
                        self.sql(statement);
                    }
                }
                Action::Rows { stage, rows, statements } => self.rows(*stage, rows, statements),
            }
        }
    }

    fn rows(&mut self, stage: RowsStage, made: &Rows, statements: &[Sql]) {
        match stage {
            RowsStage::Follow | RowsStage::Clean => {
                self.line(2, &format!("-- under LOCK TABLES {} WRITE", made.table.display()));
            }
            RowsStage::Replace => {
                let table = made.table.display();
                self.line(
                    2,
                    &format!("-- under LOCK TABLES {table} WRITE, unless a trigger has noted a row since the proof"),
                );
            }
            RowsStage::Fill => {
                self.line(2, "-- in pieces of some milliseconds, rows that others hold left for later:");
                self.sql(&rows::whole(made));
            }
        }
        for statement in statements {
            self.sql(statement);
        }
    }
}

/// What is done besides the statements.
fn shadow_remark(stage: ShadowStage, shadow: &Shadow) -> Option<String> {
    match stage {
        ShadowStage::Mirror => Some(format!("under LOCK TABLES {} WRITE", shadow.table.display())),
        ShadowStage::Copy => Some("in pieces of some milliseconds, rows that others hold left for later".to_owned()),
        ShadowStage::Compare => Some("in pieces, each of which compares every value of both tables".to_owned()),
        ShadowStage::Make
        | ShadowStage::Index
        | ShadowStage::Repoint
        | ShadowStage::Swap
        | ShadowStage::Clean
        | ShadowStage::MirrorBack
        | ShadowStage::Exchange
        | ShadowStage::Release => None,
    }
}

fn name(table: &crate::name::TableName) -> String {
    use crate::text::AsSql;
    table.as_sql()
}

fn quoted(column: &crate::name::Ident) -> String {
    use crate::text::AsSql;
    column.as_sql()
}

fn strategy(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Metadata => "metadata",
        Strategy::Online => "online",
        Strategy::DualColumn => "dual column",
        Strategy::ShadowTable => "shadow table",
        Strategy::Direct => "direct, blocking",
    }
}

fn meaning(kind: PhaseKind) -> &'static str {
    match kind {
        PhaseKind::Expand => "new things beside the old ones",
        PhaseKind::Backfill => "rows that exist",
        PhaseKind::Build => "indexes and constraints",
        PhaseKind::Verify => "proof; then the run is ready",
        PhaseKind::Contract => "with `complete`: the new shape takes over",
    }
}

fn lock_in_words(lock: &Lock) -> String {
    let mut words = format!("{}: {}", lock.relation.display(), lock.mode.sql());
    if !lock.why.is_empty() {
        let _infallible = write!(words, " ({})", lock.why);
    }
    let held = match lock.held {
        Held::Moment => "for some milliseconds",
        Held::Chunk => "a piece at a time",
        Held::Work => "for as long as it takes",
    };
    let effect = match lock.mode {
        mode if mode.blocks_reads() => "reads and writes wait",
        mode if mode.blocks_writes() => "writes wait",
        LockMode::ShareUpdateExclusive => "reads and writes go on",
        _ => "nobody waits",
    };
    let _infallible = write!(words, ", {effect}, {held}");
    words
}

fn cost(cost: Cost) -> String {
    match cost {
        Cost::Catalogue => "catalogue only".to_owned(),
        Cost::Scan { bytes } => format!("reads {}", size(bytes)),
        Cost::IndexBuild { bytes } => format!("reads {} twice, and writes the index", size(bytes)),
        Cost::Rows { rows, bytes } => format!("writes about {} rows ({})", grouped(rows), size(bytes)),
        Cost::Wait => "waits for others".to_owned(),
    }
}

/// How it is taken back; nothing to say of what changes nothing that lasts.
fn undo(undo: &Undo) -> Option<String> {
    match undo {
        Undo::Nothing => None,
        Undo::Statements { .. } => Some("`rollback` takes it back".to_owned()),
        Undo::DropIndex { .. } => Some("`rollback` drops the index, and reads and writes go on meanwhile".to_owned()),
        Undo::Impossible { why } => Some(format!("no way back: {why}")),
    }
}
