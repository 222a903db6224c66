use super::*;

mod alter;

pub(super) fn read(sql: &str) -> Statement {
    read_statement(sql, Mode::default()).unwrap_or_else(|flaws| panic!("{sql}: {flaws:?}"))
}

pub(super) fn flaws(sql: &str) -> Vec<String> {
    let flaws = read_statement(sql, Mode::default()).map(|made| panic!("{sql}: {made:?}")).unwrap_err();
    flaws.iter().map(|flaw| format!("{} | {} | {}", &sql[flaw.range.clone()], flaw.what, flaw.advice)).collect()
}

#[test]
fn reads_indexes() {
    let sql = "create or replace unique index if not exists `i` using btree on db.t nowait (a(10) desc, (lower(b)), c) \
               comment 'x, y' invisible algorithm=inplace lock none;";
    let Statement::CreateIndex(index) = read(sql) else { panic!() };
    assert_eq!(
        (index.kind, index.name.as_str(), index.table.name.display()),
        (IndexKind::Unique, "i", "db.t".to_owned())
    );
    assert!(index.or_replace && index.if_not_exists && index.wait == Some(Wait::Not));
    let parts: Vec<(&str, Option<&str>)> =
        index.parts.iter().map(|part| (&sql[part.range.clone()], part.column.as_ref().map(Name::as_str))).collect();
    assert_eq!(parts, [("a(10) desc", Some("a")), ("(lower(b))", None), ("c", Some("c"))]);
    assert_eq!(&sql[index.definition.clone()], "(a(10) desc, (lower(b)), c) comment 'x, y' invisible");
    assert_eq!((index.algorithm.as_deref(), index.lock.as_deref()), (Some("INPLACE"), Some("NONE")));
    assert_eq!(&sql[index.using], "using btree");
    let Statement::CreateIndex(index) = read("CREATE FULLTEXT INDEX i ON t (a, b) WITH PARSER ngram") else { panic!() };
    assert_eq!(index.kind, IndexKind::Fulltext);
    let Statement::DropIndex(drop) = read("DROP INDEX `PRIMARY` ON `odd ``t` ALGORITHM = COPY") else { panic!() };
    assert_eq!((drop.name.as_str(), drop.table.name.display().as_str()), ("PRIMARY", "odd `t"));
    assert_eq!(drop.algorithm.as_deref(), Some("COPY"));
}

#[test]
fn reads_statements_about_tables() {
    let Statement::RenameTable(rename) = read("RENAME TABLE a WAIT 5 TO db.b, `c` TO d") else { panic!() };
    let pairs: Vec<(String, String)> =
        rename.pairs.iter().map(|(from, to)| (from.name.display(), to.name.display())).collect();
    assert_eq!(pairs, [("a".to_owned(), "db.b".to_owned()), ("c".to_owned(), "d".to_owned())]);
    assert_eq!(rename.wait, Some(Wait::Seconds(5)));
    let sql = "CREATE TEMPORARY TABLE IF NOT EXISTS t (a enum('x;,)', 'y')) ENGINE=InnoDB";
    let Statement::CreateTable(create) = read(sql) else { panic!() };
    assert!(create.temporary && create.if_not_exists && create.like.is_none());
    assert_eq!(&sql[create.definition], "(a enum('x;,)', 'y')) ENGINE=InnoDB");
    let Statement::CreateTable(create) = read("CREATE TABLE a (LIKE db.b)") else { panic!() };
    assert_eq!(create.like.unwrap().name.display(), "db.b");
    let Statement::DropTable(drop) = read("DROP TABLE IF EXISTS a, b.c CASCADE") else { panic!() };
    assert!(drop.if_exists && drop.tables.len() == 2);
    let Statement::Truncate(truncate) = read("truncate t") else { panic!() };
    assert_eq!(truncate.table.name.display(), "t");
}

#[test]
fn reads_updates() {
    let sql = "update low_priority ignore db.`t` as q\nset q.a = concat(b, ', where'), b = if(c, (select 1 limit 1), 2), c := DEFAULT \
               where a = 'x' /* and */ and b > 1 order by id desc limit 10";
    let Statement::Update(update) = read(sql) else { panic!() };
    let UpdateTarget::Table { table, alias } = &update.target else { panic!() };
    assert_eq!((table.name.display().as_str(), alias.as_ref().unwrap().as_str()), ("db.t", "q"));
    let assignments: Vec<(&str, &str)> =
        update.assignments.iter().map(|made| (&sql[made.target.clone()], &sql[made.value.clone()])).collect();
    assert_eq!(assignments, [("q.a", "concat(b, ', where')"), ("b", "if(c, (select 1 limit 1), 2)"), ("c", "DEFAULT")]);
    assert_eq!(update.assignments[0].qualifier.as_ref().unwrap().as_str(), "q");
    assert_eq!(&sql[update.condition.unwrap()], "a = 'x' /* and */ and b > 1");
    assert_eq!((&sql[update.order_by.unwrap()], &sql[update.limit.unwrap()]), ("id desc", "10"));
    let sql = "UPDATE t JOIN u USING (id), v SET t.a = u.b";
    let Statement::Update(update) = read(sql) else { panic!() };
    assert_eq!(update.target, UpdateTarget::Complex(7..sql.find(" SET").unwrap()));
    let Statement::Update(update) = read("UPDATE t q SET a=1 WHERE b RETURNING a, b") else { panic!() };
    assert!(update.ignore == update.limit.is_some() && update.returning.is_some());
}

#[test]
fn leaves_the_rest_alone() {
    let others = [
        ("insert into t values (1)", "INSERT"),
        ("WITH x AS (SELECT 1) UPDATE t SET a = 1", "WITH"),
        ("RENAME USER a TO b", "RENAME"),
        ("CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END", "CREATE"),
        ("ALTER DATABASE d CHARACTER SET utf8mb4", "ALTER"),
        ("/*!40101 SET NAMES utf8 */", "SET"),
        ("(SELECT 1)", "("),
        ("DROP VIEW v", "DROP"),
    ];
    for (sql, word) in others {
        let Statement::Other(other) = read(sql) else { panic!("{sql}") };
        assert_eq!(other.word, word);
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    let cases: [(&str, &[&str]); 16] = [
        ("ALTER TABLE t ENGINE=a.b", &[". | unexpected `.` | write a clause here"]),
        ("ALTER TABLE t FORCE, WAIT 5", &["WAIT 5 | the server wants to know before"]),
        ("", &[" | there is no statement"]),
        ("; -- x", &["; -- x | there is no statement"]),
        ("ALTER TABLE", &[" | something is missing | write the name of a table here"]),
        ("ALTER TABLE t", &[" | something is missing | write what to change here"]),
        ("ALTER TABLE t ADD a int,", &[" | something is missing | write a clause here"]),
        ("ALTER TABLE t ADD a int,, DROP b", &[", | unexpected `,` | write a clause here"]),
        ("ALTER TABLE t ADD a int); x", &[") | nothing opens this bracket", "x | a second statement"]),
        ("ALTER TABLE t ADD a enum('x'", &["( | the bracket is not closed | add `)`"]),
        ("ALTER TABLE t ADD a int; DROP TABLE u", &["DROP TABLE u | a second statement starts here"]),
        ("UPDATE t SET a, b = , WHERE", &[" | something is missing | write a column"]),
        (
            "UPDATE t SET a, b = WHERE",
            &[" | something is missing | write `=`", " | something is missing", " | something"],
        ),
        ("SELECT 'a /* ' `x", &["`x | the string or name has no end"]),
        (
            "/*! ALTER TABLE t ADD `a` int, DROP \u{1}",
            &["\u{1} | MySQL and MariaDB have no", "/*! | the version comment"],
        ),
        ("TRUNCATE t u", &["u | `u` is not expected here"]),
    ];
    for (sql, expected) in cases {
        let found = flaws(sql);
        assert_eq!(found.len(), expected.len(), "{sql}: {found:#?}");
        for (flaw, start) in found.iter().zip(expected) {
            assert!(flaw.starts_with(start), "{sql}: {flaw}");
        }
    }
    let long = format!("ALTER TABLE t ADD `{0}` int, DROP `{0}`", "x".repeat(65));
    assert_eq!(flaws(&long).len(), 2);
    assert!(flaws(&long)[0].contains("65 characters"));
}
