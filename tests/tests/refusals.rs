//! What cannot be carried faithfully or safely is refused before anything is touched, with everything said at once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use shoofly_engine::plan::Hazard;
use shoofly_engine::run::Direction;
use shoofly_engine::{Error, Exit};
use shoofly_tests::case::migration;
use shoofly_tests::{Database, Pg, Refusal, matrix};

const GIVEN: &str = "
    CREATE TABLE t (id int PRIMARY KEY, c text, v int, w int NOT NULL DEFAULT 0);
    INSERT INTO t SELECT i, i, i FROM generate_series(1, 50) i;";

fn refusal(name: &str, further: &str, migration: &str) -> Refusal {
    Refusal::new(name).given(&format!("{GIVEN}\n{further}")).migration(migration).accept(&[Hazard::ColumnOrder])
}

async fn column_of_a_view(major: u32) {
    refusal("view", "CREATE VIEW seen AS SELECT v + 1 AS next FROM t", "ALTER TABLE t ALTER v TYPE bigint")
        .says(&["view", "seen", "t"])
        .run(major)
        .await;
}

async fn column_of_a_materialized_view(major: u32) {
    refusal("matview", "CREATE MATERIALIZED VIEW kept AS SELECT v FROM t", "ALTER TABLE t ALTER v TYPE bigint")
        .says(&["kept"])
        .run(major)
        .await;
}

async fn view_grouped_by_the_primary_key(major: u32) {
    refusal(
        "view_by_key",
        "CREATE VIEW grouped AS SELECT id, c FROM t GROUP BY id",
        "ALTER TABLE t ALTER id TYPE bigint",
    )
    .says(&["grouped"])
    .run(major)
    .await;
}

async fn generated_column(major: u32) {
    refusal(
        "generated",
        "ALTER TABLE t ADD COLUMN doubled int GENERATED ALWAYS AS (v * 2) STORED",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .says(&["generated", "doubled"])
    .run(major)
    .await;
}

async fn policy(major: u32) {
    refusal(
        "policy",
        "CREATE POLICY own_rows ON t USING (v > 0); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .says(&["policy", "own_rows"])
    .run(major)
    .await;
}

async fn exclusion_constraint(major: u32) {
    refusal(
        "exclusion",
        "ALTER TABLE t ADD CONSTRAINT no_two EXCLUDE USING btree (v WITH =)",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .says(&["no_two"])
    .run(major)
    .await;
}

async fn trigger_that_names_the_column(major: u32) {
    refusal(
        "trigger_of_column",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER on_v BEFORE UPDATE OF v ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .accept(&[Hazard::ColumnOrder, Hazard::UserTriggers])
    .says(&["on_v"])
    .run(major)
    .await;
}

async fn everything_at_once(major: u32) {
    refusal(
        "all_at_once",
        "CREATE VIEW seen AS SELECT v FROM t;
         ALTER TABLE t ADD COLUMN doubled int GENERATED ALWAYS AS (v * 2) STORED;
         CREATE POLICY own_rows ON t USING (v > 0)",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .says(&["seen", "doubled", "own_rows"])
    .run(major)
    .await;
}

async fn rows_that_do_not_cast(major: u32) {
    refusal(
        "bad_rows",
        "UPDATE t SET c = 'many' WHERE id = 7; UPDATE t SET c = 'few' WHERE id = 31",
        "ALTER TABLE t ALTER c TYPE int USING c::int",
    )
    .exit(Exit::Failed)
    .says(&["nothing was changed", "id", "7", "31", "c"])
    .run(major)
    .await;
}

async fn nulls_under_not_null(major: u32) {
    refusal("nulls", "UPDATE t SET v = NULL WHERE id IN (4, 44)", "ALTER TABLE t ALTER v SET NOT NULL")
        .exit(Exit::Failed)
        .says(&["v", "44"])
        .run(major)
        .await;
}

async fn duplicates_under_a_unique_index(major: u32) {
    // The build finds them: the run stays, and can be rolled back.
    let db = Database::create(&Pg::shared(major), "duplicates").await;
    db.run(GIVEN).await;
    db.run("UPDATE t SET v = 3 WHERE id IN (8, 9)").await;
    let before = db.catalogue().await;
    let engine = db.engine().build();
    let error = engine.start(&migration("duplicates", "CREATE UNIQUE INDEX t_v ON t (v)"), Direction::Up).await;
    let error = error.expect_err("values are double");
    assert!(error.to_string().contains("t_v"), "{error}");
    engine.rollback(None).await.unwrap_or_else(|error| panic!("{error}"));
    shoofly_tests::catalogue::assert_equal("after rollback", &before, &db.catalogue().await);
    db.assert_nothing_left("after rollback").await;
    db.drop().await;
}

async fn missing_table(major: u32) {
    refusal("no_table", "", "ALTER TABLE nowhere ADD COLUMN c int").says(&["nowhere"]).run(major).await;
}

async fn missing_column_and_one_that_exists(major: u32) {
    refusal(
        "no_column",
        "",
        "ALTER TABLE t ALTER nothing TYPE int; ALTER TABLE t ADD COLUMN v int; ALTER TABLE t DROP COLUMN gone",
    )
    .says(&["nothing", "v", "gone"])
    .run(major)
    .await;
}

async fn missing_type(major: u32) {
    refusal("no_type", "", "ALTER TABLE t ALTER v TYPE nonsense").says(&["nonsense"]).run(major).await;
}

async fn text_that_is_no_sql(major: u32) {
    let db = Database::create(&Pg::shared(major), "no_sql").await;
    let error = shoofly_tests::case::parse("no_sql", "ALTER TABLE t ADD COLUMN;").expect_err("it is no SQL");
    assert_eq!(error.exit(), Exit::Usage, "{error}");
    db.drop().await;
}

async fn hazard_that_nobody_accepted(major: u32) {
    refusal("column_order", "", "ALTER TABLE t ALTER v TYPE bigint")
        .accept(&[])
        .says(&["column-order", "t"])
        .run(major)
        .await;
}

async fn identity_sequence_that_nobody_accepted(major: u32) {
    refusal(
        "identity",
        "CREATE TABLE s (v int, id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
        "ALTER TABLE s ALTER id TYPE bigint",
    )
    .says(&["identity-sequence"])
    .run(major)
    .await;
}

async fn trigger_that_always_fires(major: u32) {
    refusal(
        "always_trigger",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER every BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
         ALTER TABLE t ENABLE ALWAYS TRIGGER every",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .says(&["user-triggers", "every"])
    .run(major)
    .await;
}

async fn row_type_used_elsewhere(major: u32) {
    refusal(
        "row_type",
        "CREATE FUNCTION all_t() RETURNS SETOF t LANGUAGE sql AS 'SELECT id, c, v, w FROM t'",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .says(&["row-type", "all_t"])
    .run(major)
    .await;
}

async fn listless_insert_in_the_census(major: u32) {
    refusal(
        "census",
        "CREATE EXTENSION pg_stat_statements;
         INSERT INTO t VALUES (-1, 'x', 1, 1);",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .accept(&[])
    .says(&["column-order", "insert into t values"])
    .run(major)
    .await;
}

async fn not_null_without_a_value(major: u32) {
    refusal("no_value", "", "ALTER TABLE t ADD COLUMN c2 int NOT NULL").says(&["c2", "up"]).run(major).await;
}

async fn volatile_expression(major: u32) {
    refusal("volatile", "", "ALTER TABLE t ALTER v TYPE float8 USING v + random()").says(&["random"]).run(major).await;
}

async fn drop_of_a_column_that_others_need(major: u32) {
    refusal(
        "drop_needed",
        "CREATE TABLE child (t_id int REFERENCES t (id)); CREATE VIEW seen AS SELECT v FROM t",
        "ALTER TABLE t DROP COLUMN id; ALTER TABLE t DROP COLUMN v",
    )
    .says(&["child", "seen"])
    .run(major)
    .await;
}

async fn partitioned_table(major: u32) {
    refusal(
        "partitioned",
        "CREATE TABLE p (id int, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "ALTER TABLE p ALTER v TYPE bigint",
    )
    .says(&["partition"])
    .run(major)
    .await;
}

async fn as_written_without_leave(major: u32) {
    refusal("as_written", "", "-- shoofly: strategy = direct\nALTER TABLE t ALTER v TYPE bigint")
        .says(&["wait", "--allow blocking"])
        .run(major)
        .await;
}

async fn work_on_a_column_that_is_being_replaced(major: u32) {
    refusal(
        "linked",
        "",
        "ALTER TABLE t ALTER v TYPE bigint; UPDATE t SET v = 1; ALTER TABLE t DROP COLUMN w; CREATE INDEX t_w ON t (w)",
    )
    .says(&["t.v", "t.w", "two migrations"])
    .run(major)
    .await;
}

async fn deferred_key_that_nobody_accepted(major: u32) {
    refusal(
        "deferred_key",
        "ALTER TABLE t ADD CONSTRAINT late UNIQUE (v) DEFERRABLE INITIALLY DEFERRED",
        "ALTER TABLE t ALTER v TYPE bigint",
    )
    .says(&["deferred-keys", "late"])
    .run(major)
    .await;
}

async fn view_as_a_table(major: u32) {
    refusal("not_a_table", "CREATE VIEW seen AS SELECT v FROM t", "ALTER TABLE seen ALTER v SET DEFAULT 3")
        .says(&["seen"])
        .run(major)
        .await;
}

async fn statements_that_are_no_operation(major: u32) {
    let db = Database::create(&Pg::shared(major), "no_operation").await;
    let error =
        shoofly_tests::case::parse("no_operation", "DROP TABLE t;\nVACUUM t;").expect_err("neither is supported");
    let said = error.to_string();
    assert!(said.contains("DROP TABLE") && said.contains("VACUUM"), "{said}");
    db.drop().await;
}

async fn a_second_run_on_a_table(major: u32) {
    let db = Database::create(&Pg::shared(major), "second_run").await;
    db.run(GIVEN).await;
    let engine = db.engine().accept(&[Hazard::ColumnOrder]).build();
    let first = migration("first", "ALTER TABLE t ALTER v TYPE bigint");
    engine.start(&first, Direction::Up).await.unwrap_or_else(|error| panic!("{error}"));
    let second = engine.start(&migration("second", "ALTER TABLE t ADD COLUMN late int"), Direction::Up).await;
    let error = second.expect_err("the first is not complete");
    assert_eq!(error.exit(), Exit::Refused, "{error}");
    assert!(error.to_string().contains("first"), "{error}");
    assert_eq!(db.text("SELECT count(*) = 0 FROM pg_attribute WHERE attname = 'late'").await, "t");
    engine.rollback(None).await.unwrap_or_else(|error| panic!("{error}"));
    db.drop().await;
}

async fn complete_and_rollback_without_a_run(major: u32) {
    let db = Database::create(&Pg::shared(major), "nothing_to_do").await;
    let engine = db.engine().build();
    for result in [engine.complete(None).await, engine.rollback(None).await] {
        match result {
            Ok(shoofly_engine::run::Outcome::AlreadyDone) | Err(Error::Refused(_) | Error::Usage(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(engine.runs().await.unwrap_or_else(|error| panic!("{error}")), []);
    db.drop().await;
}

async fn a_role_that_does_not_own_the_table(major: u32) {
    let db = Database::create(&Pg::shared(major), "not_owner").await;
    db.run(GIVEN).await;
    db.run("ALTER ROLE app LOGIN PASSWORD 'app'; GRANT ALL ON t TO app").await;
    let before = db.catalogue().await;
    let url = db.url();
    let (_, place) = url.split_once('@').unwrap();
    let engine = shoofly_tests::database::EngineOptions::new(&format!("postgres://app:app@{place}")).build();
    let error = engine.start(&migration("not_owner", "ALTER TABLE t ADD COLUMN c2 int"), Direction::Up).await;
    let error = error.expect_err("only an owner may");
    assert!(error.to_string().contains("own"), "{error}");
    shoofly_tests::catalogue::assert_equal("after the refusal", &before, &db.catalogue().await);
    db.drop().await;
}

matrix!(
    column_of_a_view,
    column_of_a_materialized_view,
    view_grouped_by_the_primary_key,
    generated_column,
    policy,
    exclusion_constraint,
    trigger_that_names_the_column,
    everything_at_once,
    rows_that_do_not_cast,
    nulls_under_not_null,
    duplicates_under_a_unique_index,
    missing_table,
    missing_column_and_one_that_exists,
    missing_type,
    text_that_is_no_sql,
    hazard_that_nobody_accepted,
    identity_sequence_that_nobody_accepted,
    trigger_that_always_fires,
    row_type_used_elsewhere,
    listless_insert_in_the_census,
    not_null_without_a_value,
    volatile_expression,
    drop_of_a_column_that_others_need,
    partitioned_table,
    as_written_without_leave,
    work_on_a_column_that_is_being_replaced,
    deferred_key_that_nobody_accepted,
    view_as_a_table,
    statements_that_are_no_operation,
    a_second_run_on_a_table,
    complete_and_rollback_without_a_run,
    a_role_that_does_not_own_the_table,
);
