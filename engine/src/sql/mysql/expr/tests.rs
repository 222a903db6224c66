use super::*;
use crate::sql::mysql::mode::DoubleQuotes;

fn columns(expr: &str) -> Vec<String> {
    column_refs(expr, Mode::default())
        .unwrap()
        .iter()
        .map(|column| match &column.qualifier {
            Some(qualifier) => format!("{qualifier}.{}", column.name.as_str()),
            None => column.name.as_str().to_owned(),
        })
        .collect()
}

#[test]
fn finds_columns_and_nothing_else() {
    let cases: [(&str, &[&str]); 45] = [
        ("c", &["c"]),
        ("C + `C`", &["C", "C"]),
        ("t.c + db.t.d - NEW.`e f`", &["t.c", "t.d", "NEW.e f"]),
        ("CAST(c AS DECIMAL(10, 2))", &["c"]),
        ("CAST(c AS CHAR(10) CHARACTER SET utf8mb4) COLLATE utf8mb4_bin", &["c"]),
        ("CONVERT(c, UNSIGNED INTEGER) + convert(d USING utf8mb4)", &["c", "d"]),
        ("lower(c)", &["c"]),
        ("db.f(c, d)", &["c", "d"]),
        ("EXTRACT(YEAR FROM c) + extract(day_hour from year)", &["c", "year"]),
        ("DATE_ADD(c, INTERVAL d DAY) + INTERVAL 1 SQL_TSI_HOUR", &["c", "d"]),
        ("c + INTERVAL (a + 1) HOUR - interval 1 day_second", &["c", "a"]),
        ("INTERVAL(a, b, 3)", &["a", "b"]),
        ("TIMESTAMPDIFF(MONTH, a, b) + TIMESTAMPADD(SQL_TSI_DAY, 1, day)", &["a", "b", "day"]),
        ("DATE '2020-01-01' < date AND time > TIME'10:00'", &["date", "time"]),
        ("date(date) + year(year) + timestamp", &["date", "year", "timestamp"]),
        ("CASE WHEN a THEN b ELSE c END", &["a", "b", "c"]),
        ("CASE a WHEN 1 THEN b END + CASE WHEN CASE c WHEN 1 THEN 2 END THEN d END", &["a", "b", "c", "d"]),
        ("c IN (1, d, 'e') OR f NOT IN (g)", &["c", "d", "f", "g"]),
        ("(a, b) = ROW(c, d)", &["a", "b", "c", "d"]),
        ("a BETWEEN b AND c AND d NOT LIKE 'x%' ESCAPE '!'", &["a", "b", "c", "d"]),
        ("a IS NOT NULL AND b IS UNKNOWN AND unknown", &["a", "b", "unknown"]),
        ("a REGEXP b OR a SOUNDS LIKE c OR a RLIKE 'd'", &["a", "b", "a", "c", "a"]),
        ("c->'$.a,b' = c->>\"$.d\"", &["c", "c"]),
        ("'c' 'd' + \"c\" + _utf8mb4'c' + n'c' + x'00' + 0xcc", &[]),
        ("@c + @@session.c + ? + @`c`", &[]),
        ("CURRENT_DATE + current_timestamp(6) + NOW() + UTC_TIMESTAMP", &[]),
        ("TRIM(LEADING a FROM b) + TRIM(BOTH FROM c) + TRIM(d)", &["a", "b", "c", "d"]),
        ("SUBSTRING(a FROM b FOR c) + POSITION(d IN e)", &["a", "b", "c", "d", "e"]),
        ("MATCH(a, b) AGAINST ('x' IN BOOLEAN MODE)", &["a", "b"]),
        ("1 MEMBER OF(c) AND d MEMBER OF ('[1]')", &["c", "d"]),
        ("JSON_VALUE(c, '$.a' RETURNING DECIMAL(4, 2) DEFAULT 1 ON EMPTY NULL ON ERROR)", &["c"]),
        ("GROUP_CONCAT(DISTINCT a ORDER BY b DESC SEPARATOR ',')", &["a", "b"]),
        ("IF(a, b, c) + LEFT(d, 1) + `if`", &["a", "b", "c", "d", "if"]),
        ("BINARY a = -b AND NOT c AND ! d AND ~e", &["a", "b", "c", "d", "e"]),
        ("a DIV b MOD c XOR d", &["a", "b", "c", "d"]),
        ("DEFAULT(c) + VALUES(d)", &["c", "d"]),
        ("CAST(c AT TIME ZONE INTERVAL '+00:00' AS DATETIME(6))", &["c"]),
        ("GET_FORMAT(DATE, 'USA') + WEIGHT_STRING(a AS CHAR(4))", &["a"]),
        ("{d '2020-01-01'} + {fn lower(a)}", &["a"]),
        ("COALESCE(value, name, status, rank, `select`)", &["value", "name", "status", "rank", "select"]),
        ("c /* d */ -- e", &["c"]),
        ("c /*!80013 + d */ # e", &["c", "d"]),
        ("a := b <=> c", &["a", "b", "c"]),
        ("count(*) + 2fa + _id", &["2fa", "_id"]),
        ("NEXTVAL(db.s) + setval(s, c)", &["c"]),
    ];
    for (expr, expected) in cases {
        assert_eq!(columns(expr), expected, "{expr}");
    }
    let ansi = Mode { double_quotes: DoubleQuotes::Name, ..Mode::default() };
    assert_eq!(column_refs("\"a\"\"b\" || 'c'", ansi).unwrap()[0].name.as_str(), "a\"b");
}

#[test]
fn refuses_what_is_not_one_value() {
    let refused = [
        "",
        " -- c",
        "a, b",
        "a) + (b",
        "a; b",
        "a b",
        "a FROM t",
        "DEFAULT",
        "'open",
        "a +",
        "*",
        "a AS b",
        "f(",
        "f(a AS b)",
        "a + FROM",
        "a IS b",
        "CASE WHEN a THEN b",
        "a END",
        "a.",
        "(a",
        "{d '1'",
        "a }",
        "a AND AND (b)",
        "DISTINCT a",
        "WHEN a",
        "c DAY",
        "`a` `b`",
        "1 'a'",
        "count(*, a)",
        "a ! b",
    ];
    for expr in refused {
        let read = column_refs(expr, Mode::default());
        assert!(matches!(read, Err(ExprError::Syntax(..))), "{expr}: {read:?}");
    }
    let mode = Mode::default();
    assert!(matches!(column_refs("(SELECT max(a) FROM t)", mode), Err(ExprError::Subquery(_))));
    assert!(matches!(column_refs("NOT EXISTS (SELECT 1)", mode), Err(ExprError::Subquery(_))));
    assert!(matches!(column_refs("a > ALL (SELECT 1)", mode), Err(ExprError::Subquery(_))));
    assert!(matches!(column_refs("f(t.*)", mode), Err(ExprError::WholeRow(_))));
    assert!(matches!(column_refs("sum(a) OVER (ORDER BY b)", mode), Err(ExprError::Window(_))));
    let place = column_refs("a + b c", mode).unwrap_err().to_string();
    assert!(place.contains("unexpected `c` at byte 6"), "{place}");
}

#[test]
fn rebinds_only_the_names_bytes() {
    let new = |expr: &str| {
        let to = |column: &ColumnRef| column.name.same_as("c").then(|| "NEW.`c`".to_owned());
        rebind(expr, Mode::default(), to).unwrap()
    };
    let cases = [
        ("c", "NEW.`c`"),
        ("t . c  + C /* c */", "NEW.`c`  + NEW.`c` /* c */"),
        ("`c`->'$.c' + 'c' + d.cc", "NEW.`c`->'$.c' + 'c' + d.cc"),
        ("CASE WHEN a IN(`c`)THEN`c`ELSE`c`END", "CASE WHEN a IN(NEW.`c`)THEN NEW.`c`ELSE NEW.`c`END"),
        ("concat(é, c,\n _utf8mb4'c')", "concat(é, NEW.`c`,\n _utf8mb4'c')"),
        ("c /*!80013 + c */", "NEW.`c` /*!80013 + NEW.`c` */"),
    ];
    for (expr, expected) in cases {
        assert_eq!(new(expr), expected);
    }
    assert_eq!(rebind("-c", Mode::default(), |_| Some("-1".to_owned())).unwrap(), "- -1");
    assert_eq!(rebind("a", Mode::default(), |_| None).unwrap(), "a");
    assert_eq!(rebind("a AND`b`", Mode::default(), |_| Some("`b`".to_owned())).unwrap(), "`b` AND`b`");
}

#[test]
fn names_functions_and_what_one_row_cannot_answer() {
    let names = functions_called("F(g (a), s.H(b)) + f(2) + current_date + ROW(1, 2) + x", Mode::default()).unwrap();
    let names: Vec<String> = names.iter().map(WrittenName::display).collect();
    assert_eq!(names, ["f", "g", "s.h", "current_date"]);
    let cases = [
        ("c + 1", None),
        ("(SELECT 1)", Some(Unsuitable::Subquery)),
        ("COUNT(*)", Some(Unsuitable::Aggregate("count".to_owned()))),
        ("s.count(c)", None),
        ("row_number() OVER (ORDER BY c)", Some(Unsuitable::Window)),
        ("c + ?", Some(Unsuitable::Parameter)),
        ("c + @n", Some(Unsuitable::Variable("@n".to_owned()))),
    ];
    for (expr, expected) in cases {
        assert_eq!(unsuitable(expr, Mode::default()).unwrap(), expected, "{expr}");
    }
}
