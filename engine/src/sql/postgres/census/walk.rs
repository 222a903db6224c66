//! Statements that parse.

use squawk_syntax::ast::{self, AstNode, normalize_name_node};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::super::tree::{has_token, written_name};
use super::{StatementShape, Usage};
use crate::name::WrittenName;

/// Functions to which a whole row is given by the table's name.
const ROW_FUNCTIONS: [&str; 8] =
    ["to_json", "to_jsonb", "row_to_json", "json_agg", "jsonb_agg", "array_agg", "hstore", "to_tsvector"];

/// A table that a query reads, and the name by which its parts call it.
struct Source {
    table: WrittenName,
    called: String,
}

/// The shape of the statements below `root`.
pub(super) fn statements(root: &SyntaxNode) -> StatementShape {
    let mut shape = StatementShape::default();
    let common = common_tables(root);
    let is_table =
        |table: &WrittenName| table.schema.is_some() || !common.iter().any(|name| name == table.name.as_str());
    for node in root.descendants() {
        if let SyntaxKind::RELATION_NAME_REF | SyntaxKind::TABLE_NAME_REF = node.kind()
            && let Ok(table) = written_name(&node)
            && is_table(&table)
        {
            shape.add(&table, Usage::Named);
        }
    }
    // What such a statement says of columns is settled when it is run, once.
    let once = |kind: SyntaxKind| format!("{kind:?}").starts_with("CREATE_");
    if root.children().any(|statement| once(statement.kind())) {
        return shape;
    }
    for node in root.descendants() {
        match node.kind() {
            SyntaxKind::INSERT => insert(&node, &mut shape),
            SyntaxKind::MERGE => merge(&node, &mut shape),
            SyntaxKind::COPY => copy(&node, &mut shape),
            SyntaxKind::TABLE | SyntaxKind::SELECT | SyntaxKind::UPDATE | SyntaxKind::DELETE => {}
            _ => continue,
        }
        stars(&node, &mut shape, &is_table);
    }
    shape
}

/// The names that `WITH` defines.
fn common_tables(root: &SyntaxNode) -> Vec<String> {
    root.descendants()
        .filter(|node| node.kind() == SyntaxKind::CTE_NAME)
        .map(|node| normalize_name_node(&node))
        .collect()
}

/// The nodes of one query, without those of the queries inside it.
fn own(query: &SyntaxNode) -> Vec<SyntaxNode> {
    let mut found = Vec::new();
    let mut todo: Vec<SyntaxNode> = query.children().collect();
    while let Some(node) = todo.pop() {
        let another = ast::SelectVariant::can_cast(node.kind()) || node.kind() == SyntaxKind::WITH_CLAUSE;
        if !another {
            todo.extend(node.children());
            found.push(node);
        }
    }
    found
}

/// `*`, `t.*` and whole rows in one query.
fn stars(query: &SyntaxNode, shape: &mut StatementShape, is_table: &dyn Fn(&WrittenName) -> bool) {
    let nodes = own(query);
    let mut sources = sources(&nodes);
    sources.retain(|source| is_table(&source.table));
    let kinds = [SyntaxKind::INSERT, SyntaxKind::COMPOUND_SELECT];
    let fits = query.ancestors().any(|node| kinds.contains(&node.kind())) && query.kind() != SyntaxKind::INSERT;
    let how = if fits { Usage::AllColumnsMustFit } else { Usage::AllColumns };
    if query.kind() == SyntaxKind::TABLE {
        sources.iter().for_each(|source| shape.add(&source.table, how));
    }
    for node in &nodes {
        let starred = has_token(node, SyntaxKind::STAR);
        match node.kind() {
            SyntaxKind::TARGET if starred => sources.iter().for_each(|source| shape.add(&source.table, how)),
            SyntaxKind::FIELD_EXPR if starred => {
                let called = node.first_child().and_then(|base| base.last_child_or_token()).map(|_| last_name(node));
                let meant = sources.iter().filter(|source| called.as_ref() == Some(&source.called));
                meant.for_each(|source| shape.add(&source.table, how));
            }
            SyntaxKind::CALL_EXPR => whole_rows(node, &sources, shape),
            _ => {}
        }
    }
}

/// The name before `.*`.
fn last_name(field: &SyntaxNode) -> String {
    let names = field.descendants().filter(|node| node.kind() == SyntaxKind::NAME_REF);
    names.last().map(|name| normalize_name_node(&name)).unwrap_or_default()
}

fn whole_rows(call: &SyntaxNode, sources: &[Source], shape: &mut StatementShape) {
    let function = call.first_child().map(|function| last_name(&function)).unwrap_or_default();
    if !ROW_FUNCTIONS.contains(&function.as_str()) {
        return;
    }
    let arguments = call.children().filter(|node| node.kind() == SyntaxKind::ARG_LIST).flat_map(|list| list.children());
    for argument in arguments.filter_map(|argument| argument.first_child()) {
        let name = (argument.kind() == SyntaxKind::NAME_REF).then(|| normalize_name_node(&argument));
        let meant = sources.iter().filter(|source| name.as_ref() == Some(&source.called));
        meant.for_each(|source| shape.add(&source.table, Usage::RowType));
    }
}

/// The tables of a query, each with its alias beside it.
fn sources(nodes: &[SyntaxNode]) -> Vec<Source> {
    let named =
        nodes.iter().filter(|node| matches!(node.kind(), SyntaxKind::RELATION_NAME_REF | SyntaxKind::TABLE_NAME_REF));
    let read = named.filter_map(|node| {
        let table = written_name(node).ok()?;
        // `FROM t AS a`: the alias is the item's child; `UPDATE t AS a`: the statement's.
        let mut holders = node.ancestors().skip(1).take(2);
        let alias = holders.find_map(|holder| {
            let alias = holder.children().find(|child| {
                let kinds = [SyntaxKind::FROM_ALIAS, SyntaxKind::OPTIONAL_AS_ALIAS, SyntaxKind::REQUIRED_AS_ALIAS];
                kinds.contains(&child.kind())
            })?;
            alias.children().find(|child| child.kind() == SyntaxKind::TABLE_ALIAS)
        });
        let called = alias.map_or_else(|| table.name.as_str().to_owned(), |alias| normalize_name_node(&alias));
        Some(Source { table, called })
    });
    read.collect()
}

fn insert(node: &SyntaxNode, shape: &mut StatementShape) {
    let listed = node.children().any(|child| child.kind() == SyntaxKind::COLUMN_TARGET_LIST);
    let defaults = node.children().any(|child| child.kind() == SyntaxKind::DEFAULT_VALUES);
    let target = node.children().find(|child| child.kind() == SyntaxKind::RELATION_NAME_REF);
    if let Some(table) = target.and_then(|target| written_name(&target).ok())
        && !listed
        && !defaults
    {
        shape.add(&table, Usage::InsertWithoutColumns);
    }
}

fn merge(node: &SyntaxNode, shape: &mut StatementShape) {
    let listless = node.descendants().filter(|inner| inner.kind() == SyntaxKind::MERGE_INSERT).any(|insert| {
        let kinds = [SyntaxKind::COLUMN_TARGET_LIST, SyntaxKind::DEFAULT_VALUES];
        !insert.children().any(|child| kinds.contains(&child.kind()))
    });
    let target = node.children().find(|child| child.kind() == SyntaxKind::TABLE_RELATION_NAME);
    if let Some(table) = target.and_then(|target| written_name(&target).ok())
        && listless
    {
        shape.add(&table, Usage::InsertWithoutColumns);
    }
}

fn copy(node: &SyntaxNode, shape: &mut StatementShape) {
    let Some(source) = node.children().find(|child| child.kind() == SyntaxKind::COPY_TABLE) else { return };
    let listed = source.children().any(|child| child.kind() == SyntaxKind::COLUMN_REF_LIST);
    let into = node.children().any(|child| child.kind() == SyntaxKind::COPY_FROM);
    if let Ok(table) = written_name(&source)
        && !listed
    {
        shape.add(&table, if into { Usage::CopyWithoutColumns } else { Usage::AllColumns });
    }
}
