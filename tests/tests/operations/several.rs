//! Several operations in one migration.

use shoofly_engine::plan::Hazard;
use shoofly_tests::{Case, Write, matrix};

async fn on_one_table(major: u32) {
    Case::new("several_on_one")
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, c int DEFAULT 1, d text, gone int, v int NOT NULL);
             CREATE INDEX t_d ON t (d);
             INSERT INTO t SELECT i, i, i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration(
            "ALTER TABLE t ADD COLUMN a int, ADD COLUMN b text NOT NULL DEFAULT 'x', ALTER COLUMN c SET NOT NULL,
                 ALTER COLUMN id TYPE bigint, ALTER COLUMN v DROP NOT NULL, ALTER COLUMN c SET DEFAULT 2;
             ALTER TABLE t DROP COLUMN gone;
             CREATE INDEX t_a ON t (a);
             DROP INDEX t_d;
             UPDATE t SET a = v;",
        )
        .accept(&[Hazard::ColumnOrder])
        .writes([
            Write::same("INSERT INTO t (id, c, d, v) VALUES ({n}, 1, 'd', {r}::int)"),
            Write::same("UPDATE t SET v = {r}::int WHERE id = {k}"),
            Write::same("UPDATE t SET gone = {r}::int WHERE id = {k}"),
        ])
        .writes_when_ready([
            Write::pair(
                "INSERT INTO t (id, c, d, v, a) VALUES ({n}, 1, 'd', {r}::int, {r}::int)",
                "INSERT INTO t (id, c, d, v) VALUES ({n}, 1, 'd', {r})",
            ),
            Write::pair(
                "UPDATE t SET v = {r}::int, a = {r}::int WHERE id = {k}",
                "UPDATE t SET v = {r} WHERE id = {k}",
            ),
        ])
        .run(major)
        .await;
}

async fn two_columns_of_one_table(major: u32) {
    Case::new("two_columns")
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text, UNIQUE (a, b));
             INSERT INTO t SELECT i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE t ALTER a TYPE bigint, ALTER b TYPE int USING b::int")
        .accept(&[Hazard::ColumnOrder])
        .writes([
            Write::same("INSERT INTO t (id, a, b) VALUES ({n}::int, {n}::int, {n}::int::text)"),
            Write::same("UPDATE t SET a = -{n}::int WHERE id = {k}"),
        ])
        .writes_when_ready([Write::same("UPDATE t SET a = -{n}::int WHERE id = {k}")])
        .run(major)
        .await;
}

async fn on_two_tables(major: u32) {
    Case::new("two_tables")
        .given(
            "CREATE TABLE a (id int PRIMARY KEY, v int);
             CREATE TABLE b (id int PRIMARY KEY, v text, a_id int REFERENCES a (id));
             INSERT INTO a SELECT i, i FROM generate_series(1, {keys}) i;
             INSERT INTO b SELECT i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE a ADD COLUMN w uuid DEFAULT gen_random_uuid();\nALTER TABLE b ALTER v TYPE varchar(30), ALTER a_id SET NOT NULL")
        .accept(&[Hazard::ColumnOrder])
        .not_compared(&["w"])
        .writes([
            Write::same("INSERT INTO a (id, v) VALUES ({n}::int, {r}::int)"),
            Write::same("INSERT INTO b (id, v, a_id) SELECT {n}::int, {r}::int::text, id FROM a WHERE id = {k}"),
            Write::same("UPDATE b SET v = {r}::int::text WHERE id = {k}"),
        ])
        .run(major)
        .await;
}

matrix!(on_one_table, two_columns_of_one_table, on_two_tables);
