//! What is configured: the settings of each kind of resource, as one version has them.

use super::{BillingGroupId, CustomLineItemId, PricingPlanId, PricingRuleId};
use crate::account::AccountId;
use crate::custom_line_item::{Filter, Kind};
use crate::money::{Cost, Percentage};
use crate::organization::AccountDetails;
use crate::period::BillingPeriod;
use crate::pricing::{Pricing, Scope};
use crate::responsibility_transfer::{Phase, Status};
use std::collections::{BTreeMap, BTreeSet};

/// A billing group; its accounts are in [`Configuration::memberships`](super::Configuration::memberships).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSettings {
    /// Unique among the groups of a period.
    pub name: String,
    /// Free text for the operator.
    pub description: Option<String>,
    /// The account that stands for the group; of a billing transfer its source.
    pub primary_account: AccountId,
    /// Its pricing plan.
    pub pricing_plan: PlanOf,
    /// Whether accounts that no group has join this one.
    pub auto_associate: bool,
    /// The billing transfer that makes it a `TRANSFER_BILLING` group, by name.
    pub transfer: Option<String>,
}

/// The pricing plan of a group: one that AWS manages, or one of the payer's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanOf {
    /// `BasicPricingPlan`
    Basic,
    /// `Passthrough`
    Passthrough,
    /// One of the payer's.
    Own(PricingPlanId),
}

/// A pricing plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSettings {
    /// Unique among the plans of a period.
    pub name: String,
    /// Free text for the operator.
    pub description: Option<String>,
    /// Its rules; order has no meaning.
    pub rules: BTreeSet<PricingRuleId>,
}

/// A pricing rule. What it selects never changes; how it prices may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSettings {
    /// Unique among the rules of a period.
    pub name: String,
    /// Free text for the operator.
    pub description: Option<String>,
    /// Which lines it prices.
    pub scope: Scope,
    /// How it prices them.
    pub pricing: Pricing,
}

/// A version of a custom line item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemSettings {
    /// What the operator calls it.
    pub name: String,
    /// What the customer reads beside the charge.
    pub description: String,
    /// The group that is charged.
    pub billing_group: BillingGroupId,
    /// The member that carries the charge; `None` is the primary account.
    pub account: Option<AccountId>,
    /// Whether it adds or takes away.
    pub kind: Kind,
    /// How much.
    pub charge: ChargeSettings,
    /// Whether each line of the base gets a charge of its own; percentages only. `None` is `CONSOLIDATED`, which is the same whether it is said or not.
    pub itemized: Option<bool>,
    /// The service it is shown under.
    pub presentation_service: Option<String>,
}

/// How much a custom line item charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeSettings {
    /// A fixed amount in the book's currency, in full for every period.
    Flat(Cost),
    /// A percentage of what is associated.
    Percentage {
        /// The percentage.
        percentage: Percentage,
        /// What it is a percentage of; without any it charges 0.
        of: BTreeSet<AssociatedValue>,
        /// What narrows the group's lines.
        filter: Option<Filter>,
    },
}

/// What a percentage may be taken of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssociatedValue {
    /// The group's own priced lines.
    BillingGroup,
    /// A flat custom line item of the group.
    Item(CustomLineItemId),
}

/// An account of the payer's organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FamilyAccount {
    /// Its name.
    pub name: Option<String>,
    /// Its root user's e-mail address.
    pub email: Option<String>,
    /// The month in which it joined the organization; `None` where it is not known, or it was always there.
    pub joined: Option<BillingPeriod>,
    /// The first month in which it is no more of the organization.
    pub left: Option<BillingPeriod>,
    /// What the organization says of it, where that was read; `None` of an account that a list or cost files name.
    pub details: Option<Box<AccountDetails>>,
}

impl FamilyAccount {
    /// Whether the account is of the organization in some part of a period.
    #[must_use]
    pub fn is_there(&self, period: BillingPeriod) -> bool {
        self.joined.is_none_or(|joined| joined <= period) && self.left.is_none_or(|left| period < left)
    }
}

/// Why an account is in its billing group where nobody has put it there: it holds as long as the account is in this group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The group.
    pub group: BillingGroupId,
    /// What has put it there.
    pub by: PlacedBy,
}

/// What puts accounts into billing groups by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlacedBy {
    /// The group's rule, with what of it matched.
    Rule(String),
    /// The group takes what no other has.
    AutoAssociate,
}

/// A billing transfer: it has its own dates, so no versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferSettings {
    /// The management account of the organization whose bill is transferred.
    pub source: AccountId,
    /// Who receives the bill: the payer, or the source of another transfer.
    pub receiver: AccountId,
    /// All accounts of the organization, the source among them.
    pub accounts: BTreeSet<AccountId>,
    /// What AWS Organizations says of it.
    pub status: Status,
    /// The first period whose bill is transferred.
    pub start: BillingPeriod,
    /// The first period whose bill no more is.
    pub end: Option<BillingPeriod>,
}

impl TransferSettings {
    /// What the transfer is in a period.
    #[must_use]
    pub fn phase(&self, period: BillingPeriod) -> Phase {
        self.status.phase(self.start, self.end, period)
    }
}

/// Whether billing groups are made without anybody asking for the transfers that come through another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// The plan of the groups that are made; `None` makes none.
    pub pricing_plan: Option<PlanOf>,
    /// When it was said, in seconds since 1970-01-01T00:00:00Z.
    pub modified_at: i64,
}

/// What a book says and the AWS API has no words for: policies, hierarchy, groups below the account, reports, exports. Its own words, which
/// nothing here reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtherSettings {
    /// A book that holds these tables only; of billing groups their name, and what the API does not know of them.
    pub book: String,
    /// The texts of the files that it names, by name.
    pub files: BTreeMap<String, String>,
}
