//! What stands in an expression: columns, functions, and what a trigger or a fill cannot carry.
//!
//! Everything works on ranges of the text as written. Nothing is printed back from a tree, so that an expression
//! changes in the bytes of the names and nowhere else.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode, normalize_name_node};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::token::{is_operator, is_word, significant};
use super::tree;
use crate::name::{Ident, WrittenName};
use crate::sql::expression;
pub use crate::sql::expression::{ExprError, Unsuitable};

/// A column named in an expression.
pub type ColumnRef = crate::sql::expression::ColumnRef<Ident>;

/// An expression's tree, and where the expression starts in the text that was parsed.
struct Tree {
    root: SyntaxNode,
    offset: usize,
}

const BEFORE: &str = "SELECT (";

/// Parses `expr` and makes sure that it is one expression and nothing more.
fn parse(expr: &str) -> Result<Tree, ExprError> {
    let not = |why: &str| ExprError::Syntax(expr.to_owned(), why.to_owned());
    let tokens = significant(expr);
    if tokens.is_empty() {
        return Err(not("it is empty"));
    }
    if let Some(token) = tree::broken(&tokens) {
        return Err(not(&format!("{:?} is broken", token.text(expr))));
    }
    let mut depth = 0_i64;
    for token in &tokens {
        let (opens, closes) = (token.is_mark(b'(') || token.is_mark(b'['), token.is_mark(b')') || token.is_mark(b']'));
        depth += i64::from(opens) - i64::from(closes);
        if depth < 0 || token.is_mark(b';') || (depth == 0 && token.is_mark(b',')) {
            return Err(not(&format!("unexpected {:?}", token.text(expr))));
        }
    }
    // The line break ends a comment that the expression may end in.
    let text = format!("{BEFORE}{expr}\n)");
    let root =
        tree::parse(&text).map_err(|flaws| not(&flaws.first().map(|flaw| flaw.what.clone()).unwrap_or_default()))?;
    let whole = root
        .descendants()
        .find(|node| node.kind() == SyntaxKind::PAREN_EXPR)
        .filter(|node| tree::span(node) == (BEFORE.len() - 1..text.len()))
        .ok_or_else(|| not("it is not a single value"))?;
    Ok(Tree { root: whole, offset: BEFORE.len() })
}

/// The columns that `expr` names, in the order in which they stand.
///
/// # Errors
/// The text is no expression, or names cannot be told from each other in it (subqueries, `t.*`).
pub fn column_refs(expr: &str) -> Result<Vec<ColumnRef>, ExprError> {
    let tree = parse(expr)?;
    if contains_query(&tree.root) {
        return Err(ExprError::Subquery(expr.to_owned()));
    }
    let names = names_below(&tree.root);
    if names.whole_row {
        return Err(ExprError::WholeRow(expr.to_owned()));
    }
    let shift = |range: Range<usize>| range.start - tree.offset..range.end - tree.offset;
    names
        .columns
        .into_iter()
        .map(|written| {
            let name = written.name.parse().map_err(|error| ExprError::Syntax(expr.to_owned(), format!("{error}")));
            let (range, name_range) = (shift(written.range), shift(written.name_range));
            Ok(ColumnRef { range, name_range, qualifier: written.qualifier, name: name? })
        })
        .collect()
}

/// `expr` with each column for which `to` has an answer replaced by it; every other byte stays.
///
/// # Errors
/// As [`column_refs`].
pub fn rebind(expr: &str, to: impl Fn(&ColumnRef) -> Option<String>) -> Result<String, ExprError> {
    let edits = column_refs(expr)?.into_iter().filter_map(|column| Some((column.range.clone(), to(&column)?)));
    Ok(splice(expr, edits))
}

/// The functions that `expr` calls, each once. Keywords that are functions underneath (`current_date`, `EXTRACT`,
/// `AT TIME ZONE`) come under the function's name; `COALESCE` and its like are no functions.
///
/// # Errors
/// The text is no expression.
pub fn functions_called(expr: &str) -> Result<Vec<WrittenName>, ExprError> {
    Ok(names_below(&parse(expr)?.root).functions)
}

/// Whether `expr` contains a subquery.
///
/// # Errors
/// The text is no expression.
pub fn has_subquery(expr: &str) -> Result<bool, ExprError> {
    Ok(contains_query(&parse(expr)?.root))
}

/// The first thing in `expr` that cannot be evaluated for one row alone.
///
/// # Errors
/// The text is no expression.
pub fn unsuitable(expr: &str) -> Result<Option<Unsuitable>, ExprError> {
    let tree = parse(expr)?;
    if contains_query(&tree.root) {
        return Ok(Some(Unsuitable::Subquery));
    }
    let names = names_below(&tree.root);
    if tree.root.descendants().any(|node| node.kind() == SyntaxKind::OVER_CLAUSE) {
        return Ok(Some(Unsuitable::Window));
    }
    let aggregate = names.functions.iter().find(|name| {
        name.schema.as_ref().is_none_or(|schema| schema.as_str() == "pg_catalog")
            && AGGREGATES.contains(&name.name.as_str())
    });
    if let Some(name) = aggregate {
        return Ok(Some(Unsuitable::Aggregate(name.display())));
    }
    let mut tokens = tree.root.descendants_with_tokens().filter_map(squawk_syntax::SyntaxElement::into_token);
    Ok(tokens.find_map(|token| match token.kind() {
        SyntaxKind::WITHIN_KW | SyntaxKind::FILTER_KW => {
            let clause = token
                .parent()
                .is_some_and(|node| matches!(node.kind(), SyntaxKind::WITHIN_CLAUSE | SyntaxKind::FILTER_CLAUSE));
            clause.then(|| Unsuitable::Aggregate(token.text().to_lowercase()))
        }
        SyntaxKind::POSITIONAL_PARAM => Some(Unsuitable::Parameter),
        _ => None,
    }))
}

/// The server's own aggregates, as far as they are no window functions and no ordinary functions too.
const AGGREGATES: [&str; 31] = [
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "range_agg",
    "range_intersect_agg",
    "regr_count",
    "regr_slope",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// A column as found in a tree, with ranges of the text parsed.
pub(crate) struct FoundColumn {
    pub(crate) range: Range<usize>,
    pub(crate) name_range: Range<usize>,
    pub(crate) qualifier: Option<String>,
    pub(crate) name: String,
}

/// The names found below a node.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) columns: Vec<FoundColumn>,
    pub(crate) functions: Vec<WrittenName>,
    pub(crate) whole_row: bool,
}

/// Columns and functions below `root`, which holds expressions. An explicit stack: chains of operators are deep.
pub(crate) fn names_below(root: &SyntaxNode) -> Names {
    let mut names = Names::default();
    let mut called: Vec<(usize, WrittenName)> = Vec::new();
    let mut todo = vec![root.clone()];
    while let Some(node) = todo.pop() {
        let kind = node.kind();
        if let Some(function) = function_of(&node) {
            called.push((usize::from(node.text_range().start()), function));
        }
        if ast::Type::can_cast(kind) {
            continue;
        }
        match kind {
            SyntaxKind::NAME_REF => add_column(&mut names, &[node]),
            SyntaxKind::FIELD_EXPR => match chain(&node) {
                Some(parts) if tree::has_token(&node, SyntaxKind::STAR) => names.whole_row |= !parts.is_empty(),
                Some(parts) => add_column(&mut names, &parts),
                // A field of a value: `(c).f`, `c[1].f`.
                None => todo.extend(node.first_child()),
            },
            SyntaxKind::CALL_EXPR => {
                let callee = node.first_child().filter(|first| chain(first).is_some());
                if let Some(function) = callee.as_ref().and_then(called_name) {
                    called.push((usize::from(node.text_range().start()), function));
                }
                todo.extend(node.children().filter(|child| Some(child) != callee.as_ref()));
            }
            _ => todo.extend(node.children()),
        }
    }
    names.columns.sort_by_key(|column| column.range.start);
    called.sort_by_key(|(start, _)| *start);
    for (_, function) in called {
        if !names.functions.contains(&function) {
            names.functions.push(function);
        }
    }
    names
}

/// The names of `a.b.c`, or `None` where something else stands at its start.
fn chain(node: &SyntaxNode) -> Option<Vec<SyntaxNode>> {
    let mut parts = Vec::new();
    let mut current = node.clone();
    loop {
        match current.kind() {
            SyntaxKind::NAME_REF => {
                parts.push(current);
                parts.reverse();
                return Some(parts);
            }
            SyntaxKind::FIELD_EXPR => {
                let mut children = current.children();
                let base = children.next()?;
                parts.extend(children.next());
                current = base;
            }
            _ => return None,
        }
    }
}

fn add_column(names: &mut Names, parts: &[SyntaxNode]) {
    let [.., last] = parts else { return };
    if parts.len() == 1 && value_function(last).is_some() {
        return;
    }
    let qualifier = parts.len().checked_sub(2).and_then(|at| parts.get(at)).map(normalize_name_node);
    let name_range = tree::span(last);
    let start = parts.first().map_or(name_range.start, |first| tree::span(first).start);
    let range = start..name_range.end;
    names.columns.push(FoundColumn { range, name_range, qualifier, name: normalize_name_node(last) });
}

fn called_name(node: &SyntaxNode) -> Option<WrittenName> {
    let parts = chain(node)?;
    let mut idents = parts.iter().rev().map(|part| tree::ident(part).ok());
    let name = idents.next()??;
    let schema = idents.next().flatten();
    let construct = matches!(
        name.as_str(),
        "coalesce" | "nullif" | "greatest" | "least" | "row" | "grouping" | "xmlconcat" | "merge_action"
    );
    (schema.is_some() || !construct || ast::is_quoted_name_node(parts.last()?)).then_some(WrittenName { schema, name })
}

/// The function behind a piece of syntax.
fn function_of(node: &SyntaxNode) -> Option<WrittenName> {
    let name = match node.kind() {
        SyntaxKind::NAME_REF => value_function(node)?,
        SyntaxKind::EXTRACT_FN => "extract",
        SyntaxKind::SUBSTRING_FN => "substring",
        SyntaxKind::POSITION_FN => "position",
        SyntaxKind::OVERLAY_FN => "overlay",
        SyntaxKind::TRIM_FN => "btrim",
        SyntaxKind::AT_TIME_ZONE | SyntaxKind::AT_LOCAL => "timezone",
        _ => return None,
    };
    Some(WrittenName { schema: None, name: name.parse().ok()? })
}

/// The function behind `current_date` and its like, which look like columns.
fn value_function(node: &SyntaxNode) -> Option<&'static str> {
    let token = node.first_token()?;
    Some(match token.kind() {
        SyntaxKind::CURRENT_DATE_KW
        | SyntaxKind::CURRENT_TIME_KW
        | SyntaxKind::CURRENT_TIMESTAMP_KW
        | SyntaxKind::LOCALTIME_KW
        | SyntaxKind::LOCALTIMESTAMP_KW => "now",
        SyntaxKind::CURRENT_USER_KW
        | SyntaxKind::CURRENT_ROLE_KW
        | SyntaxKind::USER_KW
        | SyntaxKind::SYSTEM_USER_KW => "current_user",
        SyntaxKind::SESSION_USER_KW => "session_user",
        SyntaxKind::CURRENT_SCHEMA_KW => "current_schema",
        SyntaxKind::CURRENT_CATALOG_KW => "current_database",
        _ => return None,
    })
}

fn contains_query(root: &SyntaxNode) -> bool {
    root.descendants().any(|node| ast::SelectVariant::can_cast(node.kind()))
}

/// `text` with each range replaced.
pub(crate) fn splice(text: &str, edits: impl IntoIterator<Item = (Range<usize>, String)>) -> String {
    expression::splice(text, edits, grows)
}

/// Whether two bytes side by side would be one token.
fn grows(before: u8, after: u8) -> bool {
    let quote = |byte| byte == b'"' || byte == b'\'';
    (is_word(before) && (is_word(after) || quote(after)))
        || (is_operator(before) && is_operator(after))
        || (quote(before) && before == after)
}

#[cfg(test)]
mod tests;
