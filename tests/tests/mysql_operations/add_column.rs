//! `ADD COLUMN`.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

fn app() -> App {
    App::new("t").key("id", "{n}").writes("c", "{v}").writes("d", "CONCAT('d', {v})")
}

/// A table that gets a column, which the application's next version writes.
fn add(name: &str, column: &str, next: App) -> MyCase {
    MyCase::new(name, app(), &format!("ALTER TABLE t ADD COLUMN {column}"))
        .given("CREATE TABLE t (id int PRIMARY KEY, c int, d varchar(40))")
        .app_after(next)
}

async fn at_the_end(flavor: Flavor) {
    add("add_end", "n int", app().writes("n", "{v}")).run(flavor).await;
}

async fn first(flavor: Flavor) {
    add("add_first", "n varchar(20) FIRST", app().writes("n", "{v}")).run(flavor).await;
}

async fn after_another(flavor: Flavor) {
    add("add_after", "n datetime(6) DEFAULT '2024-02-29 01:02:03.456789' AFTER c", app()).run(flavor).await;
}

async fn with_a_default(flavor: Flavor) {
    add("add_default", "n decimal(6,2) DEFAULT 1.25 COMMENT 'a part'", app().writes("n", "{v} % 100"))
        .run(flavor)
        .await;
}

async fn not_null_with_a_default(flavor: Flavor) {
    add("add_not_null", "n enum('new', 'old') NOT NULL DEFAULT 'new'", app().writes("n", "'old'")).run(flavor).await;
}

async fn not_null_without_a_default(flavor: Flavor) {
    // Whoever knows nothing of this column can write no rows any more, as with plain DDL.
    add("add_implicit", "n int NOT NULL", app())
        .app_across(App::new("t").key("id", "{n}").writes("c", "{v}").only_updates())
        .app_after(app().writes("n", "{v}"))
        .run(flavor)
        .await;
}

async fn stored_generated(flavor: Flavor) {
    add("add_stored", "n bigint GENERATED ALWAYS AS (c * 2) STORED", app()).run(flavor).await;
}

async fn virtual_generated(flavor: Flavor) {
    add("add_virtual", "n varchar(60) GENERATED ALWAYS AS (CONCAT(d, '/', c)) VIRTUAL AFTER id", app())
        .run(flavor)
        .await;
}

async fn auto_increment(flavor: Flavor) {
    add("add_counter", "n bigint unsigned NOT NULL AUTO_INCREMENT UNIQUE", app())
        .not_compared(&["n"])
        .check("SELECT COUNT(DISTINCT n) = COUNT(*) AND MIN(n) > 0 FROM t")
        .run(flavor)
        .await;
}

async fn json(flavor: Flavor) {
    add("add_json", "n json", app().writes("n", "CONCAT('[', {v}, ']')")).run(flavor).await;
}

async fn with_an_index(flavor: Flavor) {
    add("add_indexed", "n int DEFAULT 3, ADD KEY n_c (n, c)", app().writes("n", "{v}")).run(flavor).await;
}

async fn several_in_brackets(flavor: Flavor) {
    add("add_list", "(n int DEFAULT 3, m varchar(9), KEY n_c (n, c))", app().writes("n", "{v}")).run(flavor).await;
}

async fn invisible(flavor: Flavor) {
    add("add_invisible", "n int DEFAULT 3 INVISIBLE", app().writes("n", "{v}")).run(flavor).await;
}

/// The word stands in its comment alone.
async fn not_null_without_a_default_but_in_words(flavor: Flavor) {
    add("add_worded", "n int NOT NULL COMMENT 'has no DEFAULT, AS intended'", app())
        .app_across(App::new("t").key("id", "{n}").writes("c", "{v}").only_updates())
        .app_after(app().writes("n", "{v}"))
        .run(flavor)
        .await;
}

/// The moment is that of the change, and plain DDL's is another one.
async fn with_the_time(flavor: Flavor) {
    let at = |name: &str, column: &str| {
        add(name, column, app())
            .not_compared(&["n"])
            .check("SELECT COUNT(*) = COUNT(n) AND MIN(n) > '2020-01-01' FROM t")
    };
    at("add_time", "n timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP").run(flavor).await;
    at(
        "add_changed",
        "n datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3) AFTER id, MODIFY c bigint",
    )
    .run(flavor)
    .await;
}

async fn with_an_expression_as_its_default(flavor: Flavor) {
    add("add_computed", "n varchar(20) NOT NULL DEFAULT (CONCAT('a', 40 + 2))", app()).run(flavor).await;
    let random = add("add_random", "n varchar(36) DEFAULT (UUID())", app());
    match flavor {
        // It takes no such statement with its binary log on.
        Flavor::MySql => random.rows(100).refused(&["the server refuses the statement", "unsafe"]),
        Flavor::MariaDb => random.not_compared(&["n"]).check("SELECT COUNT(DISTINCT n) = COUNT(*) FROM t"),
    }
    .run(flavor)
    .await;
    add("add_reading", "n int DEFAULT (c + 1)", app())
        .rows(100)
        .refused(&["the default of n reads c", "UPDATE"])
        .run(flavor)
        .await;
}

async fn beside_generated_columns(flavor: Flavor) {
    add("add_beside", "n int FIRST", app().writes("n", "{v}"))
        .given(
            "CREATE TABLE t (id int PRIMARY KEY, c int, d varchar(40),
             s bigint GENERATED ALWAYS AS (c * 2) STORED, w bigint GENERATED ALWAYS AS (c * 3) VIRTUAL, KEY w (w))",
        )
        .run(flavor)
        .await;
}

mysql_matrix!(
    at_the_end,
    first,
    after_another,
    with_a_default,
    not_null_with_a_default,
    not_null_without_a_default,
    stored_generated,
    virtual_generated,
    auto_increment,
    json,
    with_an_index,
    several_in_brackets,
    invisible,
    not_null_without_a_default_but_in_words,
    with_the_time,
    with_an_expression_as_its_default,
    beside_generated_columns,
);
