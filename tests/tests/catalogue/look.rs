//! Who is in the way.

use std::time::Duration;

use shoofly_engine::driver::postgres::look::{blockers, snapshots_older_than};
use shoofly_engine::error::Blocker;
use shoofly_tests::database::text;
use shoofly_tests::{Database, Pg, matrix, until};

use super::{full, session};

const LONG: Duration = Duration::from_secs(3600);

fn holds(found: &[Blocker]) -> Vec<&str> {
    found.iter().map(|blocker| blocker.holds.as_str()).collect()
}

async fn holders_of_locks(major: u32) {
    let db = Database::create(&Pg::shared(major), "holders").await;
    db.run("CREATE TABLE t (id int); CREATE TABLE other (id int)").await;
    let session = session(&db.url()).await;
    let tables = [full("public", "t")];
    let client = db.connect().await;
    let pid: i32 = text(&client, "SELECT pg_backend_pid()").await.parse().unwrap();
    client.batch_execute("SET application_name = 'reporting'; BEGIN; SELECT * FROM t").await.unwrap();

    assert!(blockers(&session, &tables, LONG, &[]).await.unwrap().is_empty(), "a young reader is in nobody's way");
    let old = blockers(&session, &tables, Duration::ZERO, &[]).await.unwrap();
    assert_eq!(holds(&old), ["ACCESS SHARE on public.t"]);
    assert_eq!(
        (old[0].pid, old[0].application.as_str(), old[0].state.as_str()),
        (pid, "reporting", "idle in transaction")
    );
    assert_eq!(old[0].query, "SET application_name = 'reporting'; BEGIN; SELECT * FROM t");
    assert!(blockers(&session, &tables, Duration::ZERO, &[pid]).await.unwrap().is_empty(), "our own do not count");

    client.batch_execute("LOCK t IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    let strong = blockers(&session, &tables, LONG, &[]).await.unwrap();
    assert_eq!(holds(&strong), ["ACCESS SHARE on public.t, SHARE UPDATE EXCLUSIVE on public.t"]);
    assert!(blockers(&session, &[full("public", "other")], LONG, &[]).await.unwrap().is_empty());
    client.batch_execute("ROLLBACK").await.unwrap();

    client.batch_execute("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'holders_of_locks'").await.unwrap();
    let prepared = blockers(&session, &tables, LONG, &[]).await.unwrap();
    assert_eq!(holds(&prepared), ["ROW EXCLUSIVE on public.t"]);
    assert_eq!((prepared[0].pid, prepared[0].state.as_str()), (0, "prepared"));
    client.batch_execute("ROLLBACK PREPARED 'holders_of_locks'").await.unwrap();
    assert!(blockers(&session, &tables, Duration::ZERO, &[]).await.unwrap().is_empty());
}

async fn old_snapshots(major: u32) {
    let db = Database::create(&Pg::shared(major), "snapshots").await;
    let session = session(&db.url()).await;
    let (old, young) = (db.connect().await, db.connect().await);
    let pid: i32 = text(&old, "SELECT pg_backend_pid()").await.parse().unwrap();
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.unwrap();
    let mark = text(db.client(), "SELECT pg_current_xact_id()::text").await;
    young.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.unwrap();
    // The newer one may count too while some other transaction of the server is older than the mark.
    let found = snapshots_older_than(&session, &mark, &[]).await.unwrap();
    assert!(found.iter().any(|blocker| blocker.pid == pid), "{found:?}");
    assert!(snapshots_older_than(&session, &mark, &[pid]).await.unwrap().iter().all(|blocker| blocker.pid != pid));
    old.batch_execute("COMMIT").await.unwrap();
    let mark = text(db.client(), "SELECT pg_current_xact_id()::text").await;
    young.batch_execute("COMMIT").await.unwrap();
    until("no old snapshot is left", async || snapshots_older_than(&session, &mark, &[]).await.unwrap().is_empty())
        .await;
}

async fn hidden_sessions_are_waited_for(major: u32) {
    let db = Database::create(&Pg::shared(major), "hidden").await;
    let session = session(&db.url()).await;
    let reader = db.connect().await;
    let pid: i32 = text(&reader, "SELECT pg_backend_pid()").await.parse().unwrap();
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.unwrap();
    let mark = text(db.client(), "SELECT pg_current_xact_id()::text").await;
    session.batch("SET ROLE app").await.unwrap();
    let found = snapshots_older_than(&session, &mark, &[]).await.unwrap();
    let reader = found.iter().find(|blocker| blocker.pid == pid).unwrap_or_else(|| panic!("{found:?}"));
    assert!(reader.transaction_age.is_infinite());
}

matrix!(holders_of_locks, old_snapshots, hidden_sessions_are_waited_for);
