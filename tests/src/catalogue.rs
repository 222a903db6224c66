//! The catalogue as comparable text, read without the engine's help.

use tokio_postgres::Client;

/// Schemas that are not the user's: the engine's own, and the copy that writers keep.
const OTHERS: [&str; 2] = ["shoofly", "mirror"];

/// Traces of a run that may never be found outside one: our names, our trigger functions, invalid indexes.
const LEFTOVERS: &str = "
SELECT format('relation %s', c.oid::regclass) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname ~* 'shoofly' AND n.nspname NOT IN ('shoofly', 'pg_toast')
UNION ALL
SELECT format('column %s.%s', a.attrelid::regclass, a.attname) FROM pg_attribute a
WHERE a.attname ~* 'shoofly' AND NOT a.attisdropped
UNION ALL
SELECT format('trigger %s on %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE tgname ~* 'shoofly'
UNION ALL
SELECT format('constraint %s on %s', conname, conrelid::regclass) FROM pg_constraint c
JOIN pg_namespace n ON n.oid = c.connamespace WHERE conname ~* 'shoofly' AND n.nspname <> 'shoofly'
UNION ALL
SELECT format('trigger function %s', oid::regprocedure) FROM pg_proc
WHERE prorettype = 'trigger'::regtype AND pronamespace = to_regnamespace('shoofly')
UNION ALL
SELECT format('function %s', p.oid::regprocedure) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE proname ~* 'shoofly' AND n.nspname <> 'shoofly'
UNION ALL
SELECT format('statistics %s', stxname) FROM pg_statistic_ext WHERE stxname ~* 'shoofly'
UNION ALL
SELECT format('invalid index %s', indexrelid::regclass) FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive)";

/// Every line of the user's catalogue, sorted.
pub async fn lines(client: &Client) -> Vec<String> {
    // Names are printed with their schemas when nothing is on the path.
    client.batch_execute("SET search_path = pg_catalog").await.unwrap();
    let rows = client.query(include_str!("catalogue.sql"), &[&OTHERS.as_slice()]).await.unwrap();
    client.batch_execute("RESET search_path").await.unwrap();
    let mut lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.sort();
    lines
}

/// What a run has left behind and should not have.
pub async fn leftovers(client: &Client) -> Vec<String> {
    client.query(LEFTOVERS, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Fails with the lines that differ.
///
/// # Panics
/// Where `found` is not `wanted`.
#[track_caller]
pub fn assert_equal(when: &str, wanted: &[String], found: &[String]) {
    let missing: Vec<&str> = wanted.iter().filter(|line| !found.contains(line)).map(String::as_str).collect();
    let surplus: Vec<&str> = found.iter().filter(|line| !wanted.contains(line)).map(String::as_str).collect();
    assert!(
        missing.is_empty() && surplus.is_empty() && wanted.len() == found.len(),
        "{when}: the catalogue differs\n  should be there:\n    {}\n  is there instead:\n    {}",
        missing.join("\n    "),
        surplus.join("\n    ")
    );
}
