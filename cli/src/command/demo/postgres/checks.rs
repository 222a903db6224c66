//! Is everything as it should be? Read from the server without the engine's help.

use shoofly_sandbox::Server;

use super::DDL;
use super::database::Database;
use super::stage::{APP, IDLE};
use crate::command::demo::checks::{Check, Keys};

/// Everything that the catalogue says about the user's objects, one line each, without oids and column numbers; the tests
/// compare by the same query.
const CATALOGUE: &str = include_str!("../../../../../tests/src/catalogue.sql");

/// Objects of ours that would be left in the user's tables.
const LEFTOVERS: &str = "
SELECT format('%s %s', relkind, oid::regclass) FROM pg_class
WHERE relname ~* 'shoofly' AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('shoofly', 'pg_toast'))
UNION ALL SELECT format('column %s.%s', attrelid::regclass, attname) FROM pg_attribute
WHERE attname ~* 'shoofly' AND NOT attisdropped
UNION ALL SELECT format('trigger %s', tgname) FROM pg_trigger WHERE tgname ~* 'shoofly'
UNION ALL SELECT format('constraint %s', conname) FROM pg_constraint
WHERE conname ~* 'shoofly' AND connamespace <> COALESCE(to_regnamespace('shoofly'), 0)
UNION ALL SELECT format('trigger function %s', oid::regprocedure) FROM pg_proc
WHERE prorettype = 'trigger'::regtype AND pronamespace = to_regnamespace('shoofly')
UNION ALL SELECT format('invalid index %s', indexrelid::regclass) FROM pg_index WHERE NOT (indisvalid AND indisready)";

/// Everything.
pub(super) async fn all(server: &Server, accounts: u64) -> anyhow::Result<Vec<Check>> {
    let app = Database::open(&server.url(APP)).await?;
    let idle = Database::open(&server.url(IDLE)).await?;
    Ok(vec![
        balances(&app).await?,
        keys(&app, accounts).await?,
        foreign_key(&app).await?,
        catalogue(&app, &idle).await?,
        Check::nothing_left(app.lines(LEFTOVERS, &[]).await?),
    ])
}

/// pgbench's books: every change of a balance is in four places.
async fn balances(app: &Database) -> anyhow::Result<Check> {
    let row = app
        .row(
            "SELECT (SELECT sum(abalance) FROM pgbench_accounts)::int8, (SELECT sum(delta) FROM pgbench_history)::int8,
                    (SELECT sum(tbalance) FROM pgbench_tellers)::int8, (SELECT sum(bbalance) FROM pgbench_branches)::int8",
        )
        .await?;
    let sums: Vec<Option<i64>> = (0..4).map(|at| row.get(at)).collect();
    Ok(Check::books(&sums))
}

/// Every account is there once.
async fn keys(app: &Database, accounts: u64) -> anyhow::Result<Check> {
    let row = app
        .row("SELECT count(*), count(DISTINCT aid), min(aid)::int8, max(aid)::int8, pg_typeof(min(aid))::text FROM pgbench_accounts")
        .await?;
    let keys =
        Keys { rows: row.get(0), distinct: row.get(1), least: row.get(2), most: row.get(3), data_type: row.get(4) };
    Check::keys(&keys, accounts)
}

async fn foreign_key(app: &Database) -> anyhow::Result<Check> {
    let row = app
        .row(
            "SELECT (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated
                     AND conrelid = 'pgbench_history'::regclass AND confrelid = 'pgbench_accounts'::regclass),
                    (SELECT count(*) FROM pgbench_history h
                     WHERE NOT EXISTS (SELECT FROM pgbench_accounts a WHERE a.aid = h.aid))",
        )
        .await?;
    let (valid, orphans): (i64, i64) = (row.get(0), row.get(1));
    let right = valid == 1 && orphans == 0;
    let against = format!("{valid} valid keys, {orphans} rows without an account");
    let claim = "the foreign key of pgbench_history is in force and valid";
    Ok(Check::unless(claim, (!right).then_some(against)))
}

/// The plain statement, given in an idle copy, must leave the same catalogue.
async fn catalogue(app: &Database, idle: &Database) -> anyhow::Result<Check> {
    idle.run(DDL).await?;
    let (found, wanted) = (lines(app).await?, lines(idle).await?);
    let claim = "the catalogue is what the plain statement makes of an idle copy (column order aside)";
    Ok(Check::catalogue(claim, &found, &wanted))
}

async fn lines(database: &Database) -> anyhow::Result<Vec<String>> {
    // Names are printed with their schemas when nothing is on the path.
    database.run("SET search_path = pg_catalog").await?;
    let lines = database.lines(CATALOGUE, &["shoofly"]).await?;
    database.run("RESET search_path").await?;
    Ok(lines)
}
