//! Statements that are run as written, where the migration asks for it.

use shoofly_tests::{Case, Write, matrix};

async fn a_partitioned_table(major: u32) {
    Case::new("direct")
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
             CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (MINVALUE) TO (1000);
             CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (1000) TO (MAXVALUE);
             INSERT INTO t SELECT i, i FROM generate_series(1, {keys}) i",
        )
        .migration(
            "-- shoofly: strategy = direct
             -- shoofly: allow = blocking
             ALTER TABLE t ALTER COLUMN v TYPE bigint USING v * 2, ALTER COLUMN v SET DEFAULT 7, ADD COLUMN w text",
        )
        .plain("ALTER TABLE t ALTER COLUMN v TYPE bigint USING v * 2, ALTER COLUMN v SET DEFAULT 7, ADD COLUMN w text")
        .writes(
            [
                "INSERT INTO t (id) VALUES ({n})",
                "DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0",
                "UPDATE t SET id = {n} WHERE id = {k}",
            ]
            .map(Write::same),
        )
        .not_compared(&["v"])
        .run(major)
        .await;
}

matrix!(a_partitioned_table);
