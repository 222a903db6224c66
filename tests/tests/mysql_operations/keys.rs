//! Tables with all kinds of primary keys.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

/// A table with that key, whose column `c` becomes wider.
fn with_key(name: &str, columns: &str, app: App) -> MyCase {
    let app = app.writes("c", "{v}").writes("d", "CONCAT('d', {v})");
    MyCase::new(name, app, "ALTER TABLE t MODIFY c bigint NOT NULL")
        .given(&format!("CREATE TABLE t ({columns}, c int NOT NULL, d varchar(40))"))
}

async fn auto_increment_itself(flavor: Flavor) {
    let app = App::new("t").auto_increment("id").writes("c", "{v}").unique("u", "{v}");
    MyCase::new("auto_increment", app, "ALTER TABLE t MODIFY id bigint NOT NULL AUTO_INCREMENT")
        .given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, u int UNIQUE)")
        .run(flavor)
        .await;
}

async fn composite(flavor: Flavor) {
    let app = App::new("t").key("w", "{n} % 7").key("id", "{n}");
    with_key("composite", "w smallint, id int, PRIMARY KEY (w, id)", app).run(flavor).await;
}

async fn binary_with_zeros_at_the_end(flavor: Flavor) {
    let app = App::new("t").key("id", "UNHEX(RPAD(LPAD(HEX({n}), 8, '0'), 32, '0'))");
    with_key("binary_16", "id binary(16) PRIMARY KEY", app).run(flavor).await;
}

async fn varbinary_with_zeros_at_the_end(flavor: Flavor) {
    let app = App::new("t").key("id", "UNHEX(RPAD(LPAD(HEX({n}), 8, '0'), 8 + 2 * ({n} % 3), '0'))");
    with_key("varbinary", "id varbinary(16) PRIMARY KEY", app).run(flavor).await;
}

async fn text_of_a_binary_collation(flavor: Flavor) {
    let app = App::new("t").key("id", "CONCAT(IF({n} % 2, 'a', 'A'), {n} DIV 2)");
    with_key("text_bin", "id varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY", app).run(flavor).await;
}

async fn text_of_a_collation_without_case(flavor: Flavor) {
    let app = App::new("t").key("id", "CONCAT(IF({n} % 2, 'ä', 'Z'), {n})");
    with_key("text_ci", "id varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY", app)
        .run(flavor)
        .await;
}

async fn text_of_another_character_set(flavor: Flavor) {
    let app = App::new("t").key("id", "CONCAT('ä', {n})");
    with_key("text_latin1", "id varchar(20) CHARACTER SET latin1 COLLATE latin1_german1_ci PRIMARY KEY", app)
        .run(flavor)
        .await;
}

async fn enumeration(flavor: Flavor) {
    let app = App::new("t").key("k", "ELT(1 + {n} % 3, 'z', 'a', 'm')").key("id", "{n}");
    with_key("enum_key", "k enum('z', 'a', 'm'), id int, PRIMARY KEY (k, id)", app).run(flavor).await;
}

async fn timestamp_with_fractions(flavor: Flavor) {
    let app = App::new("t").key("at", "TIMESTAMP('2024-01-01 00:00:00.000000') + INTERVAL {n} MICROSECOND");
    with_key("timestamp_key", "at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) PRIMARY KEY", app)
        .run(flavor)
        .await;
}

async fn decimal(flavor: Flavor) {
    let app = App::new("t").key("id", "{n} / 100");
    with_key("decimal_key", "id decimal(20,4) PRIMARY KEY", app).run(flavor).await;
}

async fn unsigned_beyond_signed(flavor: Flavor) {
    let app = App::new("t").key("id", "18446744073700000000 + {n}");
    with_key("unsigned_key", "id bigint unsigned PRIMARY KEY", app).run(flavor).await;
}

async fn zero_and_negative(flavor: Flavor) {
    let app = App::new("t").key("id", "{n} - 2500");
    // See below: what it inserts stands between existing keys.
    let app = if flavor == Flavor::MariaDb { app.only_updates() } else { app };
    with_key("negative", "id int PRIMARY KEY", app).run(flavor).await;
}

async fn zero_and_negative_auto_increment(flavor: Flavor) {
    // The last row of a writer's part belongs to nobody: zero stays.
    let app = App::new("t").key("id", "{n} - 2500");
    with_key("negative_counter", "id int AUTO_INCREMENT PRIMARY KEY", app)
        .check("SELECT COUNT(*) FROM t WHERE id = 0")
        .run(flavor)
        .await;
}

async fn composite_with_a_counter(flavor: Flavor) {
    let app = App::new("t").key("w", "{n} % 7").key("id", "{n}");
    // On MariaDB triggers hold the counter to the end of their statement: inserting between existing keys, and waiting for rows
    // meanwhile, the application would be in its own way for longer than it waits.
    let app = if flavor == Flavor::MariaDb { app.only_updates() } else { app };
    with_key("composite_counter", "w int, id int AUTO_INCREMENT, PRIMARY KEY (w, id), KEY id (id)", app)
        .run(flavor)
        .await;
}

async fn another_primary_key(flavor: Flavor) {
    let app = App::new("t").key("id", "{n}").writes("c", "{v}").inserts("w", "{n} % 7").keeps_keys();
    MyCase::new("another_key", app, "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (w, id)")
        .given("CREATE TABLE t (id int PRIMARY KEY, w int NOT NULL, c int)")
        .app_across(App::new("t").key("w", "{n} % 7").key("id", "{n}").writes("c", "{v}").keeps_keys())
        .run(flavor)
        .await;
}

/// Rows stay told apart by the unique key.
async fn no_primary_key_but_a_unique_one(flavor: Flavor) {
    let app = App::new("t").key("id", "{n}").writes("c", "{v}");
    MyCase::new("unique_for_primary", app, "ALTER TABLE t DROP PRIMARY KEY")
        .given("CREATE TABLE t (id int, c int, PRIMARY KEY (id), UNIQUE KEY by_id (id))")
        .run(flavor)
        .await;
}

async fn no_primary_key_any_more(flavor: Flavor) {
    let app = || App::new("t").key("id", "{n}").writes("c", "{v}").inserts("u", "{n}");
    for (name, more) in [("no_key", ""), ("another_unique", ", UNIQUE KEY u (u)")] {
        MyCase::new(name, app(), "ALTER TABLE t DROP PRIMARY KEY")
            .given(&format!("CREATE TABLE t (id int PRIMARY KEY, c int, u int NOT NULL{more})"))
            .rows(100)
            .refused(&["without a primary key", "unique one over id"])
            .run(flavor)
            .await;
    }
}

mysql_matrix!(
    auto_increment_itself,
    composite,
    binary_with_zeros_at_the_end,
    varbinary_with_zeros_at_the_end,
    text_of_a_binary_collation,
    text_of_a_collation_without_case,
    text_of_another_character_set,
    enumeration,
    timestamp_with_fractions,
    decimal,
    unsigned_beyond_signed,
    zero_and_negative,
    zero_and_negative_auto_increment,
    composite_with_a_counter,
    another_primary_key,
    no_primary_key_but_a_unique_one,
    no_primary_key_any_more,
);
