use super::fixture::*;
use crate::facts::FunctionFacts;
use crate::name::{QualifiedName, WrittenName};
use crate::op::{
    AddColumn, AlterTable, Assignment, CreateIndex, DropColumn, DropIndex, Expr, Operation, SetNotNull, UpdateRows,
};
use crate::plan::{Plan, Strategy, Undo};
use crate::schema::ConstraintKind;

fn users() -> crate::facts::Facts {
    let mut id = column("id", "bigint");
    id.not_null = true;
    let users = table("users", vec![id, column("email", "text"), column("score", "integer")]);
    let mut facts = facts(vec![with_primary_key(users, &["id"])]);
    for (name, volatility) in [("random", 'v'), ("now", 's'), ("lower", 'i')] {
        facts.functions.push(FunctionFacts {
            name: QualifiedName::new(ident("pg_catalog"), ident(name)),
            volatility,
            strict: true,
        });
    }
    facts
}

fn written(name: &str) -> WrittenName {
    WrittenName { schema: None, name: ident(name) }
}

fn add(column: &str, type_sql: &str, default: Option<&str>, up: Option<&str>) -> AddColumn {
    AddColumn {
        table: written("users"),
        column: ident(column),
        if_not_exists: false,
        type_sql: type_sql.to_owned(),
        collation: None,
        default: default.map(|text| Expr(text.to_owned())),
        not_null: false,
        up: up.map(|text| Expr(text.to_owned())),
        other_clauses: Vec::new(),
    }
}

fn set_not_null(column: &str, up: Option<&str>) -> Operation {
    let up = up.map(|text| Expr(text.to_owned()));
    Operation::SetNotNull(SetNotNull { table: written("users"), column: ident(column), up })
}

fn update(column: &str, value: &str, condition: Option<&str>) -> Operation {
    Operation::UpdateRows(UpdateRows {
        table: written("users"),
        assignments: vec![Assignment { column: ident(column), value: Expr(value.to_owned()) }],
        condition: condition.map(|text| Expr(text.to_owned())),
    })
}

fn create_index(definition: &str, columns: &[&str]) -> CreateIndex {
    CreateIndex {
        table: written("users"),
        name: None,
        unique: false,
        if_not_exists: false,
        columns: columns.iter().map(|name| ident(name)).collect(),
        definition: definition.to_owned(),
    }
}

fn drop_column(column: &str) -> DropColumn {
    DropColumn { table: written("users"), column: ident(column), if_exists: false, cascade: false, down: None }
}

fn all(plan: &Plan) -> String {
    statements(plan).into_iter().map(|(id, text)| format!("{id}: {text}\n")).collect()
}

#[test]
fn a_default_that_is_the_same_for_every_row_is_metadata() {
    for default in [None, Some("5"), Some("now()")] {
        let made = plan(&users(), vec![Operation::AddColumn(add("c", "integer", default, None))]);
        assert_eq!((made.operations[0].strategy, made.steps().count()), (Strategy::Metadata, 1), "{default:?}");
    }
}

#[test]
fn a_random_default_is_filled() {
    let made = plan(&users(), vec![Operation::AddColumn(add("c", "integer", Some("random()"), None))]);
    let all = all(&made);
    assert!(all.contains(r#"ADD COLUMN "c" integer"#) && all.contains("SET DEFAULT random()"), "{all}");
    assert!(all.contains(r#"fill where "c" IS NULL"#), "{all}");
}

#[test]
fn a_computed_column_follows_what_it_is_computed_from() {
    let made = plan(&users(), vec![Operation::AddColumn(add("login", "text", None, Some("lower(email)")))]);
    let all = all(&made);
    assert!(all.contains(r#"NEW."email" IS DISTINCT FROM OLD."email""#), "{all}");
}

#[test]
fn not_null_without_a_value_is_refused_where_there_are_rows() {
    let mut op = add("c", "integer", None, None);
    op.not_null = true;
    let problems = refusal(&users(), vec![Operation::AddColumn(op)]);
    assert!(problems[0].advice.contains("`up`"), "{problems:?}");
}

#[test]
fn clauses_beyond_a_column_are_refused_with_every_one_named() {
    let mut op = add("c", "integer", None, None);
    op.other_clauses = vec!["UNIQUE".to_owned(), "REFERENCES t".to_owned()];
    assert_eq!(refusal(&users(), vec![Operation::AddColumn(op)]).len(), 2);
}

#[test]
fn a_column_that_exists() {
    let mut op = add("email", "text", None, None);
    assert!(refusal(&users(), vec![Operation::AddColumn(op.clone())])[0].what.contains("exists already"));
    op.if_not_exists = true;
    assert_eq!(plan(&users(), vec![Operation::AddColumn(op)]).steps().count(), 0);
}

#[test]
fn not_null_is_proved_by_a_check_before_it_is_set() {
    let made = plan(&users(), vec![set_not_null("email", None)]);
    assert_eq!(made.preflight[0].violation.as_str(), r#""email" IS NULL"#);
    let ids: Vec<&str> = made.steps().map(|step| step.id.0.as_str()).collect();
    assert_eq!(ids, ["verify.1", "contract.1", "contract.2", "contract.3"]);
    let last: Vec<String> =
        statements(&made).into_iter().filter(|(id, _)| id == "contract.3").map(|(_, text)| text).collect();
    assert!(last[0].contains("SET NOT NULL") && last[1].contains("DROP CONSTRAINT"), "{last:?}");
}

#[test]
fn a_valid_check_of_the_users_spares_the_proof() {
    let mut facts = users();
    let kind = ConstraintKind::Check { expression: "(email IS NOT NULL)".to_owned() };
    facts.catalogue.tables[0].constraints.push(constraint("has_email", kind, &["email"]));
    assert_eq!(plan(&facts, vec![set_not_null("email", None)]).steps().count(), 1);
}

#[test]
fn what_an_earlier_statement_makes_is_not_checked_before() {
    let made = plan(
        &users(),
        vec![
            Operation::AddColumn(add("domain", "text", None, None)),
            update("domain", "lower(email)", None),
            set_not_null("domain", None),
            Operation::CreateIndex(create_index("(domain)", &["domain"])),
        ],
    );
    assert!(made.preflight.iter().all(|check| !check.violation.as_str().contains("\"domain\" IS NULL")));
    let all = all(&made);
    assert!(all.contains("\"users_domain_idx\""), "{all}");
    // Adding the column and setting the trigger need one lock, not two; so do the ends of both.
    assert_eq!(made.steps().filter(|step| step.id.0.starts_with("expand")).count(), 2);
    assert_eq!(made.steps().filter(|step| step.id.0.starts_with("contract")).count(), 3);
}

#[test]
fn a_value_computed_from_itself_must_settle() {
    let made = plan(&users(), vec![update("email", "lower(email)", None)]);
    let settles = made.preflight.iter().find(|check| check.claim.contains("second time")).unwrap();
    assert_eq!(
        settles.violation.as_str(),
        r#"((lower("email"))::text) IS DISTINCT FROM (lower(((lower("email"))::text)))::text"#
    );
}

#[test]
fn what_gives_another_value_each_time_is_refused_unless_it_fills_nulls_only() {
    let problems = refusal(&users(), vec![update("score", "random()", None)]);
    assert!(problems[0].what.contains("another value each time"), "{problems:?}");
    let made = plan(&users(), vec![update("score", "random()", Some("score IS NULL"))]);
    assert!(all(&made).contains(r#"fill where "score" IS NULL"#));
}

#[test]
fn keys_are_not_backfilled() {
    let problems = refusal(&users(), vec![update("id", "id + 1", None)]);
    assert!(problems[0].why.contains("unique index"), "{problems:?}");
}

#[test]
fn dropping_waits_for_complete_and_tells_what_goes_along() {
    let mut facts = users();
    let users = &mut facts.catalogue.tables[0];
    let made = index(users, "users_email", &["email"]);
    users.indexes.push(made);
    let made = plan(&facts, vec![Operation::DropColumn(drop_column("email"))]);
    assert_eq!(made.steps().map(|step| step.id.0.as_str()).collect::<Vec<_>>(), ["contract.1"]);
    assert!(made.findings[0].what.contains("index users_email"), "{:?}", made.findings);
    let mut cascade = drop_column("email");
    cascade.cascade = true;
    assert!(refusal(&facts, vec![Operation::DropColumn(cascade)])[0].what.contains("CASCADE"));
}

#[test]
fn an_index_is_built_and_dropped_concurrently() {
    let mut op = create_index("(email)", &["email"]);
    op.name = Some(ident("by_email"));
    let made = plan(&users(), vec![Operation::CreateIndex(op.clone())]);
    assert!(matches!(made.steps().next().unwrap().undo, Undo::DropIndex { .. }));
    let mut facts = users();
    let mut existing = index(&facts.catalogue.tables[0], "by_email", &["email"]);
    facts.catalogue.tables[0].indexes.push(existing.clone());
    facts.indexes.push((written("by_email"), public("by_email"), public("users")));
    assert!(refusal(&facts, vec![Operation::CreateIndex(op.clone())])[0].what.contains("exists already"));
    op.if_not_exists = true;
    assert_eq!(plan(&facts, vec![Operation::CreateIndex(op.clone())]).steps().count(), 0);
    existing.valid = false;
    facts.catalogue.tables[0].indexes.pop();
    facts.catalogue.tables[0].indexes.push(existing);
    assert_eq!(plan(&facts, vec![Operation::CreateIndex(op)]).steps().count(), 1);

    let drop = |name: &str| Operation::DropIndex(DropIndex { index: written(name), if_exists: false, cascade: false });
    assert!(all(&plan(&facts, vec![drop("by_email")])).contains("DROP INDEX CONCURRENTLY"));
    facts.indexes.push((written("users_pkey"), public("users_pkey"), public("users")));
    assert!(refusal(&facts, vec![drop("users_pkey")])[0].why.contains("constraint"));
    assert!(refusal(&facts, vec![drop("nothing")])[0].what.contains("no index"));
}

#[test]
fn operations_that_build_on_a_column_which_is_being_replaced_are_split() {
    let operations =
        vec![alter_type("users", "score", "bigint", None), Operation::CreateIndex(create_index("(score)", &["score"]))];
    assert!(refusal(&users(), operations)[0].advice.contains("two migrations"));
    let operations = vec![Operation::DropColumn(drop_column("score")), update("email", "score::text", None)];
    assert!(refusal(&users(), operations)[0].what.contains("score"));
}

#[test]
fn a_section_without_a_statement_is_told() {
    let made = plan(&users(), Vec::new());
    assert!(made.phases.is_empty());
    assert!(made.findings[0].what.contains("`up` has no statement"), "{:?}", made.findings);
}

#[test]
fn a_statement_of_another_database_is_refused() {
    let alter =
        AlterTable { table: written("users"), clauses: vec!["ADD c int".to_owned()], columns: vec![ident("c")] };
    let problems = refusal(&users(), vec![Operation::AlterTable(alter)]);
    assert!(problems[0].what.contains("was read for MySQL or MariaDB"), "{problems:?}");
}
