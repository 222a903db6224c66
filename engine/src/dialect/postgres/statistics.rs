//! Statements about extended statistics.

use crate::name::{Ident, QualifiedName};
use crate::sql;
use crate::text::{Literal, Sql};

use super::column::role;

/// Lock: none on the table.
pub(crate) fn rename(from: &QualifiedName, to: &Ident) -> Sql {
    sql!("ALTER STATISTICS {from} RENAME TO {to}", from = from, to = to)
}

/// Lock: none on the table. Statistics belong to whoever made them, not to the table's owner.
pub(crate) fn own(name: &QualifiedName, owner: &str) -> Sql {
    sql!("ALTER STATISTICS {name} OWNER TO {owner}", name = name, owner = role(owner))
}

/// Lock: none on the table.
pub(crate) fn comment(name: &QualifiedName, text: &str) -> Sql {
    sql!("COMMENT ON STATISTICS {name} IS {text}", name = name, text = Literal(text))
}
