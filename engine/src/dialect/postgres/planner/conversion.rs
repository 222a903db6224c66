//! What turns a column's old value into its new one, and what is known of it.

use super::expression::{self, Unusable};
use crate::dialect::postgres::value::Comparison;
use crate::name::Ident;
use crate::op::Expr;
use crate::schema::Column;
use crate::sql;
use crate::text::Sql;

/// A type as `format_type` prints it, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Without modifiers: `character varying`, `timestamp without time zone`.
    pub(crate) base: String,
    /// `(10,2)` → 10, 2.
    pub(crate) modifiers: Vec<i32>,
}

impl Shape {
    pub(crate) fn of(printed: &str) -> Self {
        let Some((open, close)) = printed.find('(').zip(printed.find(')')).filter(|(open, close)| open < close) else {
            return Self { base: printed.to_owned(), modifiers: Vec::new() };
        };
        let modifiers: Option<Vec<i32>> =
            printed[open + 1..close].split(',').map(|number| number.trim().parse().ok()).collect();
        match modifiers {
            Some(modifiers) => Self { base: format!("{}{}", &printed[..open], &printed[close + 1..]), modifiers },
            None => Self { base: printed.to_owned(), modifiers: Vec::new() },
        }
    }

    fn digits_before_point(&self) -> i32 {
        match self.modifiers[..] {
            [precision] => precision,
            [precision, scale] => precision - scale,
            _ => i32::MAX,
        }
    }

    /// Of an array, what it consists of.
    fn element(&self) -> Option<Self> {
        let base = self.base.strip_suffix("[]")?.to_owned();
        Some(Self { base, modifiers: self.modifiers.clone() })
    }

    fn is_text(&self) -> bool {
        (self.base == "text" || self.base == "character varying") && self.modifiers.is_empty()
    }
}

/// Whether a conversion can be relied on before it has been seen to work on every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// It never fails, keeps NULL, keeps equal values equal and different ones different, and hangs on no setting.
    Exact,
    /// Nothing of that is known.
    Unproven,
}

/// The value itself.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    /// The server's assignment cast of the column.
    Assignment,
    /// `column::type`, written out.
    Cast,
    /// The user's expression.
    Written(String),
}

/// From the old value to the new one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conversion {
    column: Ident,
    /// The new type, as `format_type` prints it.
    type_sql: String,
    value: Value,
    /// Columns that it reads.
    pub(crate) reads: Vec<Ident>,
    pub(crate) certainty: Certainty,
    pub(crate) comparison: Comparison,
    from: Shape,
    to: Shape,
}

impl Conversion {
    /// The conversion that `ALTER … TYPE type_sql [USING using]` asks for.
    ///
    /// # Errors
    /// Why the user's expression cannot be used.
    pub(crate) fn new(column: &Column, type_sql: &str, using: Option<&Expr>) -> Result<Self, Unusable> {
        let (from, to) = (Shape::of(&column.type_sql), Shape::of(type_sql));
        let value = match using {
            None => Value::Assignment,
            Some(expr) if is_bare(expr, &column.name) => Value::Assignment,
            Some(expr) if is_cast_of(expr, &column.name, type_sql) => Value::Cast,
            Some(expr) => Value::Written(expr.0.clone()),
        };
        let reads = match &value {
            Value::Written(text) => expression::columns(text)?,
            Value::Assignment | Value::Cast => vec![column.name.clone()],
        };
        let certainty = match value {
            Value::Written(_) => Certainty::Unproven,
            Value::Assignment | Value::Cast if is_exact(&from, &to) => Certainty::Exact,
            Value::Assignment | Value::Cast => Certainty::Unproven,
        };
        Ok(Self {
            column: column.name.clone(),
            type_sql: type_sql.to_owned(),
            value,
            reads,
            certainty,
            // Texts of two collations cannot be compared by `=`.
            comparison: match column.collation {
                Some(_) => Comparison::Image,
                None => Comparison::of_base(&to.base),
            },
            from,
            to,
        })
    }

    /// The same into another collation than the type's own, which may take different values for equal.
    pub(crate) fn into_other_collation(self) -> Self {
        Self { certainty: Certainty::Unproven, comparison: Comparison::Image, ..self }
    }

    /// Whether it is the server's own cast and not an expression of the user's.
    pub(crate) fn is_cast(&self) -> bool {
        !matches!(self.value, Value::Written(_))
    }

    /// The user's expression, where it is one.
    pub(crate) fn written(&self) -> Option<&str> {
        match &self.value {
            Value::Written(text) => Some(text),
            Value::Assignment | Value::Cast => None,
        }
    }

    /// Whether it is the cast that the server applies by itself, which therefore must exist.
    pub(crate) fn is_assignment(&self) -> bool {
        self.value == Value::Assignment
    }

    /// The value as an expression of the new type, each column written as `reach` says.
    pub(crate) fn over(&self, reach: &dyn Fn(&Ident) -> Sql) -> Result<Sql, Unusable> {
        let type_sql = Sql::raw(&self.type_sql);
        Ok(match &self.value {
            Value::Assignment | Value::Cast => sql!("{c}::{t}", c = reach(&self.column), t = type_sql),
            Value::Written(text) => sql!("{v}::{t}", v = expression::rebound(text, reach)?, t = type_sql),
        })
    }

    /// The value as it is assigned: without a cast that would cut what an assignment refuses.
    pub(crate) fn assigned(&self, reach: &dyn Fn(&Ident) -> Sql) -> Result<Sql, Unusable> {
        Ok(match &self.value {
            Value::Assignment => reach(&self.column),
            Value::Cast => self.over(reach)?,
            Value::Written(text) => expression::rebound(text, reach)?,
        })
    }

    /// For a row, true where an assignment refuses what a written cast would cut to size.
    pub(crate) fn cut(&self) -> Option<Sql> {
        let length = *self.to.modifiers.first()?;
        if self.value != Value::Assignment {
            return None;
        }
        let c = &self.column;
        match self.to.base.as_str() {
            "character varying" | "character" => {
                Some(sql!("pg_catalog.rtrim(pg_catalog.substr({c}::text, {n} + 1), ' ') <> ''", c = c, n = length))
            }
            "bit" if self.from.base.starts_with("bit") => {
                Some(sql!("pg_catalog.length({c}) <> {n}", c = c, n = length))
            }
            "bit varying" if self.from.base.starts_with("bit") => {
                Some(sql!("pg_catalog.length({c}) > {n}", c = c, n = length))
            }
            _ => None,
        }
    }

    /// Whether the server changes the type in place without reading a row or building an index, the indexes and checks of
    /// the column aside.
    pub(crate) fn is_relabelling(&self) -> bool {
        self.is_cast() && is_relabelling(&self.from, &self.to)
    }
}

/// What `USING` says in most files: nothing but the column.
fn is_bare(expr: &Expr, column: &Ident) -> bool {
    let text = expr.0.trim();
    text.eq_ignore_ascii_case(column.as_str()) && !text.chars().any(char::is_uppercase)
        || text == sql!("{c}", c = column).as_str()
}

fn is_cast_of(expr: &Expr, column: &Ident, type_sql: &str) -> bool {
    expr.0.trim().rsplit_once("::").is_some_and(|(value, to)| {
        is_bare(&Expr(value.trim().to_owned()), column) && same_type_name(to.trim(), type_sql)
    })
}

/// Whether a type as written is the type as printed; aliases that are not known are simply not recognised.
fn same_type_name(written: &str, printed: &str) -> bool {
    let written = written.to_ascii_lowercase();
    let full = match written.as_str() {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "varchar" => "character varying",
        "bool" => "boolean",
        "float8" => "double precision",
        "float4" => "real",
        other => other,
    };
    full == printed
}

/// Widening casts that keep every value apart. Anything not listed is unproven, which costs time and never correctness.
fn is_exact(from: &Shape, to: &Shape) -> bool {
    if let (Some(from_element), Some(to_element)) = (from.element(), to.element()) {
        return is_exact(&from_element, &to_element);
    }
    let whole_digits = match from.base.as_str() {
        "smallint" => 5,
        "integer" => 10,
        "bigint" => 19,
        _ => i32::MAX,
    };
    match (from.base.as_str(), to.base.as_str()) {
        ("smallint", "integer" | "bigint" | "real" | "double precision")
        | ("integer", "bigint" | "double precision")
        | ("real", "double precision") => true,
        ("smallint" | "integer" | "bigint", "numeric") => to.digits_before_point() >= whole_digits,
        ("smallint" | "integer" | "bigint" | "boolean" | "uuid" | "character varying" | "character" | "text", _)
            if to.is_text() =>
        {
            true
        }
        _ => is_relabelling(from, to),
    }
}

/// The same bytes under another name, and no modifier that could refuse one of them.
fn is_relabelling(from: &Shape, to: &Shape) -> bool {
    let grows = || match (&from.modifiers[..], &to.modifiers[..]) {
        (_, []) => true,
        ([old], [new]) => new >= old,
        _ => false,
    };
    match (from.base.as_str(), to.base.as_str()) {
        ("character varying", "character varying")
        | ("bit varying", "bit varying")
        | ("time without time zone", "time without time zone")
        | ("time with time zone", "time with time zone")
        | ("timestamp without time zone", "timestamp without time zone")
        | ("timestamp with time zone", "timestamp with time zone")
        | ("interval", "interval") => grows(),
        ("character varying" | "text", "text") | ("text", "character varying") | ("cidr", "inet") | ("xml", "text") => {
            to.modifiers.is_empty()
        }
        ("numeric", "numeric") => match (&from.modifiers[..], &to.modifiers[..]) {
            (_, []) => true,
            ([old, old_scale], [new, new_scale]) => new >= old && old_scale == new_scale,
            _ => false,
        },
        (old, new) => old == new && from.modifiers == to.modifiers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(from: &str, to: &str) -> bool {
        is_exact(&Shape::of(from), &Shape::of(to))
    }

    fn relabelling(from: &str, to: &str) -> bool {
        is_relabelling(&Shape::of(from), &Shape::of(to))
    }

    #[test]
    fn takes_types_apart() {
        assert_eq!(Shape::of("numeric(10,2)"), Shape { base: "numeric".to_owned(), modifiers: vec![10, 2] });
        let stamp = Shape::of("timestamp(3) without time zone");
        assert_eq!((stamp.base.as_str(), &stamp.modifiers[..]), ("timestamp without time zone", &[3][..]));
        assert_eq!(Shape::of("app.mood").base, "app.mood");
    }

    #[test]
    fn knows_widening_from_narrowing() {
        assert!(exact("integer", "bigint"));
        assert!(exact("integer", "numeric(12,2)"));
        assert!(!exact("integer", "numeric(11,2)"));
        assert!(!exact("bigint", "integer"));
        assert!(!exact("bigint", "double precision"));
        assert!(exact("uuid", "text"));
        assert!(!exact("text", "uuid"));
        assert!(exact("integer[]", "bigint[]"));
        assert!(!exact("bigint[]", "integer[]"));
        assert!(!exact("integer", "character varying(5)"));
        assert!(!exact("timestamp without time zone", "timestamp with time zone"));
    }

    #[test]
    fn knows_what_the_server_changes_in_place() {
        assert!(relabelling("character varying(10)", "character varying(20)"));
        assert!(relabelling("character varying(10)", "text"));
        assert!(!relabelling("character varying(10)", "character varying(9)"));
        assert!(!relabelling("text", "character varying(9)"));
        assert!(relabelling("numeric(8,2)", "numeric(10,2)"));
        assert!(!relabelling("numeric(8,2)", "numeric(10,3)"));
        assert!(relabelling("timestamp(3) without time zone", "timestamp without time zone"));
        assert!(!relabelling("character(5)", "character(6)"));
        assert!(!relabelling("character varying(5)[]", "text[]"));
        assert!(relabelling("cidr", "inet"));
    }
}
