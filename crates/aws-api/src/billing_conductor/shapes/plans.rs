//! Pricing plans and the rules in them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The input of `CreatePricingPlan`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePricingPlan {
    pub name: String,
    pub description: Option<String>,
    #[serde(default)]
    pub pricing_rule_arns: Vec<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// The input of `UpdatePricingPlan`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdatePricingPlan {
    pub arn: String,
    pub name: Option<String>,
    pub description: Option<String>,
}

/// The output of `UpdatePricingPlan`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdatedPricingPlan {
    pub arn: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub size: u64,
    pub last_modified_time: i64,
}

/// The input of `AssociatePricingRules` and `DisassociatePricingRules`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RulesOfPlan {
    pub arn: String,
    pub pricing_rule_arns: Vec<String>,
}

/// `PricingPlanListElement`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PricingPlanElement {
    pub name: String,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub size: u64,
    pub creation_time: i64,
    pub last_modified_time: i64,
}

/// The output of `ListPricingPlans`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PricingPlans {
    pub billing_period: String,
    pub pricing_plans: Vec<PricingPlanElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The input of `ListPricingRulesAssociatedToPricingPlan`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RulesOfPlanIn {
    pub billing_period: Option<String>,
    pub pricing_plan_arn: String,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
}

/// Its output.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RulesOfPlanOut {
    pub billing_period: String,
    pub pricing_plan_arn: String,
    pub pricing_rule_arns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
