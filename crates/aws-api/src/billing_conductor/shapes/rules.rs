//! Pricing rules and the plans that they are in.

use aws_wire::json::Number;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `CustomTier`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomTier {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begin_range_inclusive: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_range_exclusive: Option<Number>,
    pub rate_value: Number,
}

/// `FreeTierConfig`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FreeTier {
    pub activated: bool,
}

/// `Tiering`, `CreateTieringInput`, `UpdateTieringInput`: three names of one shape.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tiering {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_tier: Option<FreeTier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_tiers: Option<Vec<CustomTier>>,
}

/// The input of `CreatePricingRule`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePricingRule {
    pub name: String,
    pub description: Option<String>,
    pub scope: String,
    pub r#type: String,
    pub modifier_percentage: Option<Number>,
    pub service: Option<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    pub billing_entity: Option<String>,
    pub tiering: Option<Tiering>,
    pub usage_type: Option<String>,
    pub operation: Option<String>,
}

/// The input of `UpdatePricingRule`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdatePricingRule {
    pub arn: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub r#type: Option<String>,
    pub modifier_percentage: Option<Number>,
    pub tiering: Option<Tiering>,
}

/// `PricingRuleListElement`, and the output of `UpdatePricingRule`, which has no `CreationTime`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PricingRuleElement<'a> {
    pub name: &'a str,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    pub scope: &'static str,
    pub r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modifier_percentage: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<&'a str>,
    pub associated_pricing_plan_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<i64>,
    pub last_modified_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_entity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiering: Option<Tiering>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'a str>,
}

/// The output of `ListPricingRules`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PricingRules<'a> {
    pub billing_period: String,
    pub pricing_rules: Vec<PricingRuleElement<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The input of `ListPricingPlansAssociatedWithPricingRule`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PlansOfRule {
    pub billing_period: Option<String>,
    pub pricing_rule_arn: String,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
}

/// Its output.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PlansOfRuleOut {
    pub billing_period: String,
    pub pricing_rule_arn: String,
    pub pricing_plan_arns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
