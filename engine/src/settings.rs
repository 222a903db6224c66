//! What an operator can turn, with the defaults and the reason for each.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::plan::Hazard;

/// Settings of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Lock discipline.
    pub locks: LockSettings,
    /// Backfill pace.
    pub fill: FillSettings,
    /// Hazards that the operator accepts.
    pub accept: BTreeSet<Hazard>,
    /// Whether steps that block the application may be planned (`--allow blocking`).
    pub allow_blocking: bool,
    /// Whether the old table is kept once the new one is in force.
    pub keep_old: KeepOld,
    /// How old a proof by comparison of two tables may be when a run completes. None counts by default: everything is compared
    /// once more, as nobody knows what has been done to the tables since.
    pub proof_age: Duration,
}

/// Whether a table whose place another one takes is kept in step with it, until the operator completes the run or rolls it back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeepOld {
    /// It goes with the swap.
    #[default]
    Never,
    /// It is kept; changes that copy no table are made without.
    WhereCopied,
    /// It is kept; a change that has no old table is refused.
    Always,
}

/// How locks that conflict with reads or writes are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LockSettings {
    /// How long the first lock of a step may be waited for. Whoever queues behind us waits at most this long.
    pub budget: Duration,
    /// The same for each further table of the step: short, so that we and not the application lose a deadlock.
    pub further: Duration,
    /// A transaction that is older than this and holds any lock on the table is waited for without asking.
    pub patience: Duration,
    /// Time between two looks.
    pub look_every: Duration,
    /// How long to go on looking and trying before giving up with the blockers' names.
    pub give_up_after: Duration,
    /// Sessions of others that are ended because they are in the way. None by default.
    pub end: Option<EndBlockers>,
}

/// Which sessions of others are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndBlockers {
    /// How old the transaction must be by which a session holds the table.
    pub after: Duration,
    /// How many are ended for one lock at most: where more come, something is wrong that ending them does not put right.
    pub most: NonZeroU32,
}

impl EndBlockers {
    /// Whoever is younger ends by itself.
    pub const YOUNGEST: Duration = Duration::from_secs(1);
    /// How many are ended where nothing is said.
    pub const MOST: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
}

/// How a backfill is paced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FillSettings {
    /// Connections that fill side by side. One by default: a second one can take a small server down.
    pub lanes: NonZeroU32,
    /// How long one chunk's transaction should take: a writer of the same row waits this long at worst.
    pub chunk: Duration,
    /// Rows per second at most, all lanes together; `None` for no limit.
    pub rate: Option<NonZeroU32>,
    /// How the fill shares the server with the application.
    pub pace: Pace,
    /// How long to wait for an old snapshot to go before filling without its pages being pruned.
    pub horizon_wait: Duration,
    /// What the fill takes for a server in trouble (MySQL and MariaDB).
    pub health: HealthSettings,
}

/// Limits at which a fill stops until the server has come to rest; from 70 % of one on it is slowed down. Whatever the pace: a
/// fill at full speed takes what the server has to spare, and not the server down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HealthSettings {
    /// Sessions of others that run at once. Without one: 25, or twice as many as ran when the fill began where that is more, as
    /// the application's own load is no reason to stop.
    pub threads_running: Option<NonZeroU32>,
    /// Transactions that wait for rows which we have locked. A chunk is short: many at once mean that a row is hot.
    pub row_waits: NonZeroU32,
    /// Length of the history list: beyond a million, reads get slower for everybody, and purging takes long to catch up.
    pub history_length: NonZeroU32,
}

/// How the fill shares the server with the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Backs off when chunks take longer than they do on an idle server.
    Polite,
    /// One chunk after the other, as long as the server is in good health (see [`HealthSettings`]).
    Full,
}

impl Default for LockSettings {
    fn default() -> Self {
        Self {
            budget: Duration::from_millis(100),
            further: Duration::from_millis(50),
            patience: Duration::from_millis(100),
            look_every: Duration::from_millis(50),
            give_up_after: Duration::from_secs(600),
            end: None,
        }
    }
}

impl Default for FillSettings {
    fn default() -> Self {
        Self {
            lanes: NonZeroU32::MIN,
            chunk: Duration::from_millis(15),
            rate: None,
            pace: Pace::Polite,
            horizon_wait: Duration::from_secs(60),
            health: HealthSettings::default(),
        }
    }
}

impl Default for HealthSettings {
    fn default() -> Self {
        let number = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { threads_running: None, row_waits: number(10), history_length: number(1_000_000) }
    }
}
