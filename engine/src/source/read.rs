//! Cut text → scripts, with every error of the file at once.

use super::cut::{Cut, Piece, Section, cut};
use super::{Script, Statement, directive, render};
use crate::op::Operation;
use crate::sql::{Dialect, Flaw};

/// So many errors of a file are shown: what is no SQL at all has one in every other place.
const MOST: usize = 50;

/// What a text says.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) up: Script,
    pub(super) down: Option<Script>,
    /// What the checksum is made of.
    pub(super) parts: Vec<String>,
}

/// Reads a text with sections, or without.
pub(super) fn sections(dialect: Dialect, shown: &str, text: &str) -> Result<Sections, Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut made = cut(dialect, text);
    if made.down && !made.up {
        made.flaws.push(Flaw::new(0..text.len(), "there is a section down and none up", "add `-- migrate:up` above"));
    }
    assemble(dialect, (shown, text), made)
}

/// Reads one statement, for the command line.
pub(super) fn single(dialect: Dialect, text: &str) -> Result<Sections, Vec<String>> {
    let mut made = cut(dialect, text);
    if made.up || made.down {
        let advice = "sections belong into files; give the statement alone";
        made.flaws.push(Flaw::new(0..text.len(), "a statement of the command line has no sections", advice));
    }
    if let Some(second) = made.pieces.get(1) {
        let advice = "give one statement, or write a file";
        made.flaws.push(Flaw::new(second.range.clone(), "a second statement starts here", advice));
        made.pieces.truncate(1);
    } else if made.pieces.is_empty() {
        made.flaws.push(Flaw::new(0..0, "there is no statement", dialect.supported()));
    }
    assemble(dialect, ("command line", text), made)
}

/// Puts two files of a pair together.
pub(super) fn pair(
    up: Result<Sections, Vec<String>>,
    down: Result<Sections, Vec<String>>,
) -> Result<Sections, Vec<String>> {
    let (up, down) = match (up, down) {
        (Ok(up), Ok(down)) => (up, down),
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => return Err(errors),
        (Err(mut errors), Err(more)) => {
            errors.extend(more);
            return Err(errors);
        }
    };
    let mut parts = up.parts;
    // What a plain file says is `up` for whoever reads it alone; here it is the other half.
    parts.extend(down.parts.into_iter().map(|part| part.replacen("up\u{1e}", "down\u{1e}", 1)));
    Ok(Sections { up: up.up, down: Some(down.up), parts })
}

/// Refuses marks of sections in a file of a pair.
pub(super) fn half(dialect: Dialect, shown: &str, text: &str) -> Result<Sections, Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut made = cut(dialect, text);
    if made.up || made.down {
        let advice = "the file's name says which section it is; remove the marks";
        made.flaws.push(Flaw::new(0..text.len(), "a file of a pair has sections of its own", advice));
    }
    assemble(dialect, (shown, text), made)
}

fn assemble(dialect: Dialect, (shown, text): (&str, &str), cut: Cut) -> Result<Sections, Vec<String>> {
    let mut flaws = cut.flaws;
    let mut made = Sections { down: cut.down.then(Script::default), ..Sections::default() };
    for piece in &cut.pieces {
        let (statement, part) = statement(dialect, (shown, text), piece, &mut flaws);
        made.parts.push(part);
        match (piece.section, &mut made.down) {
            (Section::Down, Some(down)) => down.statements.push(statement),
            _ => made.up.statements.push(statement),
        }
    }
    if flaws.is_empty() {
        return Ok(made);
    }
    flaws.sort_by_key(|flaw| flaw.range.start);
    let mut texts: Vec<String> = flaws.iter().take(MOST).map(|flaw| render::flaw(shown, text, flaw)).collect();
    if flaws.len() > MOST {
        texts.push(format!("{shown}: {} more errors are not shown", flaws.len() - MOST));
    }
    Err(texts)
}

fn statement(
    dialect: Dialect,
    (shown, text): (&str, &str),
    piece: &Piece,
    flaws: &mut Vec<Flaw>,
) -> (Statement, String) {
    let sql = text.get(piece.range.clone()).unwrap_or_default();
    let directives = directive::read(dialect, text, &piece.directives, flaws);
    let part = part(dialect, piece.section, &directives.said, sql);
    let mut operations: Vec<Operation> = match dialect.read_statement(sql) {
        Ok(operations) => operations,
        Err(found) => {
            flaws.extend(found.into_iter().map(|flaw| flaw.shifted(piece.range.start)));
            Vec::new()
        }
    };
    // Without operations nothing can be said about where a directive belongs.
    let options =
        if operations.is_empty() { directives.options } else { directives.apply(dialect, &mut operations, flaws) };
    let place = format!("{shown}:{}", render::line_of(text, piece.range.start));
    (Statement { sql: sql.to_owned(), place, operations, options }, part)
}

/// One statement's share of the checksum.
fn part(dialect: Dialect, section: Section, said: &[(String, String)], sql: &str) -> String {
    let mut part = match section {
        Section::Up => "up\u{1e}".to_owned(),
        Section::Down => "down\u{1e}".to_owned(),
    };
    let mut said: Vec<String> =
        said.iter().map(|(key, value)| format!("{key}={}", dialect.normalised(value))).collect();
    said.sort();
    for line in said {
        part.push_str(&line);
        part.push('\u{1e}');
    }
    part.push_str(&dialect.normalised(sql));
    part
}
