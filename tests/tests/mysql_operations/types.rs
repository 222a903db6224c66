//! Types of columns that are in no key.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

/// A table whose column `c` is `from` and becomes `to`, written with values that both hold.
fn change(name: &str, from: &str, to: &str, value: &str) -> MyCase {
    let app = App::new("t").auto_increment("id").writes("c", value).writes("d", "CONCAT('d', {v})");
    MyCase::new(name, app, &format!("ALTER TABLE t MODIFY c {to}"))
        .given(&format!("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c {from}, d varchar(40))"))
}

async fn int_to_bigint(flavor: Flavor) {
    change("int_to_bigint", "int NOT NULL DEFAULT 7", "bigint NOT NULL DEFAULT 7", "{v} - 5000000").run(flavor).await;
}

async fn int_to_bigint_unsigned(flavor: Flavor) {
    change("int_to_unsigned", "int", "bigint unsigned", "NULLIF({v} % 100, 0)").run(flavor).await;
}

async fn bigint_to_int_that_fits(flavor: Flavor) {
    change("bigint_to_int", "bigint", "int", "{v} - 5000000").run(flavor).await;
}

async fn int_to_varchar(flavor: Flavor) {
    change("int_to_varchar", "int", "varchar(12)", "{v} - 5000000").run(flavor).await;
}

async fn varchar_within_255_bytes(flavor: Flavor) {
    change(
        "varchar_short",
        "varchar(20) CHARACTER SET latin1",
        "varchar(200) CHARACTER SET latin1",
        "CONCAT('é', {v})",
    )
    .run(flavor)
    .await;
}

async fn varchar_beyond_255_bytes(flavor: Flavor) {
    change("varchar_long", "varchar(20)", "varchar(300)", "CONCAT('ä€😀 ', {v}, '  ')").run(flavor).await;
}

/// The length takes a second byte: on MariaDB a matter of the dictionary where it was at most 127 bytes before.
async fn varchar_across_255_bytes(flavor: Flavor) {
    change(
        "varchar_latin1",
        "varchar(60) CHARACTER SET latin1",
        "varchar(300) CHARACTER SET latin1",
        "CONCAT('é', {v})",
    )
    .run(flavor)
    .await;
    change("varchar_utf8mb4", "varchar(50)", "varchar(100)", "CONCAT('ä€😀 ', {v}, '  ')").run(flavor).await;
}

/// A column of fixed length forgets the blanks at its end.
async fn char_to_varchar_and_back(flavor: Flavor) {
    change("char_to_varchar", "char(20)", "varchar(20)", "CONCAT('é', {v} % 1000)").run(flavor).await;
    change("varchar_to_char", "varchar(20) NOT NULL", "char(20) NOT NULL", "CONCAT('é', {v} % 1000, '  ')")
        .run(flavor)
        .await;
}

async fn varchar_to_text(flavor: Flavor) {
    change("varchar_to_text", "varchar(200)", "mediumtext", "REPEAT('x', {v} % 200)").run(flavor).await;
}

async fn varchar_narrower_that_fits(flavor: Flavor) {
    change("varchar_narrow", "varchar(300) NOT NULL", "varchar(12) NOT NULL", "CONCAT('ñ', {v})").run(flavor).await;
}

async fn enum_with_more_at_the_end(flavor: Flavor) {
    change("enum_append", "enum('a', 'b', 'c')", "enum('a', 'b', 'c', 'd')", "ELT(1 + {v} % 3, 'a', 'b', 'c')")
        .run(flavor)
        .await;
}

async fn enum_in_another_order(flavor: Flavor) {
    change("enum_order", "enum('a', 'b', 'c')", "enum('c', 'x', 'a', 'b')", "ELT(1 + {v} % 3, 'a', 'b', 'c')")
        .run(flavor)
        .await;
}

async fn set_with_more_members(flavor: Flavor) {
    let value = "ELT(1 + {v} % 4, 'a', 'a,b', '', 'c,a')";
    change("set_more", "set('a', 'b', 'c') NOT NULL", "set('a', 'b', 'c', 'd') NOT NULL", value).run(flavor).await;
    change("set_order", "set('a', 'b', 'c') NOT NULL", "set('c', 'b', 'x', 'a') NOT NULL", value).run(flavor).await;
}

async fn enum_with_fewer(flavor: Flavor) {
    change("enum_fewer", "enum('a', 'b', 'c')", "enum('a', 'c')", "ELT(1 + {v} % 2, 'a', 'c')").run(flavor).await;
}

/// Members that need another byte.
async fn enum_and_set_that_take_more_bytes(flavor: Flavor) {
    let members = |count: usize| (1..=count).map(|at| format!("'m{at}'")).collect::<Vec<_>>().join(", ");
    let pair = |kind: &str, count: usize| {
        (format!("{kind}({})", members(count)), format!("{kind}({}) NULL", members(count + 1)))
    };
    let (from, to) = pair("enum", 255);
    change("enum_bytes", &from, &to, "CONCAT('m', 1 + {v} % 255)").run(flavor).await;
    let (from, to) = pair("set", 8);
    change("set_bytes", &from, &to, "ELT(1 + {v} % 3, 'm1,m8', 'm8', '')").run(flavor).await;
}

async fn decimal_wider(flavor: Flavor) {
    change("decimal_wider", "decimal(10,2)", "decimal(20,4)", "{v} / 100").run(flavor).await;
}

/// Values that the new type rounds: plain DDL takes them, with a note at most.
async fn numbers_that_are_rounded(flavor: Flavor) {
    let cases = [
        ("round_decimal", "decimal(12,4)", "decimal(10,2)", "({v} - 5000000) / 1600"),
        ("round_from_double", "double NOT NULL", "decimal(12,2) NOT NULL", "({v} - 5000000) / 1000"),
        ("round_from_float", "float", "decimal(12,1)", "{v} % 4096 / 16"),
        ("round_from_text", "varchar(40)", "decimal(12,2)", "CAST({v} / 1000 AS CHAR)"),
        ("round_to_int", "decimal(14,3)", "int", "({v} - 5000000) / 1000"),
        ("round_to_float", "decimal(20,8)", "float", "{v} / 7"),
        ("round_double", "double", "float NOT NULL", "{v} / 7"),
        ("round_int", "bigint", "float", "{v} * 1000003"),
    ];
    for (name, from, to, value) in cases {
        change(name, from, to, value).rows(1_000).run(flavor).await;
    }
}

/// Times of which the new type keeps a part.
async fn times_that_lose_a_part(flavor: Flavor) {
    let value = "TIMESTAMP('2024-01-01 10:00:00') + INTERVAL {v} * 1001 MICROSECOND";
    let cases = [
        ("part_date", "datetime", "date", "TIMESTAMP('2024-01-01 10:00:00') + INTERVAL {v} % 5000000 SECOND"),
        ("part_second", "datetime(6)", "datetime", value),
        ("part_date_of_micros", "datetime(6) NOT NULL", "date NOT NULL", value),
        ("part_time", "time(6)", "time(1)", "TIME('10:00:00') + INTERVAL {v} * 1001 MICROSECOND"),
        ("part_of_stamp", "timestamp(6) NULL", "timestamp(3) NULL", value),
    ];
    for (name, from, to, value) in cases {
        change(name, from, to, value).rows(1_000).run(flavor).await;
    }
}

async fn float_to_double(flavor: Flavor) {
    change("float_to_double", "float", "double", "{v} % 4096 / 8").run(flavor).await;
}

async fn datetime_to_timestamp(flavor: Flavor) {
    let value = "TIMESTAMP('2024-01-01 00:00:00') + INTERVAL {v} % 5000000 SECOND";
    change("to_timestamp", "datetime NULL", "timestamp(6) NULL DEFAULT NULL", value).run(flavor).await;
    change("to_datetime", "timestamp(3) NULL", "datetime(3) NULL", value).run(flavor).await;
}

async fn bit_wider(flavor: Flavor) {
    change("bit_wider", "bit(9)", "bit(40)", "{v} % 512").run(flavor).await;
}

async fn text_to_json(flavor: Flavor) {
    change("text_to_json", "varchar(60)", "json", "CONCAT('{\"a\": ', {v}, '}')").run(flavor).await;
}

async fn binary_wider(flavor: Flavor) {
    change("binary_wider", "binary(4)", "binary(8)", "UNHEX(LPAD(HEX({v} % 65536 * 256), 8, '0'))").run(flavor).await;
    change("varbinary_wider", "varbinary(4)", "varbinary(400)", "UNHEX(LPAD(HEX({v} % 65536 * 256), 8, '0'))")
        .run(flavor)
        .await;
}

async fn column_of_indexes(flavor: Flavor) {
    let app = App::new("t").auto_increment("id").writes("d", "CONCAT('d', {v})").unique("c", "{v}");
    MyCase::new("indexed_column", app, "ALTER TABLE t MODIFY c bigint NOT NULL")
        .given(
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int NOT NULL, d varchar(40),
             UNIQUE KEY one_each (c), KEY d_c (d(5), c DESC))",
        )
        .run(flavor)
        .await;
}

async fn by_one_command(flavor: Flavor) {
    change("by_alter", "int", "bigint", "{v}").by_alter().run(flavor).await;
}

mysql_matrix!(
    int_to_bigint,
    int_to_bigint_unsigned,
    bigint_to_int_that_fits,
    int_to_varchar,
    varchar_within_255_bytes,
    varchar_beyond_255_bytes,
    varchar_across_255_bytes,
    char_to_varchar_and_back,
    varchar_to_text,
    varchar_narrower_that_fits,
    enum_with_more_at_the_end,
    enum_in_another_order,
    set_with_more_members,
    enum_with_fewer,
    enum_and_set_that_take_more_bytes,
    decimal_wider,
    numbers_that_are_rounded,
    times_that_lose_a_part,
    float_to_double,
    datetime_to_timestamp,
    bit_wider,
    text_to_json,
    binary_wider,
    column_of_indexes,
    by_one_command,
);
