//! What cannot be done faithfully, said before anything is touched.

use super::change::Change;
use super::{Context, Draft, is_among, keys};
use crate::error::Problem;
use crate::plan::shadow::Shadow;
use crate::plan::{Finding, Hazard, Strategy};
use crate::schema::mysql::{Column, Index, Server, Table, Trigger};
use crate::sql::mysql::Mode;
use crate::sql::mysql::expr::column_refs;
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::statement::ClauseKind;
use crate::text::AsSql;

/// A server that takes no writes.
pub(super) fn server(server: &Server) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |what: &str, why: &str, advice: &str| {
        let place = format!("the server ({})", server.version_text);
        problems.push(Problem { what: what.into(), place, why: why.into(), advice: advice.into() });
    };
    if server.read_only {
        refuse(
            "it takes no writes",
            "read_only or super_read_only is on: it may be a replica",
            "connect to the primary",
        );
    }
    problems
}

/// Whatever is no plain table of InnoDB's.
pub(super) fn kind(table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    let place = table.path.display();
    let mut refuse = |what: String, why: &str, advice: &str| draft.problems.push(cx.problem(what, why, advice));
    if table.kind != "BASE TABLE" {
        let what = format!("{place} is a {}", table.kind.to_lowercase());
        refuse(what, "only plain tables can be changed", "change what it is made from");
        return;
    }
    if !table.engine.as_deref().is_some_and(|engine| engine.eq_ignore_ascii_case("innodb")) {
        let engine = table.engine.as_deref().unwrap_or("unknown");
        let what = format!("{place} is kept by the engine {engine}");
        refuse(
            what,
            "rows are copied under row locks and transactions, which only InnoDB has",
            "convert it by hand first",
        );
    }
}

/// Whether the server would not carry out what was tried on an empty copy.
pub(super) fn by_the_server(change: &Change, table: &Table, cx: &Context<'_>, draft: &mut Draft) -> bool {
    let Some(refused) = cx.tried.and_then(|tried| tried.refused.as_ref()) else { return false };
    let what = format!("the server refuses the statement: {refused}");
    let key = table.foreign_keys.iter().find(|key| change.drops_key(&key.name));
    let advice = match key {
        Some(key) => format!("a copy has no foreign keys: write DROP FOREIGN KEY {}", key.name.as_sql()),
        None => "correct the statement".to_owned(),
    };
    draft.problems.push(cx.problem(what, "it was tried on an empty copy of the table", advice));
    true
}

/// Tables that no strategy knows how to change, and clauses that would fail statements of the application.
pub(super) fn table(table: &Table, change: &Change, cx: &Context<'_>, draft: &mut Draft) {
    kind(table, cx, draft);
    let direct = cx.statement.options.strategy == Some(Strategy::Direct);
    let mut refuse = |what: String, why: &str, advice: &str| draft.problems.push(cx.problem(what, why, advice));
    for clause in change.clauses() {
        match &clause.kind {
            ClauseKind::DropColumn { column, .. }
            | ClauseKind::RenameColumn { from: column, .. }
            | ClauseKind::ChangeColumn { from: column, .. } => {
                let unchanged =
                    matches!(&clause.kind, ClauseKind::ChangeColumn { from, to, .. } if from.same_as(to.as_str()));
                let named = table
                    .triggers
                    .iter()
                    .filter(|trigger| trigger.create_sql.to_lowercase().contains(&column.as_str().to_lowercase()));
                for trigger in named.filter(|_| !unchanged) {
                    refuse(
                        format!("the trigger {} may name {}", trigger.name.as_str(), column.as_str()),
                        "the server would not change the trigger's text, and every write would fail",
                        "change or drop the trigger first",
                    );
                }
            }
            ClauseKind::Partition(partition) if partition.verb == "DROP PARTITION" && !direct => refuse(
                "a partition goes with its rows".to_owned(),
                "a copy of the table would put them into another partition",
                "the server does it at once, once nobody uses the table: `-- shoofly: strategy = direct` with --allow blocking",
            ),
            _ => {}
        }
    }
    let kept = |name: &crate::sql::mysql::Name| !change.drops_key(name);
    for key in table.foreign_keys.iter().filter(|key| kept(&key.name)) {
        for column in key.columns.iter().filter_map(|name| table.column(name.as_str())) {
            if change.renamed(column).is_none_or(|name| !name.same_as(column.name.as_str())) {
                draft.problems.push(cx.problem(
                    format!("the foreign key {} is over {}", key.name.as_str(), column.name.as_str()),
                    "a column of a foreign key is neither renamed nor dropped with it",
                    "drop the foreign key first",
                ));
            }
        }
    }
}

/// What keeps triggers and chunks from working beside writers.
pub(super) fn beside_writers(table: &Table, cx: &Context<'_>, draft: &mut Draft) {
    let server = cx.server();
    let mut refuse = |what: String, why: &str, advice: &str| draft.problems.push(cx.problem(what, why, advice));
    if !server.may_make_triggers {
        refuse(
            "the user may not make triggers".to_owned(),
            "writers are followed by triggers; with the binary log on the server asks for more than the right TRIGGER",
            "SET GLOBAL log_bin_trust_function_creators = 1, or use a user with SUPER",
        );
    }
    if server.statement_binlog {
        refuse(
            "the binary log is written by statements".to_owned(),
            "rows are read at READ COMMITTED, which the server logs by rows only",
            "SET GLOBAL binlog_format = ROW (sessions take it over when they connect)",
        );
    }
    if table.identity().is_none() {
        refuse(
            format!("{} has no primary key", table.path.display()),
            "rows are told apart by a primary key, or a unique one of NOT NULL columns",
            "add one first",
        );
    }
}

/// What keeps a table from being copied beside its writers.
pub(super) fn shadow(table: &Table, change: &Change, cx: &Context<'_>, draft: &mut Draft) {
    beside_writers(table, cx, draft);
    keys::refuse_copy(change, cx, draft);
    let server = cx.server();
    let mut refuse = |what: String, why: &str, advice: &str| draft.problems.push(cx.problem(what, why, advice));
    let direct = "or take the time for it: `-- shoofly: strategy = direct` with --allow blocking";
    if server.product == Product::MySql {
        draft.findings.extend(check_names(table, change, cx));
        if change.is_about_checks() {
            refuse(
                "a CHECK constraint goes or changes with a copy of the table".to_owned(),
                "the copy has other names for them, so that the server cannot be asked what becomes of the statement",
                "change the constraint in a migration of its own",
            );
        }
    }
    let known = |trigger: &&Trigger| {
        matches!(trigger.charset.as_str(), "utf8mb4" | "utf8mb3" | "utf8")
            || (trigger.create_sql.is_ascii() && trigger.body.is_ascii())
    };
    for trigger in table.triggers.iter().filter(|trigger| !known(trigger)) {
        refuse(
            format!("the trigger {} was made under the character set {}", trigger.name.as_str(), trigger.charset),
            "its text could not be carried to the new table letter by letter",
            &format!("make it anew under utf8mb4, {direct}"),
        );
    }
    for key in table.foreign_keys.iter().filter(|key| key.cascades()) {
        refuse(
            format!("the foreign key {} changes its rows when {} changes", key.name.as_str(), key.referenced.display()),
            "the server makes such changes without triggers, so that the new table would miss them",
            &format!("drop the foreign key for the time of the change, {direct}"),
        );
    }
}

/// CHECK constraints that are called otherwise once MySQL's table was copied, those that the change adds among them.
fn check_names(table: &Table, change: &Change, cx: &Context<'_>) -> Vec<Finding> {
    let added = change.clauses().iter().filter_map(|clause| match &clause.kind {
        ClauseKind::AddCheck { name: Some(name), .. } => Some(name),
        _ => None,
    });
    let mut findings = Vec::new();
    for (number, name) in table.checks.iter().chain(added).enumerate() {
        let given = format!("{}_chk_{}", table.path.name.as_str(), number + 1);
        if !name.same_as(&given) {
            let problem = cx.problem(
                format!("the CHECK constraint {} is called {given} afterwards", name.as_str()),
                "names of constraints are unique in a database, and MySQL renames none without copying the table",
                "see that nothing uses the name; or take the time for it: `-- shoofly: strategy = direct` with --allow blocking",
            );
            findings.push(cx.finding(Some(Hazard::CheckNames), problem));
        }
    }
    findings
}

/// Names that a run wants for its own.
pub(super) fn taken(names: &[&crate::schema::mysql::TablePath], cx: &Context<'_>, draft: &mut Draft) {
    for path in names.iter().filter(|path| cx.facts.catalogue.table(path).is_some()) {
        draft.problems.push(cx.problem(
            format!("there is a table {}", path.display()),
            "the change needs that name for a time",
            "if an earlier change has left it, drop it; else rename it",
        ));
    }
}

/// The directive names a strategy that is not the one chosen: the cheapest safe one is, always.
pub(super) fn other_strategy(wanted: Option<Strategy>, cx: &Context<'_>, draft: &mut Draft) {
    let (Some(wanted), Some(chosen)) = (wanted, draft.strategy) else { return };
    if wanted != chosen {
        draft.problems.push(cx.problem(
            format!("strategy = {} cannot be had for this change", wanted.word()),
            format!("the cheapest safe way for it is {}", chosen.word()),
            format!("write strategy = {}, or leave the directive out", chosen.word()),
        ));
    }
}

/// Foreign keys of other tables must fit the new table as they are.
pub(super) fn children(table: &Table, shadow: &Shadow, cx: &Context<'_>, draft: &mut Draft) {
    for key in table.referenced_by.iter().filter(|key| key.table != table.path) {
        for column in &key.referenced_columns {
            let pair = shadow.columns.iter().find(|pair| pair.before.name.same_as(column.as_str()));
            let fits = pair.is_some_and(|pair| {
                let (before, after) = (&pair.before, &pair.after);
                before.name.same_as(after.name.as_str())
                    && before.column_type == after.column_type
                    && before.collation == after.collation
            });
            if !fits {
                draft.problems.push(cx.problem(
                    format!(
                        "{} refers to {} by the foreign key {}",
                        key.table.display(),
                        column.as_str(),
                        key.name.as_str()
                    ),
                    "both columns must be of one type, and stay so",
                    "drop the foreign key first, change both columns, and add it again",
                ));
            }
        }
    }
}

/// Columns of the key that are gone afterwards.
pub(super) fn lost_key(
    key: &[crate::sql::mysql::Name],
    kept: &[crate::sql::mysql::Name],
    cx: &Context<'_>,
    draft: &mut Draft,
) {
    for name in key.iter().filter(|name| !is_among(kept, name)) {
        draft.problems.push(cx.problem(
            format!("{} is part of the key that tells rows apart, and is dropped", name.as_str()),
            "the rows of both tables could not be matched",
            "give the table another key first, or keep the column until it has one",
        ));
    }
}

/// A key of ours that would be the one by which the new table's rows are stored: it could not be dropped without a copy.
pub(super) fn stored_by_own_key(after: &Table, shadow: &Shadow, cx: &Context<'_>, draft: &mut Draft) {
    if shadow.own_key.is_none() || after.indexes.iter().any(Index::is_primary) {
        return;
    }
    let names: Vec<&str> = shadow.key.iter().map(|pair| pair.after.name.as_str()).collect();
    draft.problems.push(cx.problem(
        format!(
            "{} would be left without a primary key, and without a unique one over {}",
            shadow.table.display(),
            names.join(", ")
        ),
        "the rows of both tables are told apart by such a key, and none of ours could be taken away from a table that has no other",
        "add another primary key in the same statement, or a unique key over these columns before",
    ));
}

/// Defaults of new columns that read other ones: they are computed as a row is copied, and not again as it changes.
pub(super) fn reading_defaults(after: &Table, shadow: &Shadow, cx: &Context<'_>, draft: &mut Draft) {
    let server = cx.server();
    let mode = Mode::of(server.product, server.version, &server.sql_mode);
    let new = |column: &&Column| {
        let copied = shadow.columns.iter().any(|pair| pair.after.name == column.name);
        // What MySQL says of a default that is no expression is its text, without quotes.
        let expression =
            server.product == Product::MariaDb || column.extra.to_uppercase().contains("DEFAULT_GENERATED");
        !copied && column.generated.is_none() && expression
    };
    for column in after.columns.iter().filter(new) {
        let read = column.default.as_deref().and_then(|default| column_refs(default, mode).ok()).unwrap_or_default();
        if let Some(read) = read.iter().find(|read| after.column(read.name.as_str()).is_some()) {
            draft.problems.push(cx.problem(
                format!("the default of {} reads {}", column.name.as_str(), read.name.as_str()),
                "a row that changes after it was copied would keep what was computed before",
                "add the column without it, fill it by an UPDATE in a migration of its own, and set the default then",
            ));
        }
    }
}

/// REPEATABLE READ transactions that MariaDB would fail.
pub(super) fn snapshot_isolation(cx: &Context<'_>, draft: &mut Draft) {
    let server = cx.server();
    if server.snapshot_isolation {
        draft.findings.push(cx.finding(
            Some(Hazard::SnapshotIsolation),
            cx.problem(
                "innodb_snapshot_isolation is on",
                "a REPEATABLE READ transaction that began before a row was copied or filled gets error 1020 when it writes the row",
                "let the application repeat such transactions, or turn it off for the time of the change",
            ),
        ));
    }
}

/// What must be seen of others to keep out of their way.
pub(super) fn locks_unseen(cx: &Context<'_>, draft: &mut Draft) {
    let server = cx.server();
    if !server.sees_transactions {
        draft.problems.push(cx.problem(
            "transactions of others cannot be seen",
            "those that began before all rows were written must have ended before the change is ready: they would see half of them",
            "GRANT PROCESS ON *.* to the user",
        ));
    }
    if server.product == crate::sql::mysql::mode::Product::MySql && !server.sees_metadata_locks {
        draft.problems.push(cx.problem(
            "metadata locks of others cannot be seen",
            "a lock that is waited for makes the application's statements wait, and some of them fail",
            "GRANT SELECT ON performance_schema.* to the user, with the instrument wait/lock/metadata/sql/mdl enabled",
        ));
    }
}
