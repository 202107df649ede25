//! Preferences of billing transfers.

use serde::{Deserialize, Serialize};

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
