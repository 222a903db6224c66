//! PostgreSQL: one function per statement, its lock in its doc comment; long reads in `.sql` files.

use crate::text::Sql;

pub(crate) mod check;
pub(crate) mod column;
pub(crate) mod constraint;
pub(crate) mod index;
pub(crate) mod planner;
pub(crate) mod sequence;
pub(crate) mod statistics;
pub(crate) mod trigger;
pub(crate) mod value;

/// A body between dollars, under a tag that does not occur in it.
fn dollar_quoted(body: &str) -> Sql {
    let mut tag = String::from("$shoofly$");
    while body.contains(&tag) {
        tag.insert(tag.len() - 1, '_');
    }
    Sql::raw(format!("{tag}\n{body}\n{tag}"))
}
