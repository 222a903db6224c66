//! `SET NOT NULL` and `DROP NOT NULL`.

use shoofly_tests::{Case, Write, matrix};

const GIVEN: &str = "
    CREATE TABLE t (id int PRIMARY KEY, c int, v int NOT NULL);
    INSERT INTO t SELECT i, i, i FROM generate_series(1, {keys}) i";

fn never_null() -> Vec<Write> {
    [
        "INSERT INTO t (id, c, v) VALUES ({n}, {r}::int, 1)",
        "UPDATE t SET c = {r}::int WHERE id = {k}",
        "UPDATE t SET v = {r}::int WHERE id = {k}",
        "DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

async fn set_where_no_null_is(major: u32) {
    Case::new("set_not_null")
        .given(GIVEN)
        .migration("ALTER TABLE t ALTER COLUMN c SET NOT NULL")
        .writes(never_null())
        .run(major)
        .await;
}

async fn set_where_it_is_set(major: u32) {
    Case::new("set_not_null_again")
        .given(GIVEN)
        .migration("ALTER TABLE t ALTER COLUMN v SET NOT NULL")
        .writes(never_null())
        .run(major)
        .await;
}

async fn set_with_a_value_for_nulls(major: u32) {
    Case::new("set_not_null_up")
        .given(&GIVEN.replace("SELECT i, i, i", "SELECT i, NULLIF(i % 3, 0), i"))
        .migration("-- shoofly: up = v % 10\nALTER TABLE t ALTER COLUMN c SET NOT NULL")
        .plain("UPDATE t SET c = v % 10 WHERE c IS NULL; ALTER TABLE t ALTER COLUMN c SET NOT NULL")
        .writes([
            Write::pair(
                "INSERT INTO t (id, v) VALUES ({n}, {r}::int)",
                "INSERT INTO t (id, c, v) VALUES ({n}, {r} % 10, {r})",
            ),
            Write::pair(
                "UPDATE t SET v = {r}::int, c = NULL WHERE id = {k}",
                "UPDATE t SET v = {r}, c = {r} % 10 WHERE id = {k}",
            ),
            Write::same("UPDATE t SET c = 11 WHERE id = {k}"),
            Write::same("DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0"),
        ])
        .writes_when_ready(never_null())
        .changed_in_place(&["c"])
        .check_ready("SELECT bool_and(c IS NOT NULL) FROM t")
        .run(major)
        .await;
}

async fn drop(major: u32) {
    Case::new("drop_not_null")
        .given(GIVEN)
        .migration("ALTER TABLE t ALTER COLUMN v DROP NOT NULL")
        .writes(never_null())
        .check("INSERT INTO t (id, v) VALUES (0, NULL); SELECT v IS NULL FROM t WHERE id = 0")
        .run(major)
        .await;
}

matrix!(set_where_no_null_is, set_where_it_is_set, set_with_a_value_for_nulls, drop);
