//! Types of columns that are keys, or point to keys.

use shoofly_engine::plan::Hazard;
use shoofly_tests::{Case, Write, matrix};

/// Customers have orders, orders have lines; the middle one holds and is the target of foreign keys.
const SHOP: &str = "
    CREATE TABLE customers (id int PRIMARY KEY, name text);
    CREATE TABLE orders (
        id int PRIMARY KEY,
        customer_id int NOT NULL REFERENCES customers (id),
        amount numeric(10, 2) NOT NULL DEFAULT 0 CHECK (amount >= 0),
        note text
    );
    CREATE INDEX orders_customer ON orders (customer_id, id DESC);
    CREATE TABLE lines (
        order_id int NOT NULL CONSTRAINT lines_order REFERENCES orders (id) ON UPDATE CASCADE ON DELETE CASCADE,
        line int,
        what text,
        PRIMARY KEY (order_id, line)
    );
    COMMENT ON CONSTRAINT lines_order ON lines IS 'lines go with their order';
    INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, {keys} + 10) i;
    INSERT INTO orders SELECT i, i, i FROM generate_series(1, {keys}) i;
    INSERT INTO lines SELECT i, 1, 'first' FROM generate_series(1, {keys}) i";

fn shopping() -> Vec<Write> {
    [
        "INSERT INTO orders (id, customer_id, amount) VALUES ({n}, {k}, 1)",
        "UPDATE orders SET amount = amount + 1 WHERE id = {k}",
        "UPDATE orders SET note = {r}::int::text WHERE customer_id = {k}",
        "UPDATE orders SET id = {n} WHERE id = {k}",
        "INSERT INTO lines (order_id, line, what) SELECT id, {n}, 'more' FROM orders WHERE id = {k}",
        "UPDATE lines SET what = {r}::int::text WHERE order_id = {k} AND line = 1",
        "DELETE FROM orders WHERE id = {k} AND {r}::int % 4 = 0",
    ]
    .map(Write::same)
    .to_vec()
}

async fn key_that_holds_and_is_target_of_foreign_keys(major: u32) {
    Case::new("key_with_foreign_keys")
        .given(SHOP)
        .migration("ALTER TABLE orders ALTER COLUMN id TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes(shopping())
        .check("INSERT INTO orders (id, customer_id) VALUES (9000000000, 1); SELECT id = 9000000000 FROM orders ORDER BY id DESC LIMIT 1")
        .run(major)
        .await;
}

async fn foreign_key_column(major: u32) {
    Case::new("foreign_key_column")
        .given(SHOP)
        .migration("ALTER TABLE orders ALTER COLUMN customer_id TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes(shopping())
        .run(major)
        .await;
}

async fn part_of_a_composite_key_and_foreign_key(major: u32) {
    Case::new("composite_key")
        .given(SHOP)
        .migration("ALTER TABLE lines ALTER COLUMN order_id TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes(shopping())
        .run(major)
        .await;
}

async fn parent_and_child_in_one_migration(major: u32) {
    Case::new("parent_and_child")
        .given(SHOP)
        .migration(
            "ALTER TABLE orders ALTER COLUMN id TYPE bigint;\nALTER TABLE lines ALTER COLUMN order_id TYPE bigint;",
        )
        .accept(&[Hazard::ColumnOrder])
        .writes(shopping())
        .run(major)
        .await;
}

/// No operator compares the old type with the new one: both sides change at once.
async fn parent_and_child_without_a_common_operator(major: u32) {
    Case::new("parent_and_child_uuid")
        .given(
            "CREATE TABLE devices (id text PRIMARY KEY, n int UNIQUE);
             CREATE TABLE readings (n int PRIMARY KEY, device_id text NOT NULL REFERENCES devices (id) ON DELETE CASCADE, v int);
             CREATE INDEX ON readings (device_id);
             INSERT INTO devices SELECT md5(i::text), i FROM generate_series(1, {keys}) i;
             INSERT INTO readings SELECT i, md5(i::text) FROM generate_series(1, {keys}) i",
        )
        .migration(
            "ALTER TABLE devices ALTER COLUMN id TYPE uuid USING id::uuid;
             ALTER TABLE readings ALTER COLUMN device_id TYPE uuid USING device_id::uuid;",
        )
        .plain(
            "ALTER TABLE readings DROP CONSTRAINT readings_device_id_fkey;
             ALTER TABLE devices ALTER COLUMN id TYPE uuid USING id::uuid;
             ALTER TABLE readings ALTER COLUMN device_id TYPE uuid USING device_id::uuid;
             ALTER TABLE readings ADD FOREIGN KEY (device_id) REFERENCES devices (id) ON DELETE CASCADE",
        )
        .accept(&[Hazard::ColumnOrder])
        .writes([
            Write::same("UPDATE readings SET v = {r}::int WHERE n = {k}"),
            Write::same("DELETE FROM devices WHERE n = {k} AND {r}::int % 8 = 0"),
        ])
        .run(major)
        .await;
}

async fn key_that_its_own_table_references(major: u32) {
    Case::new("self_reference")
        .given(
            "CREATE TABLE staff (
                 id int PRIMARY KEY,
                 boss_id int REFERENCES staff (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
                 name text
             );
             INSERT INTO staff SELECT i, NULLIF(i / 4 * 4, 0), 'n' || i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE staff ALTER COLUMN id TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes([
            Write::same("INSERT INTO staff (id, boss_id) VALUES ({n}, (SELECT id FROM staff WHERE id = {k}))"),
            Write::same("UPDATE staff SET name = {r}::int::text WHERE id = {k}"),
            Write::same("UPDATE staff SET boss_id = NULL WHERE id = {k}"),
        ])
        .run(major)
        .await;
}

async fn identity_always(major: u32) {
    Case::new("identity_always")
        .given(
            "CREATE TABLE events (
                 id int GENERATED ALWAYS AS IDENTITY (START WITH 10001 INCREMENT BY 3 CACHE 5) PRIMARY KEY,
                 payload int
             );
             INSERT INTO events (id, payload) OVERRIDING SYSTEM VALUE SELECT i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE events ALTER COLUMN id TYPE bigint")
        .accept(&[Hazard::ColumnOrder, Hazard::IdentitySequence])
        .writes([
            Write::pair(
                "INSERT INTO events (payload) VALUES ({r}::int) RETURNING id::text",
                "INSERT INTO events (id, payload) OVERRIDING SYSTEM VALUE VALUES ({last}, {r}::int)",
            ),
            Write::same("UPDATE events SET payload = {r}::int WHERE id = {k}"),
            Write::same("DELETE FROM events WHERE id = {k} AND {r}::int % 4 = 0"),
        ])
        .check("WITH made AS (INSERT INTO events (payload) VALUES (1) RETURNING id) SELECT id > (SELECT max(id) FROM events) FROM made")
        .run(major)
        .await;
}

async fn identity_by_default_without_key(major: u32) {
    Case::new("identity_by_default")
        .given(
            "CREATE TABLE log (id smallint GENERATED BY DEFAULT AS IDENTITY (START WITH 3000 MAXVALUE 32000 CYCLE), line text);
             CREATE UNIQUE INDEX log_id ON log (id);
             INSERT INTO log SELECT i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE log ALTER COLUMN id TYPE int")
        .accept(&[Hazard::ColumnOrder, Hazard::IdentitySequence])
        .writes([
            Write::pair(
                "INSERT INTO log (line) VALUES ({r}::int::text) RETURNING id::text",
                "INSERT INTO log (id, line) VALUES ({last}, {r}::int::text)",
            ),
            Write::same("UPDATE log SET line = {r}::int::text WHERE id = {k}"),
        ])
        .run(major)
        .await;
}

async fn serial(major: u32) {
    Case::new("serial")
        .given(
            "CREATE TABLE posts (id serial PRIMARY KEY, body text NOT NULL);
             SELECT setval('posts_id_seq', 10000);
             INSERT INTO posts SELECT i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE posts ALTER COLUMN id TYPE bigint")
        .accept(&[Hazard::ColumnOrder])
        .writes([
            Write::pair(
                "INSERT INTO posts (body) VALUES ({r}::int::text) RETURNING id::text",
                "INSERT INTO posts (id, body) VALUES ({last}, {r}::int::text)",
            ),
            Write::same("UPDATE posts SET body = {r}::int::text WHERE id = {k}"),
            Write::same("UPDATE posts SET id = -{n}::int WHERE id = {k}"),
        ])
        .check("WITH made AS (INSERT INTO posts (body) VALUES ('') RETURNING id) SELECT id > (SELECT max(id) FROM posts) FROM made")
        .run(major)
        .await;
}

async fn uuid_key_from_text(major: u32) {
    Case::new("uuid_key")
        .given(
            "CREATE TABLE devices (id text PRIMARY KEY, n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO devices SELECT md5(i::text), i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE devices ALTER COLUMN id TYPE uuid USING id::uuid")
        .accept(&[Hazard::ColumnOrder])
        .writes([
            Write::same("INSERT INTO devices (id, n) VALUES (md5({n}::int::text), {n}::int)"),
            Write::same("UPDATE devices SET n = -{n}::int WHERE id = md5({k}::int::text)"),
            Write::same("UPDATE devices SET id = md5({n}::int::text) WHERE n = {k}"),
            Write::same("DELETE FROM devices WHERE n = {k} AND {r}::int % 4 = 0"),
        ])
        .writes_when_ready([
            Write::same("UPDATE devices SET n = -{n}::int WHERE n = {k}"),
            Write::same("DELETE FROM devices WHERE n = {k} AND {r}::int % 4 = 0"),
        ])
        .run(major)
        .await;
}

async fn unique_deferrable(major: u32) {
    Case::new("unique_deferrable")
        .given(
            "CREATE TABLE ranks (id int PRIMARY KEY, place int CONSTRAINT one_each UNIQUE DEFERRABLE INITIALLY DEFERRED, note text);
             INSERT INTO ranks SELECT i, i FROM generate_series(1, {keys}) i",
        )
        .migration("ALTER TABLE ranks ALTER COLUMN place TYPE bigint")
        .accept(&[Hazard::ColumnOrder, Hazard::DeferredKeys])
        .writes([
            Write::same("INSERT INTO ranks (id, place) VALUES ({n}, {n})"),
            Write::same("UPDATE ranks SET place = -{n}::int WHERE id = {k}"),
            Write::same("UPDATE ranks SET note = {r}::int::text WHERE id = {k}"),
        ])
        .run(major)
        .await;
}

matrix!(
    key_that_holds_and_is_target_of_foreign_keys,
    foreign_key_column,
    part_of_a_composite_key_and_foreign_key,
    parent_and_child_in_one_migration,
    parent_and_child_without_a_common_operator,
    key_that_its_own_table_references,
    identity_always,
    identity_by_default_without_key,
    serial,
    uuid_key_from_text,
    unique_deferrable,
);
