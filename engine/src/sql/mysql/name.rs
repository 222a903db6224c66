//! Names as MySQL and MariaDB have them.
//!
//! 64 characters are allowed instead of PostgreSQL's 63 bytes, no unquoted name is folded, and quotes are backticks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{self, Ident};
use crate::text::AsSql;

/// Both servers refuse names of more characters.
pub const MAX_NAME_CHARS: usize = 64;

/// The name of a table, column, index, constraint or database, unquoted, as written.
///
/// It has no `Display`: into SQL it goes quoted (see [`crate::sql!`]), into messages by [`Name::as_str`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Box<str>);

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("a name cannot be empty")]
    Empty,
    /// The text contains a NUL character.
    #[error("a name cannot contain a NUL character")]
    Nul,
    /// The text ends in a blank, or contains a character beyond U+FFFF.
    #[error("the name {0:?} ends in a blank or contains a character that names cannot have")]
    Unfit(String),
    /// The text is longer than the servers allow.
    #[error("the name {name:?} is {chars} characters long; {MAX_NAME_CHARS} are allowed")]
    TooLong {
        /// The offending text.
        name: String,
        /// Its length in characters.
        chars: usize,
    },
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.contains('\0') {
            return Err(NameError::Nul);
        }
        if text.ends_with(' ') || text.chars().any(|char| char > '\u{ffff}') {
            return Err(NameError::Unfit(text.to_owned()));
        }
        let chars = text.chars().count();
        if chars > MAX_NAME_CHARS {
            return Err(NameError::TooLong { name: text.to_owned(), chars });
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.into()
    }
}

impl From<Name> for Ident {
    fn from(name: Name) -> Self {
        Self::found_valid(name.into())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl AsSql for Name {
    fn as_sql(&self) -> String {
        format!("`{}`", self.0.replace('`', "``"))
    }
}

impl Name {
    /// The bare text, for messages and comparisons; never for SQL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are the same column, index or constraint: their case does not count. (That of databases and tables
    /// may, depending on the server.)
    #[must_use]
    pub fn same_as(&self, other: &str) -> bool {
        self.0.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
    }
}

/// A name as the user typed it: the database may be missing and is then the session's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WrittenName {
    /// The database, where written.
    pub database: Option<Name>,
    /// The name.
    pub name: Name,
}

impl WrittenName {
    /// As typed, for messages.
    #[must_use]
    pub fn display(&self) -> String {
        match &self.database {
            Some(database) => format!("{}.{}", database.as_str(), self.name.as_str()),
            None => self.name.as_str().to_owned(),
        }
    }
}

impl From<WrittenName> for name::WrittenName {
    fn from(written: WrittenName) -> Self {
        Self { schema: written.database.map(Ident::from), name: written.name.into() }
    }
}

impl AsSql for WrittenName {
    fn as_sql(&self) -> String {
        match &self.database {
            Some(database) => format!("{}.{}", database.as_sql(), self.name.as_sql()),
            None => self.name.as_sql(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_the_servers_keep() {
        assert!("é".repeat(64).parse::<Name>().is_ok());
        assert!(matches!("é".repeat(65).parse::<Name>(), Err(NameError::TooLong { chars: 65, .. })));
        for refused in ["", "a\0", "a ", "😀"] {
            assert!(refused.parse::<Name>().is_err(), "{refused:?}");
        }
        let odd: Name = "Odd `name`".parse().unwrap();
        assert_eq!(odd.as_sql(), "`Odd ``name```");
        assert!(odd.same_as("odd `NAME`") && !odd.same_as("odd name"));
        let long: Name = "é".repeat(64).parse().unwrap();
        assert_eq!(Ident::from(long.clone()).as_str(), long.as_str());
    }
}
