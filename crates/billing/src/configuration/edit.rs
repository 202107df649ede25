//! One write: what it finds, what it may not do, and the configuration that it makes.
//!
//! An operation checks everything before it changes anything, so that an edit that was refused is the one it was before. Several operations in
//! one edit are one write: all of them, or none.

mod associations;
mod catalogue;
mod charges;
mod items;
mod numbers;
mod plans;
mod rules;
mod tags;

mod accounts;
mod family;
mod following;
mod group_rules;
mod groups;
mod lookup;
mod organization;
mod periods;
#[cfg(test)]
mod tests;
mod transfers;

pub use following::{Flag, Followed, Moved};
pub use groups::{BillingGroupChange, NewBillingGroup};

use super::{
    BillingGroupId, Configuration, CustomLineItemId, PricingPlanId, PricingRuleId, Refusal, ValidationReason,
};
use crate::account::AccountId;
use crate::organization::UnitId;
use crate::period::BillingPeriod;
use std::collections::BTreeSet;

pub use associations::{Associated, AssociationFailure, AssociationReason};
pub use catalogue::PeriodRange;
pub(super) use catalogue::own_id;
pub use charges::{FilterText, NewPercentage};
pub(super) use items::is_of;
pub use items::{ItemChange, NewItem};
pub use numbers::{flat_charge_value, modifier_percentage, percentage_value};
pub use organization::OrganizationChanges;
pub(super) use plans::managed_plan;
pub use plans::{NewPlan, PlanChange};
pub use rules::{NewRule, RuleChange, RuleType, ScopeName, TierText, Tiering};

/// When something is done, and for when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Now, in seconds since 1970-01-01T00:00:00Z: fixed when the request arrived.
    pub now: i64,
    /// The period that has it.
    pub current: BillingPeriod,
    /// The period from which on a write holds: the current one, unless the operator says an earlier one.
    pub period: BillingPeriod,
}

/// What an edit has changed: the key of everything that must be kept anew.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// A billing group, or its tags.
    Group(BillingGroupId),
    /// A pricing plan, or its tags.
    Plan(PricingPlanId),
    /// A pricing rule, or its tags.
    Rule(PricingRuleId),
    /// A custom line item, or its tags.
    Item(CustomLineItemId),
    /// Which group an account is in.
    Membership(AccountId),
    /// An account of the organization.
    Family(AccountId),
    /// Whether the organization's accounts are all known.
    FamilyIsComplete,
    /// The organization.
    Organization,
    /// A unit of the organization.
    Unit(UnitId),
    /// The rule of a billing group.
    GroupRule(BillingGroupId),
    /// Why an account is in its group.
    Placement(AccountId),
    /// A billing transfer, by name.
    Transfer(String),
    /// What becomes of transfers, by ARN.
    Preference(String),
    /// What only a book can say.
    Other,
    /// The last closed period.
    ClosedThrough,
}

/// A write that is being made. [`finish`](Edit::finish) has its result; dropping it leaves nothing.
pub struct Edit<'a> {
    pub(super) next: Configuration,
    pub(super) touched: BTreeSet<Touched>,
    pub(super) moment: Moment,
    /// The transfers that were accepted in this edit where a preference asks for their groups.
    accepted: BTreeSet<String>,
    pub(super) fresh: &'a mut dyn FnMut() -> String,
}

impl<'a> Edit<'a> {
    /// Begins an edit of a configuration. `fresh` makes ids of ten letters and digits that nobody can guess; one that is taken is asked again.
    ///
    /// # Errors
    /// [`ValidationReason::InvalidBillingPeriodForOperation`] where the period of the write is closed or after the current one.
    pub fn begin(
        configuration: &Configuration,
        moment: Moment,
        fresh: &'a mut dyn FnMut() -> String,
    ) -> Result<Self, Refusal> {
        let Moment { current, period, .. } = moment;
        let refused =
            |message| Err(Refusal::invalid(ValidationReason::InvalidBillingPeriodForOperation, message));
        if configuration.is_closed(period) {
            return refused(format!(
                "billing period {period} is closed; what it says does not change any more"
            ));
        }
        if period > current {
            return refused(format!(
                "billing period {period} has not begun; write to {current} or an earlier one"
            ));
        }
        Ok(Self {
            next: configuration.clone(),
            touched: BTreeSet::new(),
            moment,
            accepted: BTreeSet::new(),
            fresh,
        })
    }

    /// The configuration as the edit has it so far.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.next
    }

    /// When the edit is made, and for when.
    #[must_use]
    pub const fn moment(&self) -> Moment {
        self.moment
    }

    /// The next configuration, and what in it is not as it was.
    #[must_use]
    pub fn finish(self) -> (Configuration, BTreeSet<Touched>) {
        (self.next, self.touched)
    }

    /// The number of a resource that is created now.
    pub(super) fn next_number(&mut self) -> u64 {
        let number = self.next.next_number;
        self.next.next_number += 1;
        number
    }
}
