//! Expressions: which lines a question is about, as Cost Explorer's `Expression` says it.

use crate::dimension::Key;
use crate::facts::{MonthFacts, Whose};
use billing::charge_class::{TextId, Texts};
use std::borrow::Cow;
use std::collections::HashSet;

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

    /// Which of so many lines it picks, where each condition says which it takes.
    pub(crate) fn mask(&self, count: usize, takes: &mut impl FnMut(&Condition) -> Vec<bool>) -> Vec<bool> {
        match self {
            Self::And(parts) => {
                let mut all = vec![true; count];
                for part in parts {
                    let of_part = part.mask(count, takes);
                    all.iter_mut().zip(of_part).for_each(|(all, of)| *all &= of);
                }
                all
            }
            Self::Or(parts) => {
                let mut any = vec![false; count];
                for part in parts {
                    let of_part = part.mask(count, takes);
                    any.iter_mut().zip(of_part).for_each(|(any, of)| *any |= of);
                }
                any
            }
            Self::Not(part) => part.mask(count, takes).into_iter().map(|of| !of).collect(),
            Self::Is(condition) => takes(condition),
        }
    }

    /// Which classes of a table it picks.
    pub(crate) fn picked(&self, facts: &MonthFacts, whose: Whose) -> Vec<bool> {
        let classes = facts.table(whose).len();
        self.mask(classes, &mut |condition| {
            let Some(column) = facts.column(whose, &condition.key) else {
                // Of a tag that is not kept no line has a value.
                return vec![condition.takes(None); classes];
            };
            let taken = condition.taken(facts.texts_of(&condition.key));
            column.iter().map(|text| taken[text.0 as usize]).collect()
        })
    }
}

impl Condition {
    /// Whether it takes a value; of what has none, `None`. Of many values it is asked by [`Self::compared`].
    #[must_use]
    pub fn takes(&self, value: Option<&str>) -> bool {
        self.compared().takes(value)
    }

    /// The condition, ready to be asked of many values.
    #[must_use]
    pub fn compared(&self) -> Compared<'_> {
        let given = |value: &'_ String| match self.is_case_sensitive {
            true => None,
            false => Some(value.to_lowercase()),
        };
        let values =
            self.values.iter().map(|value| given(value).map_or(Cow::Borrowed(value.as_str()), Cow::Owned));
        let values: Vec<Cow<'_, str>> = values.collect();
        let exact = match self.matching {
            Matching::Equals if values.len() > 1 => values.iter().cloned().collect(),
            _ => HashSet::new(),
        };
        Compared { condition: self, values, exact }
    }

    /// Which texts it takes, by number; most questions name a few values, which are looked up.
    fn taken(&self, texts: &Texts) -> Vec<bool> {
        let compared = self.compared();
        let mut taken = vec![false; texts.len() + 1];
        taken[0] = compared.takes(None);
        if self.matching == Matching::Equals && self.is_case_sensitive {
            for id in self.values.iter().filter_map(|value| texts.find(value)) {
                taken[id.0 as usize] = true;
            }
            return taken;
        }
        for (number, taken) in taken.iter_mut().enumerate().skip(1) {
            let id = TextId(u32::try_from(number).unwrap_or(u32::MAX));
            *taken = compared.takes(Some(texts.get(id).unwrap_or_default()));
        }
        taken
    }
}

/// A condition whose values were made ready once: small letters where case plays no part, and a set of what is to be equal.
#[derive(Debug)]
pub struct Compared<'a> {
    condition: &'a Condition,
    values: Vec<Cow<'a, str>>,
    exact: HashSet<Cow<'a, str>>,
}

impl Compared<'_> {
    /// Whether the condition takes a value; of what has none, `None`.
    #[must_use]
    pub fn takes(&self, value: Option<&str>) -> bool {
        match (value, self.condition.is_case_sensitive) {
            (Some(text), false) => self.takes_lower(Some(&text.to_lowercase())),
            _ => self.takes_lower(value),
        }
    }

    /// The same of a value that is in small letters already, where case plays no part.
    pub(crate) fn takes_lower(&self, value: Option<&str>) -> bool {
        let Condition { key, matching, is_case_sensitive, .. } = self.condition;
        if *matching == Matching::Absent {
            return value.is_none();
        }
        let absent = match key {
            Key::Dimension(dimension) => dimension.absent(),
            Key::Tag(_) | Key::CostCategory(_) => "",
        };
        let absent = match (value, *is_case_sensitive) {
            (None, false) => Cow::Owned(absent.to_lowercase()),
            _ => Cow::Borrowed(absent),
        };
        let value = value.unwrap_or(&absent);
        match matching {
            Matching::Equals if self.exact.is_empty() => self.values.iter().any(|given| given == value),
            Matching::Equals => self.exact.contains(value),
            Matching::StartsWith => self.values.iter().any(|given| value.starts_with(given.as_ref())),
            Matching::EndsWith => self.values.iter().any(|given| value.ends_with(given.as_ref())),
            Matching::Contains => self.values.iter().any(|given| value.contains(given.as_ref())),
            Matching::Absent => false,
        }
    }
}
