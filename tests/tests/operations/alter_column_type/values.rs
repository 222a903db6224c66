//! Types of ordinary columns: every kind of cast.

use shoofly_engine::plan::Hazard;
use shoofly_tests::{Case, Write, matrix};

/// A table `t` with a column `c` of type `before`, filled and written with `value` (of the integer `{v}`).
fn change(name: &str, before: &str, value: &str, migration: &str) -> Case {
    let with = |number: &str| value.replace("{v}", number);
    Case::new(name)
        .given(&format!(
            "CREATE TABLE t (id int PRIMARY KEY, c {before}, other int NOT NULL DEFAULT 0, note text);
             INSERT INTO t (id, c) SELECT i, {} FROM generate_series(1, {{keys}}) i;
             UPDATE t SET c = NULL WHERE id % 7 = 0",
            with("i")
        ))
        .migration(migration)
        .accept(&[Hazard::ColumnOrder])
        .writes([
            Write::same(&format!("INSERT INTO t (id, c) VALUES ({{n}}, {})", with("{r}::int"))),
            Write::same(&format!("UPDATE t SET c = {} WHERE id = {{k}}", with("{r}::int"))),
            Write::same("UPDATE t SET c = NULL WHERE id = {k}"),
            Write::same("UPDATE t SET other = other + 1 WHERE id = {k}"),
            Write::same("UPDATE t SET note = repeat('x', {r}::int % 200) WHERE id = {k}"),
            Write::same("UPDATE t SET id = {n} WHERE id = {k}"),
            Write::same("DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0"),
        ])
}

/// Statements that fit the old type and the new one alike, where no value of the column does.
fn of_either_type() -> Vec<Write> {
    [
        "UPDATE t SET note = repeat('x', {r}::int % 200) WHERE id = {k}",
        "UPDATE t SET id = {n} WHERE id = {k}",
        "DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

async fn integer_to_bigint(major: u32) {
    change("int_bigint", "int", "{v}", "ALTER TABLE t ALTER c TYPE bigint")
        .check("INSERT INTO t (id, c) VALUES (0, 9000000000); SELECT c = 9000000000 FROM t WHERE id = 0")
        .run(major)
        .await;
}

async fn smallint_to_numeric(major: u32) {
    change("smallint_numeric", "smallint", "({v} % 30000)::smallint", "ALTER TABLE t ALTER c TYPE numeric(12, 3)")
        .run(major)
        .await;
}

async fn bigint_to_smaller(major: u32) {
    change("bigint_int", "bigint", "{v}", "ALTER TABLE t ALTER c TYPE int").run(major).await;
}

async fn real_to_double(major: u32) {
    change("real_double", "real", "({v} / 7.0)::real", "ALTER TABLE t ALTER c TYPE double precision").run(major).await;
}

async fn integer_to_text(major: u32) {
    change("int_text", "int", "{v}", "ALTER TABLE t ALTER c TYPE text").run(major).await;
}

async fn text_to_integer(major: u32) {
    change("text_int", "text", "({v})::text", "ALTER TABLE t ALTER c TYPE int USING c::int")
        .writes_when_ready(of_either_type())
        .run(major)
        .await;
}

async fn text_to_integer_by_an_expression_of_another_column(major: u32) {
    change(
        "using_other_column",
        "text",
        "({v} % 1000)::text",
        "ALTER TABLE t ALTER c TYPE int USING coalesce(c, '0')::int * 10 + other % 10",
    )
    .writes_when_ready(of_either_type())
    .run(major)
    .await;
}

async fn boolean_from_integer(major: u32) {
    change("int_bool", "int", "{v} % 3", "ALTER TABLE t ALTER c TYPE boolean USING c <> 0")
        .writes_when_ready(of_either_type())
        .run(major)
        .await;
}

async fn varchar_to_text(major: u32) {
    change("varchar_text", "varchar(20)", "({v})::text", "ALTER TABLE t ALTER c TYPE text").run(major).await;
}

async fn varchar_longer(major: u32) {
    change("varchar_longer", "varchar(20)", "({v})::text", "ALTER TABLE t ALTER c TYPE varchar(40)").run(major).await;
}

async fn varchar_shorter(major: u32) {
    change("varchar_shorter", "varchar(40)", "({v})::text", "ALTER TABLE t ALTER c TYPE varchar(12)").run(major).await;
}

async fn text_to_char(major: u32) {
    change("text_char", "text", "({v})::text", "ALTER TABLE t ALTER c TYPE char(12)").run(major).await;
}

async fn numeric_scale(major: u32) {
    change("numeric_scale", "numeric(12, 2)", "({v} % 100000) / 4.0", "ALTER TABLE t ALTER c TYPE numeric(14, 4)")
        .run(major)
        .await;
}

async fn unbounded_numeric_to_scaled(major: u32) {
    change("numeric_rounded", "numeric", "({v} % 100000) / 8.0", "ALTER TABLE t ALTER c TYPE numeric(12, 1)")
        .run(major)
        .await;
}

async fn timestamp_to_timestamptz(major: u32) {
    change(
        "timestamptz",
        "timestamp",
        "timestamp '2020-01-01' + make_interval(secs => {v})",
        "ALTER TABLE t ALTER c TYPE timestamptz USING c AT TIME ZONE 'UTC'",
    )
    .run(major)
    .await;
}

async fn date_to_timestamp(major: u32) {
    change("date_timestamp", "date", "date '2020-01-01' + {v} % 3000", "ALTER TABLE t ALTER c TYPE timestamp")
        .run(major)
        .await;
}

async fn json_to_jsonb(major: u32) {
    change("json_jsonb", "json", "json_build_object('b', 1.0, 'a', {v})", "ALTER TABLE t ALTER c TYPE jsonb")
        .run(major)
        .await;
}

async fn jsonb_to_json(major: u32) {
    change("jsonb_json", "jsonb", "jsonb_build_object('b', 1.0, 'a', {v})", "ALTER TABLE t ALTER c TYPE json")
        .run(major)
        .await;
}

async fn text_to_jsonb(major: u32) {
    change("text_jsonb", "text", "'[' || ({v})::text || ']'", "ALTER TABLE t ALTER c TYPE jsonb USING c::jsonb")
        .writes_when_ready(of_either_type())
        .run(major)
        .await;
}

async fn text_to_enum(major: u32) {
    let case = change(
        "text_enum",
        "text",
        "CASE WHEN {v} % 2 = 0 THEN 'even' ELSE 'odd' END",
        "ALTER TABLE t ALTER c TYPE parity USING c::parity",
    );
    case.given_once("CREATE TYPE public.parity AS ENUM ('odd', 'even')")
        .plain("ALTER TABLE t ALTER c TYPE public.parity USING c::public.parity")
        .writes_when_ready(of_either_type())
        .run(major)
        .await;
}

async fn integer_array_to_bigint_array(major: u32) {
    change("array", "int[]", "ARRAY[{v}, 2]", "ALTER TABLE t ALTER c TYPE bigint[]").run(major).await;
}

async fn collation(major: u32) {
    change("collation", "text", "({v})::text", "ALTER TABLE t ALTER c TYPE text COLLATE \"C\"").run(major).await;
}

async fn text_to_bytea_of_long_values(major: u32) {
    change(
        "bytea",
        "text",
        "repeat(md5(({v})::text), 100)",
        "ALTER TABLE t ALTER c TYPE bytea USING convert_to(c, 'UTF8')",
    )
    .writes_when_ready(of_either_type())
    .run(major)
    .await;
}

async fn there_and_back_by_directive(major: u32) {
    change(
        "down_directive",
        "text",
        "({v})::text",
        "-- shoofly: down = c::text\nALTER TABLE t ALTER c TYPE int USING c::int",
    )
    .writes_when_ready(of_either_type())
    .run(major)
    .await;
}

matrix!(
    integer_to_bigint,
    smallint_to_numeric,
    bigint_to_smaller,
    real_to_double,
    integer_to_text,
    text_to_integer,
    text_to_integer_by_an_expression_of_another_column,
    boolean_from_integer,
    varchar_to_text,
    varchar_longer,
    varchar_shorter,
    text_to_char,
    numeric_scale,
    unbounded_numeric_to_scaled,
    timestamp_to_timestamptz,
    date_to_timestamp,
    json_to_jsonb,
    jsonb_to_json,
    text_to_jsonb,
    text_to_enum,
    integer_array_to_bigint_array,
    collation,
    text_to_bytea_of_long_values,
    there_and_back_by_directive,
);
