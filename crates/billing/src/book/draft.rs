//! A book as somebody wrote it.

mod policies;

use super::{Exports, Reports};
use crate::money::{Cost, Percentage};
use crate::tiers::Tier;
use std::collections::BTreeMap;

pub use policies::{
    AllocationDraft, DistributionDraft, MinimumDraft, PayerCommitmentDraft, ShareDraft, SupportFeeDraft,
    TargetsDraft, WeightDraft,
};

/// A book as somebody wrote it: numbers are numbers, everything else is still text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// `payer_account_id`
    pub payer_account_id: String,
    /// `currency`
    pub currency: Option<String>,
    /// `[[accounts]]`
    pub accounts: Vec<AccountDraft>,
    /// `[[pricing_rules]]`
    pub pricing_rules: Vec<RuleDraft>,
    /// `[[pricing_plans]]`
    pub pricing_plans: Vec<PlanDraft>,
    /// `[[responsibility_transfers]]`
    pub responsibility_transfers: Vec<TransferDraft>,
    /// `[[billing_groups]]`
    pub billing_groups: Vec<GroupDraft>,
    /// `[[custom_line_items]]`
    pub custom_line_items: Vec<ItemDraft>,
    /// `[sharing] commitments`
    pub sharing_commitments: Option<String>,
    /// `[[distributions]]`
    pub distributions: Vec<DistributionDraft>,
    /// `[[allocations]]`
    pub allocations: Vec<AllocationDraft>,
    /// `[[support_fees]]`
    pub support_fees: Vec<SupportFeeDraft>,
    /// `[[payer_commitments]]`
    pub payer_commitments: Vec<PayerCommitmentDraft>,
    /// `[[minimums]]`
    pub minimums: Vec<MinimumDraft>,
    /// `[exports]`
    pub exports: Exports,
    /// `[reports]`
    pub reports: Reports,
}

impl Draft {
    /// Whether a charge that a policy makes has a name: an itemized one has more behind it.
    #[must_use]
    pub fn names_charge(&self, name: &str) -> bool {
        let is_part = |of: &String| name.strip_prefix(of.as_str()).is_some_and(|rest| rest.starts_with(", "));
        self.allocations.iter().any(|of| of.name == name || is_part(&of.name))
            || self.support_fees.iter().any(|of| of.name == name)
            || self.payer_commitments.iter().any(|of| of.name == name)
            || self.minimums.iter().any(|of| of.name == name)
    }

    /// The code of the book's currency.
    pub(super) fn currency_code(&self) -> &str {
        self.currency.as_deref().unwrap_or("USD")
    }

    /// The billing transfer that a group names, if it exists.
    #[must_use]
    pub fn transfer_of(&self, group: &GroupDraft) -> Option<&TransferDraft> {
        let name = group.responsibility_transfer.as_ref()?;
        self.responsibility_transfers.iter().find(|transfer| transfer.name == *name)
    }

    /// The primary account and the accounts of a group: its own, or those of its billing transfer.
    #[must_use]
    pub fn members_of<'a>(&'a self, group: &'a GroupDraft) -> (&'a String, &'a [String]) {
        match self.transfer_of(group) {
            Some(transfer) => (&transfer.source_account_id, &transfer.accounts),
            None => (&group.primary_account_id, &group.accounts),
        }
    }
}

/// An entry of `[[accounts]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountDraft {
    /// `id`
    pub id: String,
    /// `name`
    pub name: String,
}

/// An entry of `[[pricing_rules]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleDraft {
    /// `name`
    pub name: String,
    /// `scope`
    pub scope: String,
    /// `type`
    pub kind: String,
    /// `service`
    pub service: Option<String>,
    /// `usage_type`
    pub usage_type: Option<String>,
    /// `operation`
    pub operation: Option<String>,
    /// `billing_entity`
    pub billing_entity: Option<String>,
    /// `modifier_percentage`
    pub modifier_percentage: Option<Percentage>,
    /// `free_tier_activated`
    pub free_tier_activated: Option<bool>,
    /// `custom_tiers`
    pub custom_tiers: Option<Vec<Tier>>,
}

/// An entry of `[[pricing_plans]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanDraft {
    /// `name`
    pub name: String,
    /// `pricing_rules`
    pub pricing_rules: Vec<String>,
}

/// An entry of `[[billing_groups]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupDraft {
    /// `name`
    pub name: String,
    /// `description`
    pub description: Option<String>,
    /// `primary_account_id`
    pub primary_account_id: String,
    /// `accounts`
    pub accounts: Vec<String>,
    /// `responsibility_transfer`
    pub responsibility_transfer: Option<String>,
    /// `lines`
    pub lines: Vec<LineFilterDraft>,
    /// `pricing_plan`
    pub pricing_plan: String,
    /// `auto_associate`
    pub auto_associate: bool,
    /// `parent`
    pub parent: Option<String>,
    /// `usage_from`, as `YYYY-MM-DD`
    pub usage_from: Option<String>,
    /// `usage_through`, as `YYYY-MM-DD`
    pub usage_through: Option<String>,
    /// `rule`: one of them has to match an account of the organization that is to be in the group. Nothing is priced by it.
    pub rule: Vec<SelectorDraft>,
    /// `rule_except`
    pub rule_except: Vec<String>,
    /// `rule_accounts`: those of `accounts` that the rule has put there, and takes away again.
    pub rule_accounts: Vec<String>,
}

/// An entry of a group's `rule`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectorDraft {
    /// `organizational_unit`
    pub organizational_unit: Option<String>,
    /// `tag_key`
    pub tag_key: Option<String>,
    /// `tag_values`
    pub tag_values: Vec<String>,
    /// `name_pattern`
    pub name_pattern: Option<String>,
}

/// An entry of `[[responsibility_transfers]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferDraft {
    /// `name`
    pub name: String,
    /// `source_account_id`
    pub source_account_id: String,
    /// `receiver_account_id`
    pub receiver_account_id: String,
    /// `accounts`
    pub accounts: Vec<String>,
    /// `status`
    pub status: String,
    /// `start`
    pub start: String,
    /// `end`
    pub end: Option<String>,
}

/// An entry of `[[custom_line_items]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemDraft {
    /// `name`
    pub name: String,
    /// `description`
    pub description: String,
    /// `billing_group`
    pub billing_group: String,
    /// `type`
    pub kind: String,
    /// `flat_charge_value`
    pub flat_charge_value: Option<Cost>,
    /// `currency`
    pub currency: Option<String>,
    /// `percentage_value`
    pub percentage_value: Option<Percentage>,
    /// `associated_values`
    pub associated_values: Option<Vec<String>>,
    /// `computation_rule`
    pub computation_rule: Option<String>,
    /// `presentation_service`
    pub presentation_service: Option<String>,
    /// `line_item_filters`
    pub line_item_filters: Vec<FilterDraft>,
    /// `account_id`
    pub account_id: Option<String>,
    /// `start`
    pub start: String,
    /// `end`
    pub end: Option<String>,
    /// `corrects`
    pub corrects: Option<String>,
}

/// An entry of `line_item_filters`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterDraft {
    /// `attribute`
    pub attribute: String,
    /// `match_option`
    pub match_option: String,
    /// `values`
    pub values: Option<Vec<String>>,
    /// `attribute_values`
    pub attribute_values: Option<Vec<String>>,
}

/// Conditions on lines: a [`LineFilter`](crate::line_filter::LineFilter) as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFilterDraft {
    /// `accounts`
    pub accounts: Vec<String>,
    /// `services`
    pub services: Vec<String>,
    /// `usage_types`
    pub usage_types: Vec<String>,
    /// `line_item_types`
    pub line_item_types: Vec<String>,
    /// `descriptions`
    pub descriptions: Vec<String>,
    /// `tags`
    pub tags: BTreeMap<String, Vec<String>>,
    /// `cost_categories`
    pub cost_categories: BTreeMap<String, Vec<String>>,
    /// `resources`
    pub resources: Vec<String>,
    /// `without_tags`
    pub without_tags: Vec<String>,
    /// `without_cost_categories`
    pub without_cost_categories: Vec<String>,
}
