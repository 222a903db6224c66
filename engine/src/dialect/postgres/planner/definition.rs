//! Definitions as the server prints them, over another column and under another name; and the names that it would choose.

use super::expression::Unusable;
use crate::name::{Ident, MAX_IDENT_BYTES};
use crate::schema::{ExtendedStatistics, Index};
use crate::sql::postgres::definition::{DefinitionError, rename_column_in_index, rename_column_in_statistics};
use crate::sql::postgres::token::{Token, TokenKind, significant};
use crate::text::{AsSql, Sql};

impl From<DefinitionError> for Unusable {
    fn from(error: DefinitionError) -> Self {
        Self(error.to_string())
    }
}

/// `old` with columns renamed, to be built concurrently under another name.
///
/// # Errors
/// A definition that is not understood.
pub(crate) fn index_copy<'n>(
    old: &Index,
    renames: impl Iterator<Item = (&'n Ident, &'n Ident)>,
    name: &Ident,
) -> Result<Sql, Unusable> {
    let mut definition = old.definition.clone();
    for (from, to) in renames {
        definition = rename_column_in_index(&definition, from, to, name)?;
    }
    let Some(tablespace) = &old.tablespace else { return Ok(Sql::raw(definition)) };
    let tablespace: Ident = tablespace.parse().map_err(|error| Unusable(format!("{error}")))?;
    let clause = format!("TABLESPACE {}", tablespace.as_sql());
    Ok(Sql::raw(match top_level_where(&definition) {
        Some(at) => format!("{}{clause} {}", &definition[..at], &definition[at..]),
        None => format!("{definition} {clause}"),
    }))
}

/// Where the condition of a partial index begins.
fn top_level_where(definition: &str) -> Option<usize> {
    let mut depth = 0;
    significant(definition).iter().find_map(|token| {
        depth += i32::from(token.is_mark(b'(')) - i32::from(token.is_mark(b')'));
        (depth == 0 && token.is_word(definition, "where")).then_some(token.range.start)
    })
}

/// `old` with columns renamed, under another name in its schema.
///
/// # Errors
/// A definition that is not understood.
pub(crate) fn statistics_copy<'n>(
    old: &ExtendedStatistics,
    renames: impl Iterator<Item = (&'n Ident, &'n Ident)>,
    name: &Ident,
) -> Result<Sql, Unusable> {
    let mut definition = old.definition.clone();
    for (from, to) in renames {
        definition = rename_column_in_statistics(&definition, from, to, name)?;
    }
    Ok(Sql::raw(definition))
}

/// The name that the server would choose for an index on `table` with this definition (what follows the table's name).
/// `None` where a key is an expression whose name only the server can tell.
pub(crate) fn server_index_name(table: &Ident, definition: &str, taken: &dyn Fn(&Ident) -> bool) -> Option<Ident> {
    let keys = distinct(key_names(definition)?);
    let keys = keys.join("_");
    (0..10_000_u32).find_map(|pass| {
        let label = if pass == 0 { "idx".to_owned() } else { format!("idx{pass}") };
        let name: Ident = object_name(table.as_str(), &keys, &label).parse().ok()?;
        (!taken(&name)).then_some(name)
    })
}

/// The names of the keys, and of the columns that are only included.
fn key_names(definition: &str) -> Option<Vec<String>> {
    let tokens = significant(definition);
    let mut names = Vec::new();
    let mut at = tokens.iter().position(|token| token.is_mark(b'('))?;
    loop {
        let end = closing(&tokens, at)?;
        for key in split(&tokens[at + 1..end]) {
            names.push(key_name(definition, key)?);
        }
        let included = tokens.get(end + 1).is_some_and(|token| token.is_word(definition, "include"));
        if !included {
            return Some(names);
        }
        at = end + 2;
    }
}

/// The place of the parenthesis that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0;
    tokens.iter().enumerate().skip(open).find_map(|(at, token)| {
        depth += i32::from(token.is_mark(b'(')) - i32::from(token.is_mark(b')'));
        (depth == 0).then_some(at)
    })
}

/// The parts between commas that stand outside parentheses.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0;
    tokens
        .split(|token| {
            depth += i32::from(token.is_mark(b'(')) - i32::from(token.is_mark(b')'));
            depth == 0 && token.is_mark(b',')
        })
        .collect()
}

fn key_name(definition: &str, key: &[Token]) -> Option<String> {
    let (first, rest) = key.split_first()?;
    if first.is_mark(b'(') {
        let end = closing(key, 0)?;
        let inner = &key[1..end];
        let computed = inner.iter().any(|token| token.kind == TokenKind::Operator);
        let cast = inner.iter().any(|token| token.text(definition) == "::" || token.is_mark(b':'));
        return (computed && !cast).then(|| "expr".to_owned());
    }
    let plain_or_call = rest.first().is_none_or(|token| !token.is_mark(b'.'));
    plain_or_call.then(|| bare_name(first.text(definition))).flatten()
}

/// A name as the catalogue has it.
fn bare_name(written: &str) -> Option<String> {
    match written.strip_prefix('"') {
        Some(quoted) => Some(quoted.strip_suffix('"')?.replace("\"\"", "\"")),
        None if written.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') => {
            Some(written.to_lowercase())
        }
        None => None,
    }
}

/// A name that comes again gets a number.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut made: Vec<String> = Vec::new();
    for name in names {
        let mut chosen = name.clone();
        let mut number = 1;
        while made.contains(&chosen) {
            chosen = format!("{name}{number}");
            number += 1;
        }
        made.push(chosen);
    }
    made
}

/// `table_keys_label`, the longer of the first two cut until the whole fits.
fn object_name(table: &str, keys: &str, label: &str) -> String {
    let room = MAX_IDENT_BYTES - label.len() - 2;
    let (mut first, mut second) = (table.len(), keys.len());
    while first + second > room {
        if first > second { first -= 1 } else { second -= 1 }
    }
    format!("{}_{}_{label}", clipped(table, first), clipped(keys, second))
}

/// At most `bytes` bytes, whole characters only.
fn clipped(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str, definition: &str) -> Option<String> {
        let table: Ident = table.parse().unwrap();
        server_index_name(&table, definition, &|_| false).map(|name| name.as_str().to_owned())
    }

    #[test]
    fn chooses_names_as_the_server_does() {
        assert_eq!(name("t", "(a)").unwrap(), "t_a_idx");
        assert_eq!(name("t", "USING btree (a DESC, b) INCLUDE (c) WHERE a > 0").unwrap(), "t_a_b_c_idx");
        assert_eq!(name("t", "(lower(a), \"Odd\", (a || b))").unwrap(), "t_lower_Odd_expr_idx");
        assert_eq!(name("t", "(a, a)").unwrap(), "t_a_a1_idx");
        assert_eq!(name("t", "((a::text))"), None);
        let long = name(&"t".repeat(60), "(a)").unwrap();
        assert_eq!((long.len(), long.ends_with("t_a_idx")), (63, true));
    }

    #[test]
    fn goes_on_to_the_next_number() {
        let table: Ident = "t".parse().unwrap();
        let taken = |name: &Ident| matches!(name.as_str(), "t_a_idx" | "t_a_idx1");
        assert_eq!(server_index_name(&table, "(a)", &taken).unwrap().as_str(), "t_a_idx2");
    }

    #[test]
    fn finds_the_condition_outside_parentheses() {
        let text = "CREATE INDEX i ON t (f(a)) WITH (fillfactor='70') WHERE (b = ' WHERE ')";
        assert_eq!(top_level_where(text), text.find("WHERE (b"));
    }
}
