//! The same files, for MySQL and MariaDB.

use super::{Folder, sqls};
use crate::error::Error;
use crate::op::{AlterTable, Operation};
use crate::plan::{Hazard, Strategy};
use crate::source::{Migration, load_file, load_folder, parse_statement, parse_text};
use crate::sql::Dialect;

fn read(text: &str) -> Migration {
    parse_text(Dialect::MySql, "m", None, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn errors(text: &str) -> Vec<String> {
    match parse_text(Dialect::MySql, "m.sql", None, text) {
        Err(Error::Syntax(texts)) => texts,
        other => panic!("{text}: {other:?}"),
    }
}

fn alter(operation: &Operation) -> &AlterTable {
    let Operation::AlterTable(alter) = operation else { panic!("{operation:?}") };
    alter
}

#[test]
fn reads_sections_of_every_kind() {
    let plain = read("ALTER TABLE `t;` ADD a int; # x;\n-- y;\n;;\nDROP INDEX i ON t");
    assert_eq!((sqls(&plain.up), plain.down), (vec!["ALTER TABLE `t;` ADD a int", "DROP INDEX i ON t"], None));

    let dbmate = "\u{feff}# about; it\r\n-- migrate:up transaction:false\r\nDROP INDEX i ON t;\r\n\r\n-- migrate:down\r\nALTER TABLE t ADD KEY i (a) ;";
    let goose = "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nDROP INDEX i ON t;\n-- +goose StatementEnd\n\
                 -- +goose Down\nALTER TABLE t ADD KEY i (a)";
    let client = "-- migrate:up\nDELIMITER $$\nDROP INDEX i ON t$$\n-- migrate:down\nALTER TABLE t\n ADD KEY i (a)$$\nDELIMITER ;\n";
    for text in [dbmate, goose, client] {
        let made = read(text);
        assert_eq!(sqls(&made.up), ["DROP INDEX i ON t"], "{text}");
        assert_eq!(sqls(&made.down.unwrap()).len(), 1, "{text}");
        assert_eq!(made.checksum, read(dbmate).checksum, "{text}");
    }
    assert_eq!(read(dbmate).up.statements[0].place, "m:3");
}

#[test]
fn reads_directives() {
    let made = read(
        "-- shoofly: chunk = 20ms\n# an ordinary comment\n-- shoofly: accept = column-order\n/* shoofly: chunk = 1ms */\n\
         -- shoofly: strategy = direct\n-- shoofly: allow = blocking\nALTER TABLE t /* shoofly */ ADD a int;",
    );
    let statement = &made.up.statements[0];
    assert_eq!((statement.place.as_str(), statement.options.strategy), ("m:7", Some(Strategy::Direct)));
    assert!(statement.options.allow_blocking && statement.options.accept.contains(&Hazard::ColumnOrder));
    assert_eq!(statement.sql, "ALTER TABLE t /* shoofly */ ADD a int");
}

#[test]
fn version_comments_are_code() {
    let made = read("/*!40101 ALTER TABLE t ADD a int */;\nALTER TABLE t MODIFY a int /*!80023 INVISIBLE */;");
    assert_eq!(alter(&made.up.statements[0].operations[0]).clauses, ["ADD a int"]);
    assert_eq!(alter(&made.up.statements[1].operations[0]).clauses, ["MODIFY a int /*!80023 INVISIBLE */"]);
    let versioned = |text: &str| read(text).checksum;
    assert_ne!(
        versioned("ALTER TABLE t ADD a int /*!80023 INVISIBLE */"),
        versioned("ALTER TABLE t ADD a int INVISIBLE")
    );
}

#[test]
fn the_same_statement_has_the_same_name() {
    let name = |ddl: &str| {
        let made = parse_statement(Dialect::MySql, ddl).unwrap_or_else(|error| panic!("{ddl}: {error}"));
        (made.name, made.checksum)
    };
    let one = name("ALTER TABLE orders CHANGE id id BIGINT NOT NULL");
    assert_eq!(
        one,
        name("  alter table orders # wide\n change /* the key */ id id bigint -- and\n not null ; -- done")
    );
    assert!(one.0.starts_with("alter_orders_id_") && one.0.ends_with(&one.1[..8]), "{}", one.0);
    // On most servers that run on Linux these are two tables.
    assert_ne!(one, name("ALTER TABLE Orders CHANGE id id BIGINT NOT NULL"));
    assert_ne!(name("ALTER TABLE d.Table ADD a int"), name("ALTER TABLE d.table ADD a int"));
    assert!(name("CREATE INDEX i ON t (a)").0.starts_with("alter_t_a_"));
    assert!(name("UPDATE t SET a = 1").0.starts_with("update_t_a_"));
    for wrong in ["", "; ;", "DROP INDEX a ON t; DROP INDEX b ON t", "-- migrate:up\nDROP INDEX a ON t"] {
        assert!(matches!(parse_statement(Dialect::MySql, wrong), Err(Error::Syntax(_))), "{wrong}");
    }
}

#[test]
fn points_at_every_error_of_a_file() {
    let found = errors(
        "-- shoofly: up = b + 1\nALTER TABLE t ADD a int;\nCREATE TABLE x (a int);\n# shoofly: chunk = 1ms\n\
         ALTER TABLE t ADD b int,\n  ALGORITHM=INPLACE, LOCK = NONE;\nUPDATE t SET a = 'open",
    );
    let heads: Vec<String> = found.iter().map(|text| text.lines().take(2).collect::<Vec<_>>().join("")).collect();
    assert_eq!(
        heads,
        [
            "error: the statement has no use for `up` --> m.sql:1:18",
            "error: CREATE TABLE is not supported --> m.sql:3:1",
            "error: this looks like a directive or a mark and is none --> m.sql:4:1",
            "error: ALGORITHM is not supported --> m.sql:6:3",
            "error: LOCK is not supported --> m.sql:6:22",
            "error: the string or name has no end --> m.sql:7:18",
        ]
    );
    assert!(found[3].contains("6 |   ALGORITHM=INPLACE, LOCK = NONE;\n  |   ^^^^^^^^^^^^^^^^^"), "{}", found[3]);
    assert!(found[4].contains("help: remove it: shoofly chooses the algorithm and the lock itself"), "{}", found[4]);
}

#[test]
fn refuses_what_cannot_be_meant() {
    let cases = [
        ("DROP INDEX i ON t;\n-- migrate:up\nDROP INDEX j ON t", "a statement stands above the first section"),
        ("-- migrate:up\nALTER TABLE t ADD a int\nDELIMITER //\n", "DELIMITER stands in the middle of a statement"),
        ("DELIMITER\nDROP INDEX i ON t", "DELIMITER needs to be told what"),
        ("--migrate:up\nDROP INDEX i ON t", "`--` begins a comment only where a blank follows it"),
        ("-- +goose Up\n-- +goose StatementBegin\nDROP INDEX j ON t", "StatementBegin without StatementEnd"),
        ("DROP INDEX i ON t;\n-- shoofly: chunk = 1ms", "the directive stands above no statement"),
        ("-- shoofly: up = a +\nUPDATE t SET a = 1", "is not an expression"),
        ("-- shoofly: down = @x\nUPDATE t SET a = 1", "the variable @x is not supported here"),
        ("DELIMITER //\nDROP INDEX i ON t; DROP INDEX j ON t//", "a second statement starts here"),
        ("BEGIN;\nDROP INDEX i ON t;\nCOMMIT", "shoofly makes its own transactions"),
    ];
    for (text, expected) in cases {
        let found = errors(text);
        assert!(found.iter().any(|error| error.contains(expected)), "{text}: {found:?}");
    }
}

#[test]
fn what_is_no_sql_at_all_is_said_briefly() {
    let found = errors(&"\\ ".repeat(1_000));
    assert_eq!((found.len(), found[50].as_str()), (51, "m.sql: 950 more errors are not shown"));
}

#[test]
fn reads_folders() {
    let (drop, make) = ("DROP INDEX i ON t # gone", "CREATE INDEX i ON t (a)");
    let folder = Folder::new("mysql", &[("1_a.up.sql", drop), ("1_a.down.sql", make), ("V2__b.sql", drop)]);
    let made = load_folder(Dialect::MySql, &folder.0).unwrap();
    let names: Vec<(&str, bool)> = made.iter().map(|it| (it.name.as_str(), it.down.is_some())).collect();
    assert_eq!(names, [("1_a", true), ("V2__b", false)]);
    assert_eq!(load_file(Dialect::MySql, &folder.0.join("1_a.down.sql")).unwrap(), made[0]);
    assert!(matches!(load_folder(Dialect::PostgreSql, &folder.0), Err(Error::Syntax(_))));
}
