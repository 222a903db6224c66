//! Definitions that the server prints of indexes, constraints and statistics, with a column renamed in them.
//!
//! Only the bytes of names change: options, operator classes, collations and expressions stay as the server printed
//! them, so that what is made from the new text differs from the old thing in that column and in nothing else.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode, normalize_name_node};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::{expr, tree};
use crate::name::{Ident, WrittenName};
use crate::op::CreateIndex;
use crate::text::AsSql;

/// A definition that shoofly cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("shoofly does not understand the definition {definition:?}: {why}")]
pub struct DefinitionError {
    /// As the server printed it.
    pub definition: String,
    /// Why.
    pub why: String,
}

/// Whose columns are meant in a foreign key. Other constraints have only their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Those of the table that has the constraint.
    Own,
    /// Those of the table that a foreign key refers to.
    Referenced,
}

type Edit = (Range<usize>, String);

/// `definition` (from `pg_get_indexdef`) for an index named `index` over `to` in the place of `from`, to be built
/// `CONCURRENTLY`. `ONLY` goes: it is printed for the index of a partitioned table, which is not what is built.
///
/// # Errors
/// The text is no index definition that shoofly understands.
pub fn rename_column_in_index(
    definition: &str,
    from: &Ident,
    to: &Ident,
    index: &Ident,
) -> Result<String, DefinitionError> {
    let create: ast::CreateIndex = read(definition, definition)?;
    let refuse = |why: &str| DefinitionError { definition: definition.to_owned(), why: why.to_owned() };
    let name = create.index().ok_or_else(|| refuse("it names no index"))?;
    let mut edits = expressions(definition, create.syntax(), from, to)?;
    edits.push((tree::span(name.syntax()), index.as_sql()));
    if create.concurrently_token().is_none() {
        let keyword = create.index_token().ok_or_else(|| refuse("it makes no index"))?;
        let end = usize::from(keyword.text_range().end());
        edits.push((end..end, " CONCURRENTLY".to_owned()));
    }
    let relation = create.table_relation_name().ok_or_else(|| refuse("it names no table"))?;
    if relation.only_token().is_some() {
        let table = relation.table_name_ref().ok_or_else(|| refuse("it names no table"))?;
        edits.push((tree::span(relation.syntax()).start..tree::span(table.syntax()).start, String::new()));
    }
    Ok(apply(definition, edits))
}

/// `definition` (from `pg_get_constraintdef`) with `to` in the place of `from`, among the columns of one side.
///
/// # Errors
/// The text is no constraint definition that shoofly understands.
pub fn rename_column_in_constraint(
    definition: &str,
    side: Side,
    from: &Ident,
    to: &Ident,
) -> Result<String, DefinitionError> {
    let before = "ALTER TABLE t ADD CONSTRAINT c ";
    let text = format!("{before}{definition}");
    let alter: ast::AlterTable = read(definition, &text)?;
    let mut edits = match side {
        Side::Own => expressions(definition, alter.syntax(), from, to)?,
        Side::Referenced => Vec::new(),
    };
    for node in alter.syntax().descendants().filter(|node| node.kind() == SyntaxKind::COLUMN_NAME_REF) {
        if side_of(&node) == side && normalize_name_node(&node) == from.as_str() {
            edits.push((tree::span(&node), to.as_sql()));
        }
    }
    let made = apply(&text, edits);
    Ok(made.get(before.len()..).unwrap_or_default().to_owned())
}

/// The second list of a foreign key is of the other table.
fn side_of(column: &SyntaxNode) -> Side {
    let list = column.ancestors().find(|node| node.kind() == SyntaxKind::FOREIGN_KEY_COLUMN_LIST);
    let is_first = list.is_none_or(|list| {
        let mut before = std::iter::successors(list.prev_sibling(), SyntaxNode::prev_sibling);
        before.all(|node| node.kind() != SyntaxKind::TABLE_NAME_REF)
    });
    if is_first { Side::Own } else { Side::Referenced }
}

/// `definition` (from `pg_get_statisticsobjdef`) for statistics named `name`, in the same schema, over `to` in the place
/// of `from`.
///
/// # Errors
/// The text is no definition of statistics that shoofly understands.
pub fn rename_column_in_statistics(
    definition: &str,
    from: &Ident,
    to: &Ident,
    name: &Ident,
) -> Result<String, DefinitionError> {
    let create: ast::CreateStatistics = read(definition, definition)?;
    let own = create.statistics().and_then(|statistics| {
        statistics.syntax().descendants().filter(|node| node.kind() == SyntaxKind::PATH_SEGMENT).last()
    });
    let Some(own) = own else {
        return Err(DefinitionError { definition: definition.to_owned(), why: "it names no statistics".to_owned() });
    };
    let mut edits = expressions(definition, create.syntax(), from, to)?;
    edits.push((tree::span(&own), name.as_sql()));
    Ok(apply(definition, edits))
}

/// Every column that an index definition names, each once, in the order in which they stand.
///
/// # Errors
/// The text is no index definition that shoofly understands.
pub fn index_definition_columns(definition: &str) -> Result<Vec<Ident>, DefinitionError> {
    let create: ast::CreateIndex = read(definition, definition)?;
    let mut columns: Vec<Ident> = Vec::new();
    for found in expr::names_below(create.syntax()).columns {
        let refuse = |why: String| DefinitionError { definition: definition.to_owned(), why };
        let column: Ident = found.name.parse().map_err(|error| refuse(format!("{error}")))?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(columns)
}

/// The functions called in an index's keys and condition.
#[must_use]
pub fn functions_in_index(index: &CreateIndex) -> Vec<WrittenName> {
    let statement = format!("CREATE INDEX ON t {}", index.definition);
    tree::parse(&statement).map(|root| expr::names_below(&root).functions).unwrap_or_default()
}

/// The one statement of kind `N` that `text` holds.
fn read<N: AstNode>(definition: &str, text: &str) -> Result<N, DefinitionError> {
    let refuse = |why: &str| DefinitionError { definition: definition.to_owned(), why: why.to_owned() };
    let root =
        tree::parse(text).map_err(|flaws| refuse(flaws.first().map_or("it does not parse", |flaw| &flaw.what)))?;
    let mut statements = root.children();
    let statement = statements.next().and_then(N::cast).ok_or_else(|| refuse("it is of another kind"))?;
    if statements.next().is_some() {
        return Err(refuse("it is more than one statement"));
    }
    Ok(statement)
}

/// The edits that rename a column in the expressions below a node.
fn expressions(definition: &str, node: &SyntaxNode, from: &Ident, to: &Ident) -> Result<Vec<Edit>, DefinitionError> {
    let names = expr::names_below(node);
    if names.whole_row {
        let why = "it names every column of a row".to_owned();
        return Err(DefinitionError { definition: definition.to_owned(), why });
    }
    let meant = names.columns.into_iter().filter(|column| column.name == from.as_str());
    Ok(meant.map(|column| (column.name_range, to.as_sql())).collect())
}

fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    expr::splice(text, edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ident(name: &str) -> Ident {
        name.parse().unwrap()
    }

    #[test]
    fn renames_in_indexes() {
        let cases = [
            (
                "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (c)",
                "CREATE UNIQUE INDEX CONCURRENTLY \"n\" ON public.t USING btree (\"_n\")",
            ),
            (
                "CREATE INDEX \"I x\" ON ONLY s.\"c\" USING gist (c gist_trgm_ops (siglen='32'), lower(c) COLLATE \"C\" DESC \
                 NULLS LAST, ((c ->> 'c'::text))) INCLUDE (c, d) NULLS NOT DISTINCT WITH (fillfactor='70', buffering=auto) \
                 TABLESPACE c WHERE ((c IS NOT NULL) AND (s.c(d) = 'c'::c))",
                "CREATE INDEX CONCURRENTLY \"n\" ON s.\"c\" USING gist (\"_n\" gist_trgm_ops (siglen='32'), lower(\"_n\") \
                 COLLATE \"C\" DESC NULLS LAST, ((\"_n\" ->> 'c'::text))) INCLUDE (\"_n\", d) NULLS NOT DISTINCT WITH \
                 (fillfactor='70', buffering=auto) TABLESPACE c WHERE ((\"_n\" IS NOT NULL) AND (s.c(d) = 'c'::c))",
            ),
            (
                "CREATE INDEX CONCURRENTLY i ON t USING btree (d, (\nCASE\n    WHEN c THEN 2\nEND)) WHERE (COALESCE(c, 0) > 0)",
                "CREATE INDEX CONCURRENTLY \"n\" ON t USING btree (d, (\nCASE\n    WHEN \"_n\" THEN 2\nEND)) WHERE (COALESCE(\"_n\", 0) > 0)",
            ),
        ];
        for (before, after) in cases {
            let made = rename_column_in_index(before, &ident("c"), &ident("_n"), &ident("n")).unwrap();
            assert_eq!(made, after);
        }
        assert_eq!(
            index_definition_columns("CREATE INDEX i ON t USING btree (lower(b), a) INCLUDE (\"C\") WHERE (b > 0)")
                .unwrap(),
            [ident("b"), ident("a"), ident("C")]
        );
        for broken in ["", "CREATE INDEX", "DROP INDEX i", "CREATE INDEX i ON t (a); CREATE INDEX j ON t (a)"] {
            assert!(rename_column_in_index(broken, &ident("c"), &ident("d"), &ident("n")).is_err(), "{broken}");
        }
    }

    #[test]
    fn renames_in_constraints() {
        let cases = [
            (Side::Own, "CHECK ((c > 0))", "CHECK ((\"_n\" > 0))"),
            (
                Side::Own,
                "CHECK (((t.c)::text ~ 'c'::text)) NOT VALID",
                "CHECK (((t.\"_n\")::text ~ 'c'::text)) NOT VALID",
            ),
            (Side::Own, "PRIMARY KEY (a, c) INCLUDE (b)", "PRIMARY KEY (a, \"_n\") INCLUDE (b)"),
            (
                Side::Own,
                "UNIQUE NULLS NOT DISTINCT (c) INCLUDE (c) DEFERRABLE",
                "UNIQUE NULLS NOT DISTINCT (\"_n\") INCLUDE (\"_n\") DEFERRABLE",
            ),
            (Side::Own, "NOT NULL c NO INHERIT", "NOT NULL \"_n\" NO INHERIT"),
            (
                Side::Own,
                "FOREIGN KEY (a, c) REFERENCES s.c(a, c) ON DELETE SET NULL (c) NOT VALID",
                "FOREIGN KEY (a, \"_n\") REFERENCES s.c(a, c) ON DELETE SET NULL (\"_n\") NOT VALID",
            ),
            (
                Side::Referenced,
                "FOREIGN KEY (a, c) REFERENCES s.c(a, c) ON DELETE SET NULL (c)",
                "FOREIGN KEY (a, c) REFERENCES s.c(a, \"_n\") ON DELETE SET NULL (c)",
            ),
            (
                Side::Own,
                "EXCLUDE USING gist (c WITH &&, lower(d) WITH =) WHERE ((c IS NOT NULL))",
                "EXCLUDE USING gist (\"_n\" WITH &&, lower(d) WITH =) WHERE ((\"_n\" IS NOT NULL))",
            ),
        ];
        for (side, before, after) in cases {
            let made = rename_column_in_constraint(before, side, &ident("c"), &ident("_n")).unwrap();
            assert_eq!(made, after);
        }
        assert!(rename_column_in_constraint("CHECK (", Side::Own, &ident("c"), &ident("d")).is_err());
    }

    #[test]
    fn renames_in_statistics() {
        let before = "CREATE STATISTICS s.n (ndistinct, mcv) ON a, c, lower(c), (c + 1) FROM s.c";
        let made = rename_column_in_statistics(before, &ident("c"), &ident("_n"), &ident("new")).unwrap();
        assert_eq!(
            made,
            "CREATE STATISTICS s.\"new\" (ndistinct, mcv) ON a, \"_n\", lower(\"_n\"), (\"_n\" + 1) FROM s.c"
        );
    }
}
