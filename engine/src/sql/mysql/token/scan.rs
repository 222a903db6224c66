//! Where a token ends.

use super::{TokenKind, is_word};
use crate::sql::mysql::mode::Product;
use crate::sql::quoted::{self, Backslash};

/// The first bytes of a version comment.
pub(super) struct Opening {
    /// Where its content starts.
    pub(super) end: usize,
    /// Whose comment it is: `/*M!` is MariaDB's alone.
    pub(super) product: Option<Product>,
    /// From which version it is code, as `80013`; 0 for any.
    pub(super) version: u32,
}

/// `/*!`, `/*!80013`, `/*M!100508`. The servers read five digits, or six; fewer are code.
pub(super) fn version_opening(bytes: &[u8], at: usize) -> Option<Opening> {
    let (product, digits) = match (bytes.get(at + 2), bytes.get(at + 3)) {
        (Some(b'!'), _) => (None, at + 3),
        (Some(b'M'), Some(b'!')) => (Some(Product::MariaDb), at + 4),
        _ => return None,
    };
    let length = skip(bytes, digits, |byte| byte.is_ascii_digit()) - digits;
    let length = if length < 5 { 0 } else { length.min(6) };
    let end = digits + length;
    let number = bytes.get(digits..end).unwrap_or_default();
    let version = number.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some(Opening { end, product, version })
}

/// The rest of a version comment that is not code. The servers let ordinary comments stand in it.
pub(super) fn skipped_version(bytes: &[u8], from: usize) -> (TokenKind, usize) {
    let mut end = from;
    while end < bytes.len() {
        match (bytes[end], bytes.get(end + 1)) {
            (b'*', Some(b'/')) => return (TokenKind::BlockComment, end + 2),
            (b'/', Some(b'*')) => end = block_comment(bytes, end).1,
            _ => end += 1,
        }
    }
    (TokenKind::Broken, bytes.len())
}

/// Comments do not nest.
pub(super) fn block_comment(bytes: &[u8], at: usize) -> (TokenKind, usize) {
    let content = bytes.get(at + 2..).unwrap_or_default();
    match content.windows(2).position(|pair| pair == b"*/") {
        Some(found) => (TokenKind::BlockComment, at + 2 + found + 2),
        None => (TokenKind::Broken, bytes.len()),
    }
}

/// `at` is the opening quote.
pub(super) fn quoted(bytes: &[u8], at: usize, kind: TokenKind, backslash: Backslash) -> (TokenKind, usize) {
    quoted::end(bytes, at, backslash).map_or((TokenKind::Broken, bytes.len()), |end| (kind, end))
}

/// What starts with a digit: a number, or a name such as `2fa`.
pub(super) fn number_or_word(bytes: &[u8], at: usize) -> (TokenKind, usize) {
    if bytes[at] == b'0' {
        let end = match bytes.get(at + 1) {
            Some(b'x') => skip(bytes, at + 2, |byte| byte.is_ascii_hexdigit()),
            Some(b'b') => skip(bytes, at + 2, |byte| matches!(byte, b'0' | b'1')),
            _ => at,
        };
        if end > at + 2 && !bytes.get(end).copied().is_some_and(is_word) {
            return (TokenKind::Bits, end);
        }
    }
    let digits = skip(bytes, at, |byte| byte.is_ascii_digit());
    match bytes.get(digits) {
        Some(b'.') => (TokenKind::Number, fraction(bytes, digits)),
        Some(byte) if is_word(*byte) => match exponent(bytes, digits) {
            Some(end) => (TokenKind::Number, end),
            None => (TokenKind::Word, skip(bytes, at, is_word)),
        },
        _ => (TokenKind::Number, digits),
    }
}

/// From the point on.
pub(super) fn fraction(bytes: &[u8], point: usize) -> usize {
    let digits = skip(bytes, point + 1, |byte| byte.is_ascii_digit());
    exponent(bytes, digits).unwrap_or(digits)
}

fn exponent(bytes: &[u8], at: usize) -> Option<usize> {
    if !matches!(bytes.get(at), Some(b'e' | b'E')) {
        return None;
    }
    let digits = if matches!(bytes.get(at + 1), Some(b'+' | b'-')) { at + 2 } else { at + 1 };
    bytes.get(digits).is_some_and(u8::is_ascii_digit).then(|| skip(bytes, digits, |byte| byte.is_ascii_digit()))
}

/// Operators of more than one character, the longer ones first.
const OPERATORS: [&str; 12] = ["->>", "<=>", "->", ":=", "||", "&&", "!=", "<>", "<<", ">>", "<=", ">="];

pub(super) fn operator(bytes: &[u8], at: usize, first: u8) -> (TokenKind, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(found) = OPERATORS.iter().find(|operator| rest.starts_with(operator.as_bytes())) {
        return (TokenKind::Operator, at + found.len());
    }
    let kind = if is_operator(first) { TokenKind::Operator } else { TokenKind::Broken };
    (kind, at + 1)
}

fn is_operator(byte: u8) -> bool {
    b"+-*/<>=~!%^&|".contains(&byte)
}

pub(super) fn skip(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes.get(from..).unwrap_or_default().iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |n| from + n)
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

/// The character sets of both servers: `_latin1` is an introducer, `_id` is a name.
pub(super) fn is_charset(name: &str) -> bool {
    CHARSETS.iter().any(|charset| charset.eq_ignore_ascii_case(name))
}

const CHARSETS: [&str; 43] = [
    "armscii8", "ascii", "big5", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "cp932",
    "dec8", "eucjpms", "euckr", "filename", "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8", "keybcs2",
    "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7", "tis620", "ucs2",
    "ujis", "utf16", "utf16le", "utf32", "utf8", "utf8mb3", "utf8mb4",
];
