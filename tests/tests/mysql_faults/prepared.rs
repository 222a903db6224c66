//! Statements that the application has prepared before the tables had what they have now.

use mysql_async::prelude::Queryable;
use shoofly_tests::{Flavor, mysql_matrix};

use crate::{WIDEN, leave, somebody, stage_beside, write};

/// A server may keep with a statement what its triggers reach.
async fn statements_live_through_the_change(flavor: Flavor) {
    let own = "CREATE TABLE log (t_id int);
        CREATE TRIGGER mine AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id);
        CREATE TRIGGER mine_too AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (-NEW.id)";
    let stage = stage_beside(flavor, "prepared", WIDEN, &[own]).await;
    let mut conn = somebody(&stage, "DO 0").await;
    let insert = conn.prep("INSERT INTO t (id, c) VALUES (?, 7)").await.unwrap();
    let update = conn.prep("UPDATE t SET c = c + 1 WHERE id = ?").await.unwrap();
    for (id, verb) in [(3000, "start"), (3001, "complete"), (3002, "status")] {
        conn.exec_drop(&insert, (id,)).await.unwrap();
        conn.exec_drop(&update, (id - 2000,)).await.unwrap();
        stage.mirror.run(&format!("INSERT INTO t (id, c) VALUES ({id}, 7)")).await;
        stage.mirror.run(&format!("UPDATE t SET c = c + 1 WHERE id = {id} - 2000")).await;
        stage.finish(verb).await;
    }
    leave(conn).await;
    write(&stage, "DELETE FROM t WHERE id = 3000").await;
    stage.assert_complete().await;
    stage.drop().await;
}

mysql_matrix!(statements_live_through_the_change);
