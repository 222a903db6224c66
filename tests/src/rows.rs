//! Rows compared byte for byte with those of the `mirror` schema.

use tokio_postgres::Client;

/// Tables of `schema`, partitions left to their parents.
pub async fn tables(client: &Client, schema: &str) -> Vec<String> {
    let sql = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')
        AND NOT relispartition ORDER BY 1";
    client.query(sql, &[&schema]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Rows of `public.<table>` that `mirror.<table>` lacks and the other way round, in the mirror's columns without `except`.
///
/// One statement and so one snapshot: writers, whose transactions write both, may go on meanwhile. Values are compared as
/// texts, because equality hides differences (numeric 1.0 and 1.00) and is missing for some types.
pub async fn differences(client: &Client, table: &str, except: &[&str]) -> Vec<String> {
    let columns = "SELECT string_agg(format('quote_nullable(%I::text)', attname), ' || '', '' || ' ORDER BY attname)
        FROM pg_attribute WHERE attrelid = format('mirror.%I', $1::text)::regclass AND attnum > 0 AND NOT attisdropped
        AND attname <> ALL ($2::text[])";
    let image: String = client.query_one(columns, &[&table, &except]).await.unwrap().get(0);
    let sql = format!(
        "WITH live AS (SELECT {image} AS image FROM public.\"{table}\"),
              should AS (SELECT {image} AS image FROM mirror.\"{table}\")
         (SELECT 'surplus ' || image FROM (TABLE live EXCEPT ALL TABLE should) surplus LIMIT 10)
         UNION ALL
         (SELECT 'missing ' || image FROM (TABLE should EXCEPT ALL TABLE live) missing LIMIT 10)"
    );
    let found = client.query(&sql, &[]).await;
    found
        .unwrap_or_else(|error| panic!("{}\nin {sql}", crate::database::describe(&error)))
        .iter()
        .map(|row| row.get(0))
        .collect()
}

/// Fails where some table's rows are not the mirror's.
///
/// # Panics
/// With the rows.
pub async fn assert_mirrored(client: &Client, when: &str, except: &[&str]) {
    for table in tables(client, "mirror").await {
        let found = differences(client, &table, except).await;
        assert!(found.is_empty(), "{when}: rows of {table} are wrong\n  {}", found.join("\n  "));
    }
}
