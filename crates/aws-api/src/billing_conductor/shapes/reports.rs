//! Cost reports, the operator's and a customer's.

use serde::{Deserialize, Serialize};

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
