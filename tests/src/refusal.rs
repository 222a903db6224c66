//! What must be refused, with everything said at once and nothing touched.

use shoofly_engine::Exit;
use shoofly_engine::plan::Hazard;
use shoofly_engine::run::Direction;

use crate::case::migration;
use crate::catalogue;
use crate::database::Database;
use crate::server::Pg;

/// A refusal in the making.
#[derive(Debug, Clone)]
pub struct Refusal {
    name: String,
    given: String,
    migration: String,
    accept: Vec<Hazard>,
    exit: Exit,
    says: Vec<String>,
}

impl Refusal {
    /// A refusal with exit code 7.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            given: String::new(),
            migration: String::new(),
            accept: Vec::new(),
            exit: Exit::Refused,
            says: Vec::new(),
        }
    }

    /// The schema and the rows before.
    #[must_use]
    pub fn given(mut self, sql: &str) -> Self {
        sql.clone_into(&mut self.given);
        self
    }

    /// The migration file's text.
    #[must_use]
    pub fn migration(mut self, sql: &str) -> Self {
        sql.clone_into(&mut self.migration);
        self
    }

    /// Hazards that the operator accepts.
    #[must_use]
    pub fn accept(mut self, hazards: &[Hazard]) -> Self {
        self.accept = hazards.to_vec();
        self
    }

    /// Another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Texts that the error contains, in any order and any case.
    #[must_use]
    pub fn says(mut self, texts: &[&str]) -> Self {
        self.says.extend(texts.iter().map(|text| (*text).to_owned()));
        self
    }

    /// Runs the case.
    ///
    /// # Panics
    /// Where it is not refused, or not in these words, or where something was touched.
    pub async fn run(self, major: u32) {
        let db = Database::create(&Pg::shared(major), &self.name).await;
        db.run(&self.given).await;
        let before = db.catalogue().await;
        let engine = db.engine().accept(&self.accept).build();
        let error = match engine.start(&migration(&self.name, &self.migration), Direction::Up).await {
            Ok(outcome) => panic!("it was not refused: {outcome:?}"),
            Err(error) => error,
        };
        assert_eq!(error.exit(), self.exit, "{error}");
        let said = error.to_string().to_lowercase();
        for text in &self.says {
            assert!(said.contains(&text.to_lowercase()), "{text:?} is missing from:\n{error}");
        }
        catalogue::assert_equal("after the refusal", &before, &db.catalogue().await);
        db.assert_nothing_left("after the refusal").await;
        db.drop().await;
    }
}
