//! What an application does with its table, as text: a description, from which its statements are made.

/// A row of the application's: the number that its key is made of, and the number that its unique values are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What `{n}` stands for.
    pub number: i64,
    /// What `{v}` stands for in unique columns.
    pub value: i64,
}

/// Between the values of two rows that a table is filled with.
pub const SPACING: i64 = 1_000;

impl Row {
    /// A row that the table is filled with.
    #[must_use]
    pub fn loaded(number: i64) -> Self {
        Self { number, value: number * SPACING }
    }
}

/// A table as its application knows it: expressions that make a key of a number `{n}`, and values of a number `{v}`.
///
/// ```
/// use shoofly_tests::mysql::App;
///
/// let app = App::new("t").key("id", "{n}").writes("name", "CONCAT('name ', {v})").unique("place", "{v}");
/// assert_eq!(app.table(), "t");
/// ```
#[derive(Debug, Clone)]
pub struct App {
    table: String,
    key: Vec<(String, String)>,
    numbered: Numbered,
    habits: Habits,
    columns: Vec<Column>,
}

/// What the application does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Habits {
    /// There is no such thing.
    All,
    /// It changes no keys.
    KeepsKeys,
    /// It changes no keys and removes no rows.
    KeepsRows,
    /// Nor does it write new ones.
    OnlyUpdates,
}

/// Who makes the numbers of new rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbered {
    ByApplication,
    ByServer,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    expression: String,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Any value at any time.
    Plain,
    /// No two rows have the same.
    Unique,
    /// Written with the row, never again.
    Once,
}

/// A statement with its numbers, for either protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// With the numbers in it.
    pub text: String,
    /// With `?` in their stead.
    pub prepared: String,
    /// The numbers, in the order of `prepared`.
    pub values: Vec<i64>,
    /// How many rows it must find, change or write.
    pub rows: u64,
    /// What these rows are.
    pub effect: Effect,
}

/// What a statement's rows are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effect {
    /// Returned.
    #[default]
    Returns,
    /// Changed or written.
    Changes,
}

impl Statement {
    fn new(effect: Effect, rows: u64) -> Self {
        Self { effect, rows, ..Self::default() }
    }

    fn push(&mut self, sql: &str) -> &mut Self {
        self.text.push_str(sql);
        self.prepared.push_str(sql);
        self
    }

    /// Appends an expression of `{n}` and `{v}`.
    fn expression(&mut self, template: &str, row: Row) -> &mut Self {
        let mut rest = template;
        while let Some(at) = rest.find("{n}").into_iter().chain(rest.find("{v}")).min() {
            let (before, after) = rest.split_at(at);
            let value = if after.starts_with("{n}") { row.number } else { row.value };
            self.push(before);
            // A sign of its own could meet another one.
            self.text.push_str(&if value < 0 { format!("({value})") } else { value.to_string() });
            self.prepared.push('?');
            self.values.push(value);
            rest = &after[3..];
        }
        self.push(rest)
    }
}

impl App {
    /// An application that knows of `table` and nothing of it yet.
    #[must_use]
    pub fn new(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            key: Vec::new(),
            numbered: Numbered::ByApplication,
            habits: Habits::All,

            columns: Vec::new(),
        }
    }

    /// A column of the primary key, made of `{n}`; columns of a composite one in their order. Different numbers give
    /// different keys.
    #[must_use]
    pub fn key(mut self, column: &str, expression: &str) -> Self {
        self.key.push((column.to_owned(), expression.to_owned()));
        self
    }

    /// The primary key is this signed `AUTO_INCREMENT` column, and new rows get their numbers from the server. Keys that
    /// are changed become negative: the server never comes there.
    #[must_use]
    pub fn auto_increment(self, column: &str) -> Self {
        Self { numbered: Numbered::ByServer, ..self.key(column, "{n}") }
    }

    /// Keys of rows never change.
    #[must_use]
    pub fn keeps_keys(self) -> Self {
        Self { habits: Habits::KeepsKeys, ..self }
    }

    /// Keys of rows never change, and no row is removed.
    #[must_use]
    pub fn keeps_rows(self) -> Self {
        Self { habits: Habits::KeepsRows, ..self }
    }

    /// Rows are changed, and neither written nor removed nor given other keys.
    #[must_use]
    pub fn only_updates(self) -> Self {
        Self { habits: Habits::OnlyUpdates, ..self }
    }

    /// A column that is written with values made of `{v}`, any number from 0 to 10,000,000; instead
    /// of those that it was written with, should it be known already.
    #[must_use]
    pub fn writes(self, column: &str, expression: &str) -> Self {
        self.column(column, expression, Role::Plain)
    }

    /// A column that is unique; different numbers `{v}` give different values, and numbers that
    /// follow each other values that do.
    #[must_use]
    pub fn unique(self, column: &str, expression: &str) -> Self {
        self.column(column, expression, Role::Unique)
    }

    /// A column that is written by inserts only, with a value made of `{n}` and `{v}`.
    #[must_use]
    pub fn inserts(self, column: &str, expression: &str) -> Self {
        self.column(column, expression, Role::Once)
    }

    fn column(mut self, name: &str, expression: &str, role: Role) -> Self {
        let column = Column { name: name.to_owned(), expression: expression.to_owned(), role };
        match self.columns.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = column,
            None => self.columns.push(column),
        }
        self
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Whether the server makes the numbers of new rows.
    #[must_use]
    pub fn is_numbered_by_server(&self) -> bool {
        self.numbered == Numbered::ByServer
    }

    /// Whether keys of rows may change.
    #[must_use]
    pub fn changes_keys(&self) -> bool {
        self.habits < Habits::KeepsKeys
    }

    /// Whether rows may be removed.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.habits < Habits::KeepsRows
    }

    /// Whether there may be new rows.
    #[must_use]
    pub fn inserts_rows(&self) -> bool {
        self.habits < Habits::OnlyUpdates
    }

    /// Places of the columns that updates may write.
    #[must_use]
    pub fn plain(&self) -> Vec<usize> {
        self.places(Role::Plain)
    }

    /// Places of the unique columns.
    #[must_use]
    pub fn uniques(&self) -> Vec<usize> {
        self.places(Role::Unique)
    }

    fn places(&self, role: Role) -> Vec<usize> {
        let those = self.columns.iter().enumerate().filter(|(_, column)| column.role == role);
        those.map(|(at, _)| at).collect()
    }

    fn names<'a>(&'a self, key: &'a [(String, String)]) -> String {
        let names = key.iter().map(|(name, _)| name).chain(self.columns.iter().map(|column| &column.name));
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }

    fn templates<'a>(&'a self, key: &'a [(String, String)]) -> impl Iterator<Item = &'a str> {
        let columns = self.columns.iter().map(|column| column.expression.as_str());
        key.iter().map(|(_, expression)| expression.as_str()).chain(columns)
    }

    /// Fills the table with rows of the numbers 1 to `rows`, at most 10,000.
    #[must_use]
    pub fn load(&self, rows: u32) -> String {
        let value = format!("(s.n * {SPACING})");
        let values: Vec<String> =
            self.templates(&self.key).map(|template| template.replace("{n}", "s.n").replace("{v}", &value)).collect();
        let digits = "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
            UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
        format!(
            "INSERT INTO `{}` ({}) SELECT {} FROM (SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n
             FROM {digits} a, {digits} b, {digits} c, {digits} e) s WHERE s.n <= {rows}",
            self.table,
            self.names(&self.key),
            values.join(", ")
        )
    }

    /// Writes rows with their keys.
    #[must_use]
    pub fn insert(&self, rows: &[Row]) -> Statement {
        self.insert_with(&self.key, rows)
    }

    /// Writes rows whose keys the server makes.
    #[must_use]
    pub fn insert_numbered(&self, rows: &[Row]) -> Statement {
        self.insert_with(&[], rows)
    }

    fn insert_with(&self, key: &[(String, String)], rows: &[Row]) -> Statement {
        let mut statement = Statement::new(Effect::Changes, rows.len() as u64);
        statement.push(&format!("INSERT INTO `{}` ({}) VALUES ", self.table, self.names(key)));
        for (at, row) in rows.iter().enumerate() {
            statement.push(if at == 0 { "(" } else { ", (" });
            for (at, template) in self.templates(key).enumerate() {
                statement.push(if at == 0 { "" } else { ", " }).expression(template, *row);
            }
            statement.push(")");
        }
        statement
    }

    /// Gives the column at `place` the value of `row`, which keeps its key.
    #[must_use]
    pub fn update(&self, place: usize, row: Row) -> Statement {
        let column = &self.columns[place];
        let mut statement = Statement::new(Effect::Changes, 1);
        statement.push(&format!("UPDATE `{}` SET `{}` = ", self.table, column.name));
        statement.expression(&column.expression, row);
        self.of(statement, row.number)
    }

    /// Gives a row another key.
    #[must_use]
    pub fn change_key(&self, from: i64, to: i64) -> Statement {
        let mut statement = Statement::new(Effect::Changes, 1);
        statement.push(&format!("UPDATE `{}` SET ", self.table));
        for (at, (name, expression)) in self.key.iter().enumerate() {
            statement.push(&format!("{}`{name}` = ", if at == 0 { "" } else { ", " }));
            statement.expression(expression, Row { number: to, value: to });
        }
        self.of(statement, from)
    }

    /// Removes a row.
    #[must_use]
    pub fn delete(&self, number: i64) -> Statement {
        let mut statement = Statement::new(Effect::Changes, 1);
        statement.push(&format!("DELETE FROM `{}`", self.table));
        self.of(statement, number)
    }

    /// Reads a row.
    #[must_use]
    pub fn read(&self, number: i64) -> Statement {
        let mut statement = Statement::new(Effect::Returns, 1);
        statement.push(&format!("SELECT {} FROM `{}`", self.names(&self.key), self.table));
        self.of(statement, number)
    }

    /// Reads a row and keeps it locked.
    #[must_use]
    pub fn lock(&self, number: i64) -> Statement {
        let mut statement = self.read(number);
        statement.push(" FOR UPDATE");
        statement
    }

    fn of(&self, mut statement: Statement, number: i64) -> Statement {
        for (at, (name, expression)) in self.key.iter().enumerate() {
            statement.push(&format!("{}`{name}` = ", if at == 0 { " WHERE " } else { " AND " }));
            statement.expression(expression, Row { number, value: number });
        }
        statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_statements_for_both_protocols() {
        let app = App::new("t").key("w", "{n} % 3").key("id", "{n}").writes("c", "CONCAT({v}, '-', {n})");
        let update = app.update(0, Row { number: -7, value: 5 });
        assert_eq!(update.text, "UPDATE `t` SET `c` = CONCAT(5, '-', (-7)) WHERE `w` = (-7) % 3 AND `id` = (-7)");
        assert_eq!(update.prepared, "UPDATE `t` SET `c` = CONCAT(?, '-', ?) WHERE `w` = ? % 3 AND `id` = ?");
        assert_eq!(update.values, [5, -7, -7, -7]);
        let rows = [Row { number: 1, value: 2 }, Row { number: 3, value: 4 }];
        let insert = app.insert(&rows);
        assert_eq!(
            insert.text,
            "INSERT INTO `t` (`w`, `id`, `c`) VALUES (1 % 3, 1, CONCAT(2, '-', 1)), (3 % 3, 3, CONCAT(4, '-', 3))"
        );
        assert_eq!(insert.rows, 2);
        let app = App::new("t").auto_increment("id").writes("c", "{v}");
        assert_eq!(app.insert_numbered(&rows).text, "INSERT INTO `t` (`c`) VALUES (2), (4)");
    }
}
