//! One operation, tested in the one shape: before, writers on, start, roll back, start, complete, plain DDL's result.

use super::app::App;
use super::means::{Change, Means};
use super::session::Felt;
use super::writers::{MyWriters, Rows};
use super::{Flavor, My, MyDatabase, catalogue, rows};
use crate::catalogue::assert_equal;

/// Transactions that writers do in each state before the next thing happens, if the case does not say.
const WORK: u64 = 30;

/// A case in the making.
///
/// ```no_run
/// use shoofly_tests::Flavor;
/// use shoofly_tests::mysql::{App, MyCase};
///
/// async fn widen(flavor: Flavor) {
///     let app = App::new("t").key("id", "{n}").writes("c", "{v}");
///     MyCase::new("widen", app, "ALTER TABLE t MODIFY c bigint")
///         .given("CREATE TABLE t (id int PRIMARY KEY, c int)")
///         .run(flavor)
///         .await;
/// }
/// shoofly_tests::mysql_matrix!(widen);
/// ```
#[derive(Debug, Clone)]
pub struct MyCase {
    name: String,
    ddl: String,
    given: String,
    given_loaded: String,
    app: App,
    app_across: Option<App>,
    app_after: Option<App>,
    rows: u32,
    work: u64,
    options: Vec<String>,
    not_compared: Vec<&'static str>,
    filled: Vec<&'static str>,
    renamed: Vec<(String, String)>,
    verbs: Verbs,
    refused: Option<Refused>,
    checks: Vec<String>,
    checks_ready: Vec<String>,
}

/// How the program says no: the exit code, and texts of its last words.
#[derive(Debug, Clone)]
struct Refused {
    code: i32,
    texts: Vec<String>,
}

impl Refused {
    fn new(code: i32, texts: &[&str]) -> Self {
        Self { code, texts: texts.iter().map(|text| (*text).to_owned()).collect() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verbs {
    Phases,
    Alter,
}

impl MyCase {
    /// A case of that name: a change of the application's table.
    #[must_use]
    pub fn new(name: &str, app: App, ddl: &str) -> Self {
        Self {
            name: name.to_owned(),
            ddl: ddl.to_owned(),
            given: String::new(),
            given_loaded: String::new(),
            app,
            app_across: None,
            app_after: None,
            rows: 5_000,
            work: WORK,
            options: Vec::new(),
            not_compared: Vec::new(),
            filled: Vec::new(),
            renamed: Vec::new(),
            verbs: Verbs::Phases,
            refused: None,
            checks: Vec::new(),
            checks_ready: Vec::new(),
        }
    }

    /// The schema before; names without the database's, because it is made twice. It leaves the application's table empty.
    #[must_use]
    pub fn given(mut self, sql: &str) -> Self {
        sql.clone_into(&mut self.given);
        self
    }

    /// What is done once the application's table is full.
    #[must_use]
    pub fn given_loaded(mut self, sql: &str) -> Self {
        sql.clone_into(&mut self.given_loaded);
        self
    }

    /// The version of the application that works while the change is completed, where the other one could not: it speaks of
    /// nothing that is not the same before and after. Its key is that of the other one.
    #[must_use]
    pub fn app_across(mut self, app: App) -> Self {
        self.app_across = Some(app);
        self
    }

    /// The version of the application that is deployed in the end.
    #[must_use]
    pub fn app_after(mut self, app: App) -> Self {
        self.app_after = Some(app);
        self
    }

    /// How many rows there are, at most 10,000.
    #[must_use]
    pub fn rows(mut self, rows: u32) -> Self {
        self.rows = rows;
        self
    }

    /// How many transactions there are at least in each state before the next thing happens.
    #[must_use]
    pub fn work(mut self, transactions: u64) -> Self {
        self.work = transactions;
        self
    }

    /// Options of `start`, such as `--accept`.
    #[must_use]
    pub fn options(mut self, options: &[&str]) -> Self {
        self.options = options.iter().map(|option| (*option).to_owned()).collect();
        self
    }

    /// Columns whose values plain DDL would not give either.
    #[must_use]
    pub fn not_compared(mut self, columns: &[&'static str]) -> Self {
        self.not_compared = columns.to_vec();
        self
    }

    /// Columns that a backfill changes where they are: until the end they have other values than on the mirror.
    #[must_use]
    pub fn filled(mut self, columns: &[&'static str]) -> Self {
        self.filled = columns.to_vec();
        self
    }

    /// Constraints that are called otherwise than plain DDL calls them: their names there, and the other ones.
    #[must_use]
    pub fn renamed(mut self, names: &[(&str, &str)]) -> Self {
        self.renamed = names.iter().map(|(plain, ours)| (format!("`{plain}`"), format!("`{ours}`"))).collect();
        self
    }

    /// One `alter` instead of `start` and `complete`.
    #[must_use]
    pub fn by_alter(mut self) -> Self {
        self.verbs = Verbs::Alter;
        self
    }

    /// It is refused as unsafe (exit code 7), with these texts in any order and any case, and nothing is touched.
    #[must_use]
    pub fn refused(mut self, texts: &[&str]) -> Self {
        self.refused = Some(Refused::new(7, texts));
        self
    }

    /// It is not read as something that the program does (exit code 2), with these texts in any order and any case, and nothing is
    /// touched.
    #[must_use]
    pub fn not_supported(mut self, texts: &[&str]) -> Self {
        self.refused = Some(Refused::new(2, texts));
        self
    }

    /// A query that gives `1`, after everything else.
    #[must_use]
    pub fn check(mut self, sql: &str) -> Self {
        self.checks.push(sql.to_owned());
        self
    }

    /// A query that gives `1` whenever the change is ready, while nobody writes.
    #[must_use]
    pub fn check_ready(mut self, sql: &str) -> Self {
        self.checks_ready.push(sql.to_owned());
        self
    }

    /// Runs the case by the means that the environment names ([`Means::from_environment`]): what the application felt.
    ///
    /// # Panics
    /// Where a promise is broken.
    pub async fn run(&self, flavor: Flavor) -> Felt {
        self.run_by(flavor, &Means::from_environment()).await
    }

    /// Runs the case by any means.
    ///
    /// # Panics
    /// Where a promise is broken.
    pub async fn run_by(&self, flavor: Flavor, means: &Means) -> Felt {
        let my = tokio::task::spawn_blocking(move || My::shared(flavor)).await.unwrap();
        let live = MyDatabase::create(&my, &self.name).await;
        let mirror = MyDatabase::create(&my, &format!("{}_mirror", self.name)).await;
        for db in [&live, &mirror] {
            db.run(&self.given).await;
            db.run(&self.app.load(self.rows)).await;
            db.run(&self.given_loaded).await;
        }
        let change = Change::new(means, &live, &self.ddl, &self.options);
        let felt = match &self.refused {
            Some(Refused { code, texts }) => {
                let before = live.catalogue().await;
                change.refused(*code, texts).await;
                assert_equal("after the refusal", &before, &live.catalogue().await);
                rows::assert_mirrored(&live, &mirror, "after the refusal", &[]).await;
                live.assert_nothing_left("after the refusal").await;
                Felt::default()
            }
            None => self.change(&live, &mirror, &change).await,
        };
        if let Means::Plain(_) = means {
            // Nothing happened beside the writers: what they meet under the program is the program's doing.
            assert_eq!((felt.deadlocks, felt.stale), (0, 0), "the application is in its own way: {felt:?}");
        }
        live.drop().await;
        mirror.drop().await;
        felt
    }

    async fn change(&self, live: &MyDatabase, mirror: &MyDatabase, change: &Change<'_>) -> Felt {
        let before = live.catalogue().await;
        let mut felt = Felt::default();
        let mut writers = MyWriters::start(&self.app, live, mirror, Rows::loaded(self.rows));
        writers.progress(self.work).await;
        if self.verbs == Verbs::Phases {
            change.start(&writers).await;
            self.compare_rows(&writers, live, mirror, "when ready").await;
            self.ready(&writers, live).await;
            change.rollback(&writers).await;
            self.compare_rows(&writers, live, mirror, "after rollback").await;
            assert_equal("after rollback", &before, &live.catalogue().await);
            live.assert_nothing_left("after rollback").await;
            change.start(&writers).await;
            self.compare_rows(&writers, live, mirror, "when ready again").await;
            self.ready(&writers, live).await;
        }
        if let Some(across) = &self.app_across {
            let (before, rows) = writers.stop().await;
            felt.add(&before);
            writers = MyWriters::start(across, live, mirror, rows);
            writers.progress(self.work).await;
        }
        match self.verbs {
            Verbs::Phases => change.complete(&writers).await,
            Verbs::Alter => change.alter(&writers).await,
        }
        writers.progress(self.work).await;
        let (across, rows) = writers.stop().await;
        felt.add(&across);
        self.compare(live, mirror).await;
        let after = self.app_after.as_ref().or(self.app_across.as_ref()).unwrap_or(&self.app);
        let writers = MyWriters::start(after, live, mirror, rows);
        writers.progress(self.work).await;
        felt.add(&writers.stop().await.0);
        rows::assert_mirrored(live, mirror, "in the end", &self.not_compared).await;
        for check in &self.checks {
            assert_eq!(live.text(check).await, "1", "{check}");
        }
        felt
    }

    /// Holds the completed database against plain DDL on the mirror, which nobody uses meanwhile.
    async fn compare(&self, live: &MyDatabase, mirror: &MyDatabase) {
        mirror.run(&self.ddl).await;
        let renamed = |line: String| self.renamed.iter().fold(line, |line, (plain, ours)| line.replace(plain, ours));
        let wanted: Vec<String> = mirror.catalogue().await.into_iter().map(renamed).collect();
        assert_equal("after complete", &wanted, &live.catalogue().await);
        live.assert_nothing_left("after complete").await;
        rows::assert_mirrored(live, mirror, "after complete", &self.not_compared).await;
        for table in live.tables().await {
            let (next, wanted) =
                (catalogue::next_value(live, &table).await, catalogue::next_value(mirror, &table).await);
            assert!(next >= wanted, "after complete: the next row of {table} gets number {next}, not {wanted}");
        }
    }

    async fn ready(&self, writers: &MyWriters, live: &MyDatabase) {
        let _rest = writers.rest().await;
        for check in &self.checks_ready {
            assert_eq!(live.text(check).await, "1", "when ready: {check}");
        }
    }

    /// Compares all rows once writers have done something in the state that they are in.
    async fn compare_rows(&self, writers: &MyWriters, live: &MyDatabase, mirror: &MyDatabase, when: &str) {
        writers.progress(self.work).await;
        let _rest = writers.rest().await;
        rows::assert_mirrored(live, mirror, when, &self.filled).await;
    }
}
