//! `.env`: `NAME=value` lines, read without changing the process's environment.

use std::collections::BTreeMap;

/// Reads the lines of a `.env` file. Comments, empty lines and an `export` in front are allowed; values may be quoted.
/// Lines that are none of this are left alone: the file belongs to other programs too.
pub(crate) fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| (name.to_owned(), unquoted(value.trim())))
}

fn unquoted(value: &str) -> String {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split('\'').next().unwrap_or_default().to_owned();
    }
    if let Some(rest) = value.strip_prefix('"') {
        return double_quoted(rest);
    }
    // A comment needs a space before it: `#` alone may be part of a password.
    value.split(" #").next().unwrap_or_default().trim_end().to_owned()
}

fn double_quoted(rest: &str) -> String {
    let mut value = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(other) => value.push(other),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let text = "# comment\nexport A=1\nB = two words # note\nC='a # b'\nD=\"x\\\"y\"\nE=p#w\nnot a line\n=x\n";
        let read = parse(text);
        let pairs: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("A", "1"), ("B", "two words"), ("C", "a # b"), ("D", "x\"y"), ("E", "p#w")]);
    }
}
