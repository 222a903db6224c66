//! The time after a swap in which the old table follows the new one.

use super::{Context, Draft, Seed};
use crate::dialect::mysql::shadow::{Pair, exchange, exchanged};
use crate::dialect::mysql::trigger;
use crate::error::Problem;
use crate::plan::shadow::{Copied, Rivals, Shadow, ShadowStage, Way};
use crate::plan::{Action, LockMode, PhaseKind, Probe, Step, StepId, Strategy, Undo, Ways, Window};
use crate::schema::mysql::{Column, Index, Table};

/// What one statement says of keeping its old table.
#[derive(Debug, Default)]
pub(super) enum Keep {
    /// There is none.
    #[default]
    Nothing,
    /// There is one, and it cannot be kept.
    Closed(Vec<Problem>),
    /// It can.
    Open(Box<Ways>),
}

/// Says whether the old table of a copy can be kept, and how.
pub(super) fn draft(shadow: &Shadow, table: &Table, after: &Table, clean: &Step, cx: &Context<'_>, draft: &mut Draft) {
    let mut reasons = reasons(shadow, table, cx);
    let back = back(shadow, table, after);
    if back.is_none() && shadow.own_key.is_none() {
        reasons.push(cx.problem(
            format!("{} cannot follow the new shape", table.path.display()),
            "its rows could not be found by the new shape's key",
            "complete without keeping the old table",
        ));
    }
    draft.keep = match back {
        Some(back) if reasons.is_empty() => Keep::Open(Box::new(Steps { shadow, back: &back }.ways(clean))),
        _ => Keep::Closed(reasons),
    };
}

fn reasons(shadow: &Shadow, table: &Table, cx: &Context<'_>) -> Vec<Problem> {
    let mut reasons = Vec::new();
    let mut refuse = |what: String, why: &str| {
        reasons.push(cx.problem(
            what,
            why,
            "complete without keeping the old table; the way back is then `shoofly down`",
        ));
    };
    for child in &shadow.children {
        refuse(
            format!("{} refers to the table by the foreign key {}", child.table.display(), child.key.name.as_str()),
            "it can refer to one of both tables only, and is made to refer to the new one",
        );
    }
    for trigger in &shadow.triggers {
        refuse(
            format!("the table has the trigger {}", trigger.name.as_str()),
            "on a table that only follows, it would do its work a second time",
        );
    }
    if shadow.own_key.is_some() {
        refuse(
            "the new shape has no unique key over the columns that tell the old rows apart".to_owned(),
            "the old table could not take rows that the new one takes",
        );
    }
    let lost = |column: &&Column| {
        let kept = shadow.columns.iter().any(|pair| pair.before.name == column.name);
        let needed = !column.nullable && column.default.is_none() && !column.auto_increment;
        needed && !kept && column.generated.is_none()
    };
    for column in table.columns.iter().filter(lost) {
        refuse(
            format!("the new shape has nothing to put into the column {}", column.name.as_str()),
            "it takes no NULL and has no default, so that the old table could not take new rows",
        );
    }
    reasons
}

/// The old shape as the second table of the new one. `None` where its rows cannot be told apart by the new shape's columns.
fn back(shadow: &Shadow, table: &Table, after: &Table) -> Option<Shadow> {
    let turned = |pair: &Copied| Copied { before: pair.after.clone(), after: pair.before.clone() };
    let key: Vec<Copied> = shadow.key.iter().map(turned).collect();
    if key.iter().any(|pair| pair.before.nullable) {
        return None;
    }
    let over_key = |index: &&Index| index.unique && super::shadow::is_over(index, &shadow.key);
    let key_index = after.indexes.iter().find(over_key)?.name.clone();
    let rival = table.indexes.iter().any(|index| index.unique && index.name != shadow.key_index);
    let columns = shadow.columns.iter().filter(|pair| pair.before.generated.is_none()).map(turned).collect();
    let back = Shadow {
        columns,
        key,
        key_index,
        foreign_keys: Vec::new(),
        rivals: if rival { Rivals::Some } else { Rivals::None },
        way: Way::Back,
        ..shadow.clone()
    };
    Pair::of(&back).map(|_| back)
}

struct Steps<'a> {
    shadow: &'a Shadow,
    back: &'a Shadow,
}

impl Steps<'_> {
    fn ways(&self, clean: &Step) -> Ways {
        Ways {
            switch: vec![self.mirror_back(), self.exchange(self.shadow), self.release(self.shadow)],
            proofs: vec![self.compare()],
            back: vec![self.exchange(self.back)],
            close: vec![self.release(self.back), self.clean(clean)],
        }
    }

    fn mirror_back(&self) -> Step {
        let title =
            format!("make the triggers that will keep the old table in step with {}", self.shadow.table.display());
        let seed = self.seed(title, ShadowStage::MirrorBack, self.back, trigger::create(self.back));
        super::steps::brief(seed, &[trigger::made_on(self.back)]).step
    }

    fn exchange(&self, shadow: &Shadow) -> Step {
        let whose = match shadow.way {
            Way::Forth => "new",
            Way::Back => "old",
        };
        let title = format!("give the {whose} table the name {}", shadow.table.display());
        let seed = self.seed(title, ShadowStage::Exchange, shadow, vec![exchange(shadow)]);
        let mut seed = super::steps::brief(seed, &[&shadow.table, &shadow.shadow]);
        let there = match shadow.way {
            Way::Forth => &shadow.table,
            Way::Back => &shadow.shadow,
        };
        seed.step.probe = Probe::Query { query: exchanged(self.back, there) };
        seed.step.undo = Undo::Impossible { why: format!("the {whose} table is taking the other one's place") };
        seed.step
    }

    fn release(&self, shadow: &Shadow) -> Step {
        let title = match shadow.way {
            Way::Forth => "drop the triggers that kept the new table in step".to_owned(),
            Way::Back => "drop the triggers that kept the old table in step".to_owned(),
        };
        let seed = self.seed(title, ShadowStage::Release, shadow, trigger::drop(shadow));
        let mut seed = super::steps::brief(seed, &[trigger::found_on(shadow)]);
        seed.step.undo = Undo::Impossible { why: "the tables have changed places".to_owned() };
        seed.step
    }

    fn compare(&self) -> Step {
        let title = "compare every row of both tables".to_owned();
        let mut step = self.seed(title, ShadowStage::Compare, self.back, Vec::new()).step;
        let tables = [&self.back.table, &self.back.shadow];
        step.locks =
            tables.map(|path| super::steps::lock(path, LockMode::SharedRead, crate::plan::Held::Chunk)).to_vec();
        step
    }

    /// The last step of any swap, but that the old table has another name.
    fn clean(&self, clean: &Step) -> Step {
        let mut step = clean.clone();
        if let Action::Shadow { shadow, statements, .. } = &mut step.action {
            shadow.old = self.shadow.shadow.clone();
            *statements = crate::dialect::mysql::shape::clean(shadow);
        }
        if let Some(lock) = step.locks.first_mut() {
            lock.relation = self.shadow.shadow.qualified();
        }
        step
    }

    fn seed(&self, title: String, stage: ShadowStage, shadow: &Shadow, statements: Vec<crate::text::Sql>) -> Seed {
        super::steps::seed(PhaseKind::Contract, title, stage, shadow, statements)
    }
}

/// What the statements say together: one that cannot be taken back after `complete` keeps the window closed for all.
pub(super) fn together(parts: Vec<(Option<Strategy>, Keep)>, migration: &str) -> Window {
    let (mut ways, mut reasons) = (Ways::default(), Vec::new());
    let (mut some, mut others) = (false, false);
    for (strategy, keep) in parts {
        match keep {
            Keep::Nothing => others |= strategy.is_some(),
            Keep::Closed(its) => {
                some = true;
                reasons.extend(its);
            }
            Keep::Open(its) => {
                some = true;
                ways.switch.extend(its.switch);
                ways.proofs.extend(its.proofs);
                ways.back.extend(its.back);
                ways.close.extend(its.close);
            }
        }
    }
    if some && others {
        reasons.push(Problem {
            what: "the migration holds changes that copy no table as well".to_owned(),
            place: migration.to_owned(),
            why: "they are made once and for all with `complete`, and nothing follows them".to_owned(),
            advice: "put them into a migration of their own".to_owned(),
        });
    }
    match (some, reasons.is_empty()) {
        (false, _) => Window::Nothing,
        (true, false) => Window::Closed { reasons },
        (true, true) => Window::Open(Box::new(numbered(ways))),
    }
}

/// All tables go through one stage before any goes through the next.
fn numbered(ways: Ways) -> Ways {
    let number = |word: &str, mut steps: Vec<Step>| {
        steps.sort_by_key(|step| match &step.action {
            Action::Shadow { stage: ShadowStage::MirrorBack, .. } => 0,
            Action::Shadow { stage: ShadowStage::Exchange, .. } => 1,
            Action::Shadow { stage: ShadowStage::Release, .. } => 2,
            _ => 3,
        });
        let numbered = steps.into_iter().enumerate();
        numbered.map(|(at, step)| Step { id: StepId(format!("{word}.{}", at + 1)), ..step }).collect::<Vec<Step>>()
    };
    Ways {
        switch: number("switch", ways.switch),
        proofs: number("proof", ways.proofs),
        back: number("back", ways.back),
        close: number("close", ways.close),
    }
}
