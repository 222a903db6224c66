//! Words that mean something in an expression.

/// How `word` takes part in an expression, where it stands alone and unquoted, and something is to be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// `CASE`, `NOT`, `BINARY` …: the operand is still to come.
    Prefix,
    /// `NULL`, `TRUE` …
    Constant,
    /// A function without brackets: `CURRENT_DATE`.
    Function,
    /// `SELECT` and its like.
    Query,
    /// A word that never is a column and stands in the wrong place.
    Reserved,
    /// A name.
    Name,
}

pub(super) fn operand(word: &str) -> Operand {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "case" | "when" | "not" | "binary" | "interval" | "distinct" => Operand::Prefix,
        "null" | "true" | "false" => Operand::Constant,
        "current_date" | "current_time" | "current_timestamp" | "current_user" | "current_role" | "localtime"
        | "localtimestamp" | "utc_date" | "utc_time" | "utc_timestamp" => Operand::Function,
        "select" | "with" | "exists" => Operand::Query,
        other if RESERVED.contains(&other) => Operand::Reserved,
        _ => Operand::Name,
    }
}

/// Words that both servers reserve and that begin no operand. What one of them alone reserves may be a column of the
/// other.
const RESERVED: [&str; 68] = [
    "accessible",
    "add",
    "all",
    "alter",
    "analyze",
    "and",
    "as",
    "asc",
    "before",
    "between",
    "both",
    "by",
    "cascade",
    "change",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "cross",
    "default",
    "delete",
    "desc",
    "describe",
    "div",
    "drop",
    "else",
    "from",
    "for",
    "foreign",
    "fulltext",
    "grant",
    "group",
    "having",
    "in",
    "index",
    "inner",
    "into",
    "is",
    "join",
    "key",
    "leading",
    "like",
    "limit",
    "lock",
    "natural",
    "on",
    "or",
    "order",
    "outer",
    "primary",
    "references",
    "regexp",
    "rename",
    "rlike",
    "set",
    "show",
    "table",
    "then",
    "to",
    "trailing",
    "union",
    "unique",
    "update",
    "using",
    "where",
    "write",
    "xor",
];

/// Whether `word`, unquoted, is never a name on either server: a keyword, or the name of a type.
pub(super) fn is_reserved(word: &str) -> bool {
    const TYPES: [&str; 26] = [
        "bigint",
        "blob",
        "char",
        "character",
        "decimal",
        "double",
        "float",
        "int",
        "integer",
        "longblob",
        "longtext",
        "mediumblob",
        "mediumint",
        "mediumtext",
        "numeric",
        "precision",
        "real",
        "smallint",
        "tinyblob",
        "tinyint",
        "tinytext",
        "unsigned",
        "varbinary",
        "varchar",
        "varying",
        "zerofill",
    ];
    operand(word) != Operand::Name || is_any(word, &TYPES)
}

/// The units of intervals.
pub(super) fn is_unit(word: &str) -> bool {
    const UNITS: [&str; 20] = [
        "microsecond",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "quarter",
        "year",
        "second_microsecond",
        "minute_microsecond",
        "minute_second",
        "hour_microsecond",
        "hour_second",
        "hour_minute",
        "day_microsecond",
        "day_second",
        "day_minute",
        "day_hour",
        "year_month",
    ];
    let old = word.get(..8).filter(|start| start.eq_ignore_ascii_case("sql_tsi_"));
    is_any(word.get(old.map_or(0, str::len)..).unwrap_or_default(), &UNITS)
}

/// Functions that compute one value from several rows.
pub(super) fn is_aggregate(name: &str) -> bool {
    const AGGREGATES: [&str; 19] = [
        "avg",
        "bit_and",
        "bit_or",
        "bit_xor",
        "count",
        "group_concat",
        "json_arrayagg",
        "json_objectagg",
        "max",
        "min",
        "st_collect",
        "std",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "sum",
        "var_pop",
        "var_samp",
        "variance",
    ];
    is_any(name, &AGGREGATES)
}

/// Whether `word` is one of `words`, whatever its case.
pub(super) fn is_any(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}
