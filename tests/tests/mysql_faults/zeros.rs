//! Dates of zeros: what the server itself takes is carried, what it would refuse is named.

use shoofly_sandbox::Options;
use shoofly_tests::mysql::Stage;
use shoofly_tests::{Flavor, My, mysql_matrix};

use crate::{assert_completed, assert_rolled_back, write};

const GIVEN: [&str; 3] = [
    "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, d date, s datetime(3))",
    "INSERT INTO t (c, d, s) VALUES (1, '2020-01-31', '2020-01-31 10:00:00.5'), (2, NULL, NULL), (3, '2020-02-29', NULL)",
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
     INSERT INTO t (id, c, d, s) VALUES (17, 4, '0000-00-00', '0000-00-00'), (18, 5, '2020-00-10', '2020-00-10 01:00:00')",
];
const WIDEN: &str = "ALTER TABLE t MODIFY c bigint";

/// The products' defaults differ.
async fn server(flavor: Flavor, mode: &str) -> My {
    let options = Options::default().with("sql_mode", mode);
    tokio::task::spawn_blocking(move || My::own(flavor, &options)).await.unwrap()
}

async fn are_named_where_the_server_refuses_them(flavor: Flavor) {
    let my = server(flavor, "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE").await;
    let stage = Stage::set(&my, "zeros", &GIVEN, WIDEN).await;
    stage.expect(1, &["start"], &["id = 17", "0000-00-00"]).await;
    assert_rolled_back(stage).await;
}

async fn are_carried_where_the_server_takes_them(flavor: Flavor) {
    let my = server(flavor, "STRICT_TRANS_TABLES").await;
    let stage = Stage::set(&my, "own_zeros", &GIVEN, WIDEN).await;
    stage.finish("start").await;
    // By the triggers too.
    write(&stage, "UPDATE t SET d = '0000-00-00' WHERE id = 1").await;
    write(&stage, "INSERT INTO t (id, c, d) VALUES (20, 6, '0000-00-00')").await;
    assert_completed(stage).await;
}

mysql_matrix!(are_named_where_the_server_refuses_them, are_carried_where_the_server_takes_them);
