//! What a configuration says of a period: which groups there are, in what status, with which accounts.

use super::window::Window;
use super::{
    BillingGroupId, Configuration, FamilyAccount, GroupSettings, ItemSettings, PlanOf, PricingPlanId,
    Resource, TransferSettings,
};
use crate::account::AccountId;
use crate::billing_group::UsageWindow;
use crate::period::BillingPeriod;
use crate::responsibility_transfer::Phase;
use std::collections::{BTreeMap, BTreeSet};

/// Status of a group whose accounts are billed.
const ACTIVE: &str = "ACTIVE";
/// Status of a group whose primary account has left the organization: AWS deletes it the month after.
const PRIMARY_ACCOUNT_MISSING: &str = "PRIMARY_ACCOUNT_MISSING";

impl Configuration {
    /// The billing transfer that makes a group, if one does.
    #[must_use]
    pub fn transfer_of(&self, group: &GroupSettings) -> Option<&TransferSettings> {
        self.transfers.get(group.transfer.as_ref()?)
    }

    /// Whether an id is that of a `TRANSFER_BILLING` group, in whatever period.
    #[must_use]
    pub fn is_transfer(&self, id: &BillingGroupId) -> bool {
        let spans = self.groups.get(id).map(|group| group.versions.spans());
        spans.is_some_and(|spans| spans.iter().any(|span| span.value.transfer.is_some()))
    }

    /// A group of a period. One whose billing transfer has ended, or never will be in force, is none.
    #[must_use]
    pub fn group(
        &self,
        id: &BillingGroupId,
        period: BillingPeriod,
    ) -> Option<(&Resource<GroupSettings>, &GroupSettings)> {
        self.groups.at(id, period).filter(|(_, settings)| self.phase(settings, period) != Phase::Gone)
    }

    /// The groups of a period that were created after the one of a number, in order, as lists show them.
    pub fn groups_after(
        &self,
        number: u64,
        period: BillingPeriod,
    ) -> impl Iterator<Item = (&BillingGroupId, &Resource<GroupSettings>, &GroupSettings)> {
        self.groups.after(number).filter_map(move |(id, group)| {
            let settings = group.versions.at(period)?;
            (self.phase(settings, period) != Phase::Gone).then_some((id, group, settings))
        })
    }

    /// What a group is in a period; a standard one is always in force.
    #[must_use]
    pub fn phase(&self, group: &GroupSettings, period: BillingPeriod) -> Phase {
        match &group.transfer {
            None => Phase::InForce,
            Some(_) => self.transfer_of(group).map_or(Phase::Gone, |transfer| transfer.phase(period)),
        }
    }

    /// The status of a group as AWS shows it: `ACTIVE`, `PENDING` until its billing transfer begins, or `PRIMARY_ACCOUNT_MISSING` from the
    /// month in which its primary account leaves the organization. `None` where there is no such group in the period.
    #[must_use]
    pub fn group_status(&self, id: &BillingGroupId, period: BillingPeriod) -> Option<&'static str> {
        self.status_of(self.group(id, period)?.1, period)
    }

    /// [`group_status`](Self::group_status) of a group's settings in the period.
    #[must_use]
    pub fn status_of(&self, settings: &GroupSettings, period: BillingPeriod) -> Option<&'static str> {
        if settings.transfer.is_some() {
            return self.phase(settings, period).group_status();
        }
        let left = self.family.get(&settings.primary_account).and_then(|account| account.left);
        // An account that is gone in the next month has left in this one.
        Some(if left.is_some_and(|left| left <= period.next()) { PRIMARY_ACCOUNT_MISSING } else { ACTIVE })
    }

    /// The days of a period whose usage a standard group has: all of them, but where its primary account joins or leaves the organization within it.
    #[must_use]
    pub fn usage_window(&self, primary: &AccountId, period: BillingPeriod) -> UsageWindow {
        let primary = self.family.get(primary);
        let Some(details) = primary.and_then(|account| account.details.as_deref()) else {
            return UsageWindow::default();
        };
        let day = |instant: i64| i32::try_from(instant.div_euclid(86_400)).ok();
        let joined = details.joined_at.and_then(day).filter(|day| *day <= period.last_day());
        let left = details.left_at.and_then(day).filter(|day| *day >= period.first_day());
        // One that comes back has joined when it came back: AWS tells no earlier day, and a month must not depend on when the organization was read.
        let left = left.filter(|left| joined.is_none_or(|joined| joined <= *left));
        UsageWindow { from: joined, through: left }.within(period)
    }

    /// The accounts of a group in a period, in order: those of a billing transfer while it is in force. To ask for many groups, see
    /// [`associations`](Self::associations).
    #[must_use]
    pub fn members(&self, id: &BillingGroupId, period: BillingPeriod) -> Vec<&AccountId> {
        if let Some((_, settings)) = self.group(id, period)
            && settings.transfer.is_some()
        {
            let in_force =
                self.transfer_of(settings).filter(|transfer| transfer.phase(period) == Phase::InForce);
            return in_force.map_or_else(Vec::new, |transfer| transfer.accounts.iter().collect());
        }
        let of_group = self.memberships.iter().filter(|(_, groups)| groups.at(period) == Some(id));
        of_group.map(|(account, _)| account).collect()
    }

    /// The account that carries an item's charge in a period: its own while that is in the item's group, else the group's primary one, to which
    /// the month hands over what an account carried that has left. `None` where the period has neither.
    #[must_use]
    pub fn carrier<'a>(&'a self, item: &'a ItemSettings, period: BillingPeriod) -> Option<&'a AccountId> {
        let group = self.groups.at(&item.billing_group, period).map(|(_, group)| group);
        let (Some(own), Some(group)) = (&item.account, group) else {
            return item.account.as_ref().or(group.map(|group| &group.primary_account));
        };
        let transfer = self.transfer_of(group);
        let is_member = |account: &AccountId| match transfer {
            Some(transfer) => transfer.accounts.contains(account),
            None => self.group_of(account, period) == Some(&item.billing_group),
        };
        // A group that is only a parent has no accounts, not even its primary one: who carries is below it.
        let has_members = transfer.map_or(is_member(&group.primary_account), |of| !of.accounts.is_empty());
        Some(if has_members && !is_member(own) { &group.primary_account } else { own })
    }

    /// Whose account is whose in a period. Made once, it answers for every group.
    #[must_use]
    pub fn associations(&self, period: BillingPeriod) -> Associations<'_> {
        let mut members: BTreeMap<&BillingGroupId, Vec<&AccountId>> = BTreeMap::new();
        let mut group_of = BTreeMap::new();
        for (account, groups) in self.memberships.iter() {
            if let Some(group) = groups.at(period) {
                members.entry(group).or_default().push(account);
                group_of.insert(account, group);
            }
        }
        for (id, _, settings) in self.groups_after(0, period).filter(|(.., group)| group.transfer.is_some()) {
            let in_force = self.transfer_of(settings).filter(|of| of.phase(period) == Phase::InForce);
            for account in in_force.iter().flat_map(|transfer| &transfer.accounts) {
                members.entry(id).or_default().push(account);
                group_of.entry(account).or_insert(id);
            }
        }
        Associations { configuration: self, period, members, group_of }
    }

    /// The plans that preferences for billing transfers name: they are in use.
    #[must_use]
    pub fn plans_of_preferences(&self) -> BTreeSet<&PricingPlanId> {
        let plans = self.preferences.values().filter_map(|preference| preference.pricing_plan.as_ref());
        plans
            .filter_map(|plan| match plan {
                PlanOf::Own(plan) => Some(plan),
                PlanOf::Basic | PlanOf::Passthrough => None,
            })
            .collect()
    }

    /// The periods of a window in which a group of these settings is there.
    pub(super) fn live(&self, window: Window, group: &GroupSettings) -> Option<Window> {
        if group.transfer.is_none() {
            return Some(window);
        }
        let transfer = self.transfer_of(group)?;
        let never = transfer.status.phase(transfer.start, None, transfer.start) == Phase::Gone;
        window.before(transfer.end).filter(|_| !never)
    }
}

/// The accounts of every group of a period, and the group of every account.
#[derive(Debug)]
pub struct Associations<'a> {
    configuration: &'a Configuration,
    period: BillingPeriod,
    members: BTreeMap<&'a BillingGroupId, Vec<&'a AccountId>>,
    group_of: BTreeMap<&'a AccountId, &'a BillingGroupId>,
}

impl<'a> Associations<'a> {
    /// The accounts of a group, in order.
    #[must_use]
    pub fn members(&self, group: &BillingGroupId) -> &[&'a AccountId] {
        self.members.get(group).map_or(&[], Vec::as_slice)
    }

    /// How many accounts a group has.
    #[must_use]
    pub fn size(&self, group: &BillingGroupId) -> usize {
        self.members(group).len()
    }

    /// The group of an account.
    #[must_use]
    pub fn group_of(&self, account: &AccountId) -> Option<&'a BillingGroupId> {
        self.group_of.get(account).copied()
    }

    /// The accounts of the payer's own organization in the period, in order, each with its group and what is known of it: the payer, the
    /// accounts that are known, and those that a group has.
    #[must_use]
    pub fn accounts(&self) -> Vec<(&'a AccountId, Option<&'a BillingGroupId>, Option<&'a FamilyAccount>)> {
        let of = self.configuration;
        let there = of.family.iter().filter(|(_, account)| account.is_there(self.period));
        let mut accounts: BTreeSet<&AccountId> = there.map(|(account, _)| account).collect();
        accounts.insert(&of.payer);
        accounts.extend(self.group_of.keys().filter(|account| of.memberships.contains_key(**account)));
        accounts
            .into_iter()
            .map(|account| (account, self.group_of(account), of.family.get(account)))
            .collect()
    }
}
