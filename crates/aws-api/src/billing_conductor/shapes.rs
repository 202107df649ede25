//! The shapes of `billingconductor`, as they are on the wire. What a request may hold was checked against the service model before it is read
//! into one of these; what an answer leaves out is absent, never null.
//!
//! Source: AWS Billing Conductor API reference.

pub mod groups;
pub mod items;
pub mod plans;
pub mod reports;
pub mod rules;
pub mod tags;
pub mod transfers;

use serde::{Deserialize, Serialize};

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

/// What every listing takes, with filters of its own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listing<F> {
    pub billing_period: Option<String>,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
    pub filters: Option<F>,
}

/// A filter by ARNs: `ListPricingPlansFilter`, `ListPricingRulesFilter`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArnsFilter {
    pub arns: Option<Vec<String>>,
}
