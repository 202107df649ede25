//! From a statement to what it means; whatever is more than columns, names, filters and a limit is refused by its name.

use crate::condition::{Comparison, Condition, Literal};
use crate::table::{Kind, Table};
use crate::{Field, Query, Selected, number};
use billing::instant::printed_instant;
use sqlparser::ast::{
    self, AccessExpr, BinaryOperator, Expr, GroupByExpr, InTarget, LimitClause, Select, SelectItem, SetExpr,
    Statement, Subscript, TableFactor, UnaryOperator, Value,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use std::collections::{BTreeMap, BTreeSet};

/// How many conditions a statement has at most: each stands upon the one before.
const CONDITIONS_MAX: usize = 500;
/// How many columns a file has at most.
const COLUMNS_MAX: usize = 1_000;

/// Why a statement is not understood: the clause, what it says, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryError(String);

type Parsed<T> = Result<T, QueryError>;

/// What a statement may be.
const FORM: &str = "a statement is SELECT columns FROM table [WHERE conditions] [LIMIT count]";

fn refused<T>(clause: &str, problem: impl std::fmt::Display) -> Parsed<T> {
    Err(QueryError(format!("{clause}: {problem}")))
}

impl Query {
    /// Reads a statement about a table that is configured so, by the table's name.
    ///
    /// # Errors
    /// [`QueryError`], which names the clause.
    pub fn parse(statement: &str, tables: &BTreeMap<String, BTreeMap<String, String>>) -> Parsed<Self> {
        let words = statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let conditions =
            words.filter(|word| ["and", "or", "not"].contains(&word.to_ascii_lowercase().as_str()));
        if conditions.count() > CONDITIONS_MAX {
            return refused(
                "WHERE",
                format!("more than {CONDITIONS_MAX} conditions; take IN for many values of a column"),
            );
        }
        let parsed = Parser::parse_sql(&GenericDialect {}, statement);
        let statements =
            parsed.map_err(|error| QueryError(format!("the statement is no SQL: {error}; {FORM}")))?;
        let [Statement::Query(query)] = statements.as_slice() else {
            return refused("the statement", format!("it is not one SELECT; {FORM}"));
        };
        let select = select_of(query)?;
        let table = table_of(select)?;
        let none = BTreeMap::new();
        let configured = tables.iter().find(|(name, _)| Table::parse(name) == Some(table));
        let properties = configured.map_or(&none, |(_, of)| of);
        let known = Known { table, columns: table.columns(properties).copied().collect() };
        let is_without = |(name, _): &&(&str, Kind)| !known.columns.iter().any(|(of, _)| of == name);
        let without = table.all_columns().iter().filter(is_without).map(|(name, _)| (*name).to_owned());
        let without = without.collect();
        let granularity = table.granularity(properties);
        let columns = known.selected(&select.projection)?;
        let condition =
            select.selection.as_ref().map(|expression| known.condition(expression)).transpose()?;
        let limit = query.limit_clause.as_ref().map(limit_of).transpose()?;
        // What was understood, written again, is the statement: nothing of it was passed over.
        let items: Vec<String> = select.projection.iter().map(ToString::to_string).collect();
        let mut understood = format!("SELECT {} FROM {}", items.join(", "), select.from[0]);
        for (clause, of) in [
            ("WHERE", select.selection.as_ref().map(ToString::to_string)),
            ("LIMIT", limit.map(|of| of.to_string())),
        ] {
            understood.extend(of.map(|of| format!(" {clause} {of}")));
        }
        match understood == query.to_string() {
            true => Ok(Self { table, granularity, without, columns, condition, limit }),
            false => refused("the statement", format!("`{query}` says more than can be exported; {FORM}")),
        }
    }
}

/// The SELECT of a statement that has no clause beside it that is not understood.
fn select_of(query: &ast::Query) -> Parsed<&Select> {
    if let Some(with) = &query.with {
        return refused("WITH", format!("`{with}` is not understood; {FORM}"));
    }
    if let Some(order) = &query.order_by {
        return refused(
            "ORDER BY",
            format!("`{order}` is not understood: rows come in the order of AWS's files; leave it out"),
        );
    }
    let SetExpr::Select(select) = query.body.as_ref() else {
        return refused("the statement", format!("`{}` is no plain SELECT; {FORM}", query.body));
    };
    let is_grouped =
        !matches!(&select.group_by, GroupByExpr::Expressions(of, more) if of.is_empty() && more.is_empty());
    for (clause, is_there) in [
        ("DISTINCT", select.distinct.is_some()),
        ("GROUP BY", is_grouped),
        ("HAVING", select.having.is_some()),
        ("TOP", select.top.is_some()),
        ("FETCH", query.fetch.is_some()),
        ("QUALIFY", select.qualify.is_some()),
        ("WINDOW", !select.named_window.is_empty()),
        ("INTO", select.into.is_some()),
    ] {
        if is_there {
            return refused(clause, format!("it is not understood: lines are exported as they are; {FORM}"));
        }
    }
    Ok(select)
}

fn table_of(select: &Select) -> Parsed<Table> {
    let names = || Table::ALL.map(Table::name).join(" or ");
    let [from] = select.from.as_slice() else {
        return refused("FROM", format!("give one table, {}", names()));
    };
    if !from.joins.is_empty() {
        return refused("JOIN", format!("`{from}` joins tables; an export is of one table, {}", names()));
    }
    let TableFactor::Table { name, alias: None, args: None, .. } = &from.relation else {
        return refused("FROM", format!("`{from}` is no table by its name; give {}", names()));
    };
    // A table has no schema before its name, and no quotes that would make another name of it.
    match Table::parse(&name.to_string().replace('"', "")) {
        Some(table) => Ok(table),
        None => refused("FROM", format!("there is no table `{name}`; give {}", names())),
    }
}

fn limit_of(clause: &LimitClause) -> Parsed<u64> {
    let count = match clause {
        LimitClause::LimitOffset { limit: Some(Expr::Value(value)), offset: None, limit_by }
            if limit_by.is_empty() =>
        {
            match &value.value {
                Value::Number(digits, false) => digits.parse().ok(),
                _ => None,
            }
        }
        _ => None,
    };
    match count {
        Some(count) => Ok(count),
        None => refused(
            "LIMIT",
            format!("`{}` is no whole number; give LIMIT and a count", clause.to_string().trim()),
        ),
    }
}

/// The columns that a statement may name.
struct Known {
    table: Table,
    columns: Vec<(&'static str, Kind)>,
}

impl Known {
    fn selected(&self, items: &[SelectItem]) -> Parsed<Vec<Selected>> {
        let mut selected = Vec::new();
        for item in items {
            match item {
                SelectItem::Wildcard(options) if options.to_string().is_empty() => {
                    selected.extend(self.columns.iter().map(|(name, kind)| Selected {
                        name: (*name).to_owned(),
                        of: Field { column: (*name).to_owned(), key: None },
                        kind: *kind,
                    }));
                }
                SelectItem::UnnamedExpr(expression) => {
                    let (of, kind) = self.field("SELECT", expression)?;
                    let name = of.key.clone().unwrap_or_else(|| of.column.clone());
                    selected.push(Selected { name, of, kind });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let (of, kind) = self.field("SELECT", expr)?;
                    selected.push(Selected { name: alias.value.clone(), of, kind });
                }
                other => {
                    return refused(
                        "SELECT",
                        format!("`{other}` is no column; give columns of {}", self.table.name()),
                    );
                }
            }
        }
        if selected.len() > COLUMNS_MAX {
            return refused(
                "SELECT",
                format!("{} columns, at most {COLUMNS_MAX} are written", selected.len()),
            );
        }
        let mut names = BTreeSet::new();
        match selected.iter().find(|column| !names.insert(column.name.to_ascii_lowercase())) {
            Some(twice) => refused(
                "SELECT",
                format!("two columns are called `{}`; give one of them another name with AS", twice.name),
            ),
            None => Ok(selected),
        }
    }

    /// A column, or the value of a map under a key, and its kind.
    fn field(&self, clause: &str, expression: &Expr) -> Parsed<(Field, Kind)> {
        let mut names: Vec<&str> = Vec::new();
        let mut key = None;
        match expression {
            Expr::Identifier(name) => names.push(&name.value),
            Expr::CompoundIdentifier(parts) => names.extend(parts.iter().map(|part| part.value.as_str())),
            Expr::CompoundFieldAccess { root, access_chain } => {
                if let (Expr::Identifier(name), [AccessExpr::Subscript(Subscript::Index { index })]) =
                    (root.as_ref(), access_chain.as_slice())
                {
                    names.push(&name.value);
                    key = text_of(index);
                }
            }
            _ => {}
        }
        if names.len() > 1 && Table::parse(names[0]) == Some(self.table) {
            names.remove(0);
        }
        let (name, of_map) = match names.as_slice() {
            [name] => (*name, key),
            [name, of_map] if key.is_none() => (*name, Some((*of_map).to_owned())),
            _ => {
                let problem = format!(
                    "`{expression}` is no column of {}: functions, sums and other expressions are not understood",
                    self.table.name()
                );
                return refused(clause, problem);
            }
        };
        let found = self.columns.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((column, kind)) = found else {
            let hint =
                match self.table.all_columns().iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                    true => "the table has it where its properties ask for it (TableConfigurations)",
                    false => "GetTable lists those that it has",
                };
            return refused(clause, format!("table {} has no column `{name}`; {hint}", self.table.name()));
        };
        let field = |key| Field { column: (*column).to_owned(), key };
        match (of_map, kind) {
            (None, kind) => Ok((field(None), *kind)),
            (Some(key), Kind::Map) => Ok((field(Some(key)), Kind::Text)),
            (Some(key), Kind::NumberMap) => Ok((field(Some(key)), Kind::Number)),
            (Some(key), _) => {
                refused(clause, format!("`{column}` is no map, so it has no `{key}`; leave the key out"))
            }
        }
    }

    fn condition(&self, expression: &Expr) -> Parsed<Condition> {
        const CLAUSE: &str = "WHERE";
        match expression {
            Expr::Nested(inner) => self.condition(inner),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(not(self.condition(expr)?)),
            Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                // A chain of one operator is one list, however long: `a AND b AND c` stands on its left.
                let (mut parts, mut rest) = (Vec::new(), expression);
                while let Expr::BinaryOp { left, op: of, right } = rest {
                    if of != op {
                        break;
                    }
                    parts.push(self.condition(right)?);
                    rest = left;
                }
                parts.push(self.condition(rest)?);
                parts.reverse();
                Ok(if *op == BinaryOperator::And { Condition::And(parts) } else { Condition::Or(parts) })
            }
            Expr::BinaryOp { left, op, right } => {
                let Some(comparison) = comparison_of(op) else {
                    return refused(
                        CLAUSE,
                        format!(
                            "`{expression}` has the operator `{op}`; =, <>, <, <=, >, >=, IN, LIKE, IS NULL, AND, OR and NOT are understood"
                        ),
                    );
                };
                let (field, literal) = self.compared(left, right)?;
                Ok(Condition::Compare(field, comparison, literal))
            }
            Expr::In { expr, target: InTarget::List(list), negated, global: false } => {
                let pairs = list.iter().map(|item| self.compared(expr, item)).collect::<Parsed<Vec<_>>>()?;
                let (field, _) = self.field(CLAUSE, expr)?;
                let within = Condition::In(field, pairs.into_iter().map(|(_, literal)| literal).collect());
                Ok(if *negated { not(within) } else { within })
            }
            Expr::Between { expr, negated, low, high } => {
                let (field, low) = self.compared(expr, low)?;
                let (_, high) = self.compared(expr, high)?;
                let within = Condition::And(vec![
                    Condition::Compare(field.clone(), Comparison::GreaterOrEqual, low),
                    Condition::Compare(field, Comparison::LessOrEqual, high),
                ]);
                Ok(if *negated { not(within) } else { within })
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                let like = self.like(expr, pattern, escape_char.as_deref())?;
                Ok(if *negated { not(like) } else { like })
            }
            Expr::IsNull(expr) => Ok(Condition::IsNull(self.field(CLAUSE, expr)?.0)),
            Expr::IsNotNull(expr) => Ok(not(Condition::IsNull(self.field(CLAUSE, expr)?.0))),
            other => refused(
                CLAUSE,
                format!(
                    "`{other}` is no condition; =, <>, <, <=, >, >=, IN, LIKE, BETWEEN, IS NULL, AND, OR and NOT are understood"
                ),
            ),
        }
    }

    fn like(&self, field: &Expr, pattern: &Expr, escape: Option<&Expr>) -> Parsed<Condition> {
        let (field, kind) = self.field("LIKE", field)?;
        if kind != Kind::Text {
            return refused(
                "LIKE",
                format!("`{}` is a {}, and only texts have patterns", field.column, kind.name()),
            );
        }
        let Some(pattern) = text_of(pattern) else {
            return refused("LIKE", format!("`{pattern}` is no pattern; give a text in single quotes"));
        };
        let escape = match escape.map(|of| (text_of(of), of)) {
            None => None,
            Some((Some(text), _)) if text.chars().count() == 1 => text.chars().next(),
            Some((_, of)) => return refused("ESCAPE", format!("`{of}` is not one letter in single quotes")),
        };
        Ok(Condition::Like(field, pattern, escape))
    }

    /// A field and the value that it is compared with, of its kind.
    fn compared(&self, field: &Expr, value: &Expr) -> Parsed<(Field, Literal)> {
        const CLAUSE: &str = "WHERE";
        let (field, kind) = self.field(CLAUSE, field)?;
        let literal = match kind {
            Kind::Text => text_of(value).map(Literal::Text),
            Kind::Number => number_of(value).map(Literal::Number),
            Kind::Time => {
                let seconds = typed_text(value).and_then(|text| printed_instant(&text));
                seconds.and_then(|seconds| seconds.checked_mul(1_000)).map(Literal::Instant)
            }
            Kind::Map | Kind::NumberMap => {
                return refused(
                    CLAUSE,
                    format!(
                        "`{}` is a map; compare one of its values, as {}.key",
                        field.column, field.column
                    ),
                );
            }
        };
        let wanted = match kind {
            Kind::Text => "a text in single quotes",
            Kind::Number => "a number without quotes",
            _ => "an instant in single quotes, as '2026-10-01' or '2026-10-01T12:00:00Z'",
        };
        match literal {
            Some(literal) => Ok((field, literal)),
            None => refused(
                CLAUSE,
                format!("`{}` is a {}, and `{value}` is none; give {wanted}", field.column, kind.name()),
            ),
        }
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

const fn comparison_of(operator: &BinaryOperator) -> Option<Comparison> {
    Some(match operator {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn text_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// A text, also after DATE or TIMESTAMP.
fn typed_text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::TypedString(typed) => {
            let is_instant = matches!(typed.data_type, ast::DataType::Date | ast::DataType::Timestamp(..));
            match &typed.value.value {
                Value::SingleQuotedString(text) if is_instant => Some(text.clone()),
                _ => None,
            }
        }
        other => text_of(other),
    }
}

fn number_of(expression: &Expr) -> Option<String> {
    let digits = match expression {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => format!("-{}", number_of(expr)?),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => number_of(expr)?,
        Expr::Value(value) => match &value.value {
            Value::Number(digits, false) => digits.clone(),
            _ => return None,
        },
        _ => return None,
    };
    number::is_number(&digits).then_some(digits)
}

#[cfg(test)]
mod tests;
