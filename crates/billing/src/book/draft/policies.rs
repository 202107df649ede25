//! Policies as somebody wrote them.

use super::LineFilterDraft;
use crate::money::{Cost, Decimal, Percentage, Quantity};

/// An entry of `[[distributions]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DistributionDraft {
    /// `name`
    pub name: String,
    /// `lines`
    pub lines: Vec<LineFilterDraft>,
    /// `treatment`
    pub treatment: String,
    /// `allocation`
    pub allocation: Option<String>,
    /// `start`
    pub start: Option<String>,
    /// `end`
    pub end: Option<String>,
}

/// An entry of `[[allocations]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllocationDraft {
    /// `name`
    pub name: String,
    /// `description`
    pub description: Option<String>,
    /// `step`
    pub step: Option<Decimal<0>>,
    /// `source`
    pub source: Vec<LineFilterDraft>,
    /// `payer_usage`
    pub payer_usage: bool,
    /// `unused_commitments`
    pub unused_commitments: bool,
    /// `cost`
    pub cost: Option<String>,
    /// `targets`
    pub targets: Option<TargetsDraft>,
    /// `method`
    pub method: String,
    /// `weigh_by`
    pub weigh_by: Option<String>,
    /// `weigh_lines`
    pub weigh_lines: Vec<LineFilterDraft>,
    /// `shares`
    pub shares: Vec<ShareDraft>,
    /// `weights`
    pub weights: Option<String>,
    /// The rows of the file that `weights` names.
    pub weight_rows: Vec<WeightDraft>,
    /// `empty_base`
    pub empty_base: Option<String>,
    /// `computation_rule`
    pub computation_rule: Option<String>,
    /// `presentation_service`
    pub presentation_service: Option<String>,
    /// `start`
    pub start: Option<String>,
    /// `end`
    pub end: Option<String>,
}

/// `targets` of an allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetsDraft {
    /// `billing_groups`
    pub billing_groups: Vec<String>,
    /// `accounts`
    pub accounts: Vec<String>,
    /// `allocations`
    pub allocations: Vec<String>,
    /// `except_billing_groups`
    pub except_billing_groups: Vec<String>,
    /// `except_accounts`
    pub except_accounts: Vec<String>,
    /// `by_account`
    pub by_account: bool,
}

/// An entry of `shares`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShareDraft {
    /// `billing_group`
    pub billing_group: Option<String>,
    /// `account`
    pub account: Option<String>,
    /// `allocation`
    pub allocation: Option<String>,
    /// `payer`
    pub payer: bool,
    /// `percentage`
    pub percentage: Percentage,
}

/// A row of a file of weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightDraft {
    /// Its line in the file, from 1.
    pub line: u64,
    /// `period`
    pub period: Option<String>,
    /// `target`
    pub target: String,
    /// `weight`, or why it is none.
    pub weight: Result<Quantity, String>,
}

/// An entry of `[[support_fees]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SupportFeeDraft {
    /// `name`
    pub name: String,
    /// `description`
    pub description: Option<String>,
    /// `billing_groups`
    pub billing_groups: Vec<String>,
    /// `of`
    pub of: Option<String>,
    /// `tiers`: `up_to` and `percentage`
    pub tiers: Vec<(Option<Cost>, Percentage)>,
    /// `minimum`
    pub minimum: Option<Cost>,
    /// `presentation_service`
    pub presentation_service: Option<String>,
    /// `start`
    pub start: Option<String>,
    /// `end`
    pub end: Option<String>,
}

/// An entry of `[[payer_commitments]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayerCommitmentDraft {
    /// `name`
    pub name: String,
    /// `amount`
    pub amount: Cost,
    /// `of`
    pub of: Option<String>,
    /// `spend`
    pub spend: Vec<LineFilterDraft>,
    /// `shares`
    pub shares: Vec<ShareDraft>,
    /// `shortfall`
    pub shortfall: String,
    /// `presentation_service`
    pub presentation_service: Option<String>,
    /// `start`
    pub start: Option<String>,
    /// `end`
    pub end: Option<String>,
}

/// An entry of `[[minimums]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MinimumDraft {
    /// `name`
    pub name: String,
    /// `description`
    pub description: Option<String>,
    /// `billing_group`
    pub billing_group: String,
    /// `amount`
    pub amount: Option<Cost>,
    /// `percentage`
    pub percentage: Option<Percentage>,
    /// `of`
    pub of: Option<String>,
    /// `presentation_service`
    pub presentation_service: Option<String>,
    /// `start`
    pub start: Option<String>,
    /// `end`
    pub end: Option<String>,
}
