//! Rules over a month's classes: asked once of classes that agree in all that the rules look at, and each comparison once of each value that there is.

use super::{CategoryColumn, CostCategory, Rule};
use crate::dimension::{Dimension, Key};
use crate::expression::{Condition, Expression};
use crate::facts::{MonthFacts, Whose};
use billing::charge_class::{TextId, TextMap, Texts};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Classes of both tables by kind: those of a kind agree in every key that was looked at.
pub(super) struct Kinds {
    /// Of each table and class, the number of its kind.
    of_class: [Vec<u32>; 2],
    /// A class of each kind.
    example: Vec<(Whose, usize)>,
}

/// The values of a key, each once.
pub(super) struct Distinct<'a> {
    values: Vec<Option<&'a str>>,
    /// The same in small letters, once somebody asks.
    lower: OnceLock<Vec<Option<String>>>,
    /// Which of the values each kind has.
    of_kind: Vec<u32>,
}

impl Kinds {
    /// The kinds of a month's classes by some keys.
    pub fn of<'k>(facts: &MonthFacts, keys: impl IntoIterator<Item = &'k Key>) -> Self {
        let mut of_class = Whose::BOTH.map(|whose| vec![0_u32; facts.table(whose).len()]);
        for key in keys {
            let mut numbers: TextMap<u64, u32> = TextMap::default();
            for (whose, kinds) in Whose::BOTH.into_iter().zip(&mut of_class) {
                // By a key that is not kept all are alike.
                let Some(column) = facts.column(whose, key) else { continue };
                for (kind, value) in kinds.iter_mut().zip(column) {
                    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                    *kind = *numbers.entry(u64::from(*kind) << 32 | u64::from(value.0)).or_insert(next);
                }
            }
        }
        let mut example: Vec<Option<(Whose, usize)>> = Vec::new();
        for (whose, kinds) in Whose::BOTH.into_iter().zip(&of_class) {
            for (class, kind) in kinds.iter().enumerate() {
                let kind = *kind as usize;
                example.resize(example.len().max(kind + 1), None);
                example[kind] = example[kind].or(Some((whose, class)));
            }
        }
        // Kinds are numbered without gaps.
        Self { of_class, example: example.into_iter().flatten().collect() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.example.len()
    }
}

impl<'a> Distinct<'a> {
    /// The values of a key.
    pub fn of(facts: &'a MonthFacts, key: &Key, kinds: &Kinds) -> Self {
        let texts = facts.texts_of(key);
        let (mut values, mut numbers) = (Vec::new(), TextMap::<TextId, u32>::default());
        let of_kind = kinds.example.iter().map(|(whose, class)| {
            let id = facts.column(*whose, key).map_or(TextId::NULL, |column| column[*class]);
            *numbers.entry(id).or_insert_with(|| {
                values.push(texts.get(id));
                u32::try_from(values.len() - 1).unwrap_or(u32::MAX)
            })
        });
        let of_kind = of_kind.collect();
        Self { values, lower: OnceLock::new(), of_kind }
    }

    /// How many values there are.
    #[cfg(test)]
    pub const fn count(&self) -> usize {
        self.values.len()
    }

    /// The value of a kind.
    fn value(&self, kind: usize) -> Option<&'a str> {
        self.values[self.of_kind[kind] as usize]
    }

    /// Which of the values a condition takes.
    fn taken(&self, condition: &Condition) -> Vec<bool> {
        let compared = condition.compared();
        if condition.is_case_sensitive {
            return self.values.iter().map(|value| compared.takes_lower(*value)).collect();
        }
        let lower = || self.values.iter().map(|value| value.map(str::to_lowercase)).collect();
        let lower = self.lower.get_or_init(lower);
        lower.iter().map(|value| compared.takes_lower(value.as_deref())).collect()
    }
}

impl MonthFacts {
    /// What a cost category makes of the classes, which are under all that it looks at.
    #[must_use]
    pub fn categorize(&self, category: &CostCategory) -> CategoryColumn {
        let tags: Vec<Key> = category.rules.iter().filter_map(Rule::tag).collect();
        let mut keys = category.keys();
        keys.extend(&tags);
        let kinds = Kinds::of(self, keys.iter().copied());
        let distinct: BTreeMap<&Key, Distinct<'_>> =
            keys.iter().map(|key| (*key, Distinct::of(self, key, &kinds))).collect();
        let mut texts = Texts::default();
        let default = category.default_value.as_ref().map_or(TextId::NULL, |value| texts.intern(value));
        let mut values = vec![default; kinds.count()];
        let mut open: Vec<usize> = (0..kinds.count()).collect();
        for rule in &category.rules {
            let found = rule.values(&open, &distinct);
            let mut found = open.iter().zip(found);
            // What a rule says of a kind is its value; the others go on to the next rule.
            let mut left = Vec::new();
            found.by_ref().for_each(|(kind, value)| match value {
                Some(value) => values[*kind] = texts.intern(value),
                None => left.push(*kind),
            });
            open = left;
            if open.is_empty() {
                break;
            }
        }
        let [aws, pro_forma] =
            kinds.of_class.map(|classes| classes.into_iter().map(|kind| values[kind as usize]).collect());
        CategoryColumn { name: category.name.clone(), texts, aws, pro_forma }
    }
}

impl Rule {
    /// The tag whose values it takes.
    fn tag(&self) -> Option<Key> {
        match self {
            Self::Tag(key) => Some(Key::Tag(key.clone())),
            Self::Value(..) | Self::AccountNames(_) => None,
        }
    }

    /// The value that it gives to each of some kinds, if any.
    fn values<'a>(&'a self, open: &[usize], distinct: &BTreeMap<&Key, Distinct<'a>>) -> Vec<Option<&'a str>> {
        let of = |key: &Key| distinct.get(key);
        match self {
            Self::Value(value, expression) => {
                let picked = picked(expression, open, distinct);
                picked.into_iter().map(|is_picked| is_picked.then_some(value.as_str())).collect()
            }
            Self::Tag(key) => {
                let tags = of(&Key::Tag(key.clone()));
                open.iter().map(|kind| tags?.value(*kind)).collect()
            }
            Self::AccountNames(names) => {
                let accounts = of(&Key::Dimension(Dimension::LinkedAccount));
                let named = |kind: &usize| Some(names.get(accounts?.value(*kind)?)?.as_str());
                open.iter().map(named).collect()
            }
        }
    }
}

/// Which of some kinds an expression picks.
fn picked(expression: &Expression, open: &[usize], distinct: &BTreeMap<&Key, Distinct<'_>>) -> Vec<bool> {
    expression.mask(open.len(), &mut |condition| {
        let Some(of_key) = distinct.get(&condition.key) else { return vec![false; open.len()] };
        let taken = of_key.taken(condition);
        open.iter().map(|kind| taken[of_key.of_kind[*kind] as usize]).collect()
    })
}
