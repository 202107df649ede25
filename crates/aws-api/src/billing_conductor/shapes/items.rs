//! Custom line items, their versions and what is associated with them.

use aws_wire::json::Number;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
pub struct CustomLineItemElement<'a> {
    pub arn: String,
    pub name: &'a str,
    pub charge_details: ChargeDetails,
    pub currency_code: &'static str,
    pub description: &'a str,
    pub product_code: &'a str,
    pub billing_group_arn: String,
    pub creation_time: i64,
    pub last_modified_time: i64,
    pub association_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<&'a str>,
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
pub struct CustomLineItems<'a> {
    pub custom_line_items: Vec<CustomLineItemElement<'a>>,
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
pub struct CustomLineItemVersions<'a> {
    pub custom_line_item_versions: Vec<CustomLineItemElement<'a>>,
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
