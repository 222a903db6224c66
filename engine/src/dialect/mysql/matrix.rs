//! What MySQL and MariaDB are known to do with a clause of `ALTER TABLE`, version by version, on an ordinary table.
//!
//! From the servers' manuals, and measured on MySQL 9.7 and MariaDB 10.11. It is for where no server can be asked; in doubt a clause
//! counts as one that copies the table. `docs/operations/what-servers-do.md` is made of it.

use crate::plan::shadow::NativeWay;
use crate::sql::mysql::mode::Product;

/// A kind of clause, as far as the ways of carrying it out differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A column at the end.
    AddColumn,
    /// A column that is not the last.
    PlaceColumn,
    /// A column whose value is another one in each row.
    AddComputedColumn,
    /// A column that is in no index.
    DropColumn,
    /// A column that is in an index.
    DropIndexedColumn,
    /// The name of a column.
    RenameColumn,
    /// A column's default, or whether `*` shows it.
    DescribeColumn,
    /// A column's type, place, character set, or whether it takes NULL.
    ModifyColumn,
    /// An index over columns, unique or not.
    AddIndex,
    /// `FULLTEXT`, `SPATIAL`, or over expressions.
    AddSpecialIndex,
    /// The primary key.
    AddPrimaryKey,
    /// An index.
    DropIndex,
    /// The name of an index, or whether it is used.
    DescribeIndex,
    /// A foreign key whose columns have an index, with `foreign_key_checks = 0`.
    AddForeignKey,
    /// The same, where the server builds the index.
    AddForeignKeyAndIndex,
    /// A foreign key or a constraint.
    DropConstraint,
    /// A CHECK.
    AddCheck,
    /// A CHECK that is `NOT ENFORCED`.
    AddUnenforcedCheck,
    /// Comment, counter, statistics, and what new columns get.
    DescribeTable,
    /// Everything else.
    Other,
}

/// What a server does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It does it by itself without copying the rows.
    Natively(NativeWay),
    /// It copies the table, or keeps writers out, for this reason.
    Copies(&'static str),
    /// That depends on more than the clause.
    Depends,
}

/// From a version on, in the servers' own numbers: 80029 is 8.0.29.
pub type Since = (u32, Does);

/// A line: for each product what it does, the oldest version first.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What is asked for.
    pub operation: Operation,
    /// As it is written.
    pub written: &'static str,
    /// What MySQL does.
    pub mysql: &'static [Since],
    /// What MariaDB does.
    pub mariadb: &'static [Since],
}

const INSTANT: Does = Does::Natively(NativeWay::Instant);
const NO_COPY: Does = Does::Natively(NativeWay::NoCopy);
const IN_PLACE: Does = Does::Natively(NativeWay::InPlace);
const REBUILDS: Does = Does::Copies("the server rebuilds the table for it");
const OWN_VALUES: Does = Does::Copies("each row gets a value of its own");
const WRITERS_OUT: Does = Does::Copies("the server keeps writers out while it builds such an index");

const fn row(operation: Operation, written: &'static str, mysql: &'static [Since], mariadb: &'static [Since]) -> Row {
    Row { operation, written, mysql, mariadb }
}

/// Every operation.
pub const MATRIX: &[Row] = &[
    row(
        Operation::AddColumn,
        "ADD COLUMN c …",
        &[(0, Does::Copies("this version rebuilds the table for it")), (80_012, INSTANT)],
        &[(0, INSTANT)],
    ),
    row(
        Operation::PlaceColumn,
        "ADD COLUMN c … FIRST | AFTER",
        &[(0, Does::Copies("this version rebuilds the table for a column that is not the last")), (80_029, INSTANT)],
        &[(0, INSTANT)],
    ),
    row(
        Operation::AddComputedColumn,
        "ADD COLUMN c … AUTO_INCREMENT | STORED | UNIQUE | DEFAULT (…)",
        &[(0, OWN_VALUES)],
        &[(0, OWN_VALUES)],
    ),
    row(
        Operation::DropColumn,
        "DROP COLUMN c",
        &[(0, Does::Copies("this version rebuilds the table for it")), (80_029, INSTANT)],
        &[(0, INSTANT)],
    ),
    row(
        Operation::DropIndexedColumn,
        "DROP COLUMN c, in an index",
        &[(0, Does::Copies("the column is part of an index"))],
        &[(0, NO_COPY)],
    ),
    row(Operation::RenameColumn, "RENAME COLUMN c TO d", &[(0, IN_PLACE), (80_028, INSTANT)], &[(0, INSTANT)]),
    row(
        Operation::DescribeColumn,
        "ALTER COLUMN c SET DEFAULT | DROP DEFAULT | SET VISIBLE",
        &[(0, INSTANT)],
        &[(0, INSTANT)],
    ),
    row(Operation::ModifyColumn, "MODIFY c … | CHANGE c d …", &[(0, Does::Depends)], &[(0, Does::Depends)]),
    row(Operation::AddIndex, "ADD [UNIQUE] INDEX (c)", &[(0, IN_PLACE)], &[(0, NO_COPY)]),
    row(
        Operation::AddSpecialIndex,
        "ADD FULLTEXT | SPATIAL INDEX (c), ADD INDEX ((c + 1))",
        &[(0, WRITERS_OUT)],
        &[(0, WRITERS_OUT)],
    ),
    row(
        Operation::AddPrimaryKey,
        "ADD PRIMARY KEY (c)",
        &[(0, Does::Copies("the rows are stored by the primary key"))],
        &[(0, Does::Copies("the rows are stored by the primary key"))],
    ),
    row(Operation::DropIndex, "DROP INDEX i", &[(0, IN_PLACE)], &[(0, NO_COPY)]),
    row(
        Operation::DescribeIndex,
        "RENAME INDEX i TO j, ALTER INDEX i INVISIBLE | IGNORED",
        &[(0, IN_PLACE)],
        &[(0, INSTANT)],
    ),
    row(
        Operation::AddForeignKey,
        "ADD FOREIGN KEY (c), c in an index, foreign_key_checks = 0",
        &[(0, IN_PLACE)],
        &[(0, INSTANT)],
    ),
    row(
        Operation::AddForeignKeyAndIndex,
        "ADD FOREIGN KEY (c), foreign_key_checks = 0",
        &[(0, IN_PLACE)],
        &[(0, NO_COPY)],
    ),
    row(
        Operation::DropConstraint,
        "DROP FOREIGN KEY f, DROP CHECK k, DROP CONSTRAINT k",
        &[(0, IN_PLACE)],
        &[(0, INSTANT)],
    ),
    row(Operation::AddCheck, "ADD CHECK (…)", &[(0, REBUILDS)], &[(0, REBUILDS)]),
    row(Operation::AddUnenforcedCheck, "ADD CHECK (…) NOT ENFORCED", &[(0, INSTANT)], &[(0, REBUILDS)]),
    row(
        Operation::DescribeTable,
        "COMMENT, AUTO_INCREMENT, STATS_…, DEFAULT CHARACTER SET, COLLATE",
        &[(0, IN_PLACE)],
        &[(0, INSTANT)],
    ),
    row(Operation::Other, "everything else", &[(0, REBUILDS)], &[(0, REBUILDS)]),
];

/// What a server of that version does; what is not listed copies the table.
#[must_use]
pub fn does(operation: Operation, product: Product, version: u32) -> Does {
    let row = MATRIX.iter().find(|row| row.operation == operation);
    let since = row.map_or(&[][..], |row| match product {
        Product::MySql => row.mysql,
        Product::MariaDb => row.mariadb,
    });
    since.iter().rev().find(|(from, _)| *from <= version).map_or(REBUILDS, |(_, does)| *does)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations/what-servers-do.md");

    fn cell(since: &[Since]) -> String {
        let word = |does: &Does| match does {
            Does::Natively(NativeWay::Instant) => "at once",
            Does::Natively(NativeWay::NoCopy) => "NOCOPY",
            Does::Natively(NativeWay::InPlace) => "in place",
            Does::Natively(NativeWay::Blocking) | Does::Copies(_) => "copy",
            Does::Depends => "depends",
        };
        let since: Vec<String> = since
            .iter()
            .rev()
            .map(|(from, does)| match from {
                0 => word(does).to_owned(),
                from => format!("{} since {}.{}.{}", word(does), from / 10_000, from / 100 % 100, from % 100),
            })
            .collect();
        since.join(", before ")
    }

    #[test]
    fn the_page_says_the_same() {
        let page = std::fs::read_to_string(PAGE).unwrap();
        for row in MATRIX {
            let written = row.written.replace('|', "\\|");
            let line = format!("| `{written}` | {} | {} |", cell(row.mysql), cell(row.mariadb));
            assert!(page.contains(&line), "{PAGE} has no line\n{line}");
        }
        assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), MATRIX.len());
    }

    #[test]
    fn the_version_counts() {
        let drops = |version| does(Operation::DropColumn, Product::MySql, version);
        assert_eq!(drops(80_028), Does::Copies("this version rebuilds the table for it"));
        assert_eq!([drops(80_029), drops(90_700)], [INSTANT; 2]);
        assert_eq!(does(Operation::DropColumn, Product::MariaDb, 101_119), INSTANT);
    }
}
