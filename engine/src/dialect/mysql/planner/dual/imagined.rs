//! What a definition seems to say, for plans that are made without asking the server.

use crate::dialect::mysql::dual::Wanted;
use crate::dialect::mysql::planner::change::OneColumn;
use crate::schema::mysql::{Column, Table};
use crate::sql::mysql::Name;
use crate::sql::mysql::statement::Position;
use crate::text::Sql;

/// Types by other names than the catalogue's.
const ALIASES: [(&str, &str); 7] = [
    ("integer", "int"),
    ("numeric", "decimal"),
    ("dec", "decimal"),
    ("bool", "tinyint"),
    ("boolean", "tinyint"),
    ("real", "double"),
    ("character", "char"),
];

/// The column as it would be.
pub(super) fn column(one: &OneColumn<'_>, before: &Column, table: &Table) -> Wanted {
    let text = one.definition.trim();
    let lower = text.to_lowercase();
    let word: String = lower.chars().take_while(char::is_ascii_alphanumeric).collect();
    let data_type =
        ALIASES.iter().find(|(alias, _)| *alias == word).map_or(word.clone(), |(_, name)| (*name).to_owned());
    let size = lower.get(word.len()..).map(str::trim_start).filter(|rest| rest.starts_with('('));
    let size = size.and_then(|_| Some(&text[text.find('(')?..=text.find(')')?])).unwrap_or_default();
    let sign = if lower.contains(" unsigned") { " unsigned" } else { "" };
    let (charset, collation) = letters(&lower, &data_type, before, table);
    let column = Column {
        name: one.to.clone(),
        column_type: format!("{data_type}{size}{sign}"),
        data_type,
        nullable: !lower.contains("not null"),
        default: None,
        charset,
        collation,
        auto_increment: lower.contains("auto_increment"),
        generated: None,
        extra: String::new(),
        comment: String::new(),
    };
    Wanted { column, definition: Sql::raw(text), behind: behind(one, before, table) }
}

/// Character set and collation: those that are written, else those of before, else the table's.
fn letters(lower: &str, data_type: &str, before: &Column, table: &Table) -> (Option<String>, Option<String>) {
    let texts = ["char", "text", "enum", "set"];
    if !texts.iter().any(|text| data_type.ends_with(text)) {
        return (None, None);
    }
    let words: Vec<&str> =
        lower.split(|char: char| char.is_whitespace() || char == '=').filter(|w| !w.is_empty()).collect();
    let after = |at: usize| words.get(at + 1).map(|word| (*word).to_owned());
    let collation = words.iter().position(|word| *word == "collate").and_then(after);
    let set = |at: &usize| words[*at] == "charset" || (*at > 0 && words[*at - 1] == "character" && words[*at] == "set");
    let charset = (0..words.len()).find(set).and_then(after);
    let of = |collation: &str| collation.split('_').next().unwrap_or_default().to_owned();
    match (charset, collation) {
        (Some(charset), collation) => {
            let collation = collation.unwrap_or_else(|| format!("{charset}_general_ci"));
            (Some(charset), Some(collation))
        }
        (None, Some(collation)) => (Some(of(&collation)), Some(collation)),
        (None, None) if before.charset.is_some() => (before.charset.clone(), before.collation.clone()),
        (None, None) => (table.collation.as_deref().map(of), table.collation.clone()),
    }
}

/// The column that it will stand behind.
fn behind(one: &OneColumn<'_>, before: &Column, table: &Table) -> Option<Name> {
    match one.position {
        Some(Position::First) => None,
        Some(Position::After(other)) => Some(other.clone()),
        None => {
            let at = table.columns.iter().position(|column| column.name == before.name)?;
            at.checked_sub(1).and_then(|at| table.columns.get(at)).map(|column| column.name.clone())
        }
    }
}
