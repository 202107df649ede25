//! Which rows a statement takes: SQL's logic of three values, in which what is compared with nothing is neither true nor false.

use crate::{Field, number};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A text.
    Text(&'a str),
    /// A number, by its digits.
    Number(&'a str),
    /// An instant, in milliseconds since 1970-01-01T00:00:00Z.
    Instant(i64),
}

/// A value of a statement, of the kind of the field that it is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Literal {
    /// A text.
    Text(String),
    /// A number, by its digits.
    Number(String),
    /// An instant, in milliseconds since 1970-01-01T00:00:00Z.
    Instant(i64),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Which rows a statement takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// All of these hold.
    And(Vec<Condition>),
    /// One of these holds.
    Or(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// A field compares so with a value.
    Compare(Field, Comparison, Literal),
    /// A field is one of some values.
    In(Field, Vec<Literal>),
    /// A text fits a pattern: `%` stands for any text, `_` for any letter, and after the second text each of them, and that text, for itself.
    Like(Field, String, Option<char>),
    /// A field is nothing.
    IsNull(Field),
}

impl Comparison {
    const fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Condition {
    /// Whether a row is taken: where the condition is true, not where it is unknown. `of` has the values of the row.
    pub fn takes<'r>(&self, of: &impl Fn(&Field) -> Cell<'r>) -> bool {
        self.holds(of) == Some(true)
    }

    fn holds<'r>(&self, of: &impl Fn(&Field) -> Cell<'r>) -> Option<bool> {
        match self {
            Self::And(parts) => {
                let (mut is_known, mut parts) = (true, parts.iter());
                let is_false = parts.any(|part| match part.holds(of) {
                    Some(holds) => !holds,
                    None => {
                        is_known = false;
                        false
                    }
                });
                if is_false { Some(false) } else { is_known.then_some(true) }
            }
            Self::Or(parts) => {
                let (mut is_known, mut parts) = (true, parts.iter());
                let is_true = parts.any(|part| match part.holds(of) {
                    Some(holds) => holds,
                    None => {
                        is_known = false;
                        false
                    }
                });
                if is_true { Some(true) } else { is_known.then_some(false) }
            }
            Self::Not(part) => part.holds(of).map(|holds| !holds),
            Self::Compare(field, comparison, literal) => {
                compared(of(field), literal).map(|ordering| comparison.holds(ordering))
            }
            Self::In(field, literals) => {
                let cell = of(field);
                let mut orderings = literals.iter().map(|literal| compared(cell, literal));
                (cell != Cell::Null).then(|| orderings.any(|ordering| ordering == Some(Ordering::Equal)))
            }
            Self::Like(field, pattern, escape) => match of(field) {
                Cell::Text(text) => Some(is_like(text, pattern, *escape)),
                _ => None,
            },
            Self::IsNull(field) => Some(of(field) == Cell::Null),
        }
    }

    /// Every field that the condition looks at.
    pub fn fields(&self) -> Vec<&Field> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Not(part) => part.fields(),
            Self::Compare(field, ..) | Self::In(field, _) | Self::Like(field, ..) | Self::IsNull(field) => {
                vec![field]
            }
        }
    }
}

/// How a value stands to another one of its kind; `None` where it is nothing.
fn compared(cell: Cell<'_>, literal: &Literal) -> Option<Ordering> {
    match (cell, literal) {
        (Cell::Text(text), Literal::Text(other)) => Some(text.cmp(other.as_str())),
        (Cell::Number(digits), Literal::Number(other)) => number::compare(digits, other),
        (Cell::Instant(instant), Literal::Instant(other)) => Some(instant.cmp(other)),
        _ => None,
    }
}

/// A part of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Any,
    One,
    Letter(char),
}

fn is_like(text: &str, pattern: &str, escape: Option<char>) -> bool {
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            letter if Some(letter) == escape => Part::Letter(letters.next().unwrap_or(letter)),
            '%' => Part::Any,
            '_' => Part::One,
            letter => Part::Letter(letter),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    // Where the last `%` was, and how far it reaches: only that one need ever reach further.
    let mut last: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                last = Some((part, at));
                part += 1;
            }
            Some(Part::One) => (at, part) = (at + 1, part + 1),
            Some(Part::Letter(letter)) if *letter == text[at] => (at, part) = (at + 1, part + 1),
            _ => match last {
                Some((any, reached)) => {
                    last = Some((any, reached + 1));
                    (at, part) = (reached + 1, any + 1);
                }
                None => return false,
            },
        }
    }
    parts[part.min(parts.len())..].iter().all(|part| *part == Part::Any)
}

#[cfg(test)]
mod tests {
    //! Patterns, and the logic of three values.

    use super::*;

    fn field(column: &str) -> Field {
        Field { column: column.to_owned(), key: None }
    }

    fn cell(field: &Field) -> Cell<'static> {
        match field.column.as_str() {
            "text" => Cell::Text("USW2-BoxUsage:m5.large"),
            "number" => Cell::Number("-1.5E-3"),
            "time" => Cell::Instant(1_000),
            _ => Cell::Null,
        }
    }

    #[test]
    fn patterns_stand_for_texts() {
        for (pattern, text, expected) in [
            ("%BoxUsage%", "USW2-BoxUsage:m5.large", true),
            ("BoxUsage%", "USW2-BoxUsage:m5.large", false),
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("_", "é", true),
            ("a%b%c", "aXbbXc", true),
            ("a%b%c", "aXcXb", false),
            ("%%a", "bba", true),
            ("100!%", "100%", true),
            ("100!%", "1000", false),
            ("a!!b", "a!b", true),
        ] {
            assert_eq!(is_like(text, pattern, Some('!')), expected, "{pattern} {text}");
        }
        // Many `%` do not take for ever.
        assert!(!is_like(&"a".repeat(5_000), &format!("{}b", "%a".repeat(200)), None));
    }

    #[test]
    fn what_is_compared_with_nothing_is_unknown() {
        let compare =
            |column: &str, comparison, literal| Condition::Compare(field(column), comparison, literal);
        let number = |digits: &str| Literal::Number(digits.to_owned());
        let is_true = compare("number", Comparison::Less, number("0"));
        let is_false = compare("time", Comparison::Equal, Literal::Instant(1));
        let unknown = compare("none", Comparison::Equal, number("0"));
        let not = |of: &Condition| Condition::Not(Box::new(of.clone()));
        for (condition, expected) in [
            (is_true.clone(), Some(true)),
            (is_false.clone(), Some(false)),
            (unknown.clone(), None),
            (not(&unknown), None),
            (not(&is_false), Some(true)),
            (Condition::And(vec![is_true.clone(), unknown.clone()]), None),
            (Condition::And(vec![unknown.clone(), is_false.clone()]), Some(false)),
            (Condition::Or(vec![unknown.clone(), is_true.clone()]), Some(true)),
            (Condition::Or(vec![is_false.clone(), unknown.clone()]), None),
            (Condition::In(field("none"), vec![number("1")]), None),
            (Condition::In(field("number"), vec![number("1"), number("-0.0015")]), Some(true)),
            (Condition::IsNull(field("none")), Some(true)),
            (Condition::IsNull(field("text")), Some(false)),
            (Condition::Like(field("text"), "USW2-%".to_owned(), None), Some(true)),
            (Condition::Like(field("none"), "%".to_owned(), None), None),
        ] {
            assert_eq!(condition.holds(&cell), expected, "{condition:?}");
            assert_eq!(condition.takes(&cell), expected == Some(true));
        }
    }
}
