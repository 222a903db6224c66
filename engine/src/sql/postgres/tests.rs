//! Whatever the text: an answer, and no panic.

use proptest::prelude::*;

use super::*;
use crate::name::Ident;
use crate::source::{parse_statement, parse_text};
use crate::sql::Dialect;

const SEEDS: [&str; 16] = [
    "ALTER TABLE s.\"T\" ADD COLUMN a numeric(10,2)[] COLLATE \"C\" NOT NULL DEFAULT f(1) CHECK (a > 0), DROP b CASCADE",
    "ALTER TABLE t ALTER COLUMN c SET DATA TYPE bigint USING c::bigint, ALTER d SET NOT NULL, ALTER e DROP DEFAULT",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY s.t USING gist (c ops (x='1') DESC, lower(b)) INCLUDE (d) WHERE (c > 0)",
    "DROP INDEX IF EXISTS a, s.b CASCADE; -- x\n-- shoofly: up = a\nUPDATE t q SET (a, b) = (q.c, 2) WHERE q.d IS NULL",
    "-- migrate:up\nALTER TABLE t DROP a;\n-- migrate:down\n-- shoofly: down = 1\n/* x /* y */ */ SELECT $$ ; $$;",
    "-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END\n-- +goose StatementEnd",
    "CASE WHEN a IN (1, \"b\") THEN extract(epoch FROM t.c) ELSE ARRAY[d, 2][1] END::int COLLATE \"C\"",
    "coalesce(U&\"d\\0061\" UESCAPE '!', 'it''s', E'\\'', $1) AT TIME ZONE 'UTC' || (c).f.g",
    "FOREIGN KEY (a, c) REFERENCES s.t(c) ON DELETE SET NULL (a) DEFERRABLE NOT VALID",
    "EXCLUDE USING gist (c WITH &&, lower(d) WITH =) WHERE ((c IS NOT NULL))",
    "CREATE STATISTICS s.n (mcv) ON a, (c + 1), lower(d) FROM s.t",
    "INSERT INTO t SELECT u.*, to_json(u) FROM s.u JOIN v USING (a) RETURNING *",
    "WITH q AS (MERGE INTO t USING u ON true WHEN NOT MATCHED THEN INSERT VALUES (1) RETURNING *) TABLE q",
    "COPY t (a) FROM STDIN WITH (FORMAT csv, FORCE_NULL *)",
    "DECLARE r s.t%ROWTYPE; BEGIN FOR r IN EXECUTE 'SELECT * FROM t' LOOP RETURN NEXT r; END LOOP; END",
    "SELECT json_object('a': b ABSENT ON NULL), xmlelement(name x, c), trim(both from d) OVER (w) FROM LATERAL f(*) x",
];

/// Everything that reads text.
fn read(text: &str) -> Result<(), TestCaseError> {
    let cut: usize = token::tokens(text).iter().map(|token| token.range.len()).sum();
    prop_assert_eq!(cut, text.len());
    let _parsed = (
        parse_text(Dialect::PostgreSql, "m", None, text),
        parse_statement(Dialect::PostgreSql, text),
        read_statement(text),
    );
    if let Ok(columns) = column_refs(text) {
        for column in &columns {
            prop_assert!(text.get(column.range.clone()).is_some() && text.get(column.name_range.clone()).is_some());
        }
        let untouched = rebind(text, |_| None);
        prop_assert_eq!(untouched.as_deref(), Ok(text));
        let same = rebind(text, |column| text.get(column.range.clone()).map(str::to_owned));
        prop_assert_eq!(same.as_deref(), Ok(text));
        let bound = rebind(text, |_| Some("NEW.\"x\"".to_owned()));
        let again = bound.as_deref().map(column_refs);
        prop_assert!(matches!(&again, Ok(Ok(found)) if found.len() == columns.len()), "{:?} {:?}", bound, again);
    }
    let _expr = (functions_called(text), expr::has_subquery(text), expr::unsuitable(text));
    let (from, to): (Ident, Ident) = ("c".parse().unwrap(), "_n".parse().unwrap());
    let _definitions = (
        rename_column_in_index(text, &from, &to, &to),
        rename_column_in_constraint(text, Side::Own, &from, &to),
        rename_column_in_constraint(text, Side::Referenced, &from, &to),
        rename_column_in_statistics(text, &from, &to, &to),
        index_definition_columns(text),
    );
    let _census = (classify(text), classify_function(text, "sql", text), classify_function(text, "plpgsql", text));
    Ok(())
}

/// Pieces of the seeds in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = SEEDS
        .iter()
        .flat_map(|seed| token::significant(seed).into_iter().map(|token| token.text(seed).to_owned()))
        .chain(["--", "/*", "*/", "'", "\"", "$$", "\\", "\0", "é", "\n-- shoofly: up = c\n"].map(str::to_owned))
        .collect();
    prop::collection::vec((prop::sample::select(pieces), prop::sample::select(vec!["", " ", "\n"])), 0..40)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, space)| piece + space).collect())
}

/// A seed with a few pieces taken out, doubled, or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop::sample::select(vec!["", "(", ")", "'", ",", ";", "*", "é", "NOT"]),
    );
    (prop::sample::select(SEEDS.to_vec()), prop::collection::vec(edit, 0..4)).prop_map(|(seed, edits)| {
        let mut chars: Vec<char> = seed.chars().collect();
        for (from, to, with) in edits {
            let (from, to) = (from.index(chars.len() + 1), to.index(chars.len() + 1));
            let end = to.clamp(from, (from + 12).min(chars.len()));
            chars.splice(from..end, with.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_characters(text in "\\PC{0,80}") {
        read(&text)?;
    }

    #[test]
    fn any_pieces(text in soup()) {
        read(&text)?;
    }

    #[test]
    fn nearly_sql(text in mutated()) {
        read(&text)?;
    }
}

#[test]
fn seeds_and_their_beginnings() {
    for seed in SEEDS {
        for (end, _) in seed.char_indices().step_by(3) {
            read(&seed[..end]).unwrap();
        }
        read(seed).unwrap();
    }
}

#[test]
fn deep_and_long_texts() {
    for piece in
        ["(", "[", "case when a then ", "not ", "- ", "a+", "a.", "select ", "((a),", "x union select ", "explain "]
    {
        let text = piece.repeat(5_000);
        read(&text).unwrap();
        read(&format!("SELECT {text}")).unwrap();
    }
}
