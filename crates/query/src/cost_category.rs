//! Cost categories that somebody has defined: rules, tried in order, by which each charge class has a value or none.
//!
//! Source: AWS Cost Management API reference, `CostCategoryRule`. The rules are applied once to a month's classes ([`MonthFacts::with_categories`]) and leave
//! a column as those of tags are, so that whatever filters, groups or lists by a cost category asks nothing of rules.

use crate::dimension::{Dimension, Key};
use crate::expression::Expression;
use crate::facts::{Categorized, MonthFacts};
use billing::charge_class::TextId;
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

/// Cost categories that are decided by each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle(
    /// Their names, each one before the one that it is decided by.
    pub Vec<String>,
);

impl CostCategory {
    /// The names of the cost categories that its rules look at.
    fn looks_at(&self) -> BTreeSet<&str> {
        let expressions = self.rules.iter().filter_map(|rule| match rule {
            Rule::Value(_, expression) => Some(expression),
            Rule::Tag(_) | Rule::AccountNames(_) => None,
        });
        let conditions = expressions.flat_map(Expression::conditions);
        let names = conditions.filter_map(|condition| match &condition.key {
            Key::CostCategory(name) => Some(name.as_str()),
            Key::Dimension(_) | Key::Tag(_) => None,
        });
        names.collect()
    }
}

/// Cost categories in an order in which each one looks at earlier ones alone; those that are not among them are the cost files'.
///
/// # Errors
/// [`Circle`].
pub fn in_order(categories: Vec<CostCategory>) -> Result<Vec<CostCategory>, Circle> {
    let of_name: BTreeMap<&str, &CostCategory> = categories.iter().map(|of| (of.name.as_str(), of)).collect();
    let mut order = Vec::with_capacity(categories.len());
    let mut done = BTreeSet::new();
    for category in &categories {
        place(category, &of_name, &mut Vec::new(), &mut done, &mut order)?;
    }
    Ok(order.into_iter().cloned().collect())
}

/// Places a category behind those that it looks at; `above` are those on the way to it.
fn place<'a>(
    category: &'a CostCategory,
    of_name: &BTreeMap<&'a str, &'a CostCategory>,
    above: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
    order: &mut Vec<&'a CostCategory>,
) -> Result<(), Circle> {
    if done.contains(category.name.as_str()) {
        return Ok(());
    }
    if let Some(begin) = above.iter().position(|name| *name == category.name) {
        let circle = above[begin..].iter().copied().chain([category.name.as_str()]);
        return Err(Circle(circle.map(str::to_owned).collect()));
    }
    above.push(&category.name);
    for below in category.looks_at().into_iter().filter_map(|name| of_name.get(name)) {
        place(below, of_name, above, done, order)?;
    }
    above.pop();
    done.insert(&category.name);
    order.push(category);
    Ok(())
}

impl MonthFacts {
    /// The same facts under some cost categories, in place of those that they may have been under; each looks at earlier ones alone ([`in_order`]). One that
    /// cost files have, too, goes before theirs. What is measured, and by what else classes are told apart, is shared and not copied.
    #[must_use]
    pub fn with_categories(&self, categories: &[CostCategory]) -> Self {
        let mut facts = self.bare();
        for category in categories {
            let texts = &mut facts.texts;
            let values: Vec<TextId> = category
                .rules
                .iter()
                .map(|rule| match rule {
                    Rule::Value(value, _) => texts.intern(value),
                    Rule::Tag(_) | Rule::AccountNames(_) => TextId::NULL,
                })
                .collect();
            let mut names: Vec<BTreeMap<TextId, TextId>> = vec![BTreeMap::new(); values.len()];
            for (rule, known) in category.rules.iter().zip(&mut names) {
                let Rule::AccountNames(of) = rule else { continue };
                for (account, name) in of.iter() {
                    if let Some(account) = texts.find(account) {
                        known.insert(account, texts.intern(name));
                    }
                }
            }
            let default = category.default_value.as_ref().map_or(TextId::NULL, |value| texts.intern(value));
            let column = |table: &Categorized| facts.categorize(table, category, (&values, &names), default);
            let (aws, pro_forma) = (column(&facts.aws), column(&facts.pro_forma));
            facts.aws.defined.push(aws);
            facts.pro_forma.defined.push(pro_forma);
            facts.defined.push(category.name.clone());
        }
        facts
    }

    /// The value of each class of a table; values and names of accounts are given by rule, as numbers of texts.
    fn categorize(
        &self,
        table: &Categorized,
        category: &CostCategory,
        (values, names): (&[TextId], &[BTreeMap<TextId, TextId>]),
        default: TextId,
    ) -> Vec<TextId> {
        let mut column = vec![TextId::NULL; table.len()];
        let mut open = vec![true; table.len()];
        let mut decide = |class: usize, value: TextId| {
            if open[class] && value != TextId::NULL {
                (column[class], open[class]) = (value, false);
            }
        };
        for (rule, (value, names)) in category.rules.iter().zip(values.iter().zip(names)) {
            match rule {
                Rule::Value(_, expression) => {
                    let picked = expression.mask(self, table).into_iter().enumerate();
                    picked.filter(|(_, is_picked)| *is_picked).for_each(|(class, _)| decide(class, *value));
                }
                Rule::Tag(key) => {
                    let tags = self.column(table, &Key::Tag(key.clone())).unwrap_or_default();
                    tags.iter().enumerate().for_each(|(class, value)| decide(class, *value));
                }
                Rule::AccountNames(_) => {
                    let accounts = table.dimensions[Dimension::LinkedAccount as usize].iter().enumerate();
                    let named = accounts.filter_map(|(class, account)| Some((class, *names.get(account)?)));
                    named.for_each(|(class, name)| decide(class, name));
                }
            }
        }
        let left = open.into_iter().zip(&mut column).filter(|(is_open, _)| *is_open);
        left.for_each(|(_, value)| *value = default);
        column
    }
}
