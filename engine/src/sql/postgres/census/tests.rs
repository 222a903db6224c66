use super::*;

/// The uses of table `t`, or of `s.t`.
fn uses(shape: &StatementShape) -> Vec<Usage> {
    shape.uses.iter().filter(|used| used.table.name.as_str() == "t").map(|used| used.how).collect()
}

#[test]
fn classifies_statements() {
    use Usage::{AllColumns, AllColumnsMustFit, CopyWithoutColumns, InsertWithoutColumns, Named, RowType};
    let cases: [(&str, &[Usage]); 37] = [
        ("SELECT a FROM t WHERE b = $1", &[Named]),
        ("SELECT count(*), a * b FROM s.t", &[Named]),
        ("SELECT * FROM t", &[Named, AllColumns]),
        ("SELECT DISTINCT ON (a) * FROM t", &[Named, AllColumns]),
        ("SELECT x.* FROM t x JOIN u ON true", &[Named, AllColumns]),
        ("SELECT u.* FROM t x JOIN u ON true", &[Named]),
        ("SELECT * FROM u WHERE EXISTS (SELECT 1 FROM t)", &[Named]),
        ("SELECT a FROM (SELECT * FROM T) q", &[Named, AllColumns]),
        ("SELECT * FROM u, lateral (SELECT a FROM t) q", &[Named]),
        ("WITH q AS (SELECT * FROM t) SELECT a FROM q", &[Named, AllColumns]),
        ("WITH t AS (SELECT 1) SELECT * FROM t", &[]),
        ("WITH q AS (DELETE FROM t RETURNING *) SELECT a FROM q", &[Named, AllColumns]),
        ("UPDATE t SET a = $1 WHERE b = $2 RETURNING *", &[Named, AllColumns]),
        ("UPDATE t AS z SET a = $1 RETURNING z.*", &[Named, AllColumns]),
        ("DELETE FROM t WHERE a IN (SELECT b FROM u)", &[Named]),
        ("TABLE t", &[Named, AllColumns]),
        ("INSERT INTO t VALUES ($1, $2)", &[Named, InsertWithoutColumns]),
        ("INSERT INTO t (a) VALUES ($1) RETURNING a", &[Named]),
        ("INSERT INTO t AS z (a) VALUES ($1) ON CONFLICT DO NOTHING RETURNING *", &[Named, AllColumns]),
        ("INSERT INTO t DEFAULT VALUES", &[Named]),
        ("INSERT INTO t SELECT a FROM u", &[Named, InsertWithoutColumns]),
        ("INSERT INTO archive SELECT * FROM t", &[Named, AllColumnsMustFit]),
        ("INSERT INTO archive (a) SELECT * FROM t", &[Named, AllColumnsMustFit]),
        ("SELECT * FROM t UNION ALL SELECT * FROM u", &[Named, AllColumnsMustFit]),
        ("COPY t FROM STDIN", &[Named, CopyWithoutColumns]),
        ("COPY t (a, b) FROM STDIN WITH (FORMAT csv)", &[Named]),
        ("COPY t TO STDOUT", &[Named, AllColumns]),
        ("COPY (SELECT * FROM t) TO STDOUT", &[Named, AllColumns]),
        ("SELECT to_json(z) FROM t AS z", &[Named, RowType]),
        ("SELECT row_to_json(a) FROM t", &[Named]),
        ("MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED THEN INSERT VALUES (u.a)", &[Named, InsertWithoutColumns]),
        ("CREATE VIEW v AS SELECT * FROM t", &[Named]),
        ("DECLARE c CURSOR FOR SELECT * FROM t", &[Named, AllColumns]),
        // Truncated texts.
        ("SELECT * FROM t WHERE a = $1 AND b IN ($2, $3", &[Named, AllColumns]),
        ("INSERT INTO t VALUES ($1, $2, $", &[Named, InsertWithoutColumns]),
        ("INSERT INTO archive SELECT * FROM u, t WHERE (a", &[Named, AllColumnsMustFit]),
        ("SELECT a, b * c, extract(year FROM d), count(*) FROM t WHERE (a", &[Named]),
    ];
    for (text, expected) in cases {
        let shape = classify(text).unwrap_or_default();
        assert_eq!(uses(&shape), expected, "{text}: {shape:?}");
    }
    assert_eq!(classify("BEGIN"), None);
    assert_eq!(classify("SELECT 1"), None);
    assert_eq!(classify(""), None);
}

#[test]
fn classifies_functions() {
    use Usage::{AllColumns, AllColumnsMustFit, InsertWithoutColumns, Named, RowType};
    let cases: [(&str, &str, &str, &[Usage]); 10] = [
        ("f(integer)", "sql", "SELECT * FROM t; UPDATE u SET a = 1", &[Named, AllColumnsMustFit]),
        ("f()", "plpgsql", "BEGIN RETURN QUERY SELECT * FROM t; END", &[Named, AllColumnsMustFit]),
        ("f(t)", "sql", "SELECT $1.a", &[RowType]),
        ("f(s.t, integer)", "plpgsql", "BEGIN RETURN 1; END", &[RowType]),
        ("f()", "plpgsql", "DECLARE r t%ROWTYPE; BEGIN RETURN; END", &[RowType]),
        ("f()", "plpgsql", "DECLARE\n r s.t; BEGIN RETURN; END", &[RowType]),
        ("f()", "plpgsql", "BEGIN INSERT INTO t VALUES (NEW.a); RETURN NEW; END", &[Named, InsertWithoutColumns]),
        ("f()", "plpgsql", "BEGIN FOR r IN SELECT * FROM t LOOP x := x * 2; END LOOP; END", &[Named, AllColumns]),
        ("f()", "plpgsql", "BEGIN SELECT a INTO v FROM t WHERE b = 1; END", &[Named]),
        ("f()", "plpgsql", "BEGIN EXECUTE 'INSERT INTO t VALUES ($1)' USING 1; END", &[Named, InsertWithoutColumns]),
    ];
    for (signature, language, body, expected) in cases {
        let shape = classify_function(signature, language, body);
        assert_eq!(uses(&shape), expected, "{body}: {shape:?}");
    }
}
