//! Identifiers, parsed once: a name that exists is a valid name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// PostgreSQL cuts identifiers at this many bytes (`NAMEDATALEN - 1`).
pub const MAX_IDENT_BYTES: usize = 63;

/// One identifier, unquoted and case-exact, as the catalogue stores it: a name that PostgreSQL, MySQL or MariaDB can have.
///
/// Parsed from a text it is a name of PostgreSQL; those of MySQL and MariaDB come from
/// [`sql::mysql::Name`](crate::sql::mysql::Name). It has no `Display`: into SQL it goes quoted (see [`crate::sql!`]), into
/// messages by [`Ident::as_str`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ident(Box<str>);

/// Why a text cannot be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentError {
    /// The text is empty.
    #[error("a name cannot be empty")]
    Empty,
    /// The text contains a NUL character.
    #[error("a name cannot contain a NUL character")]
    Nul,
    /// The text is longer than PostgreSQL keeps.
    #[error("the name {name:?} is {bytes} bytes long; PostgreSQL keeps {MAX_IDENT_BYTES}")]
    TooLong {
        /// The offending text.
        name: String,
        /// Its length in bytes.
        bytes: usize,
    },
}

impl FromStr for Ident {
    type Err = IdentError;

    fn from_str(text: &str) -> Result<Self, IdentError> {
        if text.len() > MAX_IDENT_BYTES {
            return Err(IdentError::TooLong { name: text.to_owned(), bytes: text.len() });
        }
        Self::try_from(text.to_owned())
    }
}

/// What was stored; how long a name may be was asked when it was read.
impl TryFrom<String> for Ident {
    type Error = IdentError;

    fn try_from(text: String) -> Result<Self, IdentError> {
        if text.is_empty() {
            return Err(IdentError::Empty);
        }
        if text.contains('\0') {
            return Err(IdentError::Nul);
        }
        Ok(Self(text.into()))
    }
}

impl From<Ident> for String {
    fn from(ident: Ident) -> Self {
        ident.0.into()
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Ident {
    /// The bare text, for messages and comparisons; never for SQL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that another type has found valid: not empty, without NUL.
    pub(crate) fn found_valid(text: String) -> Self {
        Self(text.into())
    }

    /// A name of ours derived from `parts`: `prefix_part_part`, cut to the server's limit with a stable hash of the whole at
    /// the end where it would not fit, so that two long names never become one.
    #[must_use]
    pub fn derived(prefix: &str, parts: &[&str]) -> Self {
        use sha2::{Digest, Sha256};
        let mut whole = prefix.to_owned();
        for part in parts {
            whole.push('_');
            whole.push_str(part);
        }
        let whole = whole.replace('\0', "");
        if whole.len() <= MAX_IDENT_BYTES && !whole.is_empty() {
            return Self(whole.into());
        }
        let digest = Sha256::digest(whole.as_bytes());
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let mut cut = MAX_IDENT_BYTES - hash.len() - 1;
        while !whole.is_char_boundary(cut) {
            cut -= 1;
        }
        Self(format!("{}_{hash}", &whole[..cut]).into())
    }
}

/// A schema-qualified name of a relation, function, sequence or index.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QualifiedName {
    /// The schema.
    pub schema: Ident,
    /// The name within the schema.
    pub name: Ident,
}

/// A table's schema-qualified name.
pub type TableName = QualifiedName;

impl QualifiedName {
    /// Puts a schema and a name together.
    #[must_use]
    pub fn new(schema: Ident, name: Ident) -> Self {
        Self { schema, name }
    }

    /// Another name in the same schema.
    #[must_use]
    pub fn sibling(&self, name: Ident) -> Self {
        Self { schema: self.schema.clone(), name }
    }

    /// The name as people write it: `public` is left out. For messages, never for SQL.
    #[must_use]
    pub fn display(&self) -> String {
        match self.schema.as_str() {
            "public" => self.name.as_str().to_owned(),
            schema => format!("{schema}.{}", self.name.as_str()),
        }
    }
}

impl fmt::Debug for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display())
    }
}

/// A name as the user typed it: the schema may be missing and is then found along the `search_path`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenName {
    /// The schema, where written.
    pub schema: Option<Ident>,
    /// The name.
    pub name: Ident,
}

impl WrittenName {
    /// Whether `full` is what this name means, given that the search path led to `full`'s schema where none was written.
    #[must_use]
    pub fn means(&self, full: &QualifiedName) -> bool {
        self.name == full.name && self.schema.as_ref().is_none_or(|schema| *schema == full.schema)
    }

    /// As typed, for messages.
    #[must_use]
    pub fn display(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", schema.as_str(), self.name.as_str()),
            None => self.name.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_the_server_would_cut() {
        assert_eq!("".parse::<Ident>(), Err(IdentError::Empty));
        assert!(matches!("é".repeat(32).parse::<Ident>(), Err(IdentError::TooLong { bytes: 64, .. })));
    }

    #[test]
    fn stored_names_may_be_as_long_as_any_server_allows() {
        let stored = format!("\"{}\"", "é".repeat(64));
        let name: Ident = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), stored);
        assert!(
            serde_json::from_str::<Ident>("\"\"").is_err() && serde_json::from_str::<Ident>("\"a\\u0000\"").is_err()
        );
    }

    #[test]
    fn derived_names_stay_distinct_when_cut() {
        let long = "t".repeat(60);
        let one = Ident::derived("_shoofly", &[&long, "a"]);
        let two = Ident::derived("_shoofly", &[&long, "b"]);
        assert_eq!(one.as_str().len(), MAX_IDENT_BYTES);
        assert_ne!(one, two);
        assert_eq!(Ident::derived("_shoofly", &["é".repeat(40).as_str()]).as_str().len(), 62);
    }
}
