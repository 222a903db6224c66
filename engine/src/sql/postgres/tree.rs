//! The lossless parser, and the few things asked of its trees.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use squawk_syntax::ast::{AstNode, normalize_name_node};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::token::{Token, TokenKind, significant};
use crate::name::{Ident, WrittenName};
use crate::sql::Flaw;

/// How deep the parser may have to go: it recurses, and a text of a thousand open brackets would end the process.
const MAX_WEIGHT: usize = 2_000;
/// What an open bracket or `CASE` counts; a token since the last comma counts one.
const LEVEL_WEIGHT: usize = 10;

/// The tree of `text`, which holds one statement.
///
/// # Errors
/// Everything that the parser did not understand.
pub(crate) fn parse(text: &str) -> Result<SyntaxNode, Vec<Flaw>> {
    let tokens = significant(text);
    bounded(text, &tokens).map_err(|flaw| vec![flaw])?;
    // The parser has assertions of its own; none is known to fail, but no text may end the process.
    let Ok((node, errors)) = catch_unwind(AssertUnwindSafe(|| {
        let parse = SourceFile::parse(text);
        (parse.syntax_node(), parse.errors())
    })) else {
        return Err(vec![Flaw::new(0..text.len(), "shoofly's parser fails on this text", NOT_THE_SERVER)]);
    };
    match errors.first() {
        None => Ok(node),
        // What follows the first error of a statement mostly follows from it.
        Some(error) => {
            let range = usize::from(error.range().start())..usize::from(error.range().end());
            Err(vec![not_understood(text, &tokens, range, error.message())])
        }
    }
}

fn not_understood(text: &str, tokens: &[Token], range: Range<usize>, message: &str) -> Flaw {
    if !range.is_empty() {
        return Flaw::new(range, message.to_lowercase(), NOT_THE_SERVER);
    }
    match tokens.iter().find(|token| token.range.end > range.start) {
        Some(token) => {
            let what = format!("`{}` is not understood here", token.text(text).chars().take(40).collect::<String>());
            Flaw::new(token.range.clone(), what, NOT_THE_SERVER)
        }
        None => Flaw::new(text.len()..text.len(), "the statement ends too early", NOT_THE_SERVER),
    }
}

const NOT_THE_SERVER: &str = "correct the statement; it was shoofly's parser that did not understand it, PostgreSQL was \
    not asked: if PostgreSQL accepts it, write it in a simpler form";

fn bounded(text: &str, tokens: &[Token]) -> Result<(), Flaw> {
    let mut open: Vec<usize> = Vec::new();
    let (mut below, mut run) = (0_usize, 0_usize);
    for token in tokens {
        run += 1;
        let opens = token.is_mark(b'(') || token.is_mark(b'[') || token.is_word(text, "case");
        let closes = token.is_mark(b')') || token.is_mark(b']') || token.is_word(text, "end");
        if opens {
            open.push(run);
            below += run + LEVEL_WEIGHT;
            run = 0;
        } else if closes {
            if let Some(outer) = open.pop() {
                below -= outer + LEVEL_WEIGHT;
                run = outer;
            }
        } else if token.is_mark(b',') || token.is_mark(b';') {
            run = 0;
        }
        if below + run > MAX_WEIGHT {
            return Err(Flaw::new(
                token.range.clone(),
                "the statement is nested too deeply, or too long without a comma",
                "write it in a simpler form, or as several statements",
            ));
        }
    }
    Ok(())
}

/// The bytes of a node, without white space and comments at its ends.
pub(crate) fn span(node: &SyntaxNode) -> Range<usize> {
    let mut meaningful = node
        .descendants_with_tokens()
        .filter_map(squawk_syntax::SyntaxElement::into_token)
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT));
    let whole = node.text_range();
    let first = meaningful.next().map_or(whole, |token| token.text_range());
    let last = meaningful.last().map_or(first, |token| token.text_range());
    usize::from(first.start())..usize::from(last.end())
}

/// The text of a node, byte for byte.
pub(crate) fn text_of(source: &str, node: &SyntaxNode) -> String {
    source.get(span(node)).unwrap_or_default().to_owned()
}

/// Whether a token of this kind stands directly in the node.
pub(crate) fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens().any(|element| element.kind() == kind)
}

/// The identifier that a name node stands for: folded unless it is quoted.
pub(crate) fn ident(node: &SyntaxNode) -> Result<Ident, Flaw> {
    normalize_name_node(node).parse().map_err(|error: crate::name::IdentError| {
        Flaw::new(span(node), error.to_string(), "use a name that PostgreSQL keeps whole")
    })
}

/// The name in or below `node`, with its schema where one is written.
pub(crate) fn written_name(node: &SyntaxNode) -> Result<WrittenName, Flaw> {
    let segments: Vec<SyntaxNode> = node
        .descendants()
        .filter(|inner| matches!(inner.kind(), SyntaxKind::PATH_SEGMENT_REF | SyntaxKind::PATH_SEGMENT))
        .collect();
    match segments.as_slice() {
        [name] => Ok(WrittenName { schema: None, name: ident(name)? }),
        [schema, name] => Ok(WrittenName { schema: Some(ident(schema)?), name: ident(name)? }),
        _ => Err(Flaw::new(span(node), "the name has too many parts", "write `schema.name`, or the name alone")),
    }
}

/// The typed nodes below `node`.
pub(crate) fn below<N: AstNode>(node: &SyntaxNode) -> impl Iterator<Item = N> {
    node.descendants().filter_map(N::cast)
}

/// Whether anything broken is among the tokens: a string without its end, a stray character.
pub(crate) fn broken(tokens: &[Token]) -> Option<&Token> {
    tokens.iter().find(|token| token.kind == TokenKind::Broken)
}
