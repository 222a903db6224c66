use super::fixture::*;
use crate::plan::{Plan, Strategy, render};

fn accounts() -> crate::facts::Facts {
    let mut accounts = with_primary_key(
        table(
            "pgbench_accounts",
            vec![column("aid", "integer"), column("bid", "integer"), column("abalance", "integer")],
        ),
        &["aid"],
    );
    let mut history = table("pgbench_history", vec![column("tid", "integer"), column("aid", "integer")]);
    link(&mut history, "aid", &mut accounts, "aid");
    facts(vec![accounts, history])
}

fn widened() -> Plan {
    plan(&accounts(), vec![alter_type("pgbench_accounts", "aid", "bigint", None)])
}

#[test]
fn prints() {
    println!("{}", render::render(&widened()));
    println!(
        "{}",
        render::render(&plan(
            &accounts(),
            vec![alter_type("pgbench_accounts", "abalance", "uuid", Some("abalance::text::uuid"))]
        ))
    );
}
