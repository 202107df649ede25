//! Expressions: which lines a question is about, as Cost Explorer's `Expression` says it.

use crate::dimension::Key;
use crate::facts::{Categorized, MonthFacts};
use billing::charge_class::TextId;

/// Which lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Those that every one of these has.
    And(Vec<Expression>),
    /// Those that any of these has.
    Or(Vec<Expression>),
    /// All but these.
    Not(Box<Expression>),
    /// Those with a value.
    Is(Condition),
}

/// A key and which of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The key.
    pub key: Key,
    /// The values: one of them is enough. The empty one is that of lines without a value.
    pub values: Vec<String>,
    /// How a line's value is compared with them.
    pub matching: Matching,
    /// Whether capitals and small letters differ.
    pub is_case_sensitive: bool,
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// The value is one of those given.
    Equals,
    /// It begins with one.
    StartsWith,
    /// It ends with one.
    EndsWith,
    /// It has one in it.
    Contains,
    /// There is none.
    Absent,
}

impl Expression {
    /// Those whose value compares so to one of these, capitals and small letters being different.
    #[must_use]
    pub fn is(key: Key, values: impl IntoIterator<Item = impl Into<String>>, matching: Matching) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self::Is(Condition { key, values, matching, is_case_sensitive: true })
    }

    /// Everything that it compares.
    pub fn conditions(&self) -> Vec<&Condition> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::conditions).collect(),
            Self::Not(part) => part.conditions(),
            Self::Is(condition) => vec![condition],
        }
    }

    /// Whether it takes what has these values.
    pub(crate) fn takes<'a>(&self, value: &impl Fn(&Key) -> Option<&'a str>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.takes(value)),
            Self::Or(parts) => parts.iter().any(|part| part.takes(value)),
            Self::Not(part) => !part.takes(value),
            Self::Is(condition) => condition.takes(value(&condition.key)),
        }
    }

    /// Which classes of a table it picks.
    pub(crate) fn mask(&self, facts: &MonthFacts, table: &Categorized) -> Vec<bool> {
        match self {
            Self::And(parts) => {
                let mut all = vec![true; table.len()];
                for part in parts {
                    let of_part = part.mask(facts, table);
                    all.iter_mut().zip(of_part).for_each(|(all, of)| *all &= of);
                }
                all
            }
            Self::Or(parts) => {
                let mut any = vec![false; table.len()];
                for part in parts {
                    let of_part = part.mask(facts, table);
                    any.iter_mut().zip(of_part).for_each(|(any, of)| *any |= of);
                }
                any
            }
            Self::Not(part) => part.mask(facts, table).into_iter().map(|of| !of).collect(),
            Self::Is(condition) => {
                let Some(column) = facts.column(table, &condition.key) else {
                    // Of a tag that is not kept no line has a value.
                    return vec![condition.takes(None); table.len()];
                };
                let taken = condition.taken(facts);
                column.iter().map(|text| taken[text.0 as usize]).collect()
            }
        }
    }
}

impl Condition {
    /// Whether it takes a value; of what has none, `None`.
    #[must_use]
    pub fn takes(&self, value: Option<&str>) -> bool {
        let absent = match &self.key {
            Key::Dimension(dimension) => dimension.absent(),
            Key::Tag(_) | Key::CostCategory(_) => "",
        };
        if self.matching == Matching::Absent {
            return value.is_none();
        }
        let value = value.unwrap_or(absent);
        let fits = |value: &str, given: &str| match self.matching {
            Matching::Equals => value == given,
            Matching::StartsWith => value.starts_with(given),
            Matching::EndsWith => value.ends_with(given),
            Matching::Contains => value.contains(given),
            Matching::Absent => false,
        };
        if self.is_case_sensitive {
            return self.values.iter().any(|given| fits(value, given));
        }
        let value = value.to_lowercase();
        self.values.iter().any(|given| fits(&value, &given.to_lowercase()))
    }

    /// Which texts of the facts it takes, by number; most questions name a few values, which are looked up.
    fn taken(&self, facts: &MonthFacts) -> Vec<bool> {
        let texts = &facts.texts;
        let mut taken = vec![false; texts.len() + 1];
        taken[0] = self.takes(None);
        if self.matching == Matching::Equals && self.is_case_sensitive {
            for id in self.values.iter().filter_map(|value| texts.find(value)) {
                taken[id.0 as usize] = true;
            }
            return taken;
        }
        for (number, taken) in taken.iter_mut().enumerate().skip(1) {
            let id = TextId(u32::try_from(number).unwrap_or(u32::MAX));
            *taken = self.takes(Some(texts.get(id).unwrap_or_default()));
        }
        taken
    }
}
