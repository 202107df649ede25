//! The hierarchy of billing groups: which groups are below which, and what they come to together.
//!
//! A group is priced by itself, whatever is above or below it: tiers, commitments and custom line items know no hierarchy, and an account
//! counts in one group. A subtree's total is the sum of its groups' totals, and nothing is priced again. AWS Billing Conductor has no such
//! thing: its groups are flat.

use crate::book::Book;
use crate::money::{Cost, Currency, DecimalError};
use crate::period::BillingPeriod;
use crate::responsibility_transfer::{Phase, ResponsibilityTransfer};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The amounts of each group, in the order of the book, by currency; several amounts are summed one by one.
pub type Totals<const N: usize> = Vec<BTreeMap<Currency, [Cost; N]>>;

/// The group above each group, where that follows from billing transfers: the group of the transfer whose source receives the bill. Nothing is
/// above a group whose bill goes to the payer. `transfers` has each group's transfer, where that is in force.
#[must_use]
pub fn receiving_groups(payer: &str, transfers: &[Option<&ResponsibilityTransfer>]) -> Vec<Option<usize>> {
    let sources =
        transfers.iter().enumerate().filter_map(|(group, of)| Some(((*of)?.source.as_str(), group)));
    let by_source: HashMap<&str, usize> = sources.collect();
    let receiving = |of: &Option<&ResponsibilityTransfer>| {
        let receiver = (*of)?.receiver.as_str();
        by_source.get(receiver).copied().filter(|_| receiver != payer)
    };
    transfers.iter().map(receiving).collect()
}

/// The groups of a book as trees. Groups are numbers in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    /// Every group, parents before their children, siblings in the order of the book.
    order: Vec<usize>,
    depths: Vec<usize>,
}

impl Hierarchy {
    /// The hierarchy of a book's groups in a period: by the parents that are written, and by the billing transfers in force.
    ///
    /// A group whose transfer is not in force is in no tree: nothing is above it, and what hangs below it hangs below what is above it.
    #[must_use]
    pub fn of(book: &Book, period: BillingPeriod) -> Self {
        let is_there: Vec<bool> =
            (0..book.groups.len()).map(|group| book.phase(group, period) == Phase::InForce).collect();
        let transfer = |group: usize| book.groups[group].transfer.map(|transfer| &book.transfers[transfer]);
        let transfers: Vec<_> =
            (0..book.groups.len()).map(|group| transfer(group).filter(|_| is_there[group])).collect();
        let received = receiving_groups(book.payer.as_str(), &transfers);
        let above = |group: &usize| received[*group].or(book.groups[*group].parent);
        let parent = |group: usize| {
            let mut all_above = std::iter::successors(above(&group), above);
            all_above.find(|above| is_there[*above]).filter(|_| is_there[group])
        };
        Self::new((0..book.groups.len()).map(parent).collect())
    }

    /// The hierarchy in which each group has this parent.
    ///
    /// No group may be above itself, which a checked book sees to: such groups, and what is below them, would be in no tree.
    #[must_use]
    pub fn new(parents: Vec<Option<usize>>) -> Self {
        let mut children = vec![Vec::new(); parents.len()];
        let mut roots = Vec::new();
        for (group, parent) in parents.iter().enumerate() {
            parent.map_or(&mut roots, |parent| &mut children[parent]).push(group);
        }
        let mut hierarchy = Self { depths: vec![0; parents.len()], parents, children, order: Vec::new() };
        hierarchy.order = roots.into_iter().flat_map(|root| hierarchy.subtree(root)).collect();
        for group in &hierarchy.order {
            hierarchy.depths[*group] =
                hierarchy.parents[*group].map_or(0, |parent| hierarchy.depths[parent] + 1);
        }
        hierarchy
    }

    /// Whether no group has a parent: a book as AWS has it.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.parents.iter().all(Option::is_none)
    }

    /// Every group: parents before their children, each tree and all siblings in the order of the book.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The group above.
    #[must_use]
    pub fn parent(&self, group: usize) -> Option<usize> {
        self.parents[group]
    }

    /// The groups right below, in the order of the book.
    #[must_use]
    pub fn children(&self, group: usize) -> &[usize] {
        &self.children[group]
    }

    /// How many groups are above; 0 at the top.
    #[must_use]
    pub fn depth(&self, group: usize) -> usize {
        self.depths[group]
    }

    /// The group at the top of its tree: itself where nothing is above.
    #[must_use]
    pub fn root(&self, group: usize) -> usize {
        std::iter::successors(Some(group), |group| self.parents[*group]).last().unwrap_or(group)
    }

    /// A group and all that is below it, parents before their children.
    #[must_use]
    pub fn subtree(&self, group: usize) -> Vec<usize> {
        let (mut found, mut waiting) = (Vec::new(), vec![group]);
        while let Some(group) = waiting.pop() {
            found.push(group);
            waiting.extend(self.children[group].iter().rev());
        }
        found
    }

    /// Groups with all that is below them.
    #[must_use]
    pub fn with_all_below(&self, groups: &[usize]) -> BTreeSet<usize> {
        groups.iter().flat_map(|group| self.subtree(*group)).collect()
    }

    /// What every subtree comes to, from the totals of the groups; a subtree has the currencies of its groups.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn roll_up<const N: usize>(&self, mut totals: Totals<N>) -> Result<Totals<N>, DecimalError> {
        // Children come before their parents, so each passes on what is complete.
        for group in self.order.iter().rev() {
            let Some(parent) = self.parents[*group] else { continue };
            for (currency, amounts) in totals[*group].clone() {
                add(&mut totals[parent], currency, amounts)?;
            }
        }
        Ok(totals)
    }
}

/// Adds amounts to a group's.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn add<const N: usize>(
    totals: &mut BTreeMap<Currency, [Cost; N]>,
    currency: Currency,
    amounts: [Cost; N],
) -> Result<(), DecimalError> {
    let sums = totals.entry(currency).or_insert([Cost::ZERO; N]);
    for (sum, more) in sums.iter_mut().zip(amounts) {
        *sum = sum.plus(more)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
