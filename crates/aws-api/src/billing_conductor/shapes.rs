//! The shapes of `billingconductor`, as they are on the wire. What a request may hold was checked against the service model before it is read
//! into one of these; what an answer leaves out is absent, never null.
//!
//! Source: AWS Billing Conductor API reference.

use aws_wire::json::Number;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `AccountGrouping` of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountGrouping {
    #[serde(default)]
    pub linked_account_ids: Vec<String>,
    pub auto_associate: Option<bool>,
    pub responsibility_transfer_arn: Option<String>,
}

/// `ListBillingGroupAccountGrouping`, `UpdateBillingGroupAccountGrouping`
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountGroupingOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_associate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsibility_transfer_arn: Option<String>,
}

/// `ComputationPreference`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ComputationPreference {
    pub pricing_plan_arn: String,
}

/// The input of `CreateBillingGroup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateBillingGroup {
    pub name: String,
    pub account_grouping: AccountGrouping,
    pub computation_preference: ComputationPreference,
    pub primary_account_id: Option<String>,
    pub description: Option<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// The input of `UpdateBillingGroup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateBillingGroup {
    pub arn: String,
    pub name: Option<String>,
    pub status: Option<String>,
    pub computation_preference: Option<ComputationPreference>,
    pub description: Option<String>,
    pub account_grouping: Option<AccountGroupingOut>,
}

/// The output of `UpdateBillingGroup`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdatedBillingGroup {
    pub arn: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub primary_account_id: String,
    pub pricing_plan_arn: String,
    pub size: u64,
    pub last_modified_time: i64,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    pub account_grouping: AccountGroupingOut,
}

/// An input that names one resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfArn {
    pub arn: String,
}

/// An output that names one resource.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArnOut {
    pub arn: String,
}

/// The input of `AssociateAccounts` and `DisassociateAccounts`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountsOfGroup {
    pub arn: String,
    pub account_ids: Vec<String>,
}

/// `StringSearch`; there is one option, `STARTS_WITH`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StringSearch {
    pub search_value: String,
}

/// `ListBillingGroupsFilter`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BillingGroupsFilter {
    pub arns: Option<Vec<String>>,
    pub pricing_plan: Option<String>,
    pub statuses: Option<Vec<String>>,
    pub auto_associate: Option<bool>,
    pub primary_account_ids: Option<Vec<String>>,
    pub billing_group_types: Option<Vec<String>>,
    pub names: Option<Vec<StringSearch>>,
    pub responsibility_transfer_arns: Option<Vec<String>>,
}

/// What every listing takes, with filters of its own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listing<F> {
    pub billing_period: Option<String>,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
    pub filters: Option<F>,
}

/// `BillingGroupListElement`. A customer's has no plan: it would tell how its price is made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BillingGroupElement {
    pub name: String,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub primary_account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computation_preference: Option<ComputationPreference>,
    pub size: u64,
    pub creation_time: i64,
    pub last_modified_time: i64,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    pub account_grouping: AccountGroupingOut,
    pub billing_group_type: &'static str,
}

/// The output of `ListBillingGroups`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BillingGroups {
    pub billing_groups: Vec<BillingGroupElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// `ListAccountAssociationsFilter`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountAssociationsFilter {
    pub association: Option<String>,
    pub account_id: Option<String>,
    pub account_ids: Option<Vec<String>>,
}

/// `AccountAssociationsListElement`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountAssociation {
    pub account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_group_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_email: Option<String>,
}

/// The output of `ListAccountAssociations`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountAssociations {
    pub linked_accounts: Vec<AccountAssociation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

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

/// A filter by ARNs: `ListPricingPlansFilter`, `ListPricingRulesFilter`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArnsFilter {
    pub arns: Option<Vec<String>>,
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
pub struct PricingRuleElement {
    pub name: String,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub scope: &'static str,
    pub r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modifier_percentage: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub associated_pricing_plan_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<i64>,
    pub last_modified_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiering: Option<Tiering>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// The output of `ListPricingRules`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PricingRules {
    pub billing_period: String,
    pub pricing_rules: Vec<PricingRuleElement>,
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

/// `CustomLineItemBillingPeriodRange`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ItemRange {
    pub inclusive_start_billing_period: String,
    pub exclusive_end_billing_period: Option<String>,
}

/// `CustomLineItemFlatChargeDetails` and its likes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FlatCharge {
    pub charge_value: Number,
}

/// `CustomLineItemPercentageChargeDetails` and its likes; only what is created has associated values.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PercentageCharge {
    pub percentage_value: Number,
    #[serde(skip_serializing)]
    pub associated_values: Option<Vec<String>>,
}

/// `LineItemFilter`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LineItemFilter {
    pub attribute: String,
    pub match_option: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute_values: Option<Vec<String>>,
}

/// `CustomLineItemChargeDetails`, and of an update, which has no type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChargeDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<FlatCharge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<PercentageCharge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_item_filters: Option<Vec<LineItemFilter>>,
}

/// `PresentationObject`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Presentation {
    pub service: String,
}

/// The input of `CreateCustomLineItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateCustomLineItem {
    pub name: String,
    pub description: String,
    pub billing_group_arn: String,
    pub billing_period_range: Option<ItemRange>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    pub charge_details: ChargeDetails,
    pub account_id: Option<String>,
    pub computation_rule: Option<String>,
    pub presentation_details: Option<Presentation>,
}

/// The input of `UpdateCustomLineItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateCustomLineItem {
    pub arn: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub charge_details: Option<ChargeDetails>,
    pub billing_period_range: Option<ItemRange>,
}

/// The output of `UpdateCustomLineItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdatedCustomLineItem {
    pub arn: String,
    pub billing_group_arn: String,
    pub name: String,
    pub description: String,
    pub charge_details: ChargeDetails,
    pub last_modified_time: i64,
    pub association_size: u64,
}

/// The input of `DeleteCustomLineItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteCustomLineItem {
    pub arn: String,
    pub billing_period_range: Option<ItemRange>,
}

/// `ListCustomLineItemsFilter`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomLineItemsFilter {
    pub names: Option<Vec<String>>,
    pub billing_groups: Option<Vec<String>>,
    pub arns: Option<Vec<String>>,
    pub account_ids: Option<Vec<String>>,
}

/// `CustomLineItemListElement`, and with its three members more `CustomLineItemVersionListElement`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomLineItemElement {
    pub arn: String,
    pub name: String,
    pub charge_details: ChargeDetails,
    pub currency_code: String,
    pub description: String,
    pub product_code: String,
    pub billing_group_arn: String,
    pub creation_time: i64,
    pub last_modified_time: i64,
    pub association_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    pub computation_rule: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation_details: Option<Presentation>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub version: Option<ItemVersion>,
}

/// When a version is charged, and since when it is there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ItemVersion {
    pub start_billing_period: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_billing_period: Option<String>,
    pub start_time: i64,
}

/// The output of `ListCustomLineItems`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomLineItems {
    pub custom_line_items: Vec<CustomLineItemElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// `ListCustomLineItemVersionsBillingPeriodRangeFilter`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionsRange {
    pub start_billing_period: Option<String>,
    pub end_billing_period: Option<String>,
}

/// `ListCustomLineItemVersionsFilter`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionsFilter {
    pub billing_period_range: Option<VersionsRange>,
}

/// The input of `ListCustomLineItemVersions`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionsIn {
    pub arn: String,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
    pub filters: Option<VersionsFilter>,
}

/// The output of `ListCustomLineItemVersions`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomLineItemVersions {
    pub custom_line_item_versions: Vec<CustomLineItemElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The input of `BatchAssociateResourcesToCustomLineItem` and its mirror.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourcesOfItem {
    pub target_arn: String,
    pub resource_arns: Vec<String>,
    pub billing_period_range: Option<ItemRange>,
}

/// `AssociateResourceError`
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceError {
    pub message: String,
    pub reason: String,
}

/// `AssociateResourceResponseElement`, `DisassociateResourceResponseElement`
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceResult {
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ResourceError>,
}

/// The output of `BatchAssociateResourcesToCustomLineItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchAssociated {
    pub successfully_associated_resources: Vec<ResourceResult>,
    pub failed_associated_resources: Vec<ResourceResult>,
}

/// The output of `BatchDisassociateResourcesFromCustomLineItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchDisassociated {
    pub successfully_disassociated_resources: Vec<ResourceResult>,
    pub failed_disassociated_resources: Vec<ResourceResult>,
}

/// `ListResourcesAssociatedToCustomLineItemFilter`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RelationshipFilter {
    pub relationship: Option<String>,
}

/// The input of `ListResourcesAssociatedToCustomLineItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssociatedIn {
    pub arn: String,
    pub billing_period: Option<String>,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
    pub filters: Option<RelationshipFilter>,
}

/// `ListResourcesAssociatedToCustomLineItemResponseElement`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssociatedElement {
    pub arn: String,
    pub relationship: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_billing_period: Option<String>,
}

/// The output of `ListResourcesAssociatedToCustomLineItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssociatedResources {
    pub arn: String,
    pub associated_resources: Vec<AssociatedElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// `ListBillingGroupCostReportsFilter`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CostReportsFilter {
    pub billing_group_arns: Option<Vec<String>>,
}

/// `BillingGroupCostReportElement`; with attributes `BillingGroupCostReportResultElement`. What an operator reads.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CostReport {
    pub arn: String,
    #[serde(rename = "AWSCost")]
    pub aws_cost: String,
    pub proforma_cost: String,
    pub margin: String,
    pub margin_percentage: String,
    pub currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<Attribute>>,
}

/// The same for a customer: it has no place for what AWS charges.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomerCostReport {
    pub arn: String,
    pub proforma_cost: String,
    pub currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<Attribute>>,
}

/// `Attribute`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    pub key: &'static str,
    pub value: String,
}

/// The output of `ListBillingGroupCostReports`, for whoever reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CostReports<R> {
    pub billing_group_cost_reports: Vec<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// `BillingPeriodRange`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PeriodRange {
    pub inclusive_start_billing_period: String,
    pub exclusive_end_billing_period: String,
}

/// The input of `GetBillingGroupCostReport`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CostReportIn {
    pub arn: String,
    pub billing_period_range: Option<PeriodRange>,
    #[serde(default)]
    pub group_by: Vec<String>,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
}

/// The output of `GetBillingGroupCostReport`, for whoever reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CostReportResults<R> {
    pub billing_group_cost_report_results: Vec<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// `AutoTransferBillingGroupCreationPreference`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AutoCreation {
    pub enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pricing_plan_arn: Option<String>,
}

/// The input of `GetBillingTransferPreference`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfTransfer {
    pub responsibility_transfer_arn: String,
}

/// The input of `UpdateBillingTransferPreference`; with the time, the output of both operations.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransferPreference {
    pub responsibility_transfer_arn: String,
    pub auto_billing_transfer_billing_group_creation: AutoCreation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified_time: Option<i64>,
}

/// The inputs of the tag operations.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfResource {
    pub resource_arn: String,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    #[serde(default)]
    pub tag_keys: Vec<String>,
}

/// The output of `ListTagsForResource`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tags {
    pub tags: BTreeMap<String, String>,
}
