//! `SET DEFAULT` and `DROP DEFAULT`.

use shoofly_tests::{Case, Write, matrix};

fn case(name: &str) -> Case {
    Case::new(name)
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, c int DEFAULT 1, d text, v int);
             INSERT INTO t SELECT i, i, i, i FROM generate_series(1, {keys}) i",
        )
        .writes([
            Write::same("INSERT INTO t (id, c, d, v) VALUES ({n}, 3, 'd', 4)"),
            Write::same("UPDATE t SET v = {r}::int WHERE id = {k}"),
            Write::same("UPDATE t SET c = DEFAULT WHERE id = {k} AND {r}::int < 0"),
        ])
}

async fn set(major: u32) {
    case("set_default")
        .migration("ALTER TABLE t ALTER COLUMN c SET DEFAULT 2 + 3, ALTER COLUMN d SET DEFAULT current_user")
        .check_ready("INSERT INTO t (id) VALUES (-1); WITH gone AS (DELETE FROM t WHERE id = -1 RETURNING *) SELECT c = 1 AND d IS NULL FROM gone")
        .check("INSERT INTO t (id) VALUES (-1); SELECT c = 5 AND d = current_user FROM t WHERE id = -1")
        .run(major)
        .await;
}

async fn drop(major: u32) {
    case("drop_default")
        .migration("ALTER TABLE t ALTER COLUMN c DROP DEFAULT")
        .check_ready("INSERT INTO t (id) VALUES (-1); WITH gone AS (DELETE FROM t WHERE id = -1 RETURNING *) SELECT c = 1 FROM gone")
        .check("INSERT INTO t (id) VALUES (-1); SELECT c IS NULL FROM t WHERE id = -1")
        .run(major)
        .await;
}

matrix!(set, drop);
