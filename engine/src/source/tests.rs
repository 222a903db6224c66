use super::*;
use crate::op::Expr;

mod mysql;

fn errors(text: &str) -> Vec<String> {
    match parse_text(Dialect::PostgreSql, "m", Some(Path::new("migrations/m.sql")), text) {
        Err(Error::Syntax(texts)) => texts,
        other => panic!("{text}: {other:?}"),
    }
}

fn read(text: &str) -> Migration {
    parse_text(Dialect::PostgreSql, "m", None, text).unwrap_or_else(|error| panic!("{text}: {error}"))
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

#[test]
fn refuses_what_cannot_be_meant() {
    let cases = [
        ("DROP INDEX i;\n-- migrate:up\nDROP INDEX j", "a statement stands above the first section"),
        ("-- migrate:up\nDROP INDEX i;\n-- migrate:up\nDROP INDEX j", "the section is marked twice"),
        ("-- migrate:up\nDROP INDEX i;\n-- +goose Down\nDROP INDEX j", "sections are marked in two ways"),
        ("-- migrate:down\nDROP INDEX j", "there is a section down and none up"),
        ("-- migrate:sideways\nDROP INDEX j", "unknown section"),
        ("-- +goose ENVSUB ON\nDROP INDEX j", "unknown annotation"),
        ("-- +goose Up\n-- +goose StatementBegin\nDROP INDEX j", "StatementBegin without StatementEnd"),
        ("DROP INDEX i;\n-- shoofly: up = 1", "the directive stands above no statement"),
        ("-- shoofly: up = a\n-- shoofly: up = b\nALTER TABLE t ADD a int", "up is said twice"),
        ("-- shoofly: up = a +\nALTER TABLE t ADD a int", "is not an expression"),
        ("-- shoofly: up = (SELECT 1)\nALTER TABLE t ADD a int", "a subquery is not supported here"),
        ("-- shoofly: down = a\nALTER TABLE t ADD a int", "the statement has no use for `down`"),
        ("-- shoofly: up = a\nALTER TABLE t ALTER a TYPE int USING a::int", "the statement says USING as well"),
        ("-- shoofly: strategy = magic\nDROP INDEX i", "unknown strategy"),
        ("-- shoofly: accept = column-order, x\nDROP INDEX i", "unknown hazard \"x\""),
        ("-- shoofly: chunk = 1h\nDROP INDEX i", "is no duration for a chunk"),
        ("-- shoofly: allow = all\nDROP INDEX i", "cannot be allowed"),
        ("BEGIN;\nDROP INDEX i;\nCOMMIT", "shoofly makes its own transactions"),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
            "CREATE FUNCTION",
        ),
        ("DROP INDEX i; 'open", "is not understood here"),
    ];
    for (text, expected) in cases {
        let found = errors(text);
        assert!(found.iter().any(|error| error.contains(expected)), "{text}: {found:?}");
    }
    assert_eq!(errors(cases[18].0).len(), 1);
}

#[test]
fn the_same_statement_has_the_same_name() {
    let name = |ddl: &str| {
        let made = parse_statement(Dialect::PostgreSql, ddl).unwrap();
        (made.name, made.checksum)
    };
    let one = name("ALTER TABLE pgbench_accounts ALTER COLUMN aid TYPE bigint");
    assert_eq!(one, name("  alter table PGBENCH_accounts\n alter column aid /* wide */ type bigint ; -- done"));
    assert!(one.0.starts_with("alter_pgbench_accounts_aid_") && one.0.ends_with(&one.1[..8]), "{}", one.0);
    assert_ne!(one, name("ALTER TABLE pgbench_accounts ALTER COLUMN \"Aid\" TYPE bigint"));
    assert_ne!(one, name("-- shoofly: up = aid\nALTER TABLE pgbench_accounts ALTER COLUMN aid TYPE bigint"));
    assert!(name("CREATE INDEX \"I x\" ON t (a)").0.starts_with("create_index_i_x_"));
    assert!(name("CREATE INDEX ON s.t (a)").0.starts_with("create_index_t_"));
    assert!(name("DROP INDEX s.i").0.starts_with("drop_index_i_"));
    assert!(name("UPDATE t SET a = 1").0.starts_with("update_t_a_"));
    // Ledgers keep it: no version may compute another one.
    assert_eq!(name("DROP INDEX S.i").1, "6da9bb1bbe767ce57b581ed0283bb16c6d7942e2e59bd76f2b3c4b334a19b986");
    for wrong in ["", "; ;", "DROP INDEX a; DROP INDEX b", "-- migrate:up\nDROP INDEX a"] {
        assert!(matches!(parse_statement(Dialect::PostgreSql, wrong), Err(Error::Syntax(_))), "{wrong}");
    }
}

#[test]
fn tells_what_must_be_asked() {
    let needs = read(
        "-- shoofly: up = s.g(a)\nALTER TABLE t ADD b numeric(10, 2) COLLATE \"C\" DEFAULT f(1), ALTER c SET DEFAULT now();\n\
         -- shoofly: down = h(c)\nALTER TABLE t ALTER c TYPE bigint USING c::bigint;\nUPDATE s.u SET a = k(b) WHERE f(a) > 0;\n\
         DROP INDEX i, s.j;\nCREATE INDEX ON t (lower(a)) WHERE l(b)",
    )
    .up
    .needs();
    let names = |list: &[crate::name::WrittenName]| -> Vec<String> {
        list.iter().map(crate::name::WrittenName::display).collect()
    };
    assert_eq!(names(&needs.tables), ["t", "s.u"]);
    assert_eq!(names(&needs.indexes), ["i", "s.j"]);
    assert_eq!(needs.types, ["numeric(10, 2)", "bigint"]);
    assert_eq!(names(&needs.functions), ["f", "s.g", "now", "h", "k", "lower", "l"]);
}

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("shoofly-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for (file, text) in files {
            std::fs::write(dir.join(file), text).unwrap();
        }
        Self(dir)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

const DROP: &str = "DROP INDEX i";
const MAKE: &str = "CREATE INDEX i ON t (a)";

#[test]
fn reads_folders_of_every_layout_in_order() {
    let both = format!("-- migrate:up\n{DROP};\n-- migrate:down\n{MAKE};\n");
    let folder = Folder::new(
        "layouts",
        &[
            ("20260101_native.sql", &both),
            ("10_pair.up.sql", DROP),
            ("10_pair.down.sql", MAKE),
            ("9_alone.up.sql", DROP),
            ("V1.2__flyway.sql", DROP),
            ("U1.2__flyway.sql", MAKE),
            ("V1.10__flyway.sql", DROP),
            ("named.sql", DROP),
            ("notes.txt", "no SQL"),
            (".hidden.sql", "no SQL"),
        ],
    );
    let made = load_folder(Dialect::PostgreSql, &folder.0).unwrap();
    let names: Vec<(&str, bool)> = made.iter().map(|it| (it.name.as_str(), it.down.is_some())).collect();
    let expected = [
        ("V1.2__flyway", true),
        ("V1.10__flyway", false),
        ("9_alone", false),
        ("10_pair", true),
        ("20260101_native", true),
        ("named", false),
    ];
    assert_eq!(names, expected);
    assert!(made.iter().all(|it| sqls(&it.up) == [DROP]));
    assert_eq!(made[3].checksum, made[4].checksum, "a pair and sections say the same");
    for file in ["10_pair.up.sql", "10_pair.down.sql"] {
        assert_eq!(load_file(Dialect::PostgreSql, &folder.0.join(file)).unwrap(), made[3]);
    }
    assert_eq!(load_file(Dialect::PostgreSql, &folder.0.join("20260101_native.sql")).unwrap(), made[4]);
}

#[test]
fn reports_every_problem_of_a_folder() {
    let folder = Folder::new(
        "problems",
        &[
            ("1_a.down.sql", DROP),
            ("2_b.sql", DROP),
            ("02_c.sql", DROP),
            ("R__views.sql", DROP),
            ("3_d.sql", "nonsense"),
        ],
    );
    let Err(Error::Syntax(found)) = load_folder(Dialect::PostgreSql, &folder.0) else { panic!() };
    assert_eq!(found.len(), 4, "{found:?}");
    for expected in ["`nonsense` is not understood", "1_a has a way back", "have the same version", "repeatable"] {
        assert!(found.iter().any(|text| text.contains(expected)), "{expected}: {found:?}");
    }
    assert!(matches!(load_folder(Dialect::PostgreSql, &folder.0.join("missing")), Err(Error::Usage(_))));
    assert!(matches!(load_file(Dialect::PostgreSql, &folder.0.join("missing.sql")), Err(Error::Usage(_))));
}
