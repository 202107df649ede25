//! Cost categories that somebody has defined: rules, tried in order, by which each charge class has a value or none.
//!
//! Source: AWS Cost Management API reference, `CostCategoryRule`. The rules are applied once to a month's classes ([`MonthFacts::categorize`]) and leave
//! a column as those of tags are, so that whatever filters, groups or lists by a cost category asks nothing of rules.

mod categorize;

use crate::dimension::{Dimension, Key};
use crate::expression::Expression;
use crate::facts::{MonthFacts, Whose, bytes_of};
use billing::charge_class::{TextId, Texts};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// A cost category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostCategory {
    /// Its name.
    pub name: String,
    /// The rules: of those that a class fits, the first decides.
    pub rules: Vec<Rule>,
    /// The value of classes that fit none; `None` is having no value.
    pub default_value: Option<String>,
}

/// Which classes have which value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Those that an expression picks have this one.
    Value(String, Expression),
    /// Those with a tag have the tag's value.
    Tag(String),
    /// Those of accounts that are named have the account's name.
    AccountNames(Arc<BTreeMap<String, String>>),
}

/// The value that a cost category gives to each class of a month.
#[derive(Debug)]
pub struct CategoryColumn {
    /// The cost category's name.
    pub name: String,
    /// The values, which are texts of the column's own: facts with many columns share theirs.
    pub(crate) texts: Texts,
    aws: Vec<TextId>,
    pro_forma: Vec<TextId>,
}

/// Cost categories that are decided by each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle(
    /// Their names, each one before the one that it is decided by.
    pub Vec<String>,
);

/// The names of cost categories and of those that each looks at, in an order in which each one looks at earlier ones alone. What is looked at and is not among
/// them is the cost files'.
///
/// # Errors
/// [`Circle`].
pub fn in_order<'a>(looks_at: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Result<Vec<&'a str>, Circle> {
    let mut order = Vec::with_capacity(looks_at.len());
    let mut done = BTreeSet::new();
    for name in looks_at.keys() {
        place(name, looks_at, &mut Vec::new(), &mut done, &mut order)?;
    }
    Ok(order)
}

/// Places a category behind those that it looks at; `above` are those on the way to it.
fn place<'a>(
    name: &'a str,
    looks_at: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    above: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
    order: &mut Vec<&'a str>,
) -> Result<(), Circle> {
    let Some(below) = looks_at.get(name).filter(|_| !done.contains(name)) else { return Ok(()) };
    if let Some(begin) = above.iter().position(|of| *of == name) {
        let circle = above[begin..].iter().copied().chain([name]);
        return Err(Circle(circle.map(str::to_owned).collect()));
    }
    above.push(name);
    for name in below {
        place(name, looks_at, above, done, order)?;
    }
    above.pop();
    done.insert(name);
    order.push(name);
    Ok(())
}

impl CategoryColumn {
    /// The values of the classes of a table.
    pub(crate) fn of(&self, whose: Whose) -> &[TextId] {
        match whose {
            Whose::Aws => &self.aws,
            Whose::ProForma => &self.pro_forma,
        }
    }

    /// What it takes in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let classes = self.aws.len() + self.pro_forma.len();
        size_of::<Self>() + self.name.len() + classes * size_of::<TextId>() + bytes_of(&self.texts)
    }
}

impl MonthFacts {
    /// The same facts under some cost categories, in place of those that they may have been under; each looks at earlier ones alone ([`in_order`]).
    #[must_use]
    pub fn with_categories(&self, categories: &[CostCategory]) -> Self {
        let mut facts = self.under([]);
        for category in categories {
            let column = Arc::new(facts.categorize(category));
            facts = facts.under(facts.columns().iter().cloned().chain([column]));
        }
        facts
    }
}

impl CostCategory {
    /// What its rules tell classes apart by.
    fn keys(&self) -> BTreeSet<&Key> {
        const ACCOUNT: &Key = &Key::Dimension(Dimension::LinkedAccount);
        let mut keys = BTreeSet::new();
        for rule in &self.rules {
            match rule {
                Rule::Value(_, expression) => {
                    keys.extend(expression.conditions().into_iter().map(|condition| &condition.key));
                }
                Rule::AccountNames(_) => {
                    keys.insert(ACCOUNT);
                }
                Rule::Tag(_) => {}
            }
        }
        keys
    }
}
