//! `ALTER TABLE`, as people write it.

use super::super::ClauseKind::*;
use super::super::{AlterTable, ClauseKind, Enforcement, IndexKind, Name, Position, Statement, Visibility, Wait};
use super::{flaws, read};

fn alter(sql: &str) -> AlterTable {
    let Statement::AlterTable(alter) = read(sql) else { panic!("{sql}") };
    alter
}

fn texts(sql: &str) -> Vec<String> {
    alter(sql).clauses.into_iter().map(|clause| clause.text).collect()
}

fn kind(clause: &str) -> (String, ClauseKind) {
    let sql = format!("ALTER TABLE t {clause}");
    let mut made = alter(&sql).clauses;
    assert_eq!(made.len(), 1, "{clause}: {made:?}");
    (sql, made.remove(0).kind)
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn splits_awkward_statements() {
    let cases: [(&str, &[&str]); 4] = [
        (
            "alter table `db`.`t`\n  add column `a,b` enum('x,y','it''s (','\"') not null default 'x,y' -- comment, one\n  \
             comment 'a, \\' b)' after `c`,\n  drop column d;",
            &[
                "add column `a,b` enum('x,y','it''s (','\"') not null default 'x,y' -- comment, one\n  comment 'a, \\' b)' after `c`",
                "drop column d",
            ],
        ),
        (
            "ALTER TABLE t ADD a JSON DEFAULT (JSON_OBJECT('k', CONCAT('a', ',', (1 + 2)))), ADD b INT AS (j->'$.a,b') VIRTUAL, \
             ADD CONSTRAINT ck CHECK ((a > 1) and (b in (1, 2))) NOT ENFORCED",
            &[
                "ADD a JSON DEFAULT (JSON_OBJECT('k', CONCAT('a', ',', (1 + 2))))",
                "ADD b INT AS (j->'$.a,b') VIRTUAL",
                "ADD CONSTRAINT ck CHECK ((a > 1) and (b in (1, 2))) NOT ENFORCED",
            ],
        ),
        (
            "ALTER TABLE t ENGINE=InnoDB ROW_FORMAT DYNAMIC COMMENT='a, b' DEFAULT CHARSET utf8mb4 COLLATE=utf8mb4_bin, FORCE",
            &[
                "ENGINE=InnoDB",
                "ROW_FORMAT DYNAMIC",
                "COMMENT='a, b'",
                "DEFAULT CHARSET utf8mb4",
                "COLLATE=utf8mb4_bin",
                "FORCE",
            ],
        ),
        (
            "ALTER TABLE t ORDER BY a, t.b DESC, c ASC, ADD d int, FORCE REMOVE PARTITIONING",
            &["ORDER BY a, t.b DESC, c ASC", "ADD d int", "FORCE", "REMOVE PARTITIONING"],
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(texts(sql), expected, "{sql}");
    }
}

#[test]
fn splits_partitions_and_version_comments() {
    let cases: [(&str, &[&str]); 9] = [
        ("ALTER TABLE t ALGORITHM=INPLACE, DROP PARTITION p0, p1", &["ALGORITHM=INPLACE", "DROP PARTITION p0, p1"]),
        (
            "ALTER TABLE t REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (10, MAXVALUE)), LOCK=SHARED",
            &["REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (10, MAXVALUE))", "LOCK=SHARED"],
        ),
        (
            "ALTER TABLE t ADD a int PARTITION BY RANGE (YEAR(d)) PARTITIONS 2 (PARTITION p0 VALUES IN (1,2), PARTITION p1)",
            &["ADD a int", "PARTITION BY RANGE (YEAR(d)) PARTITIONS 2 (PARTITION p0 VALUES IN (1,2), PARTITION p1)"],
        ),
        ("ALTER TABLE t ENGINE InnoDB REMOVE PARTITIONING", &["ENGINE InnoDB", "REMOVE PARTITIONING"]),
        (
            "ALTER TABLE t ADD a int /*!80013 INVISIBLE */, ADD b int /*!80023 , ALGORITHM=INSTANT */",
            &["ADD a int /*!80013 INVISIBLE */", "ADD b int", "ALGORITHM=INSTANT"],
        ),
        (
            "/*!50100 ALTER TABLE t /*M!100508 ADD a int */ NOT NULL, /* , */ DROP b */",
            &["/*M!100508 ADD a int */ NOT NULL", "DROP b"],
        ),
        (
            "ALTER TABLE t ADD (a int, b decimal(3,2), KEY (a, b)), LOCK NONE",
            &["ADD (a int, b decimal(3,2), KEY (a, b))", "LOCK NONE"],
        ),
        ("ALTER TABLE t UNION=(a, b) TABLESPACE ts STORAGE DISK", &["UNION=(a, b)", "TABLESPACE ts", "STORAGE DISK"]),
        (
            "ALTER TABLE t ENGINE=InnoDB SOMETHING NEW, WHATEVER (a, b)",
            &["ENGINE=InnoDB", "SOMETHING NEW", "WHATEVER (a, b)"],
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(texts(sql), expected, "{sql}");
    }
    let made = alter("ALTER ONLINE IGNORE TABLE IF EXISTS db.t WAIT 3 FORCE");
    assert!(made.online && made.ignore && made.if_exists && made.wait == Some(Wait::Seconds(3)));
    assert_eq!(made.table.name.display(), "db.t");
    let crossing = flaws("ALTER TABLE t ADD a int /*!80013 INVISIBLE, ADD b int */, DROP c");
    assert!(crossing[0].starts_with("/*!80013 | the version comment begins or ends"), "{crossing:?}");
}

#[test]
fn knows_columns() {
    let (sql, made) = kind("ADD COLUMN IF NOT EXISTS `select` varchar(10) NOT NULL DEFAULT 'first' FIRST");
    let AddColumn(add) = made else { panic!() };
    assert_eq!((add.column.as_str(), add.if_not_exists, add.position), ("select", true, Some(Position::First)));
    assert_eq!(&sql[add.definition], "varchar(10) NOT NULL DEFAULT 'first'");
    let (sql, made) = kind("add after int as (a + 1) stored comment 'x' after first");
    let AddColumn(add) = made else { panic!() };
    assert_eq!((add.column.as_str(), add.position), ("after", Some(Position::After(name("first")))));
    assert_eq!(&sql[add.definition], "int as (a + 1) stored comment 'x'");
    let (sql, made) = kind("CHANGE a `b` bigint /* x */ unsigned AFTER `c`");
    let ChangeColumn { from, to, definition, position, .. } = made else { panic!() };
    assert_eq!((from.as_str(), to.as_str(), position), ("a", "b", Some(Position::After(name("c")))));
    assert_eq!(&sql[definition], "bigint /* x */ unsigned");
    let (sql, made) = kind("MODIFY COLUMN a int AUTO_INCREMENT");
    let ModifyColumn { column, definition, position, .. } = made else { panic!() };
    assert_eq!((column.as_str(), &sql[definition], position), ("a", "int AUTO_INCREMENT", None));
    let (sql, made) = kind("ALTER a SET DEFAULT (uuid() + ',')");
    let SetDefault { default, .. } = made else { panic!() };
    assert_eq!(&sql[default], "(uuid() + ',')");
    let (_, made) = kind("ADD COLUMN (a int, b text, UNIQUE u (a))");
    let AddList(list) = made else { panic!() };
    assert!(matches!(list.as_slice(), [AddColumn(_), AddColumn(_), AddIndex(_)]));
    let (sql, made) = kind("ADD a int /*!80013 INVISIBLE */ AFTER b");
    let AddColumn(add) = made else { panic!() };
    assert_eq!(&sql[add.definition], "int /*!80013 INVISIBLE */");
}

#[test]
fn knows_short_clauses() {
    let (from, to, column) = (name("a"), name("b"), name("a"));
    let if_exists = false;
    let cases = [
        ("DROP a", DropColumn { column: column.clone(), if_exists }),
        ("DROP COLUMN IF EXISTS `a` RESTRICT", DropColumn { column: column.clone(), if_exists: true }),
        ("RENAME COLUMN a TO b", RenameColumn { from: from.clone(), to: to.clone(), if_exists }),
        ("ALTER COLUMN a DROP DEFAULT", DropDefault { column: column.clone(), if_exists }),
        ("ALTER a SET INVISIBLE", SetColumnVisibility { column: column.clone(), visibility: Visibility::Invisible }),
        ("DROP KEY a", DropIndex { name: from.clone(), if_exists }),
        ("DROP PRIMARY KEY", DropPrimaryKey),
        ("RENAME KEY a TO b", RenameIndex { from: from.clone(), to, if_exists }),
        (
            "ALTER INDEX a NOT IGNORED",
            SetIndexVisibility { name: from.clone(), if_exists, visibility: Visibility::Visible },
        ),
        ("DROP FOREIGN KEY IF EXISTS a", DropForeignKey { name: from.clone(), if_exists: true }),
        ("DROP CHECK a", DropCheck { name: from.clone() }),
        ("DROP CONSTRAINT a", DropConstraint { name: from.clone(), if_exists }),
        ("ALTER CONSTRAINT a NOT ENFORCED", AlterCheck { name: from, enforcement: Enforcement::NotEnforced }),
        (
            "CONVERT TO CHARACTER SET utf8mb4 COLLATE 'utf8mb4_bin'",
            ConvertTo { charset: "utf8mb4".to_owned(), collation: Some("'utf8mb4_bin'".to_owned()) },
        ),
        ("force", Force),
        ("DISABLE KEYS", DisableKeys),
        ("IMPORT TABLESPACE", ImportTablespace),
        ("algorithm instant", Algorithm("INSTANT".to_owned())),
        ("LOCK = none", Lock("NONE".to_owned())),
        ("WITHOUT VALIDATION", WithoutValidation),
    ];
    for (clause, expected) in cases {
        assert_eq!(kind(clause).1, expected, "{clause}");
    }
    let (_, made) = kind("RENAME AS db.u");
    assert!(matches!(made, RenameTo(table) if table.name.display() == "db.u"));
    for (clause, option, written) in [
        ("default character set = utf8mb4", "CHARACTER SET", "utf8mb4"),
        ("COLLATE utf8mb4_bin", "COLLATE", "utf8mb4_bin"),
        ("auto_increment 5", "AUTO_INCREMENT", "5"),
        ("DATA DIRECTORY='/x,y'", "DATA DIRECTORY", "'/x,y'"),
        ("`PAGE_COMPRESSED`=1", "PAGE_COMPRESSED", "1"),
    ] {
        let (sql, made) = kind(clause);
        let TableOption { name, value } = made else { panic!("{clause}") };
        assert_eq!((name.as_str(), &sql[value]), (option, written));
    }
}

#[test]
fn knows_indexes_and_constraints() {
    for (clause, expected, named, columns) in [
        ("ADD INDEX i (a, b(5) DESC)", IndexKind::Plain, Some("i"), 2),
        ("ADD KEY USING HASH (a)", IndexKind::Plain, None, 1),
        ("ADD CONSTRAINT `x y` UNIQUE KEY (a)", IndexKind::Unique, Some("x y"), 1),
        ("ADD UNIQUE IF NOT EXISTS u USING BTREE (a) COMMENT 'x,y'", IndexKind::Unique, Some("u"), 1),
        ("ADD CONSTRAINT x PRIMARY KEY USING BTREE (a, b)", IndexKind::Primary, None, 2),
        ("ADD FULLTEXT (a, b) WITH PARSER ngram", IndexKind::Fulltext, None, 2),
        ("ADD SPATIAL KEY s (g)", IndexKind::Spatial, Some("s"), 1),
        ("ADD INDEX ((a + 1), (cast(j->'$.x,y' as unsigned array)))", IndexKind::Plain, None, 2),
    ] {
        let (_, made) = kind(clause);
        let AddIndex(index) = made else { panic!("{clause}: {made:?}") };
        let name = index.name.as_ref().map(Name::as_str);
        assert_eq!((index.kind, name, index.parts.len()), (expected, named, columns), "{clause}");
    }
    let (sql, made) =
        kind("ADD CONSTRAINT fk FOREIGN KEY fi (a, b) REFERENCES db.u (c, d) ON DELETE SET NULL ON UPDATE CASCADE");
    let AddForeignKey(key) = made else { panic!() };
    assert_eq!((key.name.unwrap().as_str(), key.referenced.name.display().as_str()), ("fk", "db.u"));
    assert_eq!((key.columns.len(), key.referenced_columns.len()), (2, 2));
    assert_eq!(&sql[key.actions], "ON DELETE SET NULL ON UPDATE CASCADE");
    let (sql, made) = kind("ADD CHECK (a > (b) and c <> ')') NOT ENFORCED");
    let AddCheck { name: None, expression, enforcement: Enforcement::NotEnforced, .. } = made else { panic!() };
    assert_eq!(&sql[expression], "a > (b) and c <> ')'");
}

#[test]
fn keeps_what_is_unknown() {
    for clause in [
        "ADD SYSTEM VERSIONING",
        "DROP SYSTEM VERSIONING",
        "ADD PERIOD FOR SYSTEM_TIME(a, b)",
        "SECONDARY_LOAD",
        "FROBNICATE 'x' WITH (a, b)",
        "ADD CONSTRAINT x",
        "DROP a b c",
        "ADD a",
        "SET CONFIDENTIAL",
    ] {
        assert_eq!(kind(clause).1, Other, "{clause}");
    }
    for (clause, verb, rest) in [
        ("DROP PARTITION p0, p1", "DROP PARTITION", "p0, p1"),
        (
            "EXCHANGE PARTITION p WITH TABLE db.u WITHOUT VALIDATION",
            "EXCHANGE PARTITION",
            "p WITH TABLE db.u WITHOUT VALIDATION",
        ),
        (
            "CONVERT TABLE u TO PARTITION p VALUES LESS THAN (5)",
            "CONVERT TABLE",
            "u TO PARTITION p VALUES LESS THAN (5)",
        ),
        ("partition by key (a, b) partitions 4", "PARTITION BY", "key (a, b) partitions 4"),
        ("REMOVE PARTITIONING", "REMOVE PARTITIONING", ""),
    ] {
        let (sql, made) = kind(clause);
        let Partition(made) = made else { panic!("{clause}") };
        assert_eq!((made.verb.as_str(), &sql[made.rest]), (verb, rest));
    }
}
