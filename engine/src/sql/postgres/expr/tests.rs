use super::*;

fn columns(expr: &str) -> Vec<String> {
    column_refs(expr)
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
    let cases: [(&str, &[&str]); 34] = [
        ("c", &["c"]),
        ("C + \"C\"", &["c", "C"]),
        ("U&\"d\\0061t\"", &["dat"]),
        ("t.c + s.t.d", &["t.c", "t.d"]),
        ("c::bigint", &["c"]),
        ("CAST(c AS numeric(10, 2))", &["c"]),
        ("c::geometry(Point, 4326)", &["c"]),
        ("c::public.mood[]", &["c"]),
        ("lower(c)", &["c"]),
        ("public.f(c, n => d)", &["c", "d"]),
        ("extract(epoch FROM c)", &["c"]),
        ("extract(year from t.c)::int", &["t.c"]),
        ("c AT TIME ZONE 'UTC'", &["c"]),
        ("c AT TIME ZONE zone", &["c", "zone"]),
        ("CASE WHEN a THEN b ELSE c END", &["a", "b", "c"]),
        ("CASE a WHEN 1 THEN b END", &["a", "b"]),
        ("ARRAY[a, b][1]", &["a", "b"]),
        ("a[b]", &["a", "b"]),
        ("a[1:b]", &["a", "b"]),
        ("c IN (1, d, 'e')", &["c", "d"]),
        ("ROW(a, b) = (c, d)", &["a", "b", "c", "d"]),
        ("(a).f + b[1].g", &["a", "b"]),
        ("c COLLATE \"de_DE\"", &["c"]),
        ("a OPERATOR(pg_catalog.+) b", &["a", "b"]),
        ("current_user || session_user || current_date || c", &["c"]),
        ("'c' || E'\\'c' || $$c$$", &[]),
        ("interval '1' day + date '2020-01-01' + c", &["c"]),
        ("a BETWEEN b AND c", &["a", "b", "c"]),
        ("a IS DISTINCT FROM b AND c IS NOT NULL", &["a", "b", "c"]),
        ("substring(a from b for c) || trim(both d from e)", &["a", "b", "c", "d", "e"]),
        ("position(a in b) + overlay(c placing d from 1)", &["a", "b", "c", "d"]),
        ("a = ANY (b)", &["a", "b"]),
        ("coalesce(value, name, year)", &["value", "name", "year"]),
        ("c /* d */ -- e", &["c"]),
    ];
    for (expr, expected) in cases {
        assert_eq!(columns(expr), expected, "{expr}");
    }
}

#[test]
fn refuses_what_is_not_one_value() {
    for expr in
        ["", " -- c", "a, b", "a) + (b", "a; b", "a b", "a FROM t", "DEFAULT", "'open", "a +", "*", "a AS b", "f("]
    {
        assert!(matches!(column_refs(expr), Err(ExprError::Syntax(..))), "{expr}: {:?}", column_refs(expr));
    }
    assert!(matches!(column_refs("(SELECT max(a) FROM t)"), Err(ExprError::Subquery(_))));
    assert!(matches!(column_refs("EXISTS (SELECT 1)"), Err(ExprError::Subquery(_))));
    assert!(matches!(column_refs("f(t.*)"), Err(ExprError::WholeRow(_))));
}

#[test]
fn rebinds_only_the_names_bytes() {
    let new =
        |expr: &str| rebind(expr, |column| (column.name.as_str() == "c").then(|| "NEW.\"c\"".to_owned())).unwrap();
    let cases = [
        ("c", "NEW.\"c\""),
        ("t . c::int  + C /* c */", "NEW.\"c\"::int  + NEW.\"c\" /* c */"),
        ("(c).f + \"c\"[1] + 'c' + d.cc", "(NEW.\"c\").f + NEW.\"c\"[1] + 'c' + d.cc"),
        ("CASE WHEN a IN(\"c\")THEN\"c\"ELSE\"c\"END", "CASE WHEN a IN(NEW.\"c\")THEN NEW.\"c\"ELSE NEW.\"c\"END"),
        ("é || c || U&\"\\0063\"", "é || NEW.\"c\" || NEW.\"c\""),
    ];
    for (expr, expected) in cases {
        assert_eq!(new(expr), expected);
    }
    assert_eq!(rebind("-c", |_| Some("-1".to_owned())).unwrap(), "- -1");
    assert_eq!(rebind("a", |_| None).unwrap(), "a");
}

#[test]
fn names_functions() {
    let names = |expr: &str| -> Vec<String> {
        let mut names: Vec<String> = functions_called(expr).unwrap().iter().map(WrittenName::display).collect();
        names.sort();
        names
    };
    assert_eq!(names("f(G(a), s.h(b)) + coalesce(c, 1) + f(2)"), ["f", "g", "s.h"]);
    assert_eq!(names("extract(epoch from now()) + current_date"), ["extract", "now"]);
    assert_eq!(names("c at time zone 'UTC'"), ["timezone"]);
    assert_eq!(names("\"F\"(c::numeric(1,2))"), ["F"]);
}

#[test]
fn tells_what_one_row_cannot_answer() {
    let cases = [
        ("c + 1", None),
        ("(SELECT 1)", Some(Unsuitable::Subquery)),
        ("count(*)", Some(Unsuitable::Aggregate("count".to_owned()))),
        ("f(c) FILTER (WHERE a)", Some(Unsuitable::Aggregate("filter".to_owned()))),
        ("row_number() OVER (ORDER BY c)", Some(Unsuitable::Window)),
        ("c + $1", Some(Unsuitable::Parameter)),
    ];
    for (expr, expected) in cases {
        assert_eq!(unsuitable(expr).unwrap(), expected, "{expr}");
    }
}
