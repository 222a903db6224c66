//! `ALTER TABLE`, clause by clause.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AlterColumnOption, AlterTableAction, AstNode, Constraint};

use super::{Reader, SUPPORTED, spoken};
use crate::name::{Ident, WrittenName};
use crate::op::{
    AddColumn, AlterColumnType, DropColumn, DropDefault, DropNotNull, Expr, Operation, SetDefault, SetNotNull,
};
use crate::sql::Flaw;
use crate::sql::postgres::tree;

/// Words that look like types and are a column, a sequence and a default.
const SERIALS: [&str; 6] = ["smallserial", "serial", "bigserial", "serial2", "serial4", "serial8"];

impl Reader<'_> {
    pub(super) fn alter_table(&self, alter: &ast::AlterTable) -> Result<Vec<Operation>, Vec<Flaw>> {
        let mut flaws = Vec::new();
        if let Some(all) = alter.all_in_tablespace() {
            return Err(vec![unsupported(all.syntax(), "ALTER TABLE ALL IN TABLESPACE")]);
        }
        if let Some(if_exists) = alter.if_exists() {
            flaws.push(Flaw::new(
                tree::span(if_exists.syntax()),
                "ALTER TABLE IF EXISTS is not supported",
                "leave IF EXISTS away: a table that is missing is then reported before anything is changed",
            ));
        }
        let table = match self.table(alter.table_relation_name()) {
            Ok(table) => table,
            Err(flaw) => {
                flaws.push(flaw);
                return Err(flaws);
            }
        };
        let mut operations = Vec::new();
        for action in alter.actions() {
            match self.action(&table, &action) {
                Ok(operation) => operations.push(operation),
                Err(flaw) => flaws.push(flaw),
            }
        }
        if operations.is_empty() && flaws.is_empty() {
            flaws.push(Flaw::new(tree::span(alter.syntax()), "the statement changes nothing", SUPPORTED));
        }
        if flaws.is_empty() { Ok(operations) } else { Err(flaws) }
    }

    /// The table's name. `ONLY` and `*` differ from nothing for a table without children; with children the planner
    /// refuses anyway, but `ONLY` would then mean something else than what is planned.
    pub(super) fn table(&self, relation: Option<ast::TableRelationName>) -> Result<WrittenName, Flaw> {
        let relation = self.part(relation)?;
        if let Some(only) = relation.only_token() {
            let range = usize::from(only.text_range().start())..usize::from(only.text_range().end());
            return Err(Flaw::new(range, "ONLY is not supported", "leave ONLY away"));
        }
        tree::written_name(relation.syntax())
    }

    fn action(&self, table: &WrittenName, action: &AlterTableAction) -> Result<Operation, Flaw> {
        match action {
            AlterTableAction::AddColumn(add) => self.add_column(table, add),
            AlterTableAction::DropColumn(drop) => {
                let behavior = drop.drop_behavior();
                Ok(Operation::DropColumn(DropColumn {
                    table: table.clone(),
                    column: self.column(drop.column_name_ref())?,
                    if_exists: drop.if_exists().is_some(),
                    cascade: matches!(behavior, Some(ast::DropBehavior::Cascade(_))),
                    down: None,
                }))
            }
            AlterTableAction::AlterColumn(alter) => self.alter_column(table, alter),
            other => {
                let what = format!("ALTER TABLE … {}", spoken(other.syntax()));
                Err(unsupported(other.syntax(), &what))
            }
        }
    }

    fn column(&self, name: Option<ast::ColumnNameRef>) -> Result<Ident, Flaw> {
        tree::ident(self.part(name)?.syntax())
    }

    fn add_column(&self, table: &WrittenName, add: &ast::AddColumn) -> Result<Operation, Flaw> {
        let column = tree::ident(self.part(add.column_name())?.syntax())?;
        let mut made = AddColumn {
            table: table.clone(),
            column,
            if_not_exists: add.if_not_exists().is_some(),
            type_sql: self.text(self.part(add.ty())?.syntax()),
            collation: add.collate().map(|collate| self.collation(collate.syntax())),
            default: None,
            not_null: false,
            up: None,
            other_clauses: Vec::new(),
        };
        if SERIALS.contains(&made.type_sql.to_ascii_lowercase().as_str()) {
            made.other_clauses.push(made.type_sql.clone());
        }
        if let Some(options) = add.alter_option_list() {
            made.other_clauses.push(self.text(options.syntax()));
        }
        for constraint in add.constraints() {
            self.constraint(&mut made, &constraint)?;
        }
        Ok(Operation::AddColumn(made))
    }

    /// A constraint with a name or options of its own is more than the plain clause, and kept as written.
    fn constraint(&self, made: &mut AddColumn, constraint: &Constraint) -> Result<(), Flaw> {
        let plain = constraint.syntax().children().all(|child| ast::Expr::can_cast(child.kind()));
        match constraint {
            Constraint::NotNullConstraint(_) if plain => made.not_null = true,
            Constraint::NullConstraint(_) if plain => {}
            Constraint::DefaultConstraint(default) if plain && made.default.is_none() => {
                made.default = Some(Expr(self.text(self.part(default.expr())?.syntax())));
            }
            other => made.other_clauses.push(self.text(other.syntax())),
        }
        Ok(())
    }

    /// What follows `COLLATE`.
    fn collation(&self, collate: &SyntaxNode) -> String {
        collate.children().last().map(|name| self.text(&name)).unwrap_or_default()
    }

    fn alter_column(&self, table: &WrittenName, alter: &ast::AlterColumn) -> Result<Operation, Flaw> {
        let column = self.column(alter.column_name_ref())?;
        let table = table.clone();
        Ok(match self.part(alter.option())? {
            AlterColumnOption::SetType(set) => {
                let using = match set.using_expr() {
                    Some(using) => Some(Expr(self.text(self.part(using.expr())?.syntax()))),
                    None => None,
                };
                Operation::AlterColumnType(AlterColumnType {
                    table,
                    column,
                    type_sql: self.text(self.part(set.ty())?.syntax()),
                    collation: set.collate().map(|collate| self.collation(collate.syntax())),
                    using,
                    down: None,
                })
            }
            AlterColumnOption::SetNotNull(_) => Operation::SetNotNull(SetNotNull { table, column, up: None }),
            AlterColumnOption::DropNotNull(_) => Operation::DropNotNull(DropNotNull { table, column }),
            AlterColumnOption::SetDefault(set) => {
                let default = Expr(self.text(self.part(set.expr())?.syntax()));
                Operation::SetDefault(SetDefault { table, column, default })
            }
            AlterColumnOption::DropDefault(_) => Operation::DropDefault(DropDefault { table, column }),
            other => {
                let what = format!("ALTER TABLE … ALTER COLUMN … {}", spoken(other.syntax()));
                return Err(unsupported(alter.syntax(), &what));
            }
        })
    }
}

fn unsupported(node: &SyntaxNode, what: &str) -> Flaw {
    Flaw::new(tree::span(node), format!("{what} is not supported"), format!("run it with another tool; {SUPPORTED}"))
}
