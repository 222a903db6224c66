use super::*;
use crate::op::*;

fn ops(sql: &str) -> Vec<Operation> {
    read_statement(sql).unwrap_or_else(|flaws| panic!("{sql}: {flaws:?}"))
}

fn flaws(sql: &str) -> Vec<String> {
    let flaws = read_statement(sql).map(|ops| panic!("{sql}: {ops:?}")).unwrap_err();
    flaws.iter().map(|flaw| format!("{} | {}", &sql[flaw.range.clone()], flaw.what)).collect()
}

fn json(sql: &str) -> String {
    serde_json::to_string(&ops(sql)).unwrap()
}

#[test]
fn reads_every_clause_of_alter_table() {
    let made = ops(
        "ALTER TABLE \"Odd t\".T ADD COLUMN IF NOT EXISTS a numeric(10, 2)[] COLLATE \"C\" DEFAULT 1 + f( 2 ) NOT NULL \
         CHECK (a > 0), DROP IF EXISTS b CASCADE, ALTER c SET DATA TYPE bigint USING c::bigint, ALTER d TYPE text COLLATE \
         pg_catalog.\"C\", ALTER e SET NOT NULL, ALTER COLUMN f DROP NOT NULL, ALTER g SET DEFAULT now(), ALTER h DROP DEFAULT",
    );
    let kinds: Vec<String> =
        made.iter().map(|op| serde_json::to_value(op).unwrap()["op"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        kinds,
        [
            "add-column",
            "drop-column",
            "alter-column-type",
            "alter-column-type",
            "set-not-null",
            "drop-not-null",
            "set-default",
            "drop-default"
        ]
    );
    let Operation::AddColumn(add) = &made[0] else { panic!() };
    assert_eq!((add.table.display(), add.column.as_str()), ("Odd t.t".to_owned(), "a"));
    assert_eq!((add.type_sql.as_str(), add.collation.as_deref()), ("numeric(10, 2)[]", Some("\"C\"")));
    assert_eq!(add.default, Some(Expr("1 + f( 2 )".to_owned())));
    assert!(add.not_null && add.if_not_exists);
    assert_eq!(add.other_clauses, ["CHECK (a > 0)"]);
    let Operation::AlterColumnType(alter) = &made[2] else { panic!() };
    assert_eq!((alter.type_sql.as_str(), &alter.using), ("bigint", &Some(Expr("c::bigint".to_owned()))));
    let Operation::AlterColumnType(alter) = &made[3] else { panic!() };
    assert_eq!((alter.type_sql.as_str(), alter.collation.as_deref()), ("text", Some("pg_catalog.\"C\"")));
}

#[test]
fn keeps_what_needs_more_than_a_column_as_written() {
    let cases = [
        ("x bigserial", "bigserial"),
        ("x int REFERENCES  u (id)", "REFERENCES  u (id)"),
        ("x int UNIQUE", "UNIQUE"),
        ("x int PRIMARY KEY", "PRIMARY KEY"),
        ("x int GENERATED ALWAYS AS IDENTITY", "GENERATED ALWAYS AS IDENTITY"),
        ("x int GENERATED ALWAYS AS (a + 1) STORED", "GENERATED ALWAYS AS (a + 1) STORED"),
        ("x int CONSTRAINT nn NOT NULL", "CONSTRAINT nn NOT NULL"),
    ];
    for (column, clause) in cases {
        let made = ops(&format!("ALTER TABLE t ADD {column}"));
        let [Operation::AddColumn(add)] = made.as_slice() else { panic!() };
        assert_eq!(add.other_clauses, [clause], "{column}");
    }
    let types = [
        "timestamp(3) with time zone",
        "double precision",
        "character varying(20)",
        "public.mood",
        "interval day to second(3)",
    ];
    for written in types {
        let made = ops(&format!("ALTER TABLE t ADD x {written} NULL"));
        let [Operation::AddColumn(add)] = made.as_slice() else { panic!() };
        assert_eq!((add.type_sql.as_str(), add.other_clauses.len(), add.not_null), (written, 0, false));
    }
}

#[test]
fn folds_names_as_the_server_does() {
    let made = ops("alter table T alter U&\"d\\0061ta\" set not null");
    assert_eq!(made[0].columns()[0].as_str(), "data");
    let made = ops("alter table \"T\" alter ÄB set not null");
    assert_eq!((made[0].table().unwrap().display(), made[0].columns()[0].as_str()), ("T".to_owned(), "Äb"));
}

#[test]
fn reads_indexes() {
    let made =
        ops("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t USING btree (a DESC, lower(b) text_pattern_ops) \
         INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor = 70) TABLESPACE x WHERE d > 1 ");
    let [Operation::CreateIndex(index)] = made.as_slice() else { panic!() };
    assert_eq!(index.name.as_ref().unwrap().as_str(), "i");
    assert!(index.unique && index.if_not_exists);
    let columns: Vec<&str> = index.columns.iter().map(crate::name::Ident::as_str).collect();
    assert_eq!(columns, ["a", "b", "c", "d"]);
    assert!(index.definition.starts_with("USING btree (a DESC") && index.definition.ends_with("WHERE d > 1"));
    assert!(json("CREATE INDEX ON t (a)").contains(r#""name":null"#));
    assert_eq!(ops("DROP INDEX CONCURRENTLY IF EXISTS a, s.b CASCADE").len(), 2);
}

#[test]
fn reads_backfills() {
    assert_eq!(
        json("UPDATE s.t AS q SET a = q.b  + 1, (c, d) = (2, lower(Q.e)) WHERE q.a IS NULL"),
        r#"[{"op":"update-rows","table":{"schema":"s","name":"t"},"assignments":[{"column":"a","value":"b  + 1"},{"column":"c","value":"2"},{"column":"d","value":"lower(e)"}],"condition":"a IS NULL"}]"#
    );
    let refused = [
        ("UPDATE t SET a = u.b FROM u", "FROM u | UPDATE … FROM"),
        ("UPDATE t SET a = 1 RETURNING a", "RETURNING a | UPDATE … RETURNING"),
        ("UPDATE t SET (a, b) = (SELECT 1, 2)", "(a, b) = (SELECT 1, 2) | a row assigned"),
        ("UPDATE t SET a = (SELECT 1)", "(SELECT 1) | a subquery"),
        ("UPDATE t SET a = DEFAULT", "DEFAULT | DEFAULT"),
        ("UPDATE t SET a[1] = 2", "[1] | setting a part"),
        ("UPDATE ONLY t SET a = 1", "ONLY t | ONLY"),
        ("UPDATE t SET a = 1 WHERE count(*) > 1", "count(*) > 1 | the aggregate"),
        ("WITH x AS (SELECT 1) UPDATE t SET a = 1", "WITH x AS (SELECT 1) | UPDATE … WITH"),
    ];
    for (sql, expected) in refused {
        let found = flaws(sql);
        assert!(found[0].starts_with(expected), "{sql}: {found:?}");
    }
}

#[test]
fn names_what_is_not_supported_and_collects_everything() {
    assert_eq!(flaws("CREATE TABLE t (a int)"), ["CREATE TABLE t (a int) | CREATE TABLE is not supported"]);
    assert_eq!(
        flaws("ALTER TABLE IF EXISTS t RENAME COLUMN a TO b, ADD CONSTRAINT x CHECK (a > 0), ALTER a SET STATISTICS 5"),
        [
            "IF EXISTS | ALTER TABLE IF EXISTS is not supported",
            "RENAME COLUMN a TO b | ALTER TABLE … RENAME COLUMN is not supported",
            "ADD CONSTRAINT x CHECK (a > 0) | ALTER TABLE … ADD CONSTRAINT is not supported",
            "ALTER a SET STATISTICS 5 | ALTER TABLE … ALTER COLUMN … SET STATISTICS is not supported"
        ]
    );
    assert_eq!(flaws("ALTER TABLE ONLY t DROP a"), ["ONLY | ONLY is not supported"]);
    let found = read_statement("ALTER TABLE t ADD COLUMN c text STORAGE plain").unwrap_err();
    assert!(found[0].advice.contains("PostgreSQL was not asked"), "{found:?}");
    assert!(read_statement("").is_err() && read_statement("ALTER TABLE t").is_err());
    assert!(read_statement(&format!("UPDATE t SET a = {}1{}", "(".repeat(5_000), ")".repeat(5_000))).is_err());
    assert!(
        read_statement(&format!("ALTER TABLE t ADD {} text", "x".repeat(64))).unwrap_err()[0].what.contains("64 bytes")
    );
}
