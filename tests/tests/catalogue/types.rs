//! Types, casts, functions, names and the census.

use shoofly_engine::driver::postgres::facts;
use shoofly_engine::facts::{CastMethod, Facts, Needs};
use shoofly_sandbox::Options;
use shoofly_tests::{Database, Pg, matrix};

use super::{AWKWARD, full, read, session, written};

fn needs_types(types: &[&str]) -> Needs {
    Needs { types: types.iter().map(|&text| text.to_owned()).collect(), ..Needs::default() }
}

async fn types_as_written(major: u32) {
    let db = Database::create(&Pg::shared(major), "types").await;
    db.run(AWKWARD).await;
    let asked = [
        ("int", "integer"),
        ("varchar(10)", "character varying(10)"),
        ("Numeric( 8,2 )", "numeric(8,2)"),
        ("timestamptz(3)", "timestamp(3) with time zone"),
        ("char", "character(1)"),
        ("\"char\"", "\"char\""),
        ("text[][]", "text[]"),
        ("interval day to second(2)", "interval day to second(2)"),
        ("\"Odd schema\".mood", "\"Odd schema\".mood"),
        ("\"Odd schema\".positive", "\"Odd schema\".positive"),
        ("bit(3)", "bit(3)"),
        ("json", "json"),
        ("cidr", "cidr"),
        ("int4multirange", "int4multirange"),
        ("\"Odd schema\".mood[]", "\"Odd schema\".mood[]"),
    ];
    let texts: Vec<&str> = asked.iter().map(|(text, _)| *text).collect();
    let facts = read(&db, &needs_types(&texts)).await;
    for (text, canonical) in asked {
        let found = facts.type_of(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(found.canonical, canonical);
        assert_eq!(found.has_equality, canonical != "json", "{text}");
    }
    let kind = |text: &str| facts.type_of(text).unwrap().kind;
    assert_eq!(
        [kind("int"), kind("\"Odd schema\".mood"), kind("\"Odd schema\".positive"), kind("int4multirange")],
        ['b', 'e', 'd', 'm']
    );
    assert_eq!((facts.type_of("int").unwrap().length, facts.type_of("json").unwrap().length), (4, -1));
    assert_eq!(facts.type_of("varchar(10)").unwrap().collation, Some(full("pg_catalog", "default")));
}

async fn what_is_no_type_is_missing(major: u32) {
    let db = Database::create(&Pg::shared(major), "no_types").await;
    let texts = [
        "nonsense",
        "int); DROP TABLE t; SELECT CAST(NULL AS int",
        "int), (SELECT 1",
        "int -- ",
        "varchar(-1)",
        "",
        "trigger",
        "serial",
    ];
    let facts = read(&db, &needs_types(&texts)).await;
    let found: Vec<&str> = facts.types.iter().map(|found| found.written.as_str()).collect();
    assert_eq!(found, ["int -- "]);
}

async fn casts_between_types(major: u32) {
    let db = Database::create(&Pg::shared(major), "casts").await;
    db.run(
        "CREATE DOMAIN small AS int; CREATE DOMAIN smaller AS small;
         CREATE TABLE t (i int, v varchar(5), d smaller, l int[], o oid, j json, n text[])",
    )
    .await;
    let mut needs = needs_types(&["bigint", "text", "int", "small", "bigint[]", "oid", "boolean", "oid[]"]);
    needs.tables.push(written("t"));
    let facts = read(&db, &needs).await;
    let cast = |facts: &Facts, column: &str, to: &str| {
        let from = facts.table(&written("t")).unwrap().column(&column.parse().unwrap()).unwrap().type_oid;
        let to = facts.type_of(to).unwrap().oid;
        facts.casts.iter().find(|cast| (cast.from, cast.to) == (from, to)).map(|cast| (cast.method, cast.context))
    };
    for (column, to, expected) in [
        ("i", "bigint", Some((CastMethod::Function, 'i'))),
        ("i", "text", Some((CastMethod::InOut, 'a'))),
        ("v", "text", Some((CastMethod::Binary, 'i'))),
        ("v", "int", Some((CastMethod::InOut, 'e'))),
        ("d", "bigint", Some((CastMethod::Function, 'i'))),
        ("i", "small", Some((CastMethod::Binary, 'i'))),
        ("l", "bigint[]", Some((CastMethod::Function, 'i'))),
        ("l", "oid[]", Some((CastMethod::Function, 'i'))),
        ("i", "oid", Some((CastMethod::Binary, 'i'))),
        ("j", "bigint", None),
        ("j", "boolean", None),
    ] {
        assert_eq!(cast(&facts, column, to), expected, "{column} to {to}");
    }
}

async fn names_along_the_search_path(major: u32) {
    let db = Database::create(&Pg::shared(major), "names").await;
    db.run(AWKWARD).await;
    db.run("CREATE TABLE public.child (id int)").await;
    db.run(&format!(
        "ALTER DATABASE \"{}\" SET search_path = \"Odd schema\", public",
        db.text("SELECT current_database()").await
    ))
    .await;
    let needs = Needs {
        tables: vec![written("child"), written("public.child")],
        indexes: vec![written("by_tags"), written("missing")],
        types: vec!["mood".to_owned()],
        functions: vec![written("shout"), written("lower"), written("missing"), written("Odd schema.total")],
    };
    let facts = read(&db, &needs).await;
    let meant: Vec<_> = facts.resolved.iter().map(|(_, name)| name.clone()).collect();
    assert_eq!(meant, [full("Odd schema", "child"), full("public", "child")]);
    assert_eq!(facts.indexes, [(written("by_tags"), full("Odd schema", "by_tags"), full("Odd schema", "Big table"))]);
    assert!(facts.catalogue.table(&full("Odd schema", "Big table")).is_some());
    assert_eq!(facts.type_of("mood").unwrap().canonical, "\"Odd schema\".mood");
    let function = |name: &str| facts.functions.iter().find(|found| found.name.name.as_str() == name);
    assert_eq!(function("shout").map(|found| (found.volatility, found.strict)), Some(('i', true)));
    assert_eq!(function("total").map(|found| found.volatility), Some('s'));
    assert!(function("lower").is_some() && function("missing").is_none());
}

async fn as_a_plain_role(major: u32) {
    let db = Database::create(&Pg::shared(major), "plain_role").await;
    db.run(AWKWARD).await;
    let role = db.text("SELECT 'plain_' || current_database()").await;
    db.run(&format!("CREATE ROLE {role} LOGIN")).await;
    // Whatever is readable to everybody, with an extension that it may not use.
    db.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await;
    let url = db.url();
    let mut session = session(&url).await;
    session.batch(&format!("SET SESSION AUTHORIZATION {role}")).await.unwrap();
    let name = written("Odd schema.country");
    let needs = Needs { tables: vec![name.clone()], types: vec!["text".to_owned()], ..Needs::default() };
    // Without USAGE on the schema the name means nothing.
    assert!(
        facts::read(&mut session, &needs).await.is_err()
            || facts::read(&mut session, &needs).await.unwrap().table(&name).is_none()
    );
    db.run("GRANT USAGE ON SCHEMA \"Odd schema\" TO PUBLIC").await;
    let facts = facts::read(&mut session, &needs).await.unwrap();
    let table = facts.table(&name).unwrap();
    assert!(!table.owned_by_us && !facts.catalogue.server.superuser && !facts.catalogue.server.may_silence_triggers);
    assert!(!facts.census.statements_readable);
    session.batch("RESET SESSION AUTHORIZATION").await.unwrap();
    db.run(&format!("ALTER TABLE \"Odd schema\".country OWNER TO {role}")).await;
    if major >= 15 {
        db.run(&format!("GRANT SET ON PARAMETER session_replication_role TO {role}")).await;
    }
    session.batch(&format!("SET SESSION AUTHORIZATION {role}")).await.unwrap();
    let facts = facts::read(&mut session, &needs).await.unwrap();
    assert!(facts.table(&name).unwrap().owned_by_us && facts.catalogue.server.may_silence_triggers);
    assert_eq!(facts.catalogue.server.major(), major);
}

async fn census(major: u32) {
    let options = Options::default().with("shared_preload_libraries", "pg_stat_statements");
    let db = Database::create(&Pg::own(major, &options), "census").await;
    let needs = Needs { tables: vec![written("Odd schema.Big table")], ..Needs::default() };
    db.run(AWKWARD).await;
    let without = read(&db, &needs).await.census;
    assert!(!without.statements_readable && without.statements.is_empty());
    assert_eq!(without.functions.len(), 1, "{:?}", without.functions);
    assert_eq!(
        (without.functions[0].language.as_str(), without.functions[0].signature.as_str()),
        ("plpgsql", "\"Odd schema\".mentions()")
    );
    db.run("CREATE SCHEMA elsewhere; CREATE EXTENSION pg_stat_statements SCHEMA elsewhere").await;
    db.run("SELECT count(*) FROM \"Odd schema\".\"Big table\" WHERE a = 7").await;
    let with = read(&db, &needs).await.census;
    assert!(with.statements_readable);
    assert!(
        with.statements.iter().any(|seen| seen.text.contains("WHERE a = $1") && seen.calls == 1),
        "{:?}",
        with.statements
    );
}

matrix!(
    types_as_written,
    what_is_no_type_is_missing,
    casts_between_types,
    names_along_the_search_path,
    as_a_plain_role,
    census
);
