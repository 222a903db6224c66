use super::*;
use crate::op::{AlterTable, UpdateRows};

fn one(sql: &str) -> Operation {
    let mut made = read_operations(sql).unwrap_or_else(|flaws| panic!("{sql}: {flaws:?}"));
    assert_eq!(made.len(), 1, "{sql}");
    made.remove(0)
}

fn alter(sql: &str) -> AlterTable {
    let Operation::AlterTable(made) = one(sql) else { panic!("{sql}") };
    made
}

fn update(sql: &str) -> UpdateRows {
    let Operation::UpdateRows(made) = one(sql) else { panic!("{sql}") };
    made
}

/// `what stands there | what is wrong`
fn flaws(sql: &str) -> Vec<String> {
    let flaws = read_operations(sql).map(|ops| panic!("{sql}: {ops:?}")).unwrap_err();
    assert!(flaws.iter().all(|flaw| !flaw.advice.is_empty()), "{sql}");
    flaws.iter().map(|flaw| format!("{} | {}", &sql[flaw.range.clone()], flaw.what)).collect()
}

#[test]
fn keeps_every_clause_as_written() {
    let made = alter(
        "ALTER TABLE `My db`.t ADD COLUMN a  int /* a */ NOT NULL AFTER b,\n CHANGE B c text, ADD (d int, KEY (`e`, (f + 1))), \
         ALTER g SET DEFAULT 1, ADD FOREIGN KEY (h) REFERENCES u (x), COMMENT 'y' ENGINE=InnoDB, DROP i, RENAME COLUMN j TO k, \
         DROP INDEX l, MODIFY A bigint;",
    );
    assert_eq!(made.table.display(), "My db.t");
    let clauses = [
        "ADD COLUMN a  int /* a */ NOT NULL AFTER b",
        "CHANGE B c text",
        "ADD (d int, KEY (`e`, (f + 1)))",
        "ALTER g SET DEFAULT 1",
        "ADD FOREIGN KEY (h) REFERENCES u (x)",
        "COMMENT 'y'",
        "ENGINE=InnoDB",
        "DROP i",
        "RENAME COLUMN j TO k",
        "DROP INDEX l",
        "MODIFY A bigint",
    ];
    assert_eq!(made.clauses, clauses);
    let columns: Vec<&str> = made.columns.iter().map(crate::name::Ident::as_str).collect();
    assert_eq!(columns, ["a", "B", "c", "d", "e", "g", "h", "i", "j", "k"]);
    let stored = serde_json::to_string(&Operation::AlterTable(made.clone())).unwrap();
    assert!(stored.starts_with("{\"op\":\"alter-table\""), "{stored}");
    assert_eq!(serde_json::from_str::<Operation>(&stored).unwrap(), Operation::AlterTable(made));
}

#[test]
fn indexes_become_clauses() {
    let cases = [
        ("CREATE INDEX i ON t (a)", "ADD INDEX `i` (a)", vec!["a"]),
        (
            "create unique index if not exists `a``b` using btree on d.t (a(10) desc, (lower(b))) comment 'x' invisible",
            "ADD UNIQUE INDEX IF NOT EXISTS `a``b` using btree (a(10) desc, (lower(b))) comment 'x' invisible",
            vec!["a"],
        ),
        (
            "CREATE FULLTEXT INDEX f ON t (a, b) WITH PARSER ngram;",
            "ADD FULLTEXT INDEX `f` (a, b) WITH PARSER ngram",
            vec!["a", "b"],
        ),
        ("CREATE INDEX online ON t (`lock`)", "ADD INDEX `online` (`lock`)", vec!["lock"]),
        ("DROP INDEX `x` ON d.t", "DROP INDEX `x`", vec![]),
        ("DROP INDEX IF EXISTS x ON t", "DROP INDEX IF EXISTS `x`", vec![]),
        ("DROP INDEX `primary` ON t", "DROP PRIMARY KEY", vec![]),
    ];
    for (sql, clause, columns) in cases {
        let made = alter(sql);
        assert_eq!(made.clauses, [clause], "{sql}");
        assert_eq!(made.columns.iter().map(crate::name::Ident::as_str).collect::<Vec<_>>(), columns, "{sql}");
        let again = alter(&format!("ALTER TABLE t {clause}"));
        assert_eq!((again.clauses, again.columns), (made.clauses, made.columns), "the clause is one: {sql}");
    }
}

#[test]
fn updates_lose_their_qualifiers() {
    let made =
        update("UPDATE LOW_PRIORITY d.t AS q SET q.a = q.`b c`+q.order, c = lower(d) WHERE q.e IS NULL AND f > 'q.x';");
    assert_eq!(made.table.display(), "d.t");
    let assignments: Vec<String> =
        made.assignments.iter().map(|set| format!("{} = {}", set.column.as_str(), set.value.0)).collect();
    assert_eq!(assignments, ["a = `b c`+`order`", "c = lower(d)"]);
    assert_eq!(made.condition.unwrap().0, "`e` IS NULL AND f > 'q.x'");
    let made = update("UPDATE d.t SET t.a = d.t.b, d.t.c = t.d");
    assert_eq!(made.assignments[0].value.0, "`b`");
    assert_eq!(made.assignments[1].value.0, "`d`");
}

#[test]
fn refuses_updates_of_other_rows() {
    let cases: [(&str, &[&str]); 11] = [
        ("UPDATE IGNORE t SET a = 1", &["IGNORE | UPDATE IGNORE is not supported"]),
        (
            "UPDATE t SET a = 1 ORDER BY b LIMIT 5 RETURNING a",
            &[
                "ORDER BY b | UPDATE … ORDER BY is not supported",
                "LIMIT 5 | UPDATE … LIMIT is not supported",
                "RETURNING a | UPDATE … RETURNING is not supported",
            ],
        ),
        ("UPDATE t, u SET t.a = u.a", &["t, u | UPDATE of anything but one table is not supported"]),
        ("UPDATE t PARTITION (p) SET a = 1", &["t PARTITION (p) | UPDATE of anything but one table is not supported"]),
        ("UPDATE t SET a = DEFAULT", &["DEFAULT | DEFAULT is not supported as a value"]),
        (
            "UPDATE t SET a = (SELECT 1), b = @x WHERE count(c) > 0",
            &[
                "(SELECT 1) | a subquery is not supported in a backfill",
                "@x | the variable @x is not supported in a backfill",
                "count(c) > 0 | the aggregate count() is not supported in a backfill",
            ],
        ),
        ("UPDATE t SET a = u.b", &["u.b | u.b is not a column of t"]),
        ("UPDATE t q SET t.a = 1", &["t.a | t.a is not a column of q"]),
        ("UPDATE t SET d.t.a = 1", &["d.t.a | d.t.a is not a column of t"]),
        ("UPDATE d.t SET a = 1 WHERE e.t.b", &["e.t.b | e.t.b is not a column of d.t"]),
        ("UPDATE t SET a = 1 +", &["1 + | \"1 +\" is not an expression that shoofly understands (it ends too early)"]),
    ];
    for (sql, expected) in cases {
        assert_eq!(flaws(sql), expected, "{sql}");
    }
}

#[test]
fn refuses_clauses_that_are_chosen_here_or_change_more_than_a_table() {
    let cases: [(&str, &[&str]); 12] = [
        ("ALTER IGNORE TABLE t ADD a int", &["IGNORE | ALTER TABLE … IGNORE is not supported"]),
        ("ALTER ONLINE TABLE t ADD a int", &["ONLINE | ALTER TABLE … ONLINE is not supported"]),
        ("ALTER TABLE IF EXISTS t ADD a int", &["IF EXISTS | ALTER TABLE IF EXISTS is not supported"]),
        (
            "ALTER TABLE d.t WAIT 5 ADD a int, ALGORITHM = INSTANT, LOCK=NONE",
            &[
                "WAIT 5 | WAIT is not supported",
                "ALGORITHM = INSTANT | ALGORITHM is not supported",
                "LOCK=NONE | LOCK is not supported",
            ],
        ),
        (
            "ALTER TABLE t NOWAIT RENAME TO u",
            &["NOWAIT | NOWAIT is not supported", "RENAME TO u | ALTER TABLE … RENAME TO is not supported"],
        ),
        (
            "ALTER TABLE t DISCARD TABLESPACE, IMPORT TABLESPACE",
            &[
                "DISCARD TABLESPACE | ALTER TABLE … DISCARD TABLESPACE is not supported",
                "IMPORT TABLESPACE | ALTER TABLE … IMPORT TABLESPACE is not supported",
            ],
        ),
        (
            "ALTER TABLE t DISCARD PARTITION p TABLESPACE",
            &["DISCARD PARTITION p TABLESPACE | ALTER TABLE … DISCARD PARTITION is not supported"],
        ),
        (
            "ALTER TABLE t ENABLE KEYS, DISABLE KEYS",
            &[
                "ENABLE KEYS | ALTER TABLE … ENABLE KEYS is not supported",
                "DISABLE KEYS | ALTER TABLE … DISABLE KEYS is not supported",
            ],
        ),
        (
            "ALTER TABLE t ORDER BY a, b, WITHOUT VALIDATION",
            &[
                "ORDER BY a, b | ALTER TABLE … ORDER BY is not supported",
                "WITHOUT VALIDATION | ALTER TABLE … WITHOUT VALIDATION is not supported",
            ],
        ),
        (
            "/* x */ CREATE OR REPLACE INDEX i ON t NOWAIT (a) ALGORITHM=INPLACE LOCK NONE",
            &[
                "OR REPLACE | CREATE OR REPLACE INDEX is not supported",
                "NOWAIT | NOWAIT is not supported",
                "ALGORITHM=INPLACE | ALGORITHM is not supported",
                "LOCK NONE | LOCK is not supported",
            ],
        ),
        ("CREATE OFFLINE INDEX i ON t (a)", &["OFFLINE | CREATE INDEX … OFFLINE is not supported"]),
        (
            "DROP INDEX i ON t WAIT 1 LOCK=NONE",
            &["WAIT 1 | WAIT is not supported", "LOCK=NONE | LOCK is not supported"],
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(flaws(sql), expected, "{sql}");
    }
}

#[test]
fn refuses_what_does_more_to_partitions_than_to_cut_them_anew() {
    for clause in [
        "EXCHANGE PARTITION p WITH TABLE u",
        "CONVERT PARTITION p TO TABLE u",
        "CONVERT TABLE u TO PARTITION p VALUES LESS THAN (5)",
        "TRUNCATE PARTITION p, q",
        "ANALYZE PARTITION ALL",
        "OPTIMIZE PARTITION p",
    ] {
        let verb = clause.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let expected = format!("{clause} | ALTER TABLE … {verb} is not supported");
        assert_eq!(flaws(&format!("ALTER TABLE t {clause}")), [expected], "{clause}");
    }
    for clause in ["PARTITION BY HASH (a)", "REMOVE PARTITIONING", "ADD PARTITION (PARTITION p VALUES IN (1))"] {
        assert_eq!(alter(&format!("ALTER TABLE t {clause}")).clauses, [clause]);
    }
}

#[test]
fn refuses_other_statements_by_their_names() {
    let cases = [
        ("RENAME TABLE a TO b", "RENAME TABLE a TO b | RENAME TABLE is not supported"),
        ("CREATE TABLE t (\n a int)", "CREATE TABLE t ( | CREATE TABLE is not supported"),
        ("DROP TABLE t", "DROP TABLE t | DROP TABLE is not supported"),
        ("TRUNCATE t", "TRUNCATE t | TRUNCATE is not supported"),
        ("OPTIMIZE TABLE t", "OPTIMIZE TABLE t | OPTIMIZE is not supported"),
        ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1) | INSERT is not supported"),
        (
            "CREATE OR REPLACE DEFINER=`a`@`%` VIEW v AS SELECT 1",
            "CREATE OR REPLACE DEFINER=`a`@`%` VIEW v AS SELECT 1 | CREATE VIEW is not supported",
        ),
        ("ALTER TABEL t ADD a int", "ALTER TABEL t ADD a int | ALTER TABEL is not supported"),
        ("/*!40101 SET NAMES utf8 */", "SET NAMES utf8 | SET is not supported"),
        ("use shop", "use shop | USE is not supported"),
        ("LOCK TABLES t WRITE", "LOCK TABLES t WRITE | LOCK is not supported"),
    ];
    for (sql, expected) in cases {
        assert_eq!(flaws(sql), [expected], "{sql}");
    }
    assert_eq!(flaws("-- x"), ["-- x | there is no statement"]);
    assert!(read_operations("INSERT INTO t VALUES (1)").unwrap_err()[0].advice.contains("supported are ALTER TABLE"));
}
