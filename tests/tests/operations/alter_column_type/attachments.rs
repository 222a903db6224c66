//! Everything that can hang on a column goes along with it.

use shoofly_engine::plan::Hazard;
use shoofly_tests::{Case, Write, matrix};

fn writes() -> Vec<Write> {
    [
        "INSERT INTO goods (id, code, shop, price) VALUES ({n}::int, {n}::int, {k}, 5)",
        "UPDATE goods SET code = -{n}::int WHERE id = {k}",
        "UPDATE goods SET price = {r}::int % 1000 + 1 WHERE id = {k}",
        "UPDATE goods SET id = {n} WHERE id = {k}",
        "DELETE FROM goods WHERE id = {k} AND {r}::int % 8 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

async fn indexes_of_every_shape(major: u32) {
    Case::new("indexes")
        .given(
            "CREATE TABLE goods (id int PRIMARY KEY, code int NOT NULL DEFAULT 7, shop int NOT NULL, price int);
             INSERT INTO goods SELECT i, i, i % 50, i FROM generate_series(1, {keys}) i;
             ALTER TABLE goods ADD CONSTRAINT goods_code_shop UNIQUE (code, shop) INCLUDE (price);
             CREATE INDEX goods_down ON goods (code DESC NULLS LAST, shop) WITH (fillfactor = 70);
             CREATE INDEX goods_cheap ON goods (shop) WHERE code > 5 AND price < 100;
             CREATE INDEX goods_sum ON goods ((code + shop), abs(code));
             CREATE UNIQUE INDEX goods_in ON goods (id) INCLUDE (code);
             CREATE INDEX goods_text ON goods ((code::text), shop, (code::text) text_pattern_ops);
             CREATE INDEX goods_hash ON goods USING hash (code);
             CREATE INDEX goods_brin ON goods USING brin (code, shop) WITH (pages_per_range = 16);
             CREATE INDEX \"Goods \"\"odd\"\" name\" ON goods (code);
             COMMENT ON INDEX goods_down IS 'newest first';
             COMMENT ON CONSTRAINT goods_code_shop ON goods IS 'one code in a shop';
             ALTER INDEX goods_sum ALTER COLUMN 1 SET STATISTICS 321;
             ALTER TABLE goods CLUSTER ON goods_down",
        )
        .migration("ALTER TABLE goods ALTER COLUMN code TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes(writes())
        .run(major)
        .await;
}

async fn constraints_of_every_shape(major: u32) {
    Case::new("constraints")
        .given(
            "CREATE TABLE shops (id int PRIMARY KEY, zone int NOT NULL, UNIQUE (id, zone));
             INSERT INTO shops SELECT i, i % 5 FROM generate_series(1, {keys} + 10) i;
             CREATE TABLE goods (
                 id int PRIMARY KEY,
                 code int NOT NULL DEFAULT 7 CHECK (code <> 0),
                 shop int,
                 price int CONSTRAINT positive CHECK (price > 0) NO INHERIT,
                 CONSTRAINT sane CHECK (code < 2000000000 OR price IS NULL OR shop IS NOT NULL),
                 CONSTRAINT late FOREIGN KEY (shop) REFERENCES shops (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
             );
             ALTER TABLE goods ADD CONSTRAINT unproved CHECK (code > -2000000000) NOT VALID;
             COMMENT ON CONSTRAINT sane ON goods IS 'sane';
             COMMENT ON CONSTRAINT unproved ON goods IS 'unproved';
             INSERT INTO goods SELECT i, i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE goods ALTER COLUMN code TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes(writes())
        .run(major)
        .await;
}

async fn deferrable_foreign_key_column(major: u32) {
    Case::new("deferrable_fk")
        .given(
            "CREATE TABLE shops (id bigint PRIMARY KEY);
             INSERT INTO shops SELECT i FROM generate_series(1, {keys} + 10) i;
             CREATE TABLE goods (
                 id int PRIMARY KEY,
                 code int NOT NULL,
                 shop int CONSTRAINT late REFERENCES shops (id) ON UPDATE SET NULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
                 price int
             );
             CREATE INDEX ON goods (shop);
             COMMENT ON CONSTRAINT late ON goods IS 'checked at the end';
             INSERT INTO goods SELECT i, i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE goods ALTER COLUMN shop TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes(writes())
        .run(major)
        .await;
}

async fn comments_grants_statistics_and_storage(major: u32) {
    Case::new("odds_and_ends")
        .given(
            "CREATE TABLE goods (id int PRIMARY KEY, code varchar(30) NOT NULL DEFAULT 'seven', shop int, price int);
             COMMENT ON COLUMN goods.code IS 'it''s the code';
             GRANT SELECT ON goods TO reader;
             GRANT UPDATE (code), INSERT (code, id) ON goods TO app;
             GRANT SELECT (code) ON goods TO app WITH GRANT OPTION;
             ALTER TABLE goods ALTER code SET STATISTICS 777;
             ALTER TABLE goods ALTER code SET (n_distinct = -0.5);
             ALTER TABLE goods ALTER code SET STORAGE external;
             ALTER TABLE goods ALTER code SET COMPRESSION pglz;
             CREATE STATISTICS goods_both (dependencies, ndistinct) ON code, shop FROM goods;
             CREATE STATISTICS goods_expr ON (lower(code)), price FROM goods;
             ALTER STATISTICS goods_both SET STATISTICS 55;
             COMMENT ON STATISTICS goods_both IS 'they go together';
             INSERT INTO goods SELECT i, i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE goods ALTER COLUMN code TYPE varchar(20) USING left(code, 20)")
        .accept(&[Hazard::ColumnOrder, Hazard::ColumnGrants])
        .writes(writes())
        .run(major)
        .await;
}

async fn replica_identity_by_index(major: u32) {
    Case::new("replica_identity")
        .given(
            "CREATE TABLE goods (id int PRIMARY KEY, code int NOT NULL, shop int, price int);
             CREATE UNIQUE INDEX goods_code ON goods (code);
             ALTER TABLE goods REPLICA IDENTITY USING INDEX goods_code;
             INSERT INTO goods SELECT i, -i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE goods ALTER COLUMN code TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes(writes())
        .run(major)
        .await;
}

async fn triggers_of_the_user(major: u32) {
    Case::new("user_triggers")
        .given(
            "CREATE TABLE goods (id int PRIMARY KEY, code int NOT NULL, shop int, price int, changes int NOT NULL DEFAULT 0);
             CREATE TABLE audit (id int, what text);
             CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN NEW.changes := OLD.changes + 1; RETURN NEW; END $$;
             CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO audit VALUES (NEW.id, TG_OP); RETURN NULL; END $$;
             CREATE TRIGGER zz_count BEFORE UPDATE ON goods FOR EACH ROW EXECUTE FUNCTION count_change();
             CREATE TRIGGER note AFTER INSERT OR UPDATE ON goods FOR EACH ROW EXECUTE FUNCTION note_change();
             INSERT INTO goods SELECT i, i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE goods ALTER COLUMN code TYPE bigint")
        .accept(&[Hazard::ColumnOrder, Hazard::UserTriggers])
        .writes(writes())
        .run(major)
        .await;
}

async fn odd_names_and_another_owner(major: u32) {
    Case::new("odd_names")
        .given(
            "CREATE TABLE \"Goods & co\" (id int PRIMARY KEY, \"The Code\" int NOT NULL DEFAULT 3, \"select\" int);
             CREATE INDEX ON \"Goods & co\" (\"The Code\", \"select\");
             ALTER TABLE \"Goods & co\" OWNER TO owner;
             INSERT INTO \"Goods & co\" SELECT i, i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE public.\"Goods & co\" ALTER COLUMN \"The Code\" TYPE bigint")
        .plain("ALTER TABLE \"Goods & co\" ALTER COLUMN \"The Code\" TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes([
            Write::same("INSERT INTO \"Goods & co\" (id, \"The Code\") VALUES ({n}, {r}::int)"),
            Write::same("UPDATE \"Goods & co\" SET \"The Code\" = {r}::int WHERE id = {k}"),
            Write::same("UPDATE \"Goods & co\" SET \"select\" = {r}::int WHERE id = {k}"),
        ])
        .run(major)
        .await;
}

async fn publication_without_subscribers(major: u32) {
    Case::new("publication")
        .given(
            "CREATE TABLE goods (id int PRIMARY KEY, code int NOT NULL, shop int, price int);
             INSERT INTO goods SELECT i, i, i, i FROM generate_series(1, {keys}) i",
        )
        .given_once("CREATE PUBLICATION news FOR TABLE public.goods")
        .migration("ALTER TABLE goods ALTER COLUMN id TYPE bigint")
        .accept(&[Hazard::ColumnOrder, Hazard::Subscribers])
        .writes(writes())
        .run(major)
        .await;
}

matrix!(
    indexes_of_every_shape,
    constraints_of_every_shape,
    deferrable_foreign_key_column,
    comments_grants_statistics_and_storage,
    replica_identity_by_index,
    triggers_of_the_user,
    odd_names_and_another_owner,
    publication_without_subscribers,
);
