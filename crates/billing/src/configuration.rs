//! A payer's configuration through time: what the billing desk may change, and when what it says is in force.
//!
//! A [`Configuration`] is a value. A write begins an [`Edit`] of it, and what the edit makes is the next value: whoever reads meanwhile has the
//! one before, whole. Every setting has a [`Timeline`] of billing periods, so that a past month keeps what it had (AWS Billing Conductor
//! user guide, "Best practices": changes apply to the whole current month and to no earlier one). The refusals are those of the AWS API, by
//! name; who may call is decided elsewhere.

mod edit;
mod from_book;
mod ids;
mod other;
mod read;
mod read_catalogue;
mod read_rules;
mod refusal;
mod settings;
mod table;
mod timeline;
mod to_book;
mod window;

use crate::account::AccountId;
use crate::group_rule::GroupRule;
use crate::organization::{Organization, OrganizationalUnit, UnitId};
use crate::period::BillingPeriod;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use edit::{
    Associated, AssociationFailure, AssociationReason, BillingGroupChange, Edit, FilterText, Flag, Followed,
    ItemChange, Moment, Moved, NewBillingGroup, NewItem, NewPercentage, NewPlan, NewRule,
    OrganizationChanges, PeriodRange, PlanChange, RuleChange, RuleType, ScopeName, TierText, Tiering,
    Touched, flat_charge_value, modifier_percentage, percentage_value,
};
pub use from_book::{BookChanges, Changes, NotApplied};
pub use ids::{
    BillingGroupId, CustomLineItemId, PricingPlanId, PricingRuleId, ResourceName, ResourceType, arn,
};
pub use other::{names_in_other, remove_group, rename_group, split};
pub use read::Associations;
pub use read_catalogue::{
    AssociatedResource, AssociationSizes, Relationship, associated_resources, group_called,
    group_called_among, group_named, item_named, item_versions, plan_named, plans_per_rule, plans_with_rule,
    rule_named,
};
pub use read_rules::RulesInForce;
pub use refusal::{ConflictReason, Quota, Refusal, ValidationReason};
pub use settings::{
    AssociatedValue, ChargeSettings, FamilyAccount, GroupSettings, ItemSettings, OtherSettings, PlacedBy,
    Placement, PlanOf, PlanSettings, Preference, RuleSettings, TransferSettings,
};
pub use table::{Resource, Table};
pub use timeline::{Span, Timeline};

/// Everything that a payer has configured. Cheap to clone: tables are shared until one of the two is edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The payer account.
    pub payer: AccountId,
    /// The billing groups.
    pub groups: Table<BillingGroupId, GroupSettings>,
    /// The pricing plans of the payer; those that AWS manages are none of them.
    pub plans: Table<PricingPlanId, PlanSettings>,
    /// The pricing rules.
    pub rules: Table<PricingRuleId, RuleSettings>,
    /// The custom line items: a version's span is what it is charged for.
    pub items: Table<CustomLineItemId, ItemSettings>,
    /// The group of each account: an account is in at most one group in a period.
    pub memberships: Arc<BTreeMap<AccountId, Timeline<BillingGroupId>>>,
    /// The accounts of the payer's organization, as far as they are known.
    pub family: Arc<BTreeMap<AccountId, FamilyAccount>>,
    /// Whether `family` has every account, so that any other is none of the payer's. Accounts that only cost files name do not make it so.
    pub family_is_complete: bool,
    /// The payer's organization, where it was read.
    pub organization: Option<Arc<Organization>>,
    /// Its units, the root among them, and those that have gone.
    pub units: Arc<BTreeMap<UnitId, OrganizationalUnit>>,
    /// The rules by which billing groups take accounts of the organization.
    pub group_rules: Arc<BTreeMap<BillingGroupId, Timeline<GroupRule>>>,
    /// Why accounts are in their groups that nobody has put there; see [`Configuration::placed`].
    pub placements: Arc<BTreeMap<AccountId, Timeline<Placement>>>,
    /// The billing transfers to the payer or below it, by name: an ARN, or what a book calls it.
    pub transfers: Arc<BTreeMap<String, TransferSettings>>,
    /// What becomes of billing transfers without a group, by the transfer's ARN.
    pub preferences: Arc<BTreeMap<String, Preference>>,
    /// What a book says and the AWS API has no words for.
    pub other: Timeline<OtherSettings>,
    /// The last period that is closed; so is every one before it.
    pub closed_through: Option<BillingPeriod>,
    /// The number of the next resource: resources are listed in the order in which they were created.
    pub next_number: u64,
}

impl Configuration {
    /// The configuration of a payer who has configured nothing.
    #[must_use]
    pub fn new(payer: AccountId) -> Self {
        Self {
            payer,
            groups: Table::default(),
            plans: Table::default(),
            rules: Table::default(),
            items: Table::default(),
            memberships: Arc::default(),
            family: Arc::default(),
            family_is_complete: false,
            organization: None,
            units: Arc::default(),
            group_rules: Arc::default(),
            placements: Arc::default(),
            transfers: Arc::default(),
            preferences: Arc::default(),
            other: Timeline::default(),
            closed_through: None,
            next_number: 1,
        }
    }

    /// Whether a period is closed.
    #[must_use]
    pub fn is_closed(&self, period: BillingPeriod) -> bool {
        self.closed_through.is_some_and(|last| period <= last)
    }

    /// The group that an account is in.
    #[must_use]
    pub fn group_of(&self, account: &AccountId, period: BillingPeriod) -> Option<&BillingGroupId> {
        self.memberships.get(account)?.at(period)
    }

    /// What has put an account into the group that it is in; `None` where somebody has, or it is in none.
    #[must_use]
    pub fn placed(&self, account: &AccountId, period: BillingPeriod) -> Option<&Placement> {
        let placement = self.placements.get(account)?.at(period)?;
        (self.group_of(account, period) == Some(&placement.group)).then_some(placement)
    }
}
