//! Billing groups, and who is in them.

use super::{Body, parsed, shape, text};
use billing::account::AccountId;
use billing::configuration::{BillingGroupId, GroupSettings, PlanOf, PricingPlanId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    primary_account: String,
    pricing_plan: Plan,
    auto_associate: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
}

/// The pricing plan of a group. AWS's plans and ids of own ones look alike, so it is said which.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Plan {
    Aws(AwsPlan),
    Own(String),
}

#[derive(Serialize, Deserialize)]
pub(super) enum AwsPlan {
    BasicPricingPlan,
    Passthrough,
}

impl Plan {
    pub(super) fn of(plan: &PlanOf) -> Self {
        match plan {
            PlanOf::Basic => Self::Aws(AwsPlan::BasicPricingPlan),
            PlanOf::Passthrough => Self::Aws(AwsPlan::Passthrough),
            PlanOf::Own(id) => Self::Own(id.as_str().to_owned()),
        }
    }

    pub(super) fn plan(self) -> Result<PlanOf, String> {
        Ok(match self {
            Self::Aws(AwsPlan::BasicPricingPlan) => PlanOf::Basic,
            Self::Aws(AwsPlan::Passthrough) => PlanOf::Passthrough,
            Self::Own(id) => PlanOf::Own(parsed("pricing plan", &id, PricingPlanId::parse(&id))?),
        })
    }
}

/// An account id.
pub(super) fn account(id: &str) -> Result<AccountId, String> {
    parsed("account", id, AccountId::parse(id))
}

impl Body for GroupSettings {
    fn write(&self) -> String {
        text(&Group {
            name: self.name.clone(),
            description: self.description.clone(),
            primary_account: self.primary_account.as_str().to_owned(),
            pricing_plan: Plan::of(&self.pricing_plan),
            auto_associate: self.auto_associate,
            transfer: self.transfer.clone(),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Group { name, description, primary_account, pricing_plan, auto_associate, transfer } =
            shape(text)?;
        Ok(Self {
            name,
            description,
            primary_account: account(&primary_account)?,
            pricing_plan: pricing_plan.plan()?,
            auto_associate,
            transfer,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Membership {
    billing_group: String,
}

/// The group of an account.
impl Body for BillingGroupId {
    fn write(&self) -> String {
        text(&Membership { billing_group: self.as_str().to_owned() })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Membership { billing_group } = shape(text)?;
        parsed("billing group", &billing_group, Self::parse(&billing_group))
    }
}
