//! Everything of an awkward table, and its partners.

use serde_json::{Value, json};
use shoofly_engine::facts::Needs;
use shoofly_engine::schema::{ConstraintKind, ReplicaIdentity, Table};
use shoofly_tests::{Database, Pg, matrix};

use super::{AWKWARD, full, read, written};

fn column(table: &Table, name: &str) -> Value {
    serde_json::to_value(table.column(&name.parse().unwrap()).unwrap()).unwrap()
}

fn index(table: &Table, name: &str) -> Value {
    let found = table.indexes.iter().find(|index| index.name.name.as_str() == name);
    serde_json::to_value(found.unwrap_or_else(|| panic!("no index {name}"))).unwrap()
}

/// That `found` has all members of `wanted`, with the same values.
#[track_caller]
fn has(found: &Value, wanted: &Value) {
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(found.get(name), Some(value), "{name} of {found:#}");
    }
}

async fn awkward(pg: u32) -> (Database, Table, Vec<Table>) {
    let db = Database::create(&Pg::shared(pg), "whole").await;
    db.run(AWKWARD).await;
    let name = written("Odd schema.Big table");
    let facts = read(&db, &Needs { tables: vec![name.clone()], ..Needs::default() }).await;
    let table = facts.table(&name).unwrap().clone();
    (db, table, facts.catalogue.tables)
}

async fn columns(major: u32) {
    let (_db, table, _) = awkward(major).await;
    has(
        &column(&table, "id"),
        &json!({"type_sql": "bigint", "not_null": true, "default": null, "owned_sequences": [], "collation": null}),
    );
    let identity = table.column(&"id".parse().unwrap()).unwrap().identity.clone().unwrap();
    assert!(identity.always);
    let sequence = &identity.sequence;
    assert_eq!((sequence.start, sequence.increment, sequence.cache, sequence.cycle), (5, 3, 7, false));
    assert_eq!(sequence.name, full("Odd schema", "Big table_id_seq"));
    assert_eq!((sequence.grants.len(), sequence.grants.iter().filter(|grant| grant.grantee == "app").count()), (4, 1));
    let tick = table.column(&"tick".parse().unwrap()).unwrap();
    assert_eq!(tick.default.as_deref(), Some("nextval('\"Odd schema\".\"Big table_tick_seq\"'::regclass)"));
    assert_eq!(tick.owned_sequences.len(), 1);
    assert_eq!(tick.owned_sequences[0].comment.as_deref(), Some("ticks"));
    assert!(tick.identity.is_none());
    has(
        &column(&table, "Name"),
        &json!({"type_sql": "character varying(40)", "default": "'it''s'::character varying",
                "collation": {"schema": "pg_catalog", "name": "C"}}),
    );
    has(
        &column(&table, "doubled"),
        &json!({"default": null, "generated": {"expression": "(amount * (2)::numeric)", "stored": true}}),
    );
    has(&column(&table, "feeling"), &json!({"type_sql": "\"Odd schema\".mood"}));
    has(
        &column(&table, "body"),
        &json!({"statistics_target": 500, "storage": "external", "compression": "pglz", "options": ["n_distinct=-0.5"],
                "comment": "the body"}),
    );
    let body = table.column(&"body".parse().unwrap()).unwrap();
    assert_eq!((body.grants[0].grantee.as_str(), body.grants[0].privilege.as_str()), ("reader", "UPDATE"));
    has(&column(&table, "a"), &json!({"statistics_target": null, "storage": null, "compression": null, "options": []}));
}

async fn indexes(major: u32) {
    let (_db, table, _) = awkward(major).await;
    has(
        &index(&table, "by_expression"),
        &json!({"key_columns": ["a"], "depends_on": ["a", "b", "body"], "has_expressions": true, "predicate": "(b > 3)",
                "statistics_targets": [[1, 321]], "unique": false,
                "definition": "CREATE INDEX by_expression ON \"Odd schema\".\"Big table\" USING btree \
                               (lower(body) text_pattern_ops, a DESC NULLS LAST) WHERE (b > 3)"}),
    );
    has(
        &index(&table, "by_name"),
        &json!({"key_columns": ["Name"], "include_columns": ["amount"], "clustered": true, "options": ["fillfactor=60"]}),
    );
    has(&index(&table, "by_tags"), &json!({"method": "gin", "comment": "tags"}));
    has(&index(&table, "pair"), &json!({"constraint": "pair", "immediate": false, "include_columns": ["feeling"]}));
    has(&index(&table, "for_replicas"), &json!({"replica_identity": true, "key_columns": ["Name", "id"]}));
    assert_eq!(table.replica_identity, ReplicaIdentity::Index("for_replicas".parse().unwrap()));
    assert_eq!(table.key_columns(), ["id".parse().unwrap()]);
}

async fn constraints_and_keys(major: u32) {
    let (_db, table, tables) = awkward(major).await;
    let constraint = |name: &str| table.constraints.iter().find(|found| found.name.as_str() == name).unwrap();
    assert!(
        matches!(&constraint("amount_fits").kind, ConstraintKind::Check { expression } if expression == "(amount > (0)::numeric)")
    );
    assert!(constraint("amount_fits").no_inherit && constraint("amount_fits").comment.as_deref() == Some("fits"));
    assert!(!constraint("later").validated);
    assert_eq!(constraint("alone").kind, ConstraintKind::Exclusion);
    assert!(constraint("pair").deferrable && !constraint("pair").deferred);
    let named = constraint("Big table_country_fkey");
    let ConstraintKind::ForeignKey(key) = &named.kind else { panic!("{named:?}") };
    assert!(key.match_full && key.deferrable && key.deferred && key.validated);
    assert_eq!((key.on_update.as_str(), key.on_delete.as_str()), ("CASCADE", "SET NULL"));
    let not_null = table.constraints.iter().filter(|found| found.kind == ConstraintKind::NotNull).count();
    assert_eq!(not_null, if major >= 18 { 3 } else { 0 });

    let from: Vec<String> = table.referenced_by.iter().map(|key| key.from.display()).collect();
    assert_eq!(from, ["Odd schema.Big table", "Odd schema.child", "Odd schema.parts"]);
    assert_eq!(table.referenced_by[1].comment.as_deref(), Some("to the big one"));
    assert!(table.referenced_by[2].from_partitioned);
    let names: Vec<&str> = tables.iter().map(|table| table.name.name.as_str()).collect();
    assert!(["Big table", "child", "country", "parts"].iter().all(|name| names.contains(name)), "{names:?}");
}

async fn what_depends(major: u32) {
    let (_db, table, _) = awkward(major).await;
    let dependents: Vec<String> = table
        .dependents
        .iter()
        .map(|found| {
            let on = found
                .column
                .iter()
                .chain(&found.constraint)
                .map(shoofly_engine::name::Ident::as_str)
                .collect::<Vec<_>>()
                .join(" ");
            format!("{} {} on {on}", found.kind, found.name)
        })
        .collect();
    for wanted in [
        "view \"Odd schema\".seen on amount",
        "view \"Odd schema\".seen on Name",
        "view \"Odd schema\".grouped on Big table_pkey",
        "materialized view \"Odd schema\".kept on feeling",
        "rule rule shadow on table \"Odd schema\".\"Big table\" on b",
        "generated column doubled on amount",
        "policy mine on \"Odd schema\".\"Big table\" on a",
        "trigger narrow on amount",
        "trigger narrow on body",
        "function \"Odd schema\".total() on amount",
        "publication part on Name",
        "whole-row index \"Odd schema\".whole_row on tags",
    ] {
        assert!(dependents.iter().any(|found| found == wanted), "{wanted} is not among {dependents:#?}");
    }
    assert!(dependents.iter().any(|found| found.contains("counter") && found.ends_with("on id")), "{dependents:#?}");
    assert!(table.row_type_uses.contains(&"function \"Odd schema\".whole(\"Odd schema\".\"Big table\")".to_owned()));
}

async fn the_rest(major: u32) {
    let (_db, table, _) = awkward(major).await;
    let trigger = |name: &str| table.triggers.iter().find(|found| found.name.as_str() == name).unwrap();
    assert_eq!(table.triggers.len(), 3);
    assert_eq!(
        (trigger("plain").timing.as_str(), trigger("plain").enabled, trigger("plain").on_update),
        ("BEFORE", 'D', true)
    );
    assert_eq!(trigger("narrow").update_of, ["amount".parse().unwrap(), "Name".parse().unwrap()]);
    assert_eq!((trigger("narrow").enabled, trigger("late").enabled), ('A', 'O'));
    assert!(table.row_security.enabled && table.row_security.forced);
    assert_eq!(table.policies[0].definition, "RESTRICTIVE FOR w TO app, reader USING ((a = 1)) WITH CHECK ((b = 2))");
    assert_eq!(table.policies[0].columns, ["a".parse().unwrap(), "b".parse().unwrap()]);
    assert!(table.grants.iter().any(|grant| grant.grantee == "app" && grant.privilege == "INSERT" && grant.grantable));
    assert!(table.grants.iter().any(|grant| grant.grantee == "PUBLIC" && grant.privilege == "SELECT"));
    assert_eq!(table.options, ["autovacuum_enabled=off", "fillfactor=70", "toast.autovacuum_enabled=off"]);
    assert_eq!((table.comment.as_deref(), table.access_method.as_deref()), (Some("big"), Some("heap")));
    let statistics = &table.statistics[0];
    assert_eq!((statistics.target, statistics.comment.as_deref()), (Some(77), Some("correlated")));
    assert_eq!(statistics.columns, ["a".parse().unwrap(), "b".parse().unwrap(), "body".parse().unwrap()]);
    let [everything, part] = table.publications.as_slice() else { panic!("{:?}", table.publications) };
    assert!(everything.by_schema_or_all && everything.columns.is_none());
    assert_eq!(part.columns.as_ref().map(Vec::len), Some(3));
    assert_eq!(part.row_filter.as_deref(), Some("(a > 1)"));
}

async fn families(major: u32) {
    let db = Database::create(&Pg::shared(major), "families").await;
    db.run(
        "CREATE TABLE p (id int GENERATED BY DEFAULT AS IDENTITY, at date) PARTITION BY RANGE (at);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
         CREATE TYPE pair AS (a int, b int); CREATE TABLE typed OF pair; CREATE UNLOGGED TABLE quick (id int);
         CREATE VIEW v AS SELECT 1 AS one; CREATE TABLE lost (id int NOT NULL);
         CREATE UNIQUE INDEX lost_id ON lost (id); ALTER TABLE lost REPLICA IDENTITY USING INDEX lost_id; DROP INDEX lost_id;",
    )
    .await;
    let names = ["p", "p1", "typed", "quick", "v", "lost", "missing"].map(written);
    let facts = read(&db, &Needs { tables: names.to_vec(), ..Needs::default() }).await;
    let table = |name: &str| facts.table(&written(name));
    let kind = |name: &str| serde_json::to_value(table(name).unwrap().kind).unwrap();
    assert_eq!([kind("p"), kind("p1"), kind("v")], ["partitioned", "ordinary", "other"]);
    assert_eq!(table("p").unwrap().partition_key.as_deref(), Some("RANGE (at)"));
    assert_eq!(
        (&table("p").unwrap().children, &table("p1").unwrap().parents),
        (&vec![full("public", "p1")], &vec![full("public", "p")])
    );
    assert_eq!(table("typed").unwrap().of_type.as_deref(), Some("public.pair"));
    assert!(table("quick").unwrap().unlogged);
    assert_eq!(table("lost").unwrap().replica_identity, ReplicaIdentity::Nothing);
    assert!(table("missing").is_none());
}

matrix!(columns, indexes, constraints_and_keys, what_depends, the_rest, families);
