//! Rows compared byte for byte with those of the mirror, which is another database of the same server.

use super::MyDatabase;

/// Every row of `table` as text, sorted, in these columns: bytes of strings as hexadecimal digits, floats as doubles.
async fn images(db: &MyDatabase, table: &str, columns: &[(String, String)]) -> Vec<String> {
    let images: Vec<String> = columns
        .iter()
        .map(|(name, kind)| match kind.as_str() {
            // As text a float has six digits; as a double it has all.
            "float" | "double" => format!("IFNULL(HEX(CONCAT(`{name}` + 0E0)), 'NULL')"),
            _ => format!("IFNULL(HEX(CONCAT(`{name}`)), 'NULL')"),
        })
        .collect();
    let sql = format!("SELECT CONCAT_WS(' ', {}) FROM `{table}`", images.join(", "));
    let mut rows: Vec<String> = db.rows(&sql).await.into_iter().flatten().collect();
    rows.sort_unstable();
    rows
}

/// Rows of a table of `live` that `mirror` lacks and the other way round, in the mirror's columns without `except`. Both must
/// be at rest.
pub async fn differences(live: &MyDatabase, mirror: &MyDatabase, table: &str, except: &[&str]) -> Vec<String> {
    let sql = format!(
        "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{table}' ORDER BY ORDINAL_POSITION"
    );
    let columns: Vec<(String, String)> = mirror
        .rows(&sql)
        .await
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .filter(|(name, _)| !except.contains(&name.as_str()))
        .collect();
    let found = images(live, table, &columns).await;
    let wanted = images(mirror, table, &columns).await;
    let mut differences = surplus("surplus", &found, &wanted);
    differences.extend(surplus("missing", &wanted, &found));
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    if !differences.is_empty() {
        differences.insert(0, format!("columns {} ({} rows, not {})", names.join(" "), found.len(), wanted.len()));
    }
    differences
}

/// The first ten of what `some` have more than `others`; both are sorted.
fn surplus(what: &str, some: &[String], others: &[String]) -> Vec<String> {
    let mut others = others.iter().peekable();
    let mut found = Vec::new();
    for row in some {
        while others.next_if(|other| *other < row).is_some() {}
        if others.next_if(|other| *other == row).is_none() {
            found.push(format!("{what} {row}"));
        }
    }
    found.truncate(10);
    found
}

/// Fails where some table's rows are not the mirror's.
///
/// # Panics
/// With the rows.
pub async fn assert_mirrored(live: &MyDatabase, mirror: &MyDatabase, when: &str, except: &[&str]) {
    for table in mirror.tables().await {
        let found = differences(live, mirror, &table, except).await;
        assert!(found.is_empty(), "{when}: rows of {table} are wrong\n  {}", found.join("\n  "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_there_twice() {
        let [a, b, c] = ["a", "b", "c"].map(str::to_owned);
        let some = [a.clone(), b.clone(), b.clone(), c.clone()];
        assert_eq!(surplus("more", &some, &[b, c]), ["more a", "more b"]);
        assert_eq!(surplus("more", &[], &some), Vec::<String>::new());
    }
}
