//! One statement → operations.

use std::ops::Range;

use super::mode::Mode;
use super::statement::{Other, Statement, Wait, read_statement};
use super::token::{Token, TokenKind, significant};
use crate::op::Operation;
use crate::sql::Flaw;

mod table;
mod update;

/// What can be written, for messages.
pub const SUPPORTED: &str =
    "supported are ALTER TABLE, CREATE INDEX, DROP INDEX, and UPDATE … SET … [WHERE …] of one table";

const OURS: &str = "remove it: shoofly chooses the algorithm and the lock itself";

/// What `sql`, one statement without directives, asks for, read as a server out of the box reads it.
///
/// # Errors
/// Everything in it that was not understood or is not supported, by its place in `sql`.
pub fn read_operations(sql: &str) -> Result<Vec<Operation>, Vec<Flaw>> {
    let mode = Mode::default();
    let statement = read_statement(sql, mode)?;
    let reader = Reader { sql, mode, tokens: significant(sql, mode) };
    match &statement {
        Statement::AlterTable(alter) => reader.alter_table(alter).map(|op| vec![op]),
        Statement::CreateIndex(create) => reader.create_index(create).map(|op| vec![op]),
        Statement::DropIndex(drop) => reader.drop_index(drop).map(|op| vec![op]),
        Statement::Update(update) => reader.update(update).map(|op| vec![op]),
        Statement::RenameTable(_) => Err(vec![reader.unsupported("RENAME TABLE")]),
        Statement::CreateTable(_) => Err(vec![reader.unsupported("CREATE TABLE")]),
        Statement::DropTable(_) => Err(vec![reader.unsupported("DROP TABLE")]),
        Statement::Truncate(_) => Err(vec![reader.unsupported("TRUNCATE")]),
        Statement::Other(other) => Err(vec![reader.other(other)]),
    }
}

/// A statement's text and tokens while it becomes an operation.
struct Reader<'a> {
    sql: &'a str,
    mode: Mode,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn text(&self, range: Range<usize>) -> &str {
        self.sql.get(range).unwrap_or_default()
    }

    /// A statement of a kind that is not supported.
    fn unsupported(&self, what: &str) -> Flaw {
        let advice = format!("run it with another tool; {SUPPORTED}");
        Flaw::new(self.first_line(), format!("{what} is not supported"), advice)
    }

    fn other(&self, other: &Other) -> Flaw {
        let advice = match other.word.as_str() {
            "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" => {
                "leave it away: shoofly makes its own transactions"
            }
            "LOCK" | "UNLOCK" => "leave it away: shoofly takes its own locks",
            "SET" => "leave it away: shoofly makes the settings of its sessions itself",
            "USE" => "leave it away: the URL names the database; another one's table is written `database.table`",
            "OPTIMIZE" => "write `ALTER TABLE t FORCE`: it makes the table anew as well, beside readers and writers",
            "-" if self.text(other.range.start..other.range.start + 2) == "--" => {
                let what = "`--` begins a comment only where a blank follows it";
                return Flaw::new(self.first_line(), what, "write a blank behind it");
            }
            _ => return self.unsupported(&self.spoken(&other.word)),
        };
        Flaw::new(self.first_line(), format!("{} is not supported", other.word), advice)
    }

    /// What a statement of another kind is called: `CREATE VIEW`, `INSERT`.
    fn spoken(&self, verb: &str) -> String {
        const OBJECTS: [&str; 14] = [
            "database",
            "event",
            "function",
            "package",
            "procedure",
            "role",
            "schema",
            "sequence",
            "server",
            "tablespace",
            "trigger",
            "user",
            "view",
            "table",
        ];
        if !matches!(verb, "ALTER" | "CREATE" | "DROP" | "RENAME") {
            return verb.to_owned();
        }
        let known = self.tokens.iter().take(12).find(|token| OBJECTS.iter().any(|word| token.is_word(self.sql, word)));
        let object = known.or_else(|| self.tokens.get(1).filter(|token| token.kind == TokenKind::Word));
        object.map_or_else(|| verb.to_owned(), |token| format!("{verb} {}", token.text(self.sql).to_uppercase()))
    }

    /// The range of the statement's first line: a caret under a whole statement helps nobody.
    fn first_line(&self) -> Range<usize> {
        let start = self.tokens.first().map_or(0, |token| token.range.start);
        let end = self.tokens.last().map_or(self.sql.len(), |token| token.range.end);
        let line = self.text(start..end).find(['\n', '\r']);
        start..line.map_or(end, |length| start + length)
    }

    /// The words between the verb and the kind of thing that it is about, one by one: `ONLINE`, `IGNORE`.
    fn noise(&self, flaws: &mut Vec<Flaw>, statement: &str) {
        let things = ["table", "index", "key", "unique", "fulltext", "spatial", "vector"];
        let between =
            self.tokens.iter().skip(1).take_while(|token| !things.iter().any(|word| token.is_word(self.sql, word)));
        for token in between {
            let word = token.text(self.sql).to_uppercase();
            let advice = match word.as_str() {
                "ONLINE" | "OFFLINE" => OURS,
                "IGNORE" => "leave it away: rows that do not fit are named, and not lost",
                _ => continue,
            };
            flaws.push(Flaw::new(token.range.clone(), format!("{statement} {word} is not supported"), advice));
        }
    }

    /// `WAIT n` or `NOWAIT` directly behind the table's name, which ends at byte `after`.
    fn wait(&self, wait: Option<Wait>, after: usize, flaws: &mut Vec<Flaw>) {
        let Some(wait) = wait else { return };
        let (word, length) = match wait {
            Wait::Seconds(_) => ("WAIT", 2),
            Wait::Not => ("NOWAIT", 1),
        };
        let advice = "remove it: shoofly decides itself how long it waits for a lock, see --lock-budget";
        flaws.push(Flaw::new(self.behind(after, length), format!("{word} is not supported"), advice));
    }

    /// `ALGORITHM` and `LOCK` at the end of a statement about an index, behind byte `after`.
    fn settings(&self, after: usize, flaws: &mut Vec<Flaw>) {
        for (at, token) in self.tokens.iter().enumerate().filter(|(_, token)| token.range.start >= after) {
            let Some(word) = ["ALGORITHM", "LOCK"].into_iter().find(|word| token.is_word(self.sql, word)) else {
                continue;
            };
            let assigned = self.tokens.get(at + 1).is_some_and(|next| next.text(self.sql) == "=");
            let last = self.tokens.get(at + 1 + usize::from(assigned)).unwrap_or(token);
            flaws.push(Flaw::new(token.range.start..last.range.end, format!("{word} is not supported"), OURS));
        }
    }

    /// The range of the `length` tokens behind byte `at`.
    fn behind(&self, at: usize, length: usize) -> Range<usize> {
        let mut tokens = self.tokens.iter().filter(|token| token.range.start >= at).take(length);
        let first = tokens.next().map_or(at..at, |token| token.range.clone());
        first.start..tokens.last().map_or(first.end, |token| token.range.end)
    }
}

#[cfg(test)]
mod tests;
