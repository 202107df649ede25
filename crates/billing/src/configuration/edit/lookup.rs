//! What an input refers to: ARNs and ids as the caller wrote them, and what they name in the periods of a change.

use super::Edit;
use crate::account::AccountId;
use crate::book::{BASIC_PRICING_PLAN, PASSTHROUGH_PLAN};
use crate::configuration::window::Window;
use crate::configuration::{
    BillingGroupId, ConflictReason, GroupSettings, PlanOf, PricingPlanId, Refusal, ResourceName,
    ResourceType, ValidationReason,
};
use std::collections::BTreeSet;

/// How many accounts one request may name (AWS Billing Conductor API reference, `AccountIdList`).
const ACCOUNTS_PER_REQUEST: usize = 30;
/// The account field in the ARNs of what AWS manages.
const MANAGED_BY: &str = "aws";

/// How to refuse a group that is not there: the operations that create and delete list no `ResourceNotFoundException`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// As a resource that is not found.
    NotFound,
    /// As an input that is not valid.
    Invalid,
}

impl Edit<'_> {
    /// Reads an ARN or id of a kind of resource of the payer: its id.
    fn own_id(
        &self,
        text: &str,
        kind: ResourceType,
        mismatched: ValidationReason,
    ) -> Result<String, Refusal> {
        let name = of_kind(text, kind)?;
        match name.owner {
            Some((account, _)) if account != self.next.payer.as_str() => {
                let message =
                    format!("`{text}` is not of payer account `{}`: use an ARN of its own", self.next.payer);
                Err(Refusal::invalid(mismatched, message))
            }
            _ => Ok(name.id),
        }
    }

    /// The billing group that an ARN or id names, whether or not it is there in the period of the write.
    ///
    /// # Errors
    /// [`ValidationReason::InvalidArn`] for anything else, [`ValidationReason::MismatchedBillinggroupArn`] for one of another payer.
    pub(super) fn group_id(&self, text: &str, missing: Missing) -> Result<BillingGroupId, Refusal> {
        let reason = ValidationReason::MismatchedBillinggroupArn;
        let id = self.own_id(text, ResourceType::BillingGroup, reason)?;
        BillingGroupId::parse(&id).ok_or_else(|| missing_group(text, missing))
    }

    /// The billing group that an ARN or id names, and what it is in the period of the write.
    ///
    /// # Errors
    /// Those of [`group_id`](Self::group_id); as `missing` says where there is none in the period;
    /// [`ValidationReason::IllegalEndedBillinggroup`] where its billing transfer has ended.
    pub(super) fn group(
        &self,
        text: &str,
        missing: Missing,
    ) -> Result<(BillingGroupId, &GroupSettings), Refusal> {
        let id = self.group_id(text, missing)?;
        let period = self.moment.period;
        let Some((_, settings)) = self.next.groups.at(&id, period) else {
            return Err(missing_group(text, missing));
        };
        if self.next.group(&id, period).is_none() {
            let message = format!(
                "billing group `{}` has ended with its billing transfer; it can only be deleted",
                settings.name
            );
            return Err(Refusal::invalid(ValidationReason::IllegalEndedBillinggroup, message));
        }
        Ok((id, settings))
    }

    /// The pricing plan that an ARN or id names, there in every period of a window.
    ///
    /// # Errors
    /// [`ValidationReason::InvalidArn`] for anything else, [`ValidationReason::MismatchedPricingplanArn`] for one of another payer,
    /// [`ValidationReason::MissingPricingplan`] where it is not there in a period.
    pub(super) fn plan(&self, text: &str, window: Window) -> Result<PlanOf, Refusal> {
        let missing = |rest: &str| {
            let message = format!("there is no pricing plan `{text}`{rest}");
            Refusal::invalid(ValidationReason::MissingPricingplan, message)
        };
        let name = of_kind(text, ResourceType::PricingPlan)?;
        let managed = match name.id.as_str() {
            BASIC_PRICING_PLAN => Some(PlanOf::Basic),
            PASSTHROUGH_PLAN => Some(PlanOf::Passthrough),
            _ => None,
        };
        let is_managed = name.owner.as_ref().map_or(managed.is_some(), |(account, _)| account == MANAGED_BY);
        if is_managed {
            return managed.ok_or_else(|| missing(" among those that AWS manages"));
        }
        let reason = ValidationReason::MismatchedPricingplanArn;
        let id = self.own_id(text, ResourceType::PricingPlan, reason)?;
        let id = PricingPlanId::parse(&id).ok_or_else(|| missing(""))?;
        let plan = self.next.plans.get(&id).ok_or_else(|| missing(""))?;
        match window.first_gap(&plan.versions) {
            Some(period) => Err(missing(&format!(" in billing period {period}"))),
            None => Ok(PlanOf::Own(id)),
        }
    }

    /// Refuses a name that another group has in some period of a window.
    pub(super) fn name_of_group_is_free(
        &self,
        name: &str,
        window: Window,
        own: Option<&BillingGroupId>,
    ) -> Result<(), Refusal> {
        for (id, group) in self.next.groups.iter().filter(|(id, _)| Some(*id) != own) {
            let named = group.versions.spans().iter().filter(|span| span.value.name == name);
            let mut lives = named.filter_map(|span| self.next.live(Window::of(span), &span.value));
            if let Some(common) = lives.find_map(|of| of.common(window)) {
                let message = format!(
                    "a billing group `{name}` exists in billing period {} already; choose another name",
                    common.from
                );
                let resource = (ResourceType::BillingGroup, id.as_str());
                let reason = ConflictReason::ResourceNameConflict;
                return Err(Refusal::conflict(reason, &self.next.payer, resource, message));
            }
        }
        Ok(())
    }
}

/// Refuses more accounts than a request may name, and one that is named twice.
pub(super) fn distinct_accounts(accounts: &[AccountId]) -> Result<(), Refusal> {
    if accounts.len() > ACCOUNTS_PER_REQUEST {
        let given = accounts.len();
        let message = format!("{given} accounts are given; one request may name {ACCOUNTS_PER_REQUEST}");
        return Err(Refusal::invalid(ValidationReason::TooManyAccountsInRequest, message));
    }
    let mut seen = BTreeSet::new();
    accounts.iter().find(|account| !seen.insert(*account)).map_or(Ok(()), |twice| {
        let message = format!("account `{twice}` is given twice; name it once");
        Err(Refusal::invalid(ValidationReason::DuplicateAccount, message))
    })
}

/// Reads an ARN or id; an ARN must be of the kind.
fn of_kind(text: &str, kind: ResourceType) -> Result<ResourceName, Refusal> {
    let name = ResourceName::parse(text);
    name.filter(|name| name.owner.as_ref().is_none_or(|(_, of)| *of == kind)).ok_or_else(|| {
        let message = format!("`{text}` is not the ARN or the id of a {}", kind.words());
        Refusal::invalid(ValidationReason::InvalidArn, message)
    })
}

fn missing_group(text: &str, missing: Missing) -> Refusal {
    match missing {
        Missing::NotFound => Refusal::NotFound { kind: ResourceType::BillingGroup, id: text.to_owned() },
        Missing::Invalid => {
            let message = format!("there is no billing group `{text}` in the billing period");
            Refusal::invalid(ValidationReason::MissingBillinggroup, message)
        }
    }
}
