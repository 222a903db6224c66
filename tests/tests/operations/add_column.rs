//! `ADD COLUMN`, with every kind of default.

use shoofly_engine::plan::Hazard;
use shoofly_tests::{Case, Write, matrix};

fn add(name: &str) -> Case {
    Case::new(name)
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL);
             INSERT INTO t SELECT i, i FROM generate_series(1, {keys}) i",
        )
        .writes(old_version())
}

fn old_version() -> Vec<Write> {
    [
        "INSERT INTO t (id, v) VALUES ({n}, {r}::int)",
        "UPDATE t SET v = {r}::int WHERE id = {k}",
        "UPDATE t SET id = {n} WHERE id = {k}",
        "DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

async fn nullable(major: u32) {
    add("add_nullable").migration("ALTER TABLE t ADD COLUMN c text").run(major).await;
}

async fn constant_default(major: u32) {
    add("add_constant")
        .migration("ALTER TABLE t ADD COLUMN c varchar(20) DEFAULT 'it''s new'")
        .check_ready("SELECT bool_and(c = 'it''s new') FROM t")
        .run(major)
        .await;
}

async fn constant_default_not_null(major: u32) {
    add("add_constant_not_null").migration("ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 42").run(major).await;
}

async fn stable_default(major: u32) {
    // Plain DDL computes `now()` once: ours once too, but not at the same moment.
    add("add_stable")
        .migration("ALTER TABLE t ADD COLUMN c timestamptz NOT NULL DEFAULT now()")
        .not_compared(&["c"])
        .run(major)
        .await;
}

async fn volatile_default(major: u32) {
    add("add_volatile")
        .migration("ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid()")
        .not_compared(&["c"])
        .check_ready("SELECT count(*) = count(DISTINCT c) FROM t")
        .check("SELECT count(*) = count(DISTINCT c) FROM t")
        .run(major)
        .await;
}

async fn volatile_default_not_null(major: u32) {
    add("add_volatile_not_null")
        .migration("ALTER TABLE t ADD COLUMN c float8 NOT NULL DEFAULT random()")
        .not_compared(&["c"])
        .check("SELECT count(DISTINCT c) > count(*) / 2 FROM t")
        .run(major)
        .await;
}

async fn not_null_without_default(major: u32) {
    add("add_not_null")
        .migration("-- shoofly: up = v % 7\nALTER TABLE t ADD COLUMN c int NOT NULL")
        .plain("ALTER TABLE t ADD COLUMN c int; UPDATE t SET c = v % 7; ALTER TABLE t ALTER c SET NOT NULL")
        .writes_when_ready([
            Write::pair(
                "INSERT INTO t (id, v, c) VALUES ({n}, {r}::int, {r}::int % 7)",
                "INSERT INTO t (id, v) VALUES ({n}, {r})",
            ),
            Write::pair(
                "UPDATE t SET v = {r}::int, c = {r}::int % 7 WHERE id = {k}",
                "UPDATE t SET v = {r} WHERE id = {k}",
            ),
        ])
        .check_ready("SELECT bool_and(c IS NOT NULL) FROM t")
        .run(major)
        .await;
}

async fn nullable_with_a_value_for_rows_that_exist(major: u32) {
    add("add_with_up")
        .migration("-- shoofly: up = 'v' || v\nALTER TABLE t ADD COLUMN c text")
        .plain("ALTER TABLE t ADD COLUMN c text; UPDATE t SET c = 'v' || v")
        .writes_when_ready([
            Write::pair(
                "INSERT INTO t (id, v, c) VALUES ({n}, {r}::int, 'v' || {r}::int)",
                "INSERT INTO t (id, v) VALUES ({n}, {r})",
            ),
            Write::same("DELETE FROM t WHERE id = {k}"),
        ])
        .run(major)
        .await;
}

async fn if_not_exists_of_one_that_exists(major: u32) {
    add("add_existing")
        .migration("ALTER TABLE t ADD COLUMN IF NOT EXISTS v int; ALTER TABLE t ADD COLUMN IF NOT EXISTS c int")
        .run(major)
        .await;
}

async fn with_column_grants(major: u32) {
    add("add_with_grants")
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL);
             GRANT SELECT (id, v) ON t TO reader;
             INSERT INTO t SELECT i, i FROM generate_series(1, {keys}) i",
        )
        .accept(&[Hazard::ColumnGrants])
        .migration("ALTER TABLE t ADD COLUMN c text")
        .run(major)
        .await;
}

matrix!(
    nullable,
    constant_default,
    constant_default_not_null,
    stable_default,
    volatile_default,
    volatile_default_not_null,
    not_null_without_default,
    nullable_with_a_value_for_rows_that_exist,
    if_not_exists_of_one_that_exists,
    with_column_grants,
);
