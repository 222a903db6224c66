//! A small builder of facts: what a test does not say is unremarkable.

use crate::dialect::postgres::planner;
use crate::error::{Error, Problem};
use crate::facts::{CastFacts, CastMethod, Census, Facts, TypeFacts};
use crate::name::{Ident, QualifiedName, WrittenName};
use crate::op::{AlterColumnType, Expr, Operation};
use crate::plan::{Action, Direction, Plan};
use crate::schema::*;
use crate::settings::Settings;
use crate::source::{Migration, Script, Statement};

pub(super) fn ident(name: &str) -> Ident {
    name.parse().unwrap()
}

pub(super) fn public(name: &str) -> QualifiedName {
    QualifiedName::new(ident("public"), ident(name))
}

fn written(name: &str) -> WrittenName {
    WrittenName { schema: None, name: ident(name) }
}

/// The oid of a type in these tests: its place in a list.
fn oid(type_sql: &str) -> u32 {
    const KNOWN: [&str; 14] = [
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "text",
        "character varying",
        "uuid",
        "boolean",
        "jsonb",
        "date",
        "timestamp without time zone",
        "timestamp with time zone",
        "character",
        "double precision",
    ];
    let base = type_sql.split('(').next().unwrap_or_default();
    KNOWN.iter().position(|known| *known == base).map_or(99, |place| u32::try_from(place).unwrap() + 1)
}

pub(super) fn column(name: &str, type_sql: &str) -> Column {
    Column {
        number: 0,
        name: ident(name),
        type_sql: type_sql.to_owned(),
        type_oid: oid(type_sql),
        collation: None,
        not_null: false,
        default: None,
        identity: None,
        owned_sequences: Vec::new(),
        generated: None,
        statistics_target: None,
        storage: None,
        compression: None,
        options: Vec::new(),
        grants: Vec::new(),
        comment: None,
    }
}

pub(super) fn table(name: &str, columns: Vec<Column>) -> Table {
    Table {
        oid: 0,
        name: public(name),
        kind: TableKind::Ordinary,
        owner: "app".to_owned(),
        owned_by_us: true,
        schema_open_to_us: true,
        unlogged: false,
        partition_key: None,
        parents: Vec::new(),
        children: Vec::new(),
        of_type: None,
        columns,
        indexes: Vec::new(),
        constraints: Vec::new(),
        referenced_by: Vec::new(),
        triggers: Vec::new(),
        dependents: Vec::new(),
        row_security: RowSecurity { enabled: false, forced: false },
        policies: Vec::new(),
        grants: Vec::new(),
        comment: None,
        statistics: Vec::new(),
        publications: Vec::new(),
        replica_identity: ReplicaIdentity::Default,
        options: Vec::new(),
        tablespace: None,
        access_method: Some("heap".to_owned()),
        row_type_uses: Vec::new(),
        blocks: 1000,
        total_bytes: 10_000_000,
        estimated_rows: 100_000,
    }
}

pub(super) fn index(table: &Table, name: &str, columns: &[&str]) -> Index {
    Index {
        oid: 0,
        name: public(name),
        definition: format!(
            "CREATE INDEX {name} ON public.{} USING btree ({})",
            table.name.name.as_str(),
            columns.join(", ")
        ),
        method: "btree".to_owned(),
        key_columns: columns.iter().map(|name| ident(name)).collect(),
        include_columns: Vec::new(),
        column_names: Vec::new(),
        depends_on: columns.iter().map(|name| ident(name)).collect(),
        has_expressions: false,
        predicate: None,
        unique: false,
        immediate: true,
        valid: true,
        clustered: false,
        replica_identity: false,
        constraint: None,
        options: Vec::new(),
        tablespace: None,
        statistics_targets: Vec::new(),
        comment: None,
        bytes: 1_000_000,
    }
}

pub(super) fn constraint(name: &str, kind: ConstraintKind, columns: &[&str]) -> Constraint {
    Constraint {
        name: ident(name),
        kind,
        definition: String::new(),
        columns: columns.iter().map(|name| ident(name)).collect(),
        validated: true,
        deferrable: false,
        deferred: false,
        no_inherit: false,
        inherited: false,
        comment: None,
    }
}

pub(super) fn with_primary_key(mut table: Table, columns: &[&str]) -> Table {
    let name = format!("{}_pkey", table.name.name.as_str());
    let mut index = index(&table, &name, columns);
    index.definition = index.definition.replace("CREATE INDEX", "CREATE UNIQUE INDEX");
    index.unique = true;
    index.constraint = Some(ident(&name));
    table.constraints.push(constraint(&name, ConstraintKind::PrimaryKey { index: public(&name) }, columns));
    table.indexes.push(index);
    for column in &mut table.columns {
        column.not_null |= columns.contains(&column.name.as_str());
    }
    table
}

/// Links `from.column` to `to.key` on both sides.
pub(super) fn link(from: &mut Table, column: &str, to: &mut Table, key: &str) {
    let key = ForeignKey {
        name: ident(&format!("{}_{column}_fkey", from.name.name.as_str())),
        from: from.name.clone(),
        from_columns: vec![ident(column)],
        to: to.name.clone(),
        to_columns: vec![ident(key)],
        match_full: false,
        on_update: "NO ACTION".to_owned(),
        on_delete: "NO ACTION".to_owned(),
        on_delete_columns: Vec::new(),
        deferrable: false,
        deferred: false,
        validated: true,
        comment: None,
        from_partitioned: false,
        from_owned_by_us: true,
    };
    from.constraints.push(constraint(key.name.as_str(), ConstraintKind::ForeignKey(key.clone()), &[column]));
    to.referenced_by.push(key);
}

/// Casts of the server that these tests need, and types that migrations name.
const CASTS: [(&str, &str, char); 8] = [
    ("text", "character varying", 'i'),
    ("smallint", "integer", 'i'),
    ("integer", "bigint", 'i'),
    ("bigint", "integer", 'a'),
    ("integer", "numeric", 'i'),
    ("integer", "text", 'a'),
    ("text", "integer", 'e'),
    ("text", "uuid", 'e'),
];
const TYPES: [&str; 10] = [
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "text",
    "character varying(5)",
    "character varying(50)",
    "uuid",
    "jsonb",
    "timestamp with time zone",
];

pub(super) fn facts(tables: Vec<Table>) -> Facts {
    let known = |name: &&str| TypeFacts {
        written: (*name).to_owned(),
        canonical: (*name).to_owned(),
        oid: oid(name),
        kind: 'b',
        has_equality: true,
        collation: None,
        storage: "plain".to_owned(),
        length: -1,
    };
    let cast = |(from, to, context): &(&str, &str, char)| CastFacts {
        from: oid(from),
        to: oid(to),
        method: CastMethod::Function,
        context: *context,
    };
    let resolved = |table: &Table| (written(table.name.name.as_str()), table.name.clone());
    Facts {
        resolved: tables.iter().map(resolved).collect(),
        catalogue: Catalogue { server: server(), tables },
        indexes: Vec::new(),
        types: TYPES.iter().map(known).collect(),
        casts: CASTS.iter().map(cast).collect(),
        functions: Vec::new(),
        census: Census::default(),
    }
}

fn server() -> Server {
    Server {
        version: 150_018,
        database: "app".to_owned(),
        role: "app".to_owned(),
        superuser: false,
        standby: false,
        may_silence_triggers: false,
        deadlock_timeout_ms: 1000,
        block_size: 8192,
        logical_wal: false,
    }
}

pub(super) fn alter_type(table: &str, column: &str, type_sql: &str, using: Option<&str>) -> Operation {
    Operation::AlterColumnType(AlterColumnType {
        table: written(table),
        column: ident(column),
        type_sql: type_sql.to_owned(),
        collation: None,
        using: using.map(|text| Expr(text.to_owned())),
        down: None,
    })
}

pub(super) fn try_plan(facts: &Facts, operations: Vec<Operation>) -> Result<Plan, Error> {
    let statements = operations
        .into_iter()
        .enumerate()
        .map(|(number, operation)| Statement {
            sql: String::new(),
            place: format!("m.sql:{}", number + 1),
            operations: vec![operation],
            ..Statement::default()
        })
        .collect();
    let migration =
        Migration { name: "m".to_owned(), path: None, checksum: String::new(), up: Script { statements }, down: None };
    planner::plan(&migration, Direction::Up, facts, &Settings::default())
}

pub(super) fn plan(facts: &Facts, operations: Vec<Operation>) -> Plan {
    try_plan(facts, operations).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn refusal(facts: &Facts, operations: Vec<Operation>) -> Vec<Problem> {
    match try_plan(facts, operations) {
        Err(Error::Refused(problems)) => problems,
        Err(error) => panic!("{error}"),
        Ok(plan) => panic!("planned: {plan:?}"),
    }
}

/// Every statement of a plan with the identity of its step, in order.
pub(super) fn statements(plan: &Plan) -> Vec<(String, String)> {
    let mut made = Vec::new();
    for step in plan.steps() {
        let texts: Vec<String> = match &step.action {
            Action::Transaction { statements, .. } => {
                statements.iter().map(|statement| statement.as_str().to_owned()).collect()
            }
            Action::BuildIndex { statement, .. } | Action::DropIndex { statement, .. } => {
                vec![statement.as_str().to_owned()]
            }
            Action::Fill(fill) => vec![format!("fill where {}", fill.pending.as_str())],
            Action::Verify { .. } => vec!["verify".to_owned()],
            Action::AwaitSnapshots => vec!["await".to_owned()],
            Action::Native(_) | Action::Shadow { .. } | Action::Rows { .. } => Vec::new(),
        };
        made.extend(texts.into_iter().map(|text| (step.id.0.clone(), text)));
    }
    made
}
