//! `CREATE INDEX` and `DROP INDEX`.

use shoofly_engine::run::Direction;
use shoofly_tests::case::migration;
use shoofly_tests::{Case, Database, Pg, Write, matrix};

const GIVEN: &str = "
    CREATE TABLE t (id int PRIMARY KEY, c int, d text, v jsonb NOT NULL DEFAULT '{}');
    INSERT INTO t SELECT i, i, 'd' || i FROM generate_series(1, {keys}) i;
    CREATE INDEX t_old ON t (c) WHERE d <> '';
    COMMENT ON INDEX t_old IS 'old'";

fn writes() -> Vec<Write> {
    [
        "INSERT INTO t (id, c, d) VALUES ({n}::int, {n}::int, {n}::int::text)",
        "UPDATE t SET c = -{n}::int WHERE id = {k}",
        "UPDATE t SET d = {n}::int::text WHERE id = {k}",
        "DELETE FROM t WHERE id = {k} AND {r}::int % 8 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

fn case(name: &str, sql: &str) -> Case {
    Case::new(name).given(GIVEN).migration(sql).writes(writes())
}

async fn create(major: u32) {
    case(
        "create_index",
        "CREATE INDEX t_c_d ON t USING btree (c DESC, lower(d)) INCLUDE (id) WITH (fillfactor = 80) WHERE c > 0",
    )
    .run(major)
    .await;
}

async fn create_unique(major: u32) {
    case("create_unique", "CREATE UNIQUE INDEX t_c_unique ON t (c)").run(major).await;
}

async fn create_concurrently(major: u32) {
    case("create_concurrently", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_v ON t USING gin (v)")
        .plain("CREATE INDEX IF NOT EXISTS t_v ON t USING gin (v)")
        .run(major)
        .await;
}

async fn create_without_a_name(major: u32) {
    case("create_unnamed", "CREATE INDEX ON t (c, d); CREATE INDEX ON t (lower(d));").run(major).await;
}

async fn create_where_it_exists(major: u32) {
    case("create_existing", "CREATE INDEX IF NOT EXISTS t_old ON t (c) WHERE d <> ''; CREATE INDEX t_new ON t (d)")
        .run(major)
        .await;
}

async fn drop(major: u32) {
    case("drop_index", "DROP INDEX t_old").run(major).await;
}

async fn an_invalid_leftover_is_built_anew(major: u32) {
    let db = Database::create(&Pg::shared(major), "invalid_leftover").await;
    db.run("CREATE TABLE t (id int PRIMARY KEY, c int); INSERT INTO t SELECT i, i / 2 FROM generate_series(1, 100) i")
        .await;
    let before = db.catalogue().await;
    let wanted = migration("invalid_leftover", "CREATE UNIQUE INDEX t_c ON t (c)");
    let engine = db.engine().build();
    let error = engine.start(&wanted, Direction::Up).await.expect_err("the values are not unique").to_string();
    assert!(error.contains("t_c"), "{error}");
    db.run("UPDATE t SET c = id").await;
    engine.start(&wanted, Direction::Up).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(db.text("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_c'::regclass").await, "t");
    engine.rollback(None).await.unwrap_or_else(|error| panic!("{error}"));
    shoofly_tests::catalogue::assert_equal("after rollback", &before, &db.catalogue().await);
    db.drop().await;
}

matrix!(
    create,
    create_unique,
    create_concurrently,
    create_without_a_name,
    create_where_it_exists,
    drop,
    an_invalid_leftover_is_built_anew,
);
