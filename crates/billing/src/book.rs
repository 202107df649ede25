//! The book: one payer's configuration as it stands for a period.
//!
//! A [`Draft`] is what somebody wrote; [`Draft::check`] turns it into a [`Book`] in which every reference holds, or into
//! all its mistakes at once, each with its [`Place`].

mod check;
mod draft;

use crate::account::AccountId;
use crate::billing_group::BillingGroup;
use crate::custom_line_item::{Charge, CustomLineItem};
use crate::dimension::Dimensions;
use crate::money::Currency;
use crate::period::BillingPeriod;
use crate::pricing::{PricingPlan, PricingRule};
use crate::sharing::Sharing;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

pub use check::{Checked, Mistake, Place};
pub use draft::{
    AccountDraft, Draft, FilterDraft, GroupDraft, ItemDraft, LineFilterDraft, PlanDraft, RuleDraft,
};

/// The name of AWS's managed plan of public prices.
pub const BASIC_PRICING_PLAN: &str = "BasicPricingPlan";

/// A checked configuration: names are unique, references hold, an account is in at most one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// The payer account whose cost files it prices.
    pub payer: AccountId,
    /// The currency of flat items and custom tiers.
    pub currency: Currency,
    /// Names of accounts, for statements.
    pub account_names: BTreeMap<AccountId, String>,
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
    /// The group of each account that a group names.
    #[must_use]
    pub fn group_by_account(&self) -> BTreeMap<&str, usize> {
        let members = |(number, group)| member_pairs(number, group);
        self.groups.iter().enumerate().flat_map(members).collect()
    }

    /// The dimensions that lines are told apart by.
    #[must_use]
    pub fn dimensions(&self) -> Dimensions {
        Dimensions {
            tags: self.reports.tags.iter().cloned().collect(),
            cost_categories: self.reports.cost_categories.iter().cloned().collect(),
            resources: BTreeSet::new(),
        }
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

    /// The book as text, entries in name order; what is not in force in the period is left out.
    fn canonical(&self, period: BillingPeriod) -> String {
        let mut lines = vec![format!("book {} {} {period}", self.payer, self.currency)];
        lines.extend(self.account_names.iter().map(|(id, name)| format!("account {id} {name:?}")));
        lines.extend(self.rules.iter().map(|rule| format!("rule {rule:?}")));
        let rule = |number: &usize| self.rules[*number].name.as_str();
        for plan in &self.plans {
            let mut rules: Vec<_> = plan.rules.iter().map(rule).collect();
            rules.sort_unstable();
            lines.push(format!("plan {:?} {rules:?}", plan.name));
        }
        for group in &self.groups {
            let plan = group.pricing_plan.map_or(BASIC_PRICING_PLAN, |plan| &self.plans[plan].name);
            let mut accounts = group.accounts.clone();
            accounts.sort();
            let BillingGroup { name, description, primary_account, auto_associate, .. } = group;
            lines.push(format!(
                "group {name:?} {description:?} {primary_account} {accounts:?} {plan:?} {auto_associate}"
            ));
        }
        for item in self.items.iter().filter(|item| item.is_active(period) && !item.derived) {
            lines.push(self.canonical_item(item));
        }
        if self.sharing != Sharing::default() {
            lines.push(format!("sharing {}", self.sharing.name()));
        }
        lines.extend(self.exports.columns.iter().map(|column| format!("export column {column:?}")));
        lines.extend(self.exports.tags.iter().map(|tag| format!("export tag {tag:?}")));
        lines.extend(self.exports.invoice_issuer.iter().map(|issuer| format!("invoice issuer {issuer:?}")));
        lines.extend(self.reports.tags.iter().map(|tag| format!("report tag {tag:?}")));
        lines.extend(self.reports.cost_categories.iter().map(|name| format!("report category {name:?}")));
        lines.sort();
        lines.join("\n")
    }

    /// Whether an item of this book and one of another say the same, whatever their numbers.
    #[must_use]
    pub fn same_item(&self, item: &CustomLineItem, other: &Self, of_other: &CustomLineItem) -> bool {
        self.canonical_item(item) == other.canonical_item(of_other)
    }

    fn canonical_item(&self, item: &CustomLineItem) -> String {
        let CustomLineItem { name, description, billing_group, kind, account, presentation_service, .. } =
            item;
        let group = &self.groups[*billing_group].name;
        let mut line =
            format!("item {name:?} {description:?} {group:?} {kind:?} {account} {presentation_service:?} ");
        // Writing to a String cannot fail.
        let _ = match &item.charge {
            Charge::Flat(value) => write!(line, "flat {value}"),
            Charge::Percentage(charge) => {
                let mut of: Vec<_> =
                    charge.of_items.iter().map(|item| self.items[*item].name.as_str()).collect();
                of.sort_unstable();
                let (percentage, filter) = (charge.percentage, &charge.filter);
                write!(
                    line,
                    "{percentage} % of {} {of:?} {filter:?} {}",
                    charge.of_billing_group, charge.itemized
                )
            }
        };
        line
    }
}

fn member_pairs(number: usize, group: &BillingGroup) -> impl Iterator<Item = (&str, usize)> {
    group.accounts.iter().map(move |account| (account.as_str(), number))
}

#[cfg(test)]
mod tests;
