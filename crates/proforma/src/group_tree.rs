//! The billing groups of two books as one hierarchy, for rows in which both stand side by side.

use billing::book::Book;
use billing::hierarchy::{Hierarchy, Totals, add};
use billing::money::{Cost, Currency, DecimalError};
use std::collections::BTreeMap;

/// Each group has the parent that the first book gives it; those that only the second has stand behind, with the parents that it gives them.
///
/// One hierarchy for both sides: a group that has another parent changes no amount, and a difference of a subtree is the sum of those
/// of its groups.
pub struct GroupTree<'a> {
    names: Vec<&'a str>,
    numbers: BTreeMap<&'a str, usize>,
    hierarchy: Hierarchy,
}

impl<'a> GroupTree<'a> {
    /// The groups of two books.
    pub fn of_two(first: &'a Book, second: &'a Book) -> Self {
        let mut names = Vec::new();
        let mut parent_names = Vec::new();
        let mut numbers = BTreeMap::new();
        for book in [first, second] {
            for group in &book.groups {
                if !numbers.contains_key(group.name.as_str()) {
                    numbers.insert(group.name.as_str(), names.len());
                    names.push(group.name.as_str());
                    parent_names.push(group.parent.map(|parent| book.groups[parent].name.as_str()));
                }
            }
        }
        let parents = parent_names.into_iter().map(|name| numbers.get(name?).copied()).collect();
        Self { names, numbers, hierarchy: Hierarchy::new(parents) }
    }

    /// The groups, parents before their children: their numbers here, and their names.
    pub fn groups(&self) -> impl Iterator<Item = (usize, &'a str)> {
        self.hierarchy.order().iter().map(|group| (*group, self.names[*group]))
    }

    /// Each group's place in that order.
    pub fn places(&self) -> BTreeMap<&'a str, usize> {
        self.groups().enumerate().map(|(place, (_, name))| (name, place)).collect()
    }

    /// How many groups are above.
    pub fn depth(&self, group: usize) -> usize {
        self.hierarchy.depth(group)
    }

    /// What the subtrees of all parents come to before and after, from amounts by group and currency.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn subtrees<'b>(
        &self,
        amounts: impl IntoIterator<Item = (&'b str, Currency, [Cost; 2])>,
    ) -> Result<Totals<2>, DecimalError> {
        let mut totals = vec![BTreeMap::new(); self.names.len()];
        for (name, currency, both) in amounts {
            if let Some(group) = self.numbers.get(name) {
                add(&mut totals[*group], currency, both)?;
            }
        }
        let mut sums = self.hierarchy.roll_up(totals)?;
        for (group, sum) in sums.iter_mut().enumerate() {
            if self.hierarchy.children(group).is_empty() {
                sum.clear();
            }
        }
        Ok(sums)
    }
}
