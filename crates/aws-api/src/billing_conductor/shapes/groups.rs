//! Billing groups and their accounts.

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
pub struct UpdatedBillingGroup<'a> {
    pub arn: String,
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    pub primary_account_id: &'a str,
    pub pricing_plan_arn: String,
    pub size: u64,
    pub last_modified_time: i64,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<&'static str>,
    pub account_grouping: AccountGroupingOut,
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

/// `BillingGroupListElement`. A customer's has no plan: it would tell how its price is made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BillingGroupElement<'a> {
    pub name: &'a str,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    pub primary_account_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computation_preference: Option<ComputationPreference>,
    pub size: u64,
    pub creation_time: i64,
    pub last_modified_time: i64,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<&'static str>,
    pub account_grouping: AccountGroupingOut,
    pub billing_group_type: &'static str,
}

/// The output of `ListBillingGroups`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BillingGroups<'a> {
    pub billing_groups: Vec<BillingGroupElement<'a>>,
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
