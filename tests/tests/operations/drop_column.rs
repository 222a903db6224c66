//! `DROP COLUMN`.

use shoofly_tests::{Case, Write, matrix};

/// Statements of the version that no longer knows column `c`.
fn new_version(value: &str) -> Vec<Write> {
    vec![
        Write::pair(
            "INSERT INTO t (id, v) VALUES ({n}, {r}::int)",
            &format!("INSERT INTO t (id, v, c) VALUES ({{n}}, {{r}}, {value})"),
        ),
        Write::same("UPDATE t SET v = v + 1 WHERE id = {k}"),
        Write::same("DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0"),
    ]
}

fn old_version() -> Vec<Write> {
    [
        "INSERT INTO t (id, v, c) VALUES ({n}, {r}::int, {r}::int % 100)",
        "UPDATE t SET c = {r}::int % 100 WHERE id = {k}",
        "UPDATE t SET v = {r}::int WHERE id = {k}",
    ]
    .map(Write::same)
    .to_vec()
}

async fn nullable(major: u32) {
    Case::new("drop_nullable")
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, c int, v int NOT NULL);
             CREATE INDEX t_c ON t (c);
             CREATE INDEX t_vc ON t (v, c);
             CREATE STATISTICS t_s ON v, c FROM t;
             INSERT INTO t SELECT i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE t DROP COLUMN c")
        .writes(old_version())
        .writes_when_ready(new_version("NULL"))
        .run(major)
        .await;
}

/// The column follows from another one, and does so until `complete` whoever writes.
async fn not_null_with_down(major: u32) {
    Case::new("drop_not_null_down")
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, c int NOT NULL CHECK (c >= 0), v int NOT NULL, note text);
             INSERT INTO t SELECT i, i % 100, i FROM generate_series(1, {keys}) i",
        )
        .migration("-- shoofly: down = abs(v % 100)\nALTER TABLE t DROP COLUMN c")
        .writes([
            Write::same("INSERT INTO t (id, v, c) VALUES ({n}, {r}::int, {r}::int % 100)"),
            Write::same("UPDATE t SET v = {r}::int, c = {r}::int % 100 WHERE id = {k}"),
            Write::same("UPDATE t SET note = {r}::int::text WHERE id = {k}"),
        ])
        .writes_when_ready([
            Write::pair(
                "INSERT INTO t (id, v) VALUES ({n}, {r}::int)",
                "INSERT INTO t (id, v, c) VALUES ({n}, {r}, {r} % 100)",
            ),
            Write::pair(
                "UPDATE t SET v = {r}::int WHERE id = {k}",
                "UPDATE t SET v = {r}, c = {r} % 100 WHERE id = {k}",
            ),
            Write::same("DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0"),
        ])
        .run(major)
        .await;
}

async fn not_null_with_default(major: u32) {
    Case::new("drop_not_null_default")
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, c int NOT NULL DEFAULT 9, v int NOT NULL);
             INSERT INTO t SELECT i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE t DROP COLUMN IF EXISTS c, DROP COLUMN IF EXISTS never_was")
        .writes(old_version())
        .writes_when_ready(new_version("9"))
        .run(major)
        .await;
}

async fn column_that_holds_a_foreign_key(major: u32) {
    Case::new("drop_fk_column")
        .given(
            "CREATE TABLE kinds (id int PRIMARY KEY);
             INSERT INTO kinds SELECT i FROM generate_series(0, 99) i;
             CREATE TABLE t (id int PRIMARY KEY, c int REFERENCES kinds (id), v int NOT NULL);
             INSERT INTO t SELECT i, i % 100, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE t DROP COLUMN c")
        .writes(old_version())
        .writes_when_ready(new_version("NULL"))
        .run(major)
        .await;
}

matrix!(nullable, not_null_with_down, not_null_with_default, column_that_holds_a_foreign_key);
