//! Names of tables as the servers name files after them, which is how InnoDB knows them.

use crate::schema::mysql::TablePath;
use crate::sql::mysql::name::Name;

/// `database/table`. None for letters that have short forms there (accented Latin, Greek, Cyrillic …), which only the
/// server's own table knows.
pub(super) fn file_of(path: &TablePath) -> Option<String> {
    Some(format!("{}/{}", encoded(&path.database)?, encoded(&path.name)?))
}

/// The table of such a name. None where it has short forms.
pub(super) fn path_of(file: &str) -> Option<TablePath> {
    let (database, name) = file.split_once('/')?;
    Some(TablePath::new(decoded(database)?, decoded(name)?))
}

fn encoded(name: &Name) -> Option<String> {
    let mut text = String::new();
    for char in name.as_str().chars() {
        match char {
            '0'..='9' | 'A'..='Z' | 'a'..='z' | '_' => text.push(char),
            '\u{c0}'..='\u{5ff}'
            | '\u{1e00}'..='\u{1fff}'
            | '\u{2160}'..='\u{217f}'
            | '\u{24b0}'..='\u{24ef}'
            | '\u{ff20}'..='\u{ff5f}' => return None,
            other => text.push_str(&format!("@{:04x}", u32::from(other))),
        }
    }
    Some(text)
}

fn decoded(file: &str) -> Option<Name> {
    let mut parts = file.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(4)?;
        text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        text.push_str(rest);
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_the_server_does() {
        for (name, file) in [
            ("Plain_1", Some("Plain_1")),
            ("it's `odd-1", Some("it@0027s@0020@0060odd@002d1")),
            ("$§中", Some("@0024@00a7@4e2d")),
            ("é", None),
            ("ж", None),
        ] {
            let path = TablePath::new("a-b".parse().unwrap(), name.parse().unwrap());
            assert_eq!(file_of(&path), file.map(|file| format!("a@002db/{file}")), "{name}");
            assert_eq!(file.and_then(|file| path_of(&format!("a@002db/{file}"))), file.map(|_| path), "{name}");
        }
        for unknown in ["a/@0g", "a/@zzzz", "a", "a/", "a/b@00"] {
            assert_eq!(path_of(unknown), None, "{unknown}");
        }
    }
}
