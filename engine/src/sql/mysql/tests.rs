//! Whatever the text: an answer, and no panic.

use proptest::prelude::*;

use super::*;
use crate::source::{parse_statement, parse_text};
use crate::sql::scrap::ScrapKind;
use crate::sql::{Backslash, Dialect, Flaw};

const SEEDS: [&str; 14] = [
    "ALTER ONLINE TABLE `db`.`t` ADD COLUMN `a` enum('x,y','it''s') DEFAULT (json_array(1, 2)) AFTER b, DROP c, FORCE",
    "alter table t modify a int /*!80013 INVISIBLE */, change b c text first, rename column d to e, algorithm=inplace",
    "ALTER TABLE t ENGINE=InnoDB COMMENT 'x' DEFAULT CHARSET utf8mb4, ORDER BY a, b DESC, ADD (x int, KEY (x))",
    "/*!50100 ALTER TABLE t /*M!100508 ADD a int */ NOT NULL, DROP PARTITION p0, p1 */",
    "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (b) ON DELETE CASCADE, ADD CHECK (a > 1) NOT ENFORCED",
    "CREATE UNIQUE INDEX i USING BTREE ON t (a(10) DESC, (lower(b))) INVISIBLE ALGORITHM=INPLACE LOCK=NONE",
    "DROP INDEX i ON t; RENAME TABLE a WAIT 5 TO b, c TO d; TRUNCATE t; DROP TABLE IF EXISTS a, b",
    "UPDATE LOW_PRIORITY t AS q SET q.a = b + 1, c = DEFAULT WHERE d IN (1, 2) ORDER BY e LIMIT 5",
    "DELIMITER $$\nCREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; END$$\nDELIMITER ;\nSELECT 1;",
    "CASE WHEN a IN (1, `b`) THEN CAST(c AS CHAR(3)) ELSE EXTRACT(YEAR FROM d) END->'$.a,b'",
    "trim(leading 'x' from c) + date_add(a, INTERVAL (b) DAY) - TIMESTAMP '2020-01-01' + count(*) + sum(a) over (w)",
    "@a := @@global.b + _utf8mb4'x' 'y' + 0xff + b'01' + ? + db.f(t.c, NEW.d) IS NOT NULL COLLATE utf8mb4_bin",
    "MATCH(a) AGAINST ('x' IN BOOLEAN MODE) AND {d '2020-01-01'} AND convert(a, decimal(1,2)) AND x MEMBER OF (y)",
    "-- a\n# b\nSELECT \"a\\\"b\" /* c */ FROM `d``e` WHERE 1--1 <=> 1.5e-3",
];

fn modes() -> [Mode; 3] {
    let server = Some(Server { product: Product::MariaDb, version: 101_119 });
    [
        Mode::default(),
        Mode { double_quotes: DoubleQuotes::Name, backslash: Backslash::Plain, server: None },
        Mode { server, ..Mode::default() },
    ]
}

fn inside(text: &str, flaws: &[Flaw]) -> bool {
    !flaws.is_empty() && flaws.iter().all(|flaw| text.get(flaw.range.clone()).is_some())
}

/// Everything that reads text.
fn read(text: &str, mode: Mode) -> Result<(), TestCaseError> {
    let mut at = 0;
    for token in token::tokens(text, mode) {
        prop_assert!(token.range.start == at && token.range.end > at && text.get(token.range.clone()).is_some());
        at = token.range.end;
    }
    prop_assert_eq!(at, text.len());
    scraps(text, mode)?;
    if mode == Mode::default() {
        migration(text)?;
    }
    clauses(text, mode)?;
    expression(text, mode)
}

/// Scraps cover the text, and no comment or blank is taken for code.
fn scraps(text: &str, mode: Mode) -> Result<(), TestCaseError> {
    let mut scanner = script::Scanner::new(text, mode);
    let mut at = 0;
    while let Some(scrap) = scanner.scrap() {
        prop_assert!(scrap.range.start == at && scrap.range.end > at && text.get(scrap.range.clone()).is_some());
        prop_assert!(scrap.kind != ScrapKind::Code || !text[scrap.range.clone()].trim_ascii().is_empty());
        at = scrap.range.end;
    }
    prop_assert_eq!(at, text.len());
    let flaws = scanner.into_flaws();
    prop_assert!(flaws.is_empty() || inside(text, &flaws), "{:?}", flaws);
    Ok(())
}

/// Whatever a file or a statement of the command line holds.
fn migration(text: &str) -> Result<(), TestCaseError> {
    let _parsed = (parse_text(Dialect::MySql, "m", None, text), parse_statement(Dialect::MySql, text));
    match read_operations(text) {
        Ok(operations) => prop_assert!(!operations.is_empty()),
        Err(flaws) => prop_assert!(inside(text, &flaws), "{:?}", flaws),
    }
    Ok(())
}

/// The texts of the clauses and what stands between them are the statement; each is one clause by itself.
fn clauses(text: &str, mode: Mode) -> Result<(), TestCaseError> {
    match read_statement(text, mode) {
        Ok(Statement::AlterTable(alter)) => {
            let (mut joined, mut at) = (String::new(), 0);
            for clause in &alter.clauses {
                prop_assert!(clause.range.start >= at && !clause.range.is_empty());
                joined.push_str(&text[at..clause.range.start]);
                joined.push_str(&clause.text);
                at = clause.range.end;
                let alone = format!("ALTER TABLE t {}", clause.text);
                let again = read_statement(&alone, mode);
                let same = matches!(&again, Ok(Statement::AlterTable(again)) if again.clauses.len() == 1
                    && again.clauses[0].text == clause.text);
                prop_assert!(same, "{:?} {:?}", clause, again);
            }
            joined.push_str(&text[at..]);
            prop_assert_eq!(joined, text);
        }
        Ok(_) => {}
        Err(flaws) => prop_assert!(inside(text, &flaws), "{:?}", flaws),
    }
    Ok(())
}

fn expression(text: &str, mode: Mode) -> Result<(), TestCaseError> {
    let _other = (functions_called(text, mode), unsuitable(text, mode));
    let Ok(columns) = column_refs(text, mode) else { return Ok(()) };
    for column in &columns {
        prop_assert!(text.get(column.range.clone()).is_some() && text.get(column.name_range.clone()).is_some());
    }
    let untouched = rebind(text, mode, |_| None);
    prop_assert_eq!(untouched.as_deref(), Ok(text));
    let same = rebind(text, mode, |column| text.get(column.range.clone()).map(str::to_owned));
    prop_assert_eq!(same.as_deref(), Ok(text));
    let bound = rebind(text, mode, |_| Some("NEW.`x`".to_owned()));
    let again = bound.as_deref().map(|bound| column_refs(bound, mode));
    prop_assert!(matches!(&again, Ok(Ok(found)) if found.len() == columns.len()), "{:?} {:?}", bound, again);
    Ok(())
}

/// Pieces of the seeds in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = SEEDS
        .iter()
        .flat_map(|seed| token::tokens(seed, Mode::default()).into_iter().map(|token| token.text(seed).to_owned()))
        .chain(["-- ", "/*", "*/", "/*!", "'", "\"", "`", "\\", "\0", "é", "\nDELIMITER ;\n", "."].map(str::to_owned))
        .collect();
    prop::collection::vec((prop::sample::select(pieces), prop::sample::select(vec!["", " ", "\n"])), 0..40)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, space)| piece + space).collect())
}

/// A seed with a few pieces taken out, doubled, or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop::sample::select(vec!["", "(", ")", "'", ",", ";", "*/", "/*!80013 ", "é", " NOT ", "`", "."]),
    );
    (prop::sample::select(SEEDS.to_vec()), prop::collection::vec(edit, 0..4)).prop_map(|(seed, edits)| {
        let mut chars: Vec<char> = seed.chars().collect();
        for (from, to, with) in edits {
            let (from, to) = (from.index(chars.len() + 1), to.index(chars.len() + 1));
            let end = to.clamp(from, (from + 12).min(chars.len()));
            chars.splice(from..end, with.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_characters(text in "\\PC{0,80}") {
        for mode in modes() {
            read(&text, mode)?;
        }
    }

    #[test]
    fn any_pieces(text in soup()) {
        for mode in modes() {
            read(&text, mode)?;
            read(&format!("ALTER TABLE t {text}"), mode)?;
        }
    }

    #[test]
    fn nearly_sql(text in mutated()) {
        for mode in modes() {
            read(&text, mode)?;
        }
    }
}

#[test]
fn seeds_and_their_beginnings() {
    for mode in modes() {
        for seed in SEEDS {
            for (end, _) in seed.char_indices() {
                read(&seed[..end], mode).unwrap();
            }
            read(seed, mode).unwrap();
        }
    }
}

#[test]
fn deep_and_long_texts() {
    for piece in
        ["(", "{d ", "case when a then ", "not ", "- ", "a+", "a.", "/*! ", "((a),", "f(", "add a int, ", "'a' "]
    {
        let text = piece.repeat(5_000);
        read(&text, Mode::default()).unwrap();
        let closed = format!("ALTER TABLE t ADD a int DEFAULT {text}1{}", ")".repeat(5_000));
        assert!(read_statement(&closed, Mode::default()).is_ok() || !closed.is_empty());
    }
}
