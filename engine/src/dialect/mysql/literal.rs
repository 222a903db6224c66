//! Text as a literal of MySQL and MariaDB.

use crate::text::AsSql;

/// A string literal in the session's character set, `utf8mb4`. Our sessions read backslashes as escapes.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a>(pub &'a str);

impl AsSql for Text<'_> {
    fn as_sql(&self) -> String {
        let mut text = String::with_capacity(self.0.len() + 2);
        text.push('\'');
        for char in self.0.chars() {
            match char {
                '\'' => text.push_str("''"),
                '\\' => text.push_str("\\\\"),
                '\0' => text.push_str("\\0"),
                // The client library would take it for the end of a text file on some systems.
                '\u{1a}' => text.push_str("\\Z"),
                other => text.push(other),
            }
        }
        text.push('\'');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_stay_inside() {
        assert_eq!(Text("it's a \\ b").as_sql(), r"'it''s a \\ b'");
    }
}
