use super::*;
use crate::sql::mysql::mode::{Product, Server};

fn cut_as(text: &str, mode: Mode) -> Vec<&str> {
    significant(text, mode).iter().map(|token| token.text(text)).collect()
}

fn kinds(text: &str) -> Vec<TokenKind> {
    significant(text, Mode::default()).iter().map(|token| token.kind).collect()
}

#[test]
fn cuts_as_the_servers_do() {
    let cases: [(&str, &[&str]); 16] = [
        ("a--1 -- x\n#y\n+2--", &["a", "-", "-", "1", "+", "2"]),
        ("'it''s' 'a\\'b' \"c\"\"d\\\"\" `e``f`", &["'it''s'", "'a\\'b'", "\"c\"\"d\\\"\"", "`e``f`"]),
        ("/* a /* b */ c", &["c"]),
        ("c->'$.a,b'->>\"$[0]\"", &["c", "->", "'$.a,b'", "->>", "\"$[0]\""]),
        ("1.5e-3 .5 1e5 1. 2fa 1ex", &["1.5e-3", ".5", "1e5", "1.", "2fa", "1ex"]),
        ("0xAf 0b01 x'0F' B'1' 0xg 0b2", &["0xAf", "0b01", "x'0F'", "B'1'", "0xg", "0b2"]),
        ("_utf8mb4'a' _id N'é'", &["_utf8mb4", "'a'", "_id", "N'é'"]),
        ("t.1a t.select `t`.5 t.`x`", &["t", ".", "1a", "t", ".", "select", "`t`", ".", "5", "t", ".", "`x`"]),
        ("@a @@global.b @`c d`:=? root@'%'", &["@a", "@@global.b", "@`c d`", ":=", "?", "root", "@'%'"]),
        ("a<=>b!=c&&d||!e", &["a", "<=>", "b", "!=", "c", "&&", "d", "||", "!", "e"]),
        ("/*!80013 INVISIBLE */ a*/*x*/b */", &["INVISIBLE", "a", "*", "b", "*", "/"]),
        ("/*!1234 a *//*M!100508 b *//*! c*/", &["1234", "a", "b", "c"]),
        ("/*!80013 a /* b */ c */ d", &["a", "c", "d"]),
        ("/*+ MAX_EXECUTION_TIME(1) */ é\u{2013}x", &["é\u{2013}x"]),
        ("'open", &["'open"]),
        ("\\ \0 @", &["\\", "\0", "@"]),
    ];
    for (text, expected) in cases {
        assert_eq!(cut_as(text, Mode::default()), expected, "{text}");
    }
}

#[test]
fn knows_kinds() {
    use TokenKind::*;
    assert_eq!(kinds("a `a` 'a' \"a\" 1 0x1 ? @a"), [Word, QuotedName, Text, Text, Number, Bits, Parameter, Variable]);
    assert_eq!(kinds("_utf8mb4 _id 1e5 1e5a"), [Introducer, Word, Number, Number, Word]);
    assert_eq!(kinds("'a /* \\ /*! a"), [Broken]);
    assert_eq!(kinds("a.'b"), [Word, Mark(b'.'), Broken]);
    let ends = tokens("/*!80013 a */", Mode::default());
    assert!(ends.first().unwrap().is_version_end() && ends.last().unwrap().is_version_end());
}

#[test]
fn follows_the_sql_mode() {
    let ansi = Mode { double_quotes: DoubleQuotes::Name, ..Mode::default() };
    assert_eq!(significant("\"a\\\"", ansi)[0].kind, TokenKind::QuotedName);
    let plain = Mode { backslash: Backslash::Plain, ..Mode::default() };
    assert_eq!(cut_as("'a\\' b", plain), ["'a\\'", "b"]);
}

#[test]
fn leaves_version_comments_to_the_server() {
    let text = "/*!80013 a *//*!50701 b *//*M!100508 c *//*! d *//*!99999 'x' /* y */ z */ e";
    let of = |product, version| Mode { server: Some(Server { product, version }), ..Mode::default() };
    assert_eq!(cut_as(text, of(Product::MySql, 80_036)), ["a", "b", "d", "e"]);
    assert_eq!(cut_as(text, of(Product::MySql, 50_744)), ["b", "d", "e"]);
    assert_eq!(cut_as(text, of(Product::MariaDb, 101_119)), ["c", "d", "e"]);
    assert_eq!(cut_as(text, Mode::default()), ["a", "b", "c", "d", "'x'", "z", "e"]);
}
