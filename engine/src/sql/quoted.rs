//! What stands between quotes.

/// What a backslash in a string does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backslash {
    /// It hides the character after it.
    #[default]
    Escapes,
    /// Nothing.
    Plain,
}

/// Where what the quote at `at` opens ends, behind its closing quote; a doubled one stands for itself. None where it has no end.
pub(super) fn end(bytes: &[u8], at: usize, backslash: Backslash) -> Option<usize> {
    let quote = bytes[at];
    let mut end = at + 1;
    while end < bytes.len() {
        if bytes[end] == b'\\' && backslash == Backslash::Escapes {
            end += 2;
        } else if bytes[end] != quote {
            end += 1;
        } else if bytes.get(end + 1) == Some(&quote) {
            end += 2;
        } else {
            return Some(end + 1);
        }
    }
    None
}
