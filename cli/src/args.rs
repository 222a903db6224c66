//! What was typed.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use shoofly_engine::plan::Hazard;
use shoofly_sandbox::Product;

/// Zero-downtime schema changes for large, busy tables of PostgreSQL, MySQL and MariaDB, written as ordinary SQL.
#[derive(Debug, Parser)]
#[command(name = "shoofly", version, arg_required_else_help = true, disable_help_subcommand = true, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The database: postgres:// or mysql://user:password@host:port/name  [env: DATABASE_URL, also from .env]
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Configuration file [default: shoofly.toml, where it exists]
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Section `[env.NAME]` of the configuration [env: SHOOFLY_ENV]
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Folder of migrations [default: migrations]
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Hazards that you have looked at and accept, by name: `column-order,star-statements`
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "HAZARD", value_delimiter = ',', value_parser = hazard)]
    pub(crate) accept: Vec<Hazard>,
    /// What may be planned although it is not safe: `blocking`
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "RULE", value_delimiter = ',')]
    pub(crate) allow: Vec<Allowance>,
    /// How results are printed
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
    /// Print results and errors only
    #[arg(short, long, global = true, help_heading = "Everywhere", conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log what is done to stderr; twice for more
    #[arg(short, long, global = true, help_heading = "Everywhere", action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// What to do
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done or nothing to do · 1 failed · 2 usage, configuration or connection · 3 pending · 4 divergence · \
5 findings · 6 lock not acquired · 7 refused as unsafe · 8 interrupted, resumable.
Every command may be repeated: it continues, or says that there is nothing to do.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write a commented shoofly.toml and create the folder of migrations
    Init,
    /// Create a new migration file and print its path
    New {
        /// What it does, in a few words
        name: String,
    },
    /// Show what would be done, with every lock; touches nothing
    Plan {
        /// Name or path [default: the first pending migration]
        migration: Option<String>,
        /// A statement instead of a file
        #[arg(long, value_name = "DDL", conflicts_with = "migration")]
        sql: Option<String>,
        /// Plan the way back (the `down` section)
        #[arg(long, conflicts_with = "sql")]
        down: bool,
        /// Write the plan as JSON to this file
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Expand, backfill, build and verify; ends `ready`, with the old shape in force
    Start {
        /// Name or path [default: the first pending migration]
        migration: Option<String>,
        #[command(flatten)]
        locks: LockArgs,
        #[command(flatten)]
        fill: FillArgs,
    },
    /// Prove every row of a run that is ready once more
    Verify {
        /// Name [default: the only run that is ready]
        migration: Option<String>,
        /// Copy rows anew that differ (MySQL, MariaDB)
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        locks: LockArgs,
    },
    /// Let the new shape take over
    Complete {
        /// Name [default: the only run that is ready]
        migration: Option<String>,
        #[command(flatten)]
        keep: KeepArgs,
        #[command(flatten)]
        locks: LockArgs,
    },
    /// Undo a run that is not complete: the schema is as it was before
    Rollback {
        /// Name [default: the only unfinished run]
        migration: Option<String>,
        #[command(flatten)]
        locks: LockArgs,
    },
    /// Start and complete one statement, without a file
    Alter {
        /// The statement: 'ALTER TABLE orders ALTER COLUMN id TYPE bigint'
        ddl: String,
        #[command(flatten)]
        keep: KeepArgs,
        #[command(flatten)]
        locks: LockArgs,
        #[command(flatten)]
        fill: FillArgs,
    },
    /// Start and complete every pending migration, in order
    Up {
        /// How many at most [default: all]
        count: Option<NonZeroU32>,
        #[command(flatten)]
        keep: KeepArgs,
        #[command(flatten)]
        locks: LockArgs,
        #[command(flatten)]
        fill: FillArgs,
    },
    /// Revert applied migrations by their `down` section, newest first
    Down {
        /// How many
        #[arg(default_value = "1")]
        count: NonZeroU32,
        #[command(flatten)]
        locks: LockArgs,
        #[command(flatten)]
        fill: FillArgs,
    },
    /// Where everything stands
    Status {
        /// Redraw every second until interrupted
        #[arg(short, long)]
        watch: bool,
        /// Exit with 3 when something is pending or unfinished
        #[arg(long)]
        exit_code: bool,
    },
    /// Every run that the database remembers
    History,
    /// Start a private server, run traffic on it and change a primary key's type under it
    Demo(DemoArgs),
}

/// Whether the old table goes at once.
#[derive(Debug, Clone, Copy, Default, ClapArgs)]
pub(crate) struct KeepArgs {
    /// Keep the old table in step with the new one: `complete` drops it then, `rollback` goes back to it (MySQL, MariaDB)
    #[arg(long)]
    pub(crate) keep_old: bool,
}

/// How locks are asked for.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct LockArgs {
    /// Longest wait for a lock that makes the application wait behind us [default: 100ms]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Locks")]
    pub(crate) lock_budget: Option<Duration>,
    /// How long to go on looking for a clear way before giving up with exit code 6 [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Locks")]
    pub(crate) give_up_after: Option<Duration>,
    /// End sessions of others whose transactions have held the table for longer than this [default: none is ended]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Locks")]
    pub(crate) end_blockers: Option<Duration>,
    /// How many sessions of others are ended for one lock at most [default: 3]
    #[arg(long, value_name = "N", help_heading = "Locks")]
    pub(crate) end_at_most: Option<NonZeroU32>,
}

/// How a backfill is paced.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct FillArgs {
    /// Connections that fill side by side [default: 1]
    #[arg(long, value_name = "N", help_heading = "Backfill")]
    pub(crate) lanes: Option<NonZeroU32>,
    /// How long one chunk's transaction should take [default: 15ms]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Backfill")]
    pub(crate) chunk: Option<Duration>,
    /// Rows per second at most, all lanes together [default: no limit]
    #[arg(long, value_name = "ROWS", help_heading = "Backfill")]
    pub(crate) rate: Option<NonZeroU32>,
    /// Whether the backfill gives way to the application [default: polite]
    #[arg(long, help_heading = "Backfill")]
    pub(crate) pace: Option<PaceArg>,
}

/// What the demonstration is run with.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct DemoArgs {
    /// On MySQL instead of PostgreSQL
    #[arg(long, conflicts_with_all = ["mariadb", "bindir"])]
    pub(crate) mysql: bool,
    /// On MariaDB instead of PostgreSQL
    #[arg(long, conflicts_with = "bindir")]
    pub(crate) mariadb: bool,
    /// Branches of the bank, as pgbench's scale: 100 000 accounts each
    #[arg(long, default_value = "20", value_name = "N")]
    pub(crate) scale: NonZeroU32,
    /// How the traffic sends its statements
    #[arg(long, default_value = "prepared")]
    pub(crate) protocol: Protocol,
    /// Transactions per second
    #[arg(long, default_value = "300", value_name = "N")]
    pub(crate) tps: NonZeroU32,
    /// Seconds of traffic before and after the change
    #[arg(long, default_value = "8", value_name = "SECONDS")]
    pub(crate) settle: NonZeroU32,
    /// Folder with PostgreSQL's server programs [default: the newest that is found]
    #[arg(long, value_name = "DIR")]
    pub(crate) bindir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) locks: LockArgs,
    #[command(flatten)]
    pub(crate) fill: FillArgs,
}

impl DemoArgs {
    /// The kind of server that was asked for.
    pub(crate) fn product(&self) -> Product {
        match (self.mysql, self.mariadb) {
            (true, _) => Product::MySql,
            (_, true) => Product::MariaDb,
            _ => Product::Postgres,
        }
    }
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// JSON; one object per line while something runs
    Json,
    /// Markdown
    Markdown,
    /// GitHub annotations
    Github,
    /// SARIF
    Sarif,
}

/// What may be planned although it is not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Allowance {
    /// Steps that make the application wait longer than the lock budget
    Blocking,
}

/// Whether the backfill gives way to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PaceArg {
    /// Backs off when the server is busy
    Polite,
    /// One chunk after the other, while the server is in good health
    Full,
}

/// How an application sends its statements, in pgbench's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// Text in one message
    Simple,
    /// Parsed anew each time (PostgreSQL)
    Extended,
    /// Prepared once per connection
    Prepared,
}

impl Protocol {
    /// The word for pgbench and for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Extended => "extended",
            Self::Prepared => "prepared",
        }
    }
}

/// Parses a hazard's name.
pub(crate) fn hazard(text: &str) -> Result<Hazard, String> {
    let known = || Hazard::ALL.map(Hazard::word).join(", ");
    Hazard::ALL
        .into_iter()
        .find(|hazard| hazard.word() == text.trim())
        .ok_or_else(|| format!("no such hazard; known ones: {}", known()))
}

/// Parses a length of time with its unit: `15ms`, `10m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Option<Duration> =
        text.trim().parse::<jiff::SignedDuration>().ok().and_then(|signed| signed.try_into().ok());
    match parsed {
        Some(length) if !length.is_zero() => Ok(length),
        _ => Err("expected a length of time with its unit, like 15ms, 2s or 10m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declaration_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn lengths_of_time_need_a_unit() {
        assert_eq!(duration("15ms"), Ok(Duration::from_millis(15)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert!(duration("15").is_err());
        assert!(duration("0s").is_err());
        assert!(duration("-5s").is_err());
    }

    #[test]
    fn hazards_are_known_by_name() {
        assert_eq!(hazard("column-order"), Ok(Hazard::ColumnOrder));
        assert!(hazard("everything").unwrap_err().contains("star-statements"));
    }
}
