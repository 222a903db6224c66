//! `UPDATE … SET` as a backfill.

use shoofly_engine::plan::Hazard;
use shoofly_tests::{Case, Write, matrix};

const GIVEN: &str = "
    CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, key text, size int, v int);
    INSERT INTO t SELECT i, 'N' || i FROM generate_series(1, {keys}) i;
    CREATE INDEX ON t (key)";

/// The version of the application that does not know the new columns.
fn old_version() -> Vec<Write> {
    [
        "INSERT INTO t (id, name) VALUES ({n}::int, 'I' || {n}::int)",
        "UPDATE t SET name = 'U' || {r}::int WHERE id = {k}",
        "UPDATE t SET v = {r}::int WHERE id = {k}",
        "DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

/// The version that fills them itself.
fn new_version() -> Vec<Write> {
    [
        "INSERT INTO t (id, name, key, size) VALUES ({n}::int, 'I' || {n}::int, 'i' || {n}::int, length('I' || {n}::int))",
        "UPDATE t SET v = {r}::int WHERE id = {k}",
        "DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

async fn of_every_row(major: u32) {
    Case::new("update_every")
        .given(GIVEN)
        .migration("UPDATE t SET key = lower(name), size = length(name)")
        .writes(old_version())
        .writes_when_ready(new_version())
        .changed_in_place(&["key", "size"])
        .check_ready("SELECT bool_and(key = lower(name) AND size = length(name)) FROM t")
        .run(major)
        .await;
}

async fn of_rows_that_match(major: u32) {
    Case::new("update_some")
        .given(GIVEN)
        .migration("UPDATE t SET key = lower(name), size = length(name) WHERE key IS NULL AND id % 2 = 0")
        .writes([
            Write::same("INSERT INTO t (id, name) VALUES ({n}::int, 'I' || {n}::int)"),
            Write::same("UPDATE t SET v = {r}::int WHERE id = {k}"),
            Write::same("DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0"),
        ])
        .writes_when_ready(new_version())
        .changed_in_place(&["key", "size"])
        .check_ready("SELECT bool_and((key IS NOT NULL) = (id % 2 = 0) OR key LIKE 'i%') FROM t")
        .run(major)
        .await;
}

async fn under_triggers_of_the_user(major: u32) {
    Case::new("update_triggers")
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, key text, size int, v int, changes int DEFAULT 0);
             CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN NEW.changes := OLD.changes + 1; RETURN NEW; END $$;
             CREATE TRIGGER count BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION count_change();
             INSERT INTO t SELECT i, 'N' || i FROM generate_series(1, {keys}) i",
        )
        .migration("UPDATE t SET key = lower(name), size = length(name)")
        .plain("ALTER TABLE t DISABLE TRIGGER count; UPDATE t SET key = lower(name), size = length(name); ALTER TABLE t ENABLE TRIGGER count")
        .accept(&[Hazard::UserTriggers])
        .writes(old_version())
        .writes_when_ready(new_version())
        .changed_in_place(&["key", "size"])
        .run(major)
        .await;
}

matrix!(of_every_row, of_rows_that_match, under_triggers_of_the_user);
