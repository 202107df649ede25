//! What the lines of a class are, told from its key alone: their type, whether they are spot or free, whether they count as AWS cost.

use crate::charge_class::{ChargeClass, Cube, KeyColumn};
use crate::cost_line::{LineItemType, is_limited_offer, is_split_operation, is_support};

/// Why lines are in no account's AWS cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// A row of split cost allocation repeats cost that other rows carry.
    SplitCostAllocation,
    /// Tax.
    Tax,
    /// A support plan.
    Support,
}

/// A class as a person would name it.
#[must_use]
pub fn in_words(cube: &Cube, class: &ChargeClass) -> String {
    let value = |column| cube.value(class, column).unwrap_or("-");
    format!(
        "account `{}`, product `{}`, usage type `{}`, operation `{}`, {}",
        value(KeyColumn::UsageAccount),
        cube.product(class),
        value(KeyColumn::UsageType),
        value(KeyColumn::Operation),
        value(KeyColumn::LineItemType),
    )
}

/// The line item type of a class.
#[must_use]
pub fn line_item_type(cube: &Cube, class: &ChargeClass) -> LineItemType {
    cube.value(class, KeyColumn::LineItemType).map_or(LineItemType::Unknown, LineItemType::parse)
}

/// Whether and why a class is in no account's AWS cost: repeated cost, tax and support.
#[must_use]
pub fn left_out_of_aws_cost(cube: &Cube, class: &ChargeClass, kind: LineItemType) -> Option<LeftOut> {
    let split_operation = cube.value(class, KeyColumn::Operation).is_some_and(is_split_operation);
    if split_operation || cube.value(class, KeyColumn::SplitFlag).is_some() {
        return Some(LeftOut::SplitCostAllocation);
    }
    if kind == LineItemType::Tax {
        return Some(LeftOut::Tax);
    }
    cube.value(class, KeyColumn::ProductCode).is_some_and(is_support).then_some(LeftOut::Support)
}

/// Whether the month's lines say their pricing terms at all.
#[must_use]
pub fn has_terms(cube: &Cube) -> bool {
    cube.classes.iter().any(|class| cube.filled(class, KeyColumn::PricingTerm).is_some())
}

/// Whether a class is spot usage: said by the term or the usage type, or paid instance usage without a term where other lines have one.
#[must_use]
pub fn is_spot(cube: &Cube, class: &ChargeClass, has_terms: bool) -> bool {
    let term = cube.filled(class, KeyColumn::PricingTerm);
    let usage_type = cube.value(class, KeyColumn::UsageType).unwrap_or_default();
    let paid = cube.value(class, KeyColumn::UnblendedRateState) == Some("+");
    let without_term = has_terms && term.is_none() && paid && usage_type.contains("BoxUsage");
    term == Some("Spot") || usage_type.contains("SpotUsage") || without_term
}

/// Whether a class is free usage of a SKU that has a price, and for how long the offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Free {
    /// Under the Always Free Tier.
    Always,
    /// For twelve months, or on trial: the pro forma bill does not have such offers.
    Limited,
}

/// Whether usage is free although its SKU has a public price.
#[must_use]
pub fn free_offer(cube: &Cube, class: &ChargeClass) -> Option<Free> {
    let listed = cube.filled(class, KeyColumn::PublicRate).is_some_and(|rate| rate != "0");
    if !listed || cube.value(class, KeyColumn::UnblendedRateState) != Some("0") {
        return None;
    }
    let limited = cube.value(class, KeyColumn::Description).is_some_and(is_limited_offer);
    Some(if limited { Free::Limited } else { Free::Always })
}
