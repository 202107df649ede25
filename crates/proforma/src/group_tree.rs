//! The billing groups of two books as one hierarchy, for rows in which both stand side by side.

use billing::book::Book;
use billing::hierarchy::{Hierarchy, Totals, add};
use billing::money::{Cost, Currency, DecimalError};
use billing::period::BillingPeriod;
use billing::responsibility_transfer::Phase;
use std::collections::BTreeMap;

/// Each group has the parent that the first book gives it in its period; those that are only in the second have the parents that it gives them,
/// and those that the first does not know stand behind.
///
/// One hierarchy for both sides: a group that has another parent changes no amount, and a difference of a subtree is the sum of those
/// of its groups.
pub struct GroupTree<'a> {
    names: Vec<&'a str>,
    numbers: BTreeMap<&'a str, usize>,
    hierarchy: Hierarchy,
}

impl<'a> GroupTree<'a> {
    /// The groups of two books, each in a period.
    pub fn of_two(first: (&'a Book, BillingPeriod), second: (&'a Book, BillingPeriod)) -> Self {
        let mut names = Vec::new();
        let mut numbers = BTreeMap::new();
        for group in first.0.groups.iter().chain(&second.0.groups) {
            if !numbers.contains_key(group.name.as_str()) {
                numbers.insert(group.name.as_str(), names.len());
                names.push(group.name.as_str());
            }
        }
        // What the first says goes: it is written last. Its groups have none but its own above them, so nothing goes round.
        let mut parents = vec![None; names.len()];
        for (book, period) in [second, first] {
            let hierarchy = Hierarchy::of(book, period);
            let number = |group: usize| numbers.get(book.groups[group].name.as_str()).copied();
            let there = (0..book.groups.len()).filter(|group| book.phase(*group, period) == Phase::InForce);
            for (number_here, group) in there.filter_map(|group| Some((number(group)?, group))) {
                parents[number_here] = hierarchy.parent(group).and_then(number);
            }
        }
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

/// What stands behind the name of a parent where a row is of all that is below it, too.
pub const SUBTREE: &str = " and below";

/// A billing group's name under that of its parent.
pub fn indented(depth: usize, name: &str, what: &str) -> String {
    format!("{}{name}{what}", "  ".repeat(depth))
}
