//! What a plan will cost the server besides its locks, in words. Pure.

use serde::Serialize;

use super::{Now, Replication, RowVersions, TableNow};
use crate::name::TableName;
use crate::plan::render::{grouped, size};
use crate::plan::rows::RowsStage;
use crate::plan::shadow::{NativeWay, ShadowStage};
use crate::plan::{Action, Cost, Plan, Step};

/// One thing to reckon with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// What it is about.
    pub topic: Topic,
    /// The table.
    pub table: TableName,
    /// The words.
    pub text: String,
}

/// What a forecast is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Room on the server's disk.
    Disk,
    /// What the binary log gets.
    Log,
    /// What replicas do meanwhile.
    Replicas,
    /// Row versions of instant changes.
    RowVersions,
}

impl Topic {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Log => "binlog",
            Self::Replicas => "replicas",
            Self::RowVersions => "versions",
        }
    }
}

/// What to reckon with, each thing once, in the order of the steps.
#[must_use]
pub fn forecast(plan: &Plan, now: &Now) -> Vec<Forecast> {
    let mut found: Vec<Forecast> = Vec::new();
    for step in plan.steps() {
        for one in of_step(step, now) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    // By topic, as they are read; what is said of the same topic stays in the order of the steps.
    found.sort_by_key(|one| match one.topic {
        Topic::Disk => 0,
        Topic::Log => 1,
        Topic::Replicas => 2,
        Topic::RowVersions => 3,
    });
    found
}

fn of_step(step: &Step, now: &Now) -> Vec<Forecast> {
    let (table, topics) = match &step.action {
        Action::Native(change) => (change.table.qualified(), native(step, change.how)),
        Action::Shadow { stage: ShadowStage::Copy, shadow, .. } => {
            (shadow.table.qualified(), vec![Costs::SecondTable, Costs::RowsLogged, Costs::RowsReplayed])
        }
        Action::Shadow { stage: ShadowStage::Index, shadow, .. } if builds(step) => {
            (shadow.table.qualified(), vec![Costs::BuildRepeated])
        }
        Action::Shadow { stage: ShadowStage::Clean, shadow, .. } => (shadow.table.qualified(), vec![Costs::Freed]),
        Action::Rows { stage: RowsStage::Fill, rows, .. } => {
            (rows.table.qualified(), vec![Costs::RowsLogged, Costs::RowsReplayed])
        }
        Action::Rows { stage: RowsStage::Replace, rows, .. } => (rows.table.qualified(), vec![Costs::Versions]),
        _ => return Vec::new(),
    };
    let Some(facts) = now.tables.iter().find(|known| known.table == table) else { return Vec::new() };
    topics.into_iter().filter_map(|cost| cost.in_words(facts, now.replication)).collect()
}

fn builds(step: &Step) -> bool {
    matches!(step.cost, Cost::IndexBuild { .. })
}

fn native(step: &Step, how: NativeWay) -> Vec<Costs> {
    match how {
        NativeWay::Instant => vec![Costs::Versions],
        NativeWay::NoCopy | NativeWay::InPlace if builds(step) => vec![Costs::Sorting, Costs::BuildRepeated],
        NativeWay::NoCopy | NativeWay::InPlace => Vec::new(),
        NativeWay::Blocking => vec![Costs::Rewrite, Costs::RewriteRepeated],
    }
}

/// A table whose files are smaller than that is dropped unnoticed. Where all of 176 MB were freed on ext4, an `fdatasync` of
/// another file waited for 13 to 53 ms, whether MySQL, MariaDB or `unlink` alone did it.
const FELT: u64 = 64 << 20;

/// What a step does to the server.
enum Costs {
    /// A second table lies beside the first.
    SecondTable,
    /// The first one's files go at once.
    Freed,
    /// The server may write the table anew by itself.
    Rewrite,
    /// An index is sorted.
    Sorting,
    /// Rows are written, and logged.
    RowsLogged,
    /// Rows are written, and replicas write them too.
    RowsReplayed,
    /// Replicas build the index when it is built here.
    BuildRepeated,
    /// Replicas write the table anew when it is written here.
    RewriteRepeated,
    /// A row version may be used up.
    Versions,
}

impl Costs {
    fn in_words(&self, table: &TableNow, replication: Replication) -> Option<Forecast> {
        let name = table.table.display();
        let whole = size(table.data_bytes.saturating_add(table.index_bytes));
        let (rows, bytes) = (grouped(table.rows), size(table.data_bytes));
        let repeated = replication.repeats_ddl;
        let stall = |what| {
            let who = whoever(replication, what);
            let text = format!(
                "{who}, and nothing else meanwhile: a stall of about as long as it takes here ({rows} rows, {bytes})"
            );
            (Topic::Replicas, text)
        };
        let (topic, text) = match self {
            Self::SecondTable => (
                Topic::Disk,
                format!(
                    "about {whole} for a second {name} (rows {bytes}, indexes {}), until `complete` has dropped the first; the \
                     server does not tell how much is free",
                    size(table.index_bytes)
                ),
            ),
            Self::Freed if table.data_bytes.saturating_add(table.index_bytes) < FELT => return None,
            Self::Freed => (
                Topic::Disk,
                format!(
                    "{whole} are freed at once when the old {name} is dropped: until the file system is done, commits of \
                     everybody may wait; `complete --keep-old` leaves the hour to you"
                ),
            ),
            Self::Rewrite => (
                Topic::Disk,
                format!(
                    "about {whole} where the server writes {name} anew, until it has; it does not tell how much is free"
                ),
            ),
            Self::Sorting => (
                Topic::Disk,
                format!(
                    "the index, and as much for a moment while {rows} rows of {name} are sorted (innodb_tmpdir, else tmpdir)"
                ),
            ),
            Self::RowsLogged if repeated => {
                (Topic::Log, format!("grows by what is written: {rows} rows of {name} at most ({bytes})"))
            }
            Self::RowsReplayed if repeated => (
                Topic::Replicas,
                format!(
                    "{}, in transactions as small as here; where that is too much for them, --rate bounds it",
                    whoever(replication, "write the rows as well")
                ),
            ),
            Self::BuildRepeated if repeated => stall("build the index once it is built here"),
            Self::RewriteRepeated if repeated => stall("carry the statement out once it is done here"),
            Self::Versions => (Topic::RowVersions, versions(&name, table.row_versions?)),
            Self::RowsLogged | Self::RowsReplayed | Self::BuildRepeated | Self::RewriteRepeated => return None,
        };
        Some(Forecast { topic, table: table.table.clone(), text })
    }
}

/// Who does it, in the plural.
fn whoever(replication: Replication, what: &str) -> String {
    match replication.connected {
        Some(0) => format!("none is connected now; the binary log is on, and those that read it later {what}"),
        Some(1) => format!("one is connected; whoever reads the binary log will {what}"),
        Some(many) => format!("{many} are connected; they {what}"),
        None => format!("whether there are any cannot be seen; they {what}"),
    }
}

fn versions(name: &str, versions: RowVersions) -> String {
    let RowVersions { used, most } = versions;
    format!(
        "{name} has used {used} of its {most} row versions; adding or dropping columns takes one, and once all are used \
         such a change has to copy the table"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TableNow {
        let name = |text: &str| text.parse().unwrap();
        TableNow {
            table: TableName::new(name("shop"), name("orders")),
            rows: 1_234_567,
            data_bytes: 900 << 20,
            index_bytes: 300 << 20,
            row_versions: Some(RowVersions { used: 3, most: 64 }),
        }
    }

    fn words(cost: &Costs, repeats_ddl: bool, connected: Option<u64>) -> Option<String> {
        cost.in_words(&table(), Replication { repeats_ddl, connected }).map(|forecast| forecast.text)
    }

    #[test]
    fn room_is_for_rows_and_indexes() {
        let said = words(&Costs::SecondTable, false, None).unwrap();
        assert!(said.contains("1200 MB") && said.contains("rows 900 MB") && said.contains("indexes 300 MB"), "{said}");
    }

    #[test]
    fn the_drop_of_a_large_table_is_spoken_of() {
        let said = words(&Costs::Freed, false, None).unwrap();
        assert!(said.contains("1200 MB") && said.contains("--keep-old"), "{said}");
        let small = TableNow { data_bytes: 40 << 20, index_bytes: 20 << 20, ..table() };
        assert_eq!(Costs::Freed.in_words(&small, Replication::CARRIES_RESULTS), None);
    }

    #[test]
    fn replicas_are_spoken_of_where_there_is_a_log() {
        for cost in [Costs::RowsLogged, Costs::RowsReplayed, Costs::BuildRepeated, Costs::RewriteRepeated] {
            assert_eq!(words(&cost, false, Some(2)), None);
            assert!(words(&cost, true, Some(2)).is_some());
        }
        let said = words(&Costs::BuildRepeated, true, Some(2)).unwrap();
        assert!(said.contains("2 are connected") && said.contains("1 234 567 rows, 900 MB"), "{said}");
        assert!(words(&Costs::BuildRepeated, true, None).unwrap().contains("cannot be seen"));
    }

    #[test]
    fn row_versions_are_counted_where_the_server_does() {
        let said = words(&Costs::Versions, false, None).unwrap();
        assert!(said.contains("3 of its 64"), "{said}");
        let uncounted = TableNow { row_versions: None, ..table() };
        assert_eq!(Costs::Versions.in_words(&uncounted, Replication::CARRIES_RESULTS), None);
    }
}
