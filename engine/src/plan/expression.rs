//! Texts of SQL as the planner needs them: which columns an expression reads, and the same text over other names.

use crate::name::{Ident, WrittenName};
use crate::text::{AsSql, Sql};

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable(pub(crate) String);

pub(crate) fn columns(text: &str) -> Result<Vec<Ident>, Unusable> {
    let mut found: Vec<Ident> = Vec::new();
    for (_, ident) in words(text) {
        if !found.contains(&ident) {
            found.push(ident);
        }
    }
    Ok(found)
}

pub(crate) fn rebound(text: &str, reach: &dyn Fn(&Ident) -> Sql) -> Result<Sql, Unusable> {
    let mut out = String::new();
    let mut at = 0;
    for (range, ident) in words(text) {
        out.push_str(&text[at..range.start]);
        out.push_str(reach(&ident).as_str());
        at = range.end;
    }
    out.push_str(&text[at..]);
    Ok(Sql::raw(format!("({out})")))
}

pub(crate) fn functions(_text: &str) -> Result<Vec<WrittenName>, Unusable> {
    Ok(Vec::new())
}

pub(crate) fn renamed(text: &str, from: &Ident, to: &Ident) -> Result<Sql, Unusable> {
    let mut out = String::new();
    let mut at = 0;
    for (range, ident) in words(text) {
        if ident == *from {
            out.push_str(&text[at..range.start]);
            out.push_str(&to.as_sql());
            at = range.end;
        }
    }
    out.push_str(&text[at..]);
    Ok(Sql::raw(out))
}

fn words(text: &str) -> Vec<(std::ops::Range<usize>, Ident)> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i].is_ascii_lowercase() || bytes[i] == b'_' {
            let start = i;
            while i < bytes.len() && (bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_') {
                i += 1;
            }
            if bytes.get(i) != Some(&b'(') && (start == 0 || bytes[start - 1] != b':') {
                if let Ok(ident) = text[start..i].parse() {
                    found.push((start..i, ident));
                }
            }
        } else {
            i += 1;
        }
    }
    found
}
