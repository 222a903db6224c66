//! A column beside another one, which takes its place in the end: how it comes, how it is kept in step, how it takes over.
//!
//! It is invisible until then: `SELECT *` and an `INSERT` without a list of columns do not know it.

use super::compare::{becomes, is_exact, may_cut_off, members};
use super::literal::Text;
use super::{names, native, rows, value};
use crate::plan::rows::Rows;
use crate::plan::shadow::{Copied, KeyedRows, NativeAlter, NativeWay};
use crate::schema::mysql::{Column, Table, TablePath};
use crate::sql;
use crate::sql::mysql::mode::Product;
use crate::sql::mysql::name::Name;
use crate::text::{AsSql, Sql};

/// Timestamps have no columns beside them.
const NO_ZONE: &str = "+00:00";

/// What a column is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// In the catalogue's words.
    pub column: Column,
    /// What stands behind its name in a statement that makes it.
    pub definition: Sql,
    /// The column before it, the first one has none.
    pub behind: Option<Name>,
}

impl Wanted {
    /// As a table has it that the statement was carried out on.
    #[must_use]
    pub fn of(after: &Table, name: &Name) -> Option<Self> {
        let at = after.columns.iter().position(|column| column.name.same_as(name.as_str()))?;
        let column = after.columns.get(at)?.clone();
        let start = format!("{} ", column.name.as_sql());
        let line = after.create_sql.lines().find_map(|line| line.trim_start().strip_prefix(&start))?;
        let definition = Sql::raw(line.strip_suffix(',').unwrap_or(line));
        let behind = at.checked_sub(1).and_then(|at| after.columns.get(at)).map(|column| column.name.clone());
        Some(Self { column, definition, behind })
    }
}

/// A column and the one beside it.
#[derive(Debug, Clone)]
pub struct Dual {
    /// The column, and the one beside it under the name that it has until it takes over.
    pair: Copied,
    wanted: Wanted,
    /// What stands in a row that was not filled yet, and where the new type does not take a value.
    empty: Sql,
}

impl Dual {
    /// # Errors
    /// Why there is no such column.
    pub fn of(product: Product, before: &Column, wanted: Wanted) -> Result<Self, String> {
        if [before, &wanted.column].iter().any(|column| column.data_type == "timestamp") {
            let why = "what a TIMESTAMP means depends on the time zone of the session that writes it, and triggers run in any";
            return Err(why.to_owned());
        }
        let empty = empty(product, &wanted.column).ok_or_else(|| {
            format!(
                "no constant stands for a row that was not filled yet, as the type is {}",
                wanted.column.column_type
            )
        })?;
        if !is_exact(before, &wanted.column) {
            return Err(format!(
                "a value of type {} that {} does not take cannot be told from one that it takes once it is written",
                before.column_type, wanted.column.column_type
            ));
        }
        let after = Column { name: names::derived(&before.name, "_shoofly"), ..wanted.column.clone() };
        Ok(Self { pair: Copied { before: before.clone(), after }, wanted, empty })
    }

    /// The column, as it is.
    #[must_use]
    pub fn before(&self) -> &Column {
        &self.pair.before
    }

    /// The one beside it.
    #[must_use]
    pub fn beside(&self) -> &Column {
        &self.pair.after
    }

    /// Whether the server would have to look at each row for a condition of the definition.
    #[must_use]
    pub fn has_check(&self) -> bool {
        self.wanted.definition.as_str().to_uppercase().contains("CHECK (")
    }

    /// The clause that makes the column. NOT NULL and a constant are there from the start: to add them later would write the rows
    /// anew, and until there are triggers inserts need one.
    #[must_use]
    pub fn add(&self) -> Sql {
        let column = &self.pair.after;
        let nulls = match column.nullable {
            true => Sql::raw("NULL"),
            false => sql!("NOT NULL DEFAULT {e}", e = self.empty),
        };
        let place = match &self.wanted.behind {
            Some(other) => sql!("AFTER {other}", other = other),
            None => Sql::raw("FIRST"),
        };
        sql!(
            "ADD COLUMN {c} {t} {nulls} INVISIBLE {place}",
            c = column.name,
            t = rows::declared_type(column),
            nulls = nulls,
            place = place,
        )
    }

    /// The clauses by which it takes the other one's place, and its name.
    #[must_use]
    pub fn replace(&self) -> Sql {
        sql!(
            "DROP COLUMN {old}, CHANGE COLUMN {new} {to} {definition}",
            old = self.pair.before.name,
            new = self.pair.after.name,
            to = self.wanted.column.name,
            definition = self.wanted.definition,
        )
    }

    /// True for a row whose value is not the one that it should have.
    #[must_use]
    pub fn pending(&self) -> Sql {
        sql!("NOT ({same})", same = self.same())
    }

    fn same(&self) -> Sql {
        becomes(NO_ZONE, &self.pair, ["", ""])
    }

    /// True for a row that may not be left so: one whose value is not the one that it should have, or one cut off.
    #[must_use]
    pub fn violation(&self) -> Sql {
        self.or_too_large(self.pending())
    }

    /// True for a row whose value does not fit, as far as reading tells; raises an error for one that cannot be computed.
    #[must_use]
    pub fn unfit(&self) -> Sql {
        self.or_too_large(sql!("({same}) < 0", same = self.computed()))
    }

    /// The same comparison, of a table that has not got the column yet.
    fn computed(&self) -> Sql {
        let after = Column { name: self.pair.before.name.clone(), ..self.pair.after.clone() };
        becomes(NO_ZONE, &Copied { before: self.pair.before.clone(), after }, ["", ""])
    }

    fn or_too_large(&self, condition: Sql) -> Sql {
        let old = sql!("{c}", c = self.pair.before.name);
        match value::too_large(&self.pair.after, &old).or_else(|| too_long(&self.pair.after, &old)) {
            Some(too_large) => sql!("{condition} OR {too_large}", condition = condition, too_large = too_large),
            None => condition,
        }
    }

    /// Makes the triggers. A value that the new type does not take is noted in the ledger, and the column gets its empty value,
    /// which no comparison takes for the right one.
    ///
    /// Lock: as [`rows::create`].
    #[must_use]
    pub fn follow(&self, made: &Rows) -> Vec<Sql> {
        let (old, new) = (&self.pair.before, &self.pair.after);
        let missing = match (old.nullable, new.nullable) {
            (true, false) => sql!(
                "IF shoofly_failed = 0 AND shoofly_1 IS NULL THEN \
                 SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1048, MESSAGE_TEXT = {text}; END IF; ",
                text = Text(&format!("Column '{}' cannot be null", self.wanted.column.name.as_str()))
            ),
            _ => Sql::raw(""),
        };
        let work = sql!(
            "SET shoofly_1 = NEW.{old}; {missing}\
             IF shoofly_failed = 0 THEN SET NEW.{new} = shoofly_1; ELSE SET NEW.{new} = {empty}; END IF;",
            old = old.name,
            missing = missing,
            new = new.name,
            empty = self.empty,
        );
        let caught = if may_cut_off(old, new) { "SQLEXCEPTION, 1265" } else { "SQLEXCEPTION" };
        let declared = sql!("DECLARE shoofly_1 {t};", t = rows::declared_type(new));
        rows::with_body(made, &rows::noting(made, caught, &declared, &work))
    }

    /// The triggers go and the column takes over: to be run one by one under one write lock. The triggers first, as the server
    /// does not change their texts: every write would fail.
    ///
    /// Lock: `EXCLUSIVE` (metadata) on the table.
    #[must_use]
    pub fn take_over(&self, table: &TablePath) -> Vec<Sql> {
        let alter = NativeAlter {
            table: table.clone(),
            clauses: self.replace(),
            how: NativeWay::Instant,
            neighbours: Vec::new(),
            rows: KeyedRows::AsTheServerDoes,
        };
        rows::drop(table).into_iter().chain([native::alter(&alter)]).collect()
    }

    /// Whether it has taken over: `applied`, `absent` or, where somebody has taken columns away, `partial`.
    ///
    /// Lock: none.
    #[must_use]
    pub fn taken_over(&self, table: &TablePath) -> Sql {
        sql!(
            "SELECT IF(EXISTS ({beside}), 'absent', IF(EXISTS ({there}), 'applied', 'partial'))",
            beside = native::column_is_there(table, &self.pair.after.name),
            there = native::column_is_there(table, &self.wanted.column.name),
        )
    }
}

/// Whether bytes are more than the column can hold: a `CAST` would cut them off.
fn too_long(column: &Column, value: &Sql) -> Option<Sql> {
    let size = column.column_type.split(['(', ')']).nth(1)?.parse::<u32>().ok()?;
    let bytes = matches!(column.data_type.as_str(), "binary" | "varbinary");
    bytes.then(|| sql!("LENGTH({v}) > {size}", v = value, size = size))
}

/// A constant of the column's type, which its rows have before they are filled: NULL where it takes that. MySQL knows none for
/// large texts.
fn empty(product: Product, column: &Column) -> Option<Sql> {
    if column.nullable {
        return Some(Sql::raw("NULL"));
    }
    let text = |text: &str| Some(sql!("{t}", t = Text(text)));
    match column.data_type.as_str() {
        large if product == Product::MySql && ["text", "blob", "json"].iter().any(|word| large.ends_with(word)) => None,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float" | "double" | "year" => {
            Some(Sql::raw("0"))
        }
        "bit" => Some(Sql::raw("b'0'")),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "binary" | "varbinary" | "tinyblob"
        | "blob" | "mediumblob" | "longblob" | "set" => text(""),
        "enum" => members(&column.column_type).first().and_then(|first| text(first)),
        "date" => text("1970-01-01"),
        "datetime" => text("1970-01-01 00:00:00"),
        "time" => text("00:00:00"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(column_type: &str, nullable: bool) -> Column {
        let data_type = column_type.split(['(', ' ']).next().unwrap().to_owned();
        let text = matches!(data_type.as_str(), "varchar" | "text").then(|| "latin1".to_owned());
        Column {
            name: "c".parse().unwrap(),
            column_type: column_type.to_owned(),
            data_type,
            nullable,
            default: None,
            collation: text.clone().map(|text| format!("{text}_bin")),
            charset: text,
            auto_increment: false,
            generated: None,
            extra: String::new(),
            comment: String::new(),
        }
    }

    fn dual(product: Product, before: &str, after: &str) -> Result<Dual, String> {
        let wanted = Wanted {
            column: column(after, false),
            definition: Sql::raw(format!("{after} NOT NULL COMMENT 'x'")),
            behind: "a".parse().ok(),
        };
        Dual::of(product, &column(before, true), wanted)
    }

    #[test]
    fn a_column_comes_with_a_constant_and_goes_with_its_own_words() {
        let made = dual(Product::MariaDb, "int", "bigint").unwrap();
        assert_eq!(made.add().as_str(), "ADD COLUMN `c_shoofly` bigint NOT NULL DEFAULT 0 INVISIBLE AFTER `a`");
        assert_eq!(
            made.replace().as_str(),
            "DROP COLUMN `c`, CHANGE COLUMN `c_shoofly` `c` bigint NOT NULL COMMENT 'x'"
        );
        assert_eq!(made.pending().as_str(), "NOT (CAST(`c` AS SIGNED) <=> `c_shoofly`)");
    }

    #[test]
    fn mysql_knows_no_constants_for_texts() {
        let made = dual(Product::MariaDb, "varchar(20)", "text").unwrap();
        assert_eq!(
            made.add().as_str(),
            "ADD COLUMN `c_shoofly` text CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT '' INVISIBLE AFTER `a`"
        );
        assert!(dual(Product::MySql, "varchar(20)", "text").unwrap_err().contains("no constant"));
    }

    #[test]
    fn texts_become_no_numbers() {
        for (before, after) in
            [("varchar(20)", "int"), ("int", "date"), ("time", "datetime"), ("timestamp", "timestamp(6)")]
        {
            assert!(dual(Product::MySql, before, after).is_err(), "{before} to {after}");
        }
    }

    #[test]
    fn the_definition_is_the_servers_line() {
        let mut table = Table {
            path: TablePath::new("d".parse().unwrap(), "t".parse().unwrap()),
            kind: "BASE TABLE".to_owned(),
            engine: None,
            row_format: None,
            collation: None,
            comment: String::new(),
            create_sql: "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `c` bigint DEFAULT '5',\n  PRIMARY KEY (`a`)\n)"
                .to_owned(),
            columns: vec![column("int", false), column("bigint", true)],
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            referenced_by: Vec::new(),
            checks: Vec::new(),
            triggers: Vec::new(),
            partitions: Vec::new(),
            auto_increment: None,
            estimated_rows: 0,
            data_bytes: 0,
            index_bytes: 0,
            row_versions: None,
            views: Vec::new(),
        };
        table.columns[0].name = "a".parse().unwrap();
        let wanted = Wanted::of(&table, &"C".parse().unwrap()).unwrap();
        assert_eq!(wanted.definition.as_str(), "bigint DEFAULT '5'");
        assert_eq!(wanted.behind.unwrap().as_str(), "a");
        assert!(Wanted::of(&table, &"a".parse().unwrap()).unwrap().behind.is_none());
    }
}
