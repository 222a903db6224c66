use super::*;
use crate::op::Expr;

fn errors(text: &str) -> Vec<String> {
    match parse_text("m", Some(Path::new("migrations/m.sql")), text) {
        Err(Error::Syntax(texts)) => texts,
        other => panic!("{text}: {other:?}"),
    }
}

fn read(text: &str) -> Migration {
    parse_text("m", None, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn sqls(script: &Script) -> Vec<&str> {
    script.statements.iter().map(|statement| statement.sql.as_str()).collect()
}

#[test]
fn reads_sections_of_every_kind() {
    let plain = read("ALTER TABLE t ADD a int; -- x\n;;\nDROP INDEX i");
    assert_eq!((sqls(&plain.up), plain.down), (vec!["ALTER TABLE t ADD a int", "DROP INDEX i"], None));

    let dbmate = "\u{feff}-- about\n-- migrate:up transaction:false\nDROP INDEX i;\n\n-- migrate:down\nCREATE INDEX i ON t (a) ;\n";
    let goose = "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nDROP INDEX i;\n-- +goose StatementEnd\n\
                 -- +goose Down\nCREATE INDEX i ON t (a)";
    for text in [dbmate, goose] {
        let made = read(text);
        assert_eq!(sqls(&made.up), ["DROP INDEX i"], "{text}");
        assert_eq!(sqls(&made.down.unwrap()), ["CREATE INDEX i ON t (a)"], "{text}");
    }
    assert_eq!(read(dbmate).checksum, read(goose).checksum);
    assert_eq!(read(dbmate).up.statements[0].place, "m:3");
    assert_ne!(read("-- migrate:up\n-- migrate:down\nDROP INDEX i").checksum, read("DROP INDEX i").checksum);
}

#[test]
fn reads_directives() {
    let made = read(
        "-- shoofly: up = a::bigint  * 2 \n--shoofly:down=(a/2)::int\n-- shoofly: chunk = 20ms\n-- an ordinary comment\n\
         -- shoofly: accept = column-order, star-statements\n-- shoofly: strategy = dual-column\n-- shoofly: allow = blocking\n\
         ALTER TABLE t ALTER a TYPE bigint, ALTER b SET DEFAULT 1;",
    );
    let statement = &made.up.statements[0];
    let Operation::AlterColumnType(alter) = &statement.operations[0] else { panic!() };
    assert_eq!(alter.using, Some(Expr("a::bigint  * 2".to_owned())));
    assert_eq!(alter.down, Some(Expr("(a/2)::int".to_owned())));
    assert_eq!(statement.place, "m:8");
    assert_eq!(statement.options.chunk, Some(Duration::from_millis(20)));
    assert_eq!(statement.options.strategy, Some(Strategy::DualColumn));
    assert!(statement.options.allow_blocking && statement.options.accept.len() == 2);
}

#[test]
fn points_at_every_error_of_a_file() {
    let found = errors(
        "-- shoofly: ups = 1\n-- shoofly: up\nALTER TABLE t ADD a int;\nCREATE TABLE x (a int);\n-- shoofly: up = 1\nCREATE INDEX i ON t (a);\n\
         ALTER TABLE t ADD COLUMN c text STORAGE plain;\nDROP INDEX i -- shoofly: up = 2\n; -- shoofly: up = 3\n-- shoofly up = 3\n",
    );
    let heads: Vec<String> = found.iter().map(|text| text.lines().take(2).collect::<Vec<_>>().join("")).collect();
    assert_eq!(
        heads,
        [
            "error: unknown directive \"ups\" --> migrations/m.sql:1:13",
            "error: a directive needs a value --> migrations/m.sql:2:12",
            "error: CREATE TABLE is not supported --> migrations/m.sql:4:1",
            "error: the statement has no use for `up` --> migrations/m.sql:5:18",
            "error: `STORAGE` is not understood here --> migrations/m.sql:7:33",
            "error: a directive stands inside of a statement or behind one --> migrations/m.sql:8:14",
            "error: a directive stands inside of a statement or behind one --> migrations/m.sql:9:3",
            "error: this looks like a directive and is none: the colon is missing  --> migrations/m.sql:10:1",
        ]
    );
    assert!(
        found[4].contains(
            "7 | ALTER TABLE t ADD COLUMN c text STORAGE plain;\n  |                                 ^^^^^^^"
        )
    );
    assert!(found[4].contains("help: correct the statement; it was shoofly's parser"));
}
