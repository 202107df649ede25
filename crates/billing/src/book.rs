//! The book: one payer's configuration as it stands for a period.
//!
//! A [`Draft`] is what somebody wrote; [`Draft::check`] turns it into a [`Book`] in which every reference holds, or into
//! all its mistakes at once, each with its [`Place`].

mod canonical;
mod check;
mod draft;

use crate::account::AccountId;
use crate::billing_group::{BillingGroup, Plan};
use crate::custom_line_item::CustomLineItem;
use crate::dimension::Dimensions;
use crate::line_filter::LineFilter;
use crate::money::Currency;
use crate::period::BillingPeriod;
use crate::policy::Policies;
use crate::pricing::{PricingPlan, PricingRule};
use crate::responsibility_transfer::{Phase, ResponsibilityTransfer};
use crate::sharing::Sharing;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

pub use check::{Checked, Mistake, Place};
pub use draft::{
    AccountDraft, AllocationDraft, DistributionDraft, Draft, FilterDraft, GroupDraft, ItemDraft,
    LineFilterDraft, MinimumDraft, PayerCommitmentDraft, PlanDraft, RuleDraft, SelectorDraft, ShareDraft,
    SupportFeeDraft, TargetsDraft, TransferDraft, WeightDraft,
};

/// The name of AWS's managed plan of public prices.
pub const BASIC_PRICING_PLAN: &str = "BasicPricingPlan";
/// The name of AWS's managed plan that shows what the level above is invoiced.
pub const PASSTHROUGH_PLAN: &str = "Passthrough";

/// A checked configuration: names are unique, references hold, an account is in at most one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// The payer account whose cost files it prices.
    pub payer: AccountId,
    /// The currency of flat items and custom tiers.
    pub currency: Currency,
    /// Names of accounts, for statements.
    pub account_names: BTreeMap<AccountId, String>,
    /// The billing transfers.
    pub transfers: Vec<ResponsibilityTransfer>,
    /// The billing groups.
    pub groups: Vec<BillingGroup>,
    /// The pricing rules.
    pub rules: Vec<PricingRule>,
    /// The pricing plans.
    pub plans: Vec<PricingPlan>,
    /// The custom line items.
    pub items: Vec<CustomLineItem>,
    /// Who has the benefit of commitments.
    pub sharing: Sharing,
    /// What becomes of credits, shared costs, support and promises to AWS.
    pub policies: Policies,
    /// What customers' files may hold beyond what they always may.
    pub exports: Exports,
    /// What reports keep apart.
    pub reports: Reports,
}

/// The tags and cost categories by which reports can be broken down: lines that differ in them are in classes of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reports {
    /// Tag keys, as cost files have them: `user_project`.
    pub tags: Vec<String>,
    /// Cost categories, by name.
    pub cost_categories: Vec<String>,
}

/// What the operator allows in the files of customers: columns and tag keys that are blank otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Columns of cost files, by name.
    pub columns: Vec<String>,
    /// Tag keys, as cost files have them: `user_project`.
    pub tags: Vec<String>,
    /// Who invoices the customers, for FOCUS files.
    pub invoice_issuer: Option<String>,
}

impl Book {
    /// The group of each account that a group has in a period.
    #[must_use]
    pub fn group_by_account(&self, period: BillingPeriod) -> BTreeMap<&str, usize> {
        let in_force = |(number, _): &(usize, &BillingGroup)| self.phase(*number, period) == Phase::InForce;
        let members = |(number, group)| member_pairs(number, group);
        self.groups.iter().enumerate().filter(in_force).flat_map(members).collect()
    }

    /// What a group is in a period: one of a billing transfer is what its transfer is, any other is always in force.
    #[must_use]
    pub fn phase(&self, group: usize, period: BillingPeriod) -> Phase {
        let transfer = self.groups[group].transfer.map(|transfer| &self.transfers[transfer]);
        transfer.map_or(Phase::InForce, |transfer| transfer.phase(period))
    }

    /// The groups that there are in a period, by number: those that wait for their billing transfer to begin among them.
    pub fn groups_of(&self, period: BillingPeriod) -> impl Iterator<Item = usize> {
        (0..self.groups.len()).filter(move |group| self.phase(*group, period) != Phase::Gone)
    }

    /// Whether an item charges in a period: it is active, and its group is in force.
    #[must_use]
    pub fn charges(&self, item: &CustomLineItem, period: BillingPeriod) -> bool {
        item.is_active(period) && self.phase(item.billing_group, period) == Phase::InForce
    }

    /// The accounts of organizations whose bill is, or will be, transferred in a period.
    pub(crate) fn transferred_accounts(&self, period: BillingPeriod) -> BTreeSet<&str> {
        let there = self.transfers.iter().filter(|transfer| transfer.phase(period) != Phase::Gone);
        there.flat_map(|transfer| &transfer.accounts).map(AccountId::as_str).collect()
    }

    /// Whether a group shows what the level above is invoiced.
    #[must_use]
    pub fn passes_through(&self, group: u32) -> bool {
        self.groups.get(group as usize).is_some_and(|group| group.pricing_plan == Plan::Passthrough)
    }

    /// The dimensions that lines are told apart by.
    #[must_use]
    pub fn dimensions(&self) -> Dimensions {
        let mut dimensions = Dimensions {
            tags: self.reports.tags.iter().cloned().collect(),
            cost_categories: self.reports.cost_categories.iter().cloned().collect(),
            resources: BTreeSet::new(),
            cuts: self.cut_groups().flat_map(|group| group.usage.cuts()).collect(),
            cut_accounts: self.cut_accounts(),
        };
        self.line_filters(None).iter().for_each(|(_, filter)| filter.add_dimensions(&mut dimensions));
        dimensions
    }

    /// The groups that have not every day.
    fn cut_groups(&self) -> impl Iterator<Item = &BillingGroup> {
        self.groups.iter().filter(|group| !group.usage.is_all())
    }

    /// The accounts of such groups; none where one of them has lines of accounts that it does not name.
    fn cut_accounts(&self) -> BTreeSet<AccountId> {
        let is_open = self.cut_groups().any(BillingGroup::is_open);
        let accounts = self.cut_groups().filter(|_| !is_open).flat_map(|group| &group.accounts);
        accounts.cloned().collect()
    }

    /// Every filter by which the book selects lines, in one period if it is given, and what it is a filter of, as messages name it.
    #[must_use]
    pub fn line_filters(&self, period: Option<BillingPeriod>) -> Vec<(String, &LineFilter)> {
        let mut filters = Vec::new();
        for group in &self.groups {
            filters.extend(group.lines.iter().map(|of| (format!("billing group `{}`", group.name), of)));
        }
        filters.extend(self.policies.filters(period));
        filters
    }

    /// The group that accounts in no group join, if one does.
    #[must_use]
    pub fn auto_associating_group(&self) -> Option<usize> {
        self.groups.iter().position(|group| group.auto_associate)
    }

    /// The hash of what the book says for a period: the same for any order of its entries.
    #[must_use]
    pub fn hash(&self, period: BillingPeriod) -> [u8; 32] {
        Sha256::digest(self.canonical(period)).into()
    }

    /// Whether an item of this book and one of another say the same, whatever their numbers.
    #[must_use]
    pub fn same_item(&self, item: &CustomLineItem, other: &Self, of_other: &CustomLineItem) -> bool {
        self.canonical_item(item) == other.canonical_item(of_other)
    }
}

fn member_pairs(number: usize, group: &BillingGroup) -> impl Iterator<Item = (&str, usize)> {
    group.accounts.iter().map(move |account| (account.as_str(), number))
}

#[cfg(test)]
mod tests;
