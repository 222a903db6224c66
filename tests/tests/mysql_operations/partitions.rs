//! Partitions: tables that get them, lose them, or have them cut anew.

use shoofly_tests::mysql::{App, MyCase};
use shoofly_tests::{Flavor, mysql_matrix};

fn app() -> App {
    App::new("t").key("id", "{n}").writes("c", "{v} % 1000").writes("d", "CONCAT('d', {v})")
}

/// A table that is partitioned so.
fn case(name: &str, partitions: &str, ddl: &str) -> MyCase {
    MyCase::new(name, app(), ddl)
        .given(&format!("CREATE TABLE t (id int PRIMARY KEY, c int, d varchar(40), KEY c (c)) {partitions}"))
}

/// The application's rows are in both.
const RANGES: &str =
    "PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (3000), PARTITION high VALUES LESS THAN (50000000))";

async fn that_come(flavor: Flavor) {
    case("partition_hash", "", "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4").run(flavor).await;
    case(
        "partition_range",
        "",
        "ALTER TABLE t PARTITION BY RANGE (id)
         (PARTITION low VALUES LESS THAN (3000), PARTITION high VALUES LESS THAN MAXVALUE)",
    )
    .run(flavor)
    .await;
}

async fn that_go(flavor: Flavor) {
    case("unpartition", "PARTITION BY KEY (id) PARTITIONS 3", "ALTER TABLE t REMOVE PARTITIONING").run(flavor).await;
}

async fn and_another_type(flavor: Flavor) {
    case("partitioned_type", "PARTITION BY HASH (id) PARTITIONS 3", "ALTER TABLE t MODIFY c bigint").run(flavor).await;
    case("type_and_partitions", RANGES, "ALTER TABLE t MODIFY c bigint PARTITION BY KEY (id) PARTITIONS 2")
        .run(flavor)
        .await;
}

async fn one_more(flavor: Flavor) {
    case("add_range", RANGES, "ALTER TABLE t ADD PARTITION (PARTITION most VALUES LESS THAN MAXVALUE)")
        .run(flavor)
        .await;
    case("add_hash", "PARTITION BY HASH (id) PARTITIONS 2", "ALTER TABLE t ADD PARTITION PARTITIONS 1")
        .run(flavor)
        .await;
}

async fn cut_anew(flavor: Flavor) {
    case(
        "reorganize",
        RANGES,
        "ALTER TABLE t REORGANIZE PARTITION low INTO
         (PARTITION lowest VALUES LESS THAN (1000), PARTITION low VALUES LESS THAN (3000))",
    )
    .run(flavor)
    .await;
    case("coalesce", "PARTITION BY HASH (id) PARTITIONS 4", "ALTER TABLE t COALESCE PARTITION 2").run(flavor).await;
}

const ONE_THAT_GOES: &str = "PARTITION BY RANGE (id)
    (PARTITION gone VALUES LESS THAN (-500), PARTITION kept VALUES LESS THAN MAXVALUE)";

/// A copy would put its rows into the other one.
async fn one_that_goes_with_its_rows(flavor: Flavor) {
    let dropping = |name: &str, ddl: &str| {
        case(name, ONE_THAT_GOES, ddl).given_loaded("INSERT INTO t (id, c) VALUES (-501, 1), (-9000, 2)")
    };
    dropping("drop_refused", "ALTER TABLE t DROP PARTITION gone")
        .refused(&["with its rows", "direct"])
        .run(flavor)
        .await;
    dropping(
        "drop_partition",
        "-- shoofly: strategy = direct\n-- shoofly: allow = blocking\nALTER TABLE t DROP PARTITION gone",
    )
    .check("SELECT COUNT(*) = 0 FROM t WHERE id < -500")
    .run(flavor)
    .await;
}

async fn that_come_as_written(flavor: Flavor) {
    case(
        "partition_direct",
        "",
        "-- shoofly: strategy = direct\n-- shoofly: allow = blocking\nALTER TABLE t PARTITION BY HASH (id) PARTITIONS 2",
    )
    .run(flavor)
    .await;
}

/// Tried on an empty copy, the other table's rows would be lost with it.
async fn exchanged_with_a_table(flavor: Flavor) {
    let given = "CREATE TABLE other (id int PRIMARY KEY, c int, d varchar(40), KEY c (c));
        INSERT INTO other VALUES (7000001, 1, 'x'), (7000002, 2, 'y')";
    let refused = |name: &str, ddl: &str, texts: &[&str]| {
        case(name, RANGES, ddl).given_loaded(given).rows(100).not_supported(texts)
    };
    refused(
        "exchange",
        "ALTER TABLE t EXCHANGE PARTITION high WITH TABLE other",
        &["EXCHANGE PARTITION", "two tables"],
    )
    .run(flavor)
    .await;
    refused(
        "convert_table",
        "ALTER TABLE t CONVERT TABLE other TO PARTITION most VALUES LESS THAN MAXVALUE",
        &["CONVERT TABLE", "two tables"],
    )
    .run(flavor)
    .await;
    refused("convert_out", "ALTER TABLE t CONVERT PARTITION low TO TABLE lows", &["CONVERT PARTITION"])
        .run(flavor)
        .await;
}

async fn emptied_or_looked_after(flavor: Flavor) {
    for (name, clause, text) in [
        ("truncate", "TRUNCATE PARTITION low", "delete the rows"),
        ("analyze", "ANALYZE PARTITION ALL", "no definition"),
        ("optimize_one", "OPTIMIZE PARTITION low", "FORCE"),
        ("discard", "DISCARD PARTITION low TABLESPACE", "files"),
    ] {
        case(name, RANGES, &format!("ALTER TABLE t {clause}"))
            .rows(100)
            .not_supported(&["PARTITION is not supported", text])
            .run(flavor)
            .await;
    }
}

mysql_matrix!(
    that_come,
    that_go,
    and_another_type,
    one_more,
    cut_anew,
    one_that_goes_with_its_rows,
    that_come_as_written,
    exchanged_with_a_table,
    emptied_or_looked_after,
);
