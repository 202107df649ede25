//! What the rules of billing groups want of the organization in a period.

use super::{BillingGroupId, Configuration, FamilyAccount};
use crate::account::AccountId;
use crate::group_rule::GroupRule;
use crate::organization::UnitTree;
use crate::period::BillingPeriod;
use crate::responsibility_transfer::Phase;
use std::collections::BTreeSet;

/// The rules of a period, each with its group.
pub type RulesInForce<'a> = Vec<(&'a BillingGroupId, &'a GroupRule)>;

impl Configuration {
    /// The rule of a group in a period, where the group is there and has one.
    #[must_use]
    pub fn group_rule(&self, id: &BillingGroupId, period: BillingPeriod) -> Option<&GroupRule> {
        self.groups.at(id, period)?;
        self.group_rules.get(id)?.at(period)
    }

    /// The rules of the groups of a period, in the order of the groups' ids.
    #[must_use]
    pub fn rules_in_force(&self, period: BillingPeriod) -> RulesInForce<'_> {
        let ids = self.group_rules.keys();
        ids.filter_map(|id| Some((id, self.group_rule(id, period)?))).collect()
    }

    /// The groups whose rules match an account, each with what of its rule does.
    #[must_use]
    pub fn wanting<'a>(
        &'a self,
        rules: &RulesInForce<'a>,
        id: &AccountId,
        account: &'a FamilyAccount,
    ) -> Vec<(&'a BillingGroupId, String)> {
        let tree = UnitTree::of(&self.units);
        let matching = |(group, rule): &(&'a BillingGroupId, &'a GroupRule)| {
            Some((*group, rule.matching(&tree, id, account)?.to_string()))
        };
        rules.iter().filter_map(matching).collect()
    }

    /// The accounts that a rule may move in a period: those of the organization, but for the payer, and for those whose bill comes by a transfer.
    pub fn movable(&self, period: BillingPeriod) -> impl Iterator<Item = (&AccountId, &FamilyAccount)> {
        let there = self.transfers.values().filter(move |transfer| transfer.phase(period) != Phase::Gone);
        let transferred: BTreeSet<&AccountId> = there.flat_map(|transfer| &transfer.accounts).collect();
        self.family.iter().filter(move |(id, account)| {
            **id != self.payer && account.is_there(period) && !transferred.contains(id)
        })
    }
}
