use super::fixture::*;
use crate::facts::{Facts, FunctionFacts, SeenStatement};
use crate::plan::{Action, Hazard, LockMode, Plan, Strategy, Undo, UserTriggers};
use crate::schema::{ConstraintKind, Dependent, Identity, Policy, Sequence, TableKind, Trigger};

fn accounts() -> Facts {
    let columns = vec![column("aid", "integer"), column("bid", "integer"), column("note", "text")];
    let mut accounts = with_primary_key(table("accounts", columns), &["aid"]);
    let mut history = table("history", vec![column("tid", "integer"), column("aid", "integer")]);
    link(&mut history, "aid", &mut accounts, "aid");
    facts(vec![accounts, history])
}

fn widened() -> Plan {
    plan(&accounts(), vec![alter_type("accounts", "aid", "bigint", None)])
}

fn only(column_name: &str, type_sql: &str, to: &str, using: Option<&str>) -> Plan {
    let facts = facts(vec![table("t", vec![column("id", "integer"), column(column_name, type_sql)])]);
    plan(&facts, vec![alter_type("t", column_name, to, using)])
}

fn texts(plan: &Plan, step: &str) -> Vec<String> {
    statements(plan).into_iter().filter(|(id, _)| id == step).map(|(_, text)| text).collect()
}

#[test]
fn the_cheapest_way_that_is_safe() {
    let strategy = |plan: &Plan| (plan.operations[0].strategy, plan.phases.len());
    assert_eq!(strategy(&only("c", "integer", "integer", None)), (Strategy::Metadata, 0));
    assert_eq!(strategy(&only("c", "character varying(5)", "character varying(50)", None)), (Strategy::Metadata, 1));
    assert_eq!(strategy(&only("c", "character varying(5)", "text", Some("c"))), (Strategy::Metadata, 1));
    assert_eq!(
        only("c", "character varying(50)", "character varying(5)", None).operations[0].strategy,
        Strategy::DualColumn
    );
    assert_eq!(widened().operations[0].strategy, Strategy::DualColumn);
}

#[test]
fn a_check_or_a_computed_index_makes_a_scan_of_what_was_metadata() {
    let mut checked = table("t", vec![column("c", "character varying(5)")]);
    let kind = ConstraintKind::Check { expression: "(length(c) > 2)".to_owned() };
    checked.constraints.push(constraint("long", kind, &["c"]));
    let made = plan(&facts(vec![checked]), vec![alter_type("t", "c", "character varying(50)", None)]);
    assert_eq!(made.operations[0].strategy, Strategy::DualColumn);
}

#[test]
fn widening_a_referenced_primary_key() {
    let expand = texts(&widened(), "expand.2");
    assert_eq!(expand[0], r#"ALTER TABLE "public"."accounts" ADD COLUMN "_shoofly_aid" bigint"#);
    assert!(expand[1].contains(r#"WHEN (NEW."_shoofly_aid" IS DISTINCT FROM NEW."aid"::bigint)"#), "{}", expand[1]);
    assert!(expand[2].contains("ENABLE ALWAYS TRIGGER"));
    assert!(expand[3].ends_with(r#"CHECK ("_shoofly_aid" IS NOT NULL) NOT VALID"#));

    let swap = texts(&widened(), "contract.1").join("\n");
    let order = [
        "DROP TRIGGER",
        "DROP FUNCTION",
        r#"DROP CONSTRAINT "history_aid_fkey""#,
        r#"DROP CONSTRAINT "accounts_pkey""#,
        r#"DROP COLUMN "aid""#,
        r#"RENAME COLUMN "_shoofly_aid" TO "aid""#,
        "SET NOT NULL",
        "PRIMARY KEY USING INDEX",
        r#"DROP CONSTRAINT "_shoofly_proof_aid_not_null""#,
        r#"RENAME CONSTRAINT "_shoofly_history_aid_fkey" TO "history_aid_fkey""#,
    ];
    let places: Vec<Option<usize>> = order.iter().map(|text| swap.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{swap}");
}

#[test]
fn the_swap_locks_every_table_and_index_that_changes() {
    let made = widened();
    let swap = made.steps().last().unwrap();
    let locked: Vec<String> = swap.locks.iter().map(|lock| lock.relation.display()).collect();
    assert_eq!(locked, ["accounts", "history", "accounts_pkey", "_shoofly_accounts_pkey"]);
    assert!(swap.locks.iter().all(|lock| lock.mode == LockMode::AccessExclusive));
    assert!(matches!(swap.undo, Undo::Impossible { .. }));
    let names: Vec<String> = made.tables.iter().map(crate::name::QualifiedName::display).collect();
    assert_eq!(names, ["accounts", "history"]);
}

#[test]
fn indexes_and_keys_come_after_the_fill() {
    let kinds: Vec<String> = statements(&widened()).into_iter().map(|(id, text)| format!("{id} {text}")).collect();
    let place = |text: &str| kinds.iter().position(|line| line.contains(text)).unwrap();
    assert!(place("fill where") < place("CREATE UNIQUE INDEX CONCURRENTLY"));
    assert!(place("CREATE UNIQUE INDEX CONCURRENTLY") < place("ADD CONSTRAINT \"_shoofly_history_aid_fkey\""));
    assert!(place("verify") < place("await"));
}

#[test]
fn what_may_fail_never_fails_a_client_before_complete() {
    let mut keyed = with_primary_key(table("t", vec![column("id", "text"), column("n", "integer")]), &["id"]);
    keyed.columns[0].not_null = true;
    let made = plan(&facts(vec![keyed]), vec![alter_type("t", "id", "uuid", Some("id::uuid"))]);
    assert!(texts(&made, "expand.1")[0].contains("EXCEPTION WHEN OTHERS"));
    assert!(texts(&made, "expand.2").iter().all(|text| !text.contains("CHECK")));
    assert!(made.phases.iter().all(|phase| phase.kind != crate::plan::PhaseKind::Build
        || phase.steps.iter().all(|step| !step.title.contains("index"))));
    let hardened = texts(&made, "contract.1");
    assert!(!hardened[0].contains("EXCEPTION") && hardened[1].contains("CHECK"), "{hardened:?}");
    assert_eq!(made.preflight[0].violation.as_str(), r#"("id"::uuid) IS NULL"#);
}

#[test]
fn a_cast_that_would_cut_a_value_is_a_violation() {
    let made = only("c", "text", "character varying(5)", None);
    let violation = made.preflight[0].violation.as_str();
    assert!(
        violation.starts_with(r#"(pg_catalog.rtrim(pg_catalog.substr("c"::text, 5 + 1), ' ') <> '') OR "#),
        "{violation}"
    );
    // Written out, the cast may cut.
    let made = only("c", "text", "character varying(5)", Some("c::character varying(5)"));
    assert!(made.preflight[0].violation.as_str().starts_with("pg_catalog.num_nulls"));
}

#[test]
fn types_whose_equality_hides_differences_are_compared_by_their_bytes() {
    let made = only("c", "integer", "numeric", None);
    let Some(Action::Fill(fill)) =
        made.steps().map(|step| &step.action).find(|action| matches!(action, Action::Fill(_)))
    else {
        panic!()
    };
    assert!(fill.pending.as_str().contains("OPERATOR(pg_catalog.*<>)"));
}

#[test]
fn every_reason_at_once() {
    let mut facts = accounts();
    let accounts = &mut facts.catalogue.tables[0];
    let dependent = |kind: &str, name: &str| Dependent {
        kind: kind.to_owned(),
        name: name.to_owned(),
        column: Some(ident("aid")),
        constraint: None,
    };
    accounts.dependents = vec![dependent("view", "seen"), dependent("generated column", "doubled")];
    accounts.dependents.push(Dependent {
        column: None,
        constraint: Some(ident("accounts_pkey")),
        ..dependent("primary-key-grouped view", "grouped")
    });
    accounts.policies.push(Policy { name: ident("own"), definition: String::new(), columns: vec![ident("aid")] });
    accounts.kind = TableKind::Ordinary;
    accounts.owned_by_us = false;
    accounts.referenced_by[0].from_owned_by_us = false;
    facts.catalogue.server.standby = true;
    let problems = refusal(
        &facts,
        vec![alter_type("accounts", "aid", "bigint", None), alter_type("accounts", "nope", "bigint", None)],
    );
    let all: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
    for word in
        ["standby", "seen", "doubled", "grouped", "policy own", "belongs to app", "history does not belong", "nope"]
    {
        assert!(all.contains(word), "{word} is missing in {all}");
    }
}

#[test]
fn casts_that_plain_ddl_lacks() {
    let facts = facts(vec![table("t", vec![column("c", "text")])]);
    let problems = refusal(&facts, vec![alter_type("t", "c", "integer", None)]);
    assert_eq!(problems[0].advice, "write USING c::integer");
    let mut defaulted = column("c", "text");
    defaulted.default = Some("'7'::text".to_owned());
    let facts = super::fixture::facts(vec![table("t", vec![defaulted])]);
    let problems = refusal(&facts, vec![alter_type("t", "c", "integer", Some("c::integer"))]);
    assert!(problems[0].what.contains("default"), "{problems:?}");
}

#[test]
fn volatile_values_cannot_be_proved() {
    let mut facts = facts(vec![table("t", vec![column("c", "integer")])]);
    facts.functions.push(FunctionFacts {
        name: crate::name::QualifiedName::new(ident("pg_catalog"), ident("random")),
        volatility: 'v',
        strict: true,
    });
    let problems = refusal(&facts, vec![alter_type("t", "c", "numeric", Some("c + random()"))]);
    assert!(problems[0].what.contains("another value each time"), "{problems:?}");
    let problems = refusal(&facts, vec![alter_type("t", "c", "numeric", Some("nowhere(c)"))]);
    assert!(problems[0].what.contains("nowhere"), "{problems:?}");
    let problems = refusal(&facts, vec![alter_type("t", "c", "numeric", Some("(SELECT max(c) FROM t)"))]);
    assert!(problems[0].why.contains("subquery"), "{problems:?}");
}

#[test]
fn the_order_of_columns_needs_proof_or_a_word() {
    let order = |facts: &Facts| {
        let made = plan(facts, vec![alter_type("accounts", "bid", "bigint", None)]);
        made.findings.iter().any(|finding| finding.hazard == Some(Hazard::ColumnOrder))
    };
    let mut facts = accounts();
    assert!(order(&facts), "nothing was seen");
    facts.census.statements_readable = true;
    assert!(order(&facts), "no statement on the table was seen");
    let seen = |text: &str| SeenStatement { text: text.to_owned(), calls: 1, role: "app".to_owned() };
    facts.census.statements.push(seen("INSERT INTO accounts (aid, bid) VALUES ($1, $2)"));
    assert!(!order(&facts), "only statements with lists were seen");
    facts.census.statements.push(seen("INSERT INTO accounts VALUES ($1, $2)"));
    assert!(order(&facts), "one without a list was seen");
    let last = plan(&facts, vec![alter_type("accounts", "note", "uuid", Some("note::uuid"))]);
    assert!(
        last.findings.iter().all(|finding| finding.hazard != Some(Hazard::ColumnOrder)),
        "the last column does not move"
    );
}

#[test]
fn triggers_of_the_user_are_silenced_or_need_a_word() {
    let mut facts = facts(vec![table("t", vec![column("c", "integer")])]);
    facts.catalogue.tables[0].triggers.push(Trigger {
        name: ident("audit"),
        definition: String::new(),
        timing: "AFTER".to_owned(),
        for_each_row: true,
        on_update: true,
        update_of: Vec::new(),
        enabled: 'O',
        comment: None,
    });
    let made = |facts: &Facts| {
        let plan = plan(facts, vec![alter_type("t", "c", "bigint", None)]);
        let asks = plan.findings.iter().any(|finding| finding.hazard == Some(Hazard::UserTriggers));
        let mode = plan.steps().find_map(|step| match &step.action {
            Action::Fill(fill) => Some(fill.user_triggers),
            _ => None,
        });
        (mode.unwrap(), asks)
    };
    assert_eq!(made(&facts), (UserTriggers::Fire, true));
    facts.catalogue.server.may_silence_triggers = true;
    assert_eq!(made(&facts), (UserTriggers::Silenced, false));
    facts.catalogue.tables[0].triggers[0].enabled = 'A';
    assert_eq!(made(&facts), (UserTriggers::Fire, true));
}

#[test]
fn our_trigger_sorts_after_the_users() {
    let mut facts = accounts();
    let trigger = |name: &str| Trigger {
        name: ident(name),
        definition: String::new(),
        timing: "BEFORE".to_owned(),
        for_each_row: true,
        on_update: false,
        update_of: Vec::new(),
        enabled: 'O',
        comment: None,
    };
    facts.catalogue.tables[0].triggers.push(trigger("~~late"));
    let made = plan(&facts, vec![alter_type("accounts", "aid", "bigint", None)]);
    assert!(texts(&made, "expand.2")[1].contains("\"~~shoofly_01_aid\""));
    facts.catalogue.tables[0].triggers.push(trigger("été"));
    let problems = refusal(&facts, vec![alter_type("accounts", "aid", "bigint", None)]);
    assert!(problems[0].what.contains("été"), "{problems:?}");
}

#[test]
fn an_identity_is_made_anew_with_its_position_and_the_new_limits() {
    let mut id = column("id", "integer");
    id.not_null = true;
    id.identity = Some(Identity {
        always: true,
        sequence: Sequence {
            oid: 1,
            name: public("t_id_seq"),
            type_sql: "integer".to_owned(),
            start: 1,
            increment: 1,
            min: 1,
            max: i64::from(i32::MAX),
            cache: 1,
            cycle: false,
            comment: None,
            grants: Vec::new(),
        },
    });
    let made = plan(&facts(vec![table("t", vec![id])]), vec![alter_type("t", "id", "bigint", None)]);
    let swap = texts(&made, "contract.1").join("\n");
    let order =
        ["NO CYCLE", "set_config", "DROP IDENTITY", "DROP COLUMN", "SET NOT NULL", "ADD GENERATED ALWAYS", "setval"];
    let places: Vec<Option<usize>> = order.iter().map(|text| swap.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{swap}");
    assert!(swap.contains("MAXVALUE 9223372036854775807"));
}

#[test]
fn a_key_and_what_refers_to_it_change_places_together() {
    let mut parents = with_primary_key(table("parents", vec![column("id", "text")]), &["id"]);
    let mut children = table("children", vec![column("parent", "text"), column("n", "integer")]);
    link(&mut children, "parent", &mut parents, "id");
    let facts = facts(vec![parents, children]);
    let alone = refusal(&facts, vec![alter_type("parents", "id", "uuid", Some("id::uuid"))]);
    assert!(alone[0].why.contains("no operator"), "{alone:?}");
    let made = plan(
        &facts,
        vec![
            alter_type("parents", "id", "uuid", Some("id::uuid")),
            alter_type("children", "parent", "uuid", Some("parent::uuid")),
        ],
    );
    let swaps = made.steps().filter(|step| step.title.starts_with("put the new column")).count();
    assert_eq!(swaps, 1);
    let all: String = statements(&made).into_iter().map(|(_, text)| format!("{text}\n")).collect();
    assert!(all.contains(r#"FOREIGN KEY ("_shoofly_parent") REFERENCES "public"."parents" ("_shoofly_id") NOT VALID"#));
}
