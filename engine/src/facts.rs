//! Everything the planner is told: what a migration needs to know ([`Needs`]) and what the server answered ([`Facts`]).

use serde::{Deserialize, Serialize};

use crate::name::{QualifiedName, TableName, WrittenName};
use crate::schema::{Catalogue, Table};

/// What must be asked of the server before a migration can be planned. Computed from the operations, without a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Tables named.
    pub tables: Vec<WrittenName>,
    /// Indexes named (to be dropped).
    pub indexes: Vec<WrittenName>,
    /// Types as written.
    pub types: Vec<String>,
    /// Functions called in the user's expressions.
    pub functions: Vec<WrittenName>,
}

/// What the server answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The catalogue: tables named, and their foreign-key partners.
    pub catalogue: Catalogue,
    /// What each written table name means; names that mean nothing are missing here.
    pub resolved: Vec<(WrittenName, TableName)>,
    /// The index and table that each written index name means.
    pub indexes: Vec<(WrittenName, QualifiedName, TableName)>,
    /// Types asked for; unknown ones are missing here.
    pub types: Vec<TypeFacts>,
    /// Casts from each type in use to each type asked for.
    pub casts: Vec<CastFacts>,
    /// Functions asked for, every overload.
    pub functions: Vec<FunctionFacts>,
    /// What the application was seen to do.
    pub census: Census,
}

impl Facts {
    /// The table that a written name means.
    #[must_use]
    pub fn table(&self, written: &WrittenName) -> Option<&Table> {
        let (_, name) = self.resolved.iter().find(|(known, _)| known == written)?;
        self.catalogue.table(name)
    }

    /// The facts of a type as written.
    #[must_use]
    pub fn type_of(&self, written: &str) -> Option<&TypeFacts> {
        self.types.iter().find(|facts| facts.written == written)
    }
}

/// A type, as the server understands the user's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeFacts {
    /// As written.
    pub written: String,
    /// `format_type` of it, modifier included.
    pub canonical: String,
    /// Oid.
    pub oid: u32,
    /// `typtype`: `b` base, `c` composite, `d` domain, `e` enum, `r` range, `m` multirange.
    pub kind: char,
    /// Whether a default `=` operator exists (a btree or hash operator class).
    pub has_equality: bool,
    /// Default collation, for collatable types.
    pub collation: Option<QualifiedName>,
    /// Default storage (`plain`, `extended` …).
    pub storage: String,
    /// Bytes of a fixed-length value; negative for variable length.
    pub length: i16,
}

/// How a value of one type becomes one of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CastFacts {
    /// Source type's oid.
    pub from: u32,
    /// Target type's oid.
    pub to: u32,
    /// How.
    pub method: CastMethod,
    /// Whether the server applies it without being asked (`i`), in assignments (`a`), or only when written (`e`).
    pub context: char,
}

/// How a cast works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CastMethod {
    /// Same bytes.
    Binary,
    /// A function.
    Function,
    /// Through the text form.
    InOut,
}

/// One overload of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionFacts {
    /// Qualified name.
    pub name: QualifiedName,
    /// `provolatile`: `i`, `s` or `v`.
    pub volatility: char,
    /// `proisstrict`.
    pub strict: bool,
}

/// What the application was seen to do with the tables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Census {
    /// Whether `pg_stat_statements` could be read.
    pub statements_readable: bool,
    /// Its statements that mention one of the tables' names.
    pub statements: Vec<SeenStatement>,
    /// Functions whose body mentions one of the tables' names.
    pub functions: Vec<SeenFunction>,
}

/// A statement that the server counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenStatement {
    /// Normalised text.
    pub text: String,
    /// Calls since the statistics were reset.
    pub calls: i64,
    /// Role.
    pub role: String,
}

/// A function of the user's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenFunction {
    /// Signature (`regprocedure`).
    pub signature: String,
    /// Language.
    pub language: String,
    /// Source text.
    pub body: String,
}
